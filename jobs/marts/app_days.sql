-- Active time, events and people per application and day.
-- reads: int_labeled_events      grain: application, day      audience: analyst
SELECT
    application_label,
    day,
    count(*) AS events,
    count(DISTINCT user_key) AS users,
    CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s
FROM int_labeled_events
GROUP BY application_label, day
