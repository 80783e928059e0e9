-- Every activity that belongs to cases: how often, in how many of them, by how many people.
-- reads: int_labeled_events      grain: activity      audience: analyst
SELECT
    CAST(activity AS VARCHAR) AS activity,
    CAST(min(application_label) AS VARCHAR) AS application,
    count(*) AS events,
    count(DISTINCT case_key) AS cases,
    count(DISTINCT user_key) AS users
FROM int_labeled_events
WHERE case_key IS NOT NULL
GROUP BY activity
