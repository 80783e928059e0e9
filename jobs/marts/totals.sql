-- Key figures of the whole log: how much there is of everything, and how much of the time was active.
-- reads: int_labeled_events      grain: log      audience: analyst
SELECT
    count(*) AS events,
    count(DISTINCT user_key) AS users,
    count(DISTINCT session_key) AS sessions,
    count(DISTINCT case_key) AS cases,
    count(DISTINCT application_label) AS applications,
    count(DISTINCT activity) AS activities,
    CAST(coalesce(sum(active_us), 0) AS DOUBLE) / 3.6e9 AS active_h,
    min(time) AS first_event,
    max(time) AS last_event
FROM int_labeled_events
