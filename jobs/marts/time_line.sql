-- Events and active time per hour: how the work is spread over the days.
-- reads: int_labeled_events      grain: hour, application      audience: analyst
SELECT
    date_trunc('hour', time) AS hour,
    application_label,
    count(*) AS events,
    count(DISTINCT user_key) AS users,
    CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s
FROM int_labeled_events
GROUP BY date_trunc('hour', time), application_label
