-- How the work flows: activities
-- reads: activities, activity_graph, case_variants
WITH happy AS (
    SELECT activities FROM case_variants ORDER BY cases DESC, array_length(activities) DESC, variant LIMIT 1
),
ranked AS (
    SELECT step, min(position) AS happy_path_rank
    FROM (SELECT unnest(activities) AS step, unnest(range(1, CAST(array_length(activities) AS BIGINT) + 1)) AS position FROM happy)
    GROUP BY step
),
starts AS (
    SELECT to_activity AS activity, frequency AS cases FROM activity_graph WHERE from_activity IS NULL
),
ends AS (
    SELECT from_activity AS activity, frequency AS cases FROM activity_graph WHERE to_activity IS NULL
)
SELECT
    activities.activity,
    activities.application,
    activities.events,
    activities.cases,
    coalesce(starts.cases, 0) AS start_cases,
    coalesce(ends.cases, 0) AS end_cases,
    ranked.happy_path_rank,
    activities.users
FROM activities
LEFT JOIN starts ON starts.activity = activities.activity
LEFT JOIN ends ON ends.activity = activities.activity
LEFT JOIN ranked ON ranked.step = activities.activity
ORDER BY events DESC, activities.activity
