-- Sessions
-- reads: filtered
--
-- A session is an unbroken stretch of work: no pause longer than 5 min. Idle = from start to end, less active time.
SELECT
    session_key AS "session",
    min(user_key) AS "user",
    min(time) AS start,
    max(time) AS "end",
    count(*) AS events,
    CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s,
    CAST(CAST(max(time) AS BIGINT) - CAST(min(time) AS BIGINT) - sum(active_us) AS DOUBLE) / 1e6 AS idle_s,
    count(DISTINCT application_label) AS applications
FROM filtered
GROUP BY session_key
ORDER BY start, "session"
