-- Events, active time and people per hour and per day: how the work is spread over time.
-- reads: int_labeled_events      grain: length of the bucket, bucket      audience: analyst
WITH lengths AS (
    SELECT unnest([3600, 86400]) AS bucket_s
),
bucketed AS (
    SELECT
        bucket_s,
        CASE WHEN bucket_s = 86400 THEN date_trunc('day', time) ELSE date_trunc('hour', time) END AS bucket,
        user_key,
        active_us
    FROM int_labeled_events
    CROSS JOIN lengths
)
SELECT
    bucket,
    bucket_s,
    count(*) AS events,
    CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s,
    count(DISTINCT user_key) AS users
FROM bucketed
GROUP BY bucket, bucket_s
