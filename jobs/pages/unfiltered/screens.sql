-- Screens inside applications
-- reads: app_usage
SELECT
    application_label AS application,
    screen_label AS screen,
    sum(active_s) AS active_s,
    sum(events) AS events,
    count(DISTINCT user_key) AS users
FROM app_usage
GROUP BY application_label, screen_label
ORDER BY active_s DESC, application, screen
