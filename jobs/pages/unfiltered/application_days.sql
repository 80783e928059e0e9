-- Applications day by day
-- reads: app_usage
SELECT
    application_label AS application,
    day,
    sum(active_s) AS active_s,
    sum(events) AS events,
    count(DISTINCT user_key) AS users
FROM app_usage
GROUP BY application_label, day
ORDER BY day, application
