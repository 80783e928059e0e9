-- Activity over time
-- reads: time_buckets, totals
WITH span AS (
    SELECT CASE WHEN CAST(last_event AS BIGINT) - CAST(first_event AS BIGINT) > 3 * 86400000000 THEN 86400 ELSE 3600 END AS bucket_s
    FROM totals
)
SELECT bucket, span.bucket_s, events, active_s, users
FROM time_buckets
JOIN span ON span.bucket_s = time_buckets.bucket_s
ORDER BY bucket
