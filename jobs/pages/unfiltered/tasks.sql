-- The tasks that people do
-- reads: task_types
SELECT
    task_type AS task, name, standing, users, instances, variants, p50_s, p90_s, handling_s, share, applications, confidence,
    first_time AS "first", last_time AS "last"
FROM task_types
ORDER BY handling_s DESC, task
