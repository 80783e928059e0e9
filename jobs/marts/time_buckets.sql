-- Events, active time and people per hour and per day: how the work is spread over time.
-- reads: int_labeled_events      grain: length of the bucket, bucket      audience: analyst
WITH lengths AS (
    SELECT unnest([3600, 86400]) AS bucket_s
),
bucketed AS (
    SELECT CAST(time AS BIGINT) / (bucket_s * 1000000) AS number, bucket_s, user_key, active_us
    FROM lengths
    CROSS JOIN int_labeled_events
)
SELECT
    arrow_cast(number * bucket_s * 1000000, 'Timestamp(Microsecond, Some("UTC"))') AS bucket,
    bucket_s,
    count(*) AS events,
    CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s,
    count(DISTINCT user_key) AS users
FROM bucketed
GROUP BY number, bucket_s
