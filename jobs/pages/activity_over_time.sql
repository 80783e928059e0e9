-- Activity over time
-- reads: filtered
--
-- Events and active time per hour, or per day when the log spans more than three days.
WITH span AS (
    SELECT CASE WHEN CAST(max(time) AS BIGINT) - CAST(min(time) AS BIGINT) > 3 * 86400000000 THEN 86400 ELSE 3600 END AS bucket_s
    FROM filtered
),
bucketed AS (
    SELECT CAST(time AS BIGINT) / (bucket_s * 1000000) AS number, bucket_s, user_key, active_us
    FROM span
    CROSS JOIN filtered
)
SELECT
    arrow_cast(number * bucket_s * 1000000, 'Timestamp(Microsecond, Some("UTC"))') AS bucket,
    bucket_s,
    count(*) AS events,
    CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s,
    count(DISTINCT user_key) AS users
FROM bucketed
GROUP BY number, bucket_s
ORDER BY bucket
