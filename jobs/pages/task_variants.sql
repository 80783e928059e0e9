-- How differently a task is done
-- reads: filtered, int_task_events, int_segments, task_variants
--
-- A variant is one distinct order of steps. Share = instances of the variant ÷ instances of the task; time = last event − first event, median;
-- rework = it visits a step again. A variant is shown if enough people did the task in that order.
WITH chosen AS (
    SELECT DISTINCT int_task_events.task_key FROM filtered JOIN int_task_events ON int_task_events.event_order = filtered.event_order
),
variants AS (
    SELECT int_segments.task_type, int_segments.variant, count(*) AS instances, count(DISTINCT int_segments.user_key) AS users, median(int_segments.duration_s) AS p50_s
    FROM int_segments
    JOIN chosen ON chosen.task_key = int_segments.task_key
    WHERE ($task IS NULL OR int_segments.task_type = $task)
      AND ($task_variant IS NULL OR int_segments.variant = $task_variant)
    GROUP BY int_segments.task_type, int_segments.variant
)
SELECT
    variants.task_type AS task,
    variants.variant,
    task_variants.steps,
    variants.instances,
    CAST(variants.instances AS DOUBLE) / sum(variants.instances) OVER (PARTITION BY variants.task_type) AS share,
    variants.users,
    variants.p50_s,
    task_variants.rework
FROM variants
JOIN task_variants ON task_variants.task_type = variants.task_type AND task_variants.variant = variants.variant
ORDER BY task, instances DESC, variants.variant
