-- Events and active time per hour: how the work is spread over the days.
-- reads: int_labeled_events      grain: hour, application      audience: analyst
WITH hours AS (
    SELECT CAST(time AS BIGINT) / 3600000000 AS number, application_label, user_key, active_us
    FROM int_labeled_events
)
SELECT
    arrow_cast(number * 3600000000, 'Timestamp(Microsecond, Some("UTC"))') AS hour,
    application_label,
    count(*) AS events,
    count(DISTINCT user_key) AS users,
    CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s
FROM hours
GROUP BY number, application_label
