-- What is worth automating
-- reads: automation_candidates
SELECT
    task_type AS task, name, standing, users, instances, applications, steps, automatable_steps, writing_steps, explained_steps, hit_rate, rai, determinism,
    exceptions, handling_p50_s, instances_per_week, minutes_per_week, potential_minutes_per_week
FROM automation_candidates
ORDER BY rai DESC, potential_minutes_per_week DESC, task
