-- The orders of steps in which each task is done, with how often, by how many people, how long.
-- reads: int_segments, int_task_events      grain: task type, variant      audience: analyst
--
-- A variant is one distinct order of steps; people are counted for each variant, because a page shows it only if enough people did it so.
WITH found AS (
    SELECT unnest(trace_agg(task_key, step, time ORDER BY agent_key, event_order)) AS variant FROM int_task_events
)
SELECT
    int_segments.task_type,
    int_segments.variant,
    found.variant['activities'] AS steps,
    count(*) AS instances,
    count(DISTINCT int_segments.user_key) AS users,
    median(int_segments.duration_s) AS p50_s,
    found.variant['rework'] AS rework,
    min(int_segments.task_key) AS example_task
FROM int_segments
JOIN found ON found.variant['variant'] = int_segments.variant
WHERE int_segments.standing <> 'rejected'
GROUP BY int_segments.task_type, int_segments.variant, found.variant['activities'], found.variant['rework']
ORDER BY int_segments.task_type, instances DESC, int_segments.variant
