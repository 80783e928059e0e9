-- Applications day by day
-- reads: app_days
SELECT application_label AS application, day, active_s, events, users
FROM app_days
ORDER BY day, application
