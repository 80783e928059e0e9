-- Applications day by day
-- reads: filtered
--
-- Active time per application and day (UTC).
SELECT
    application_label AS application,
    day,
    CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s,
    count(*) AS events,
    count(DISTINCT user_key) AS users
FROM filtered
GROUP BY application_label, day
ORDER BY day, application
