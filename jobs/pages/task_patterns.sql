-- What recurs in a task
-- reads: filtered, chosen_tasks, int_task_events, int_segments
--
-- Steps that at least half of the instances do in this order, whatever they do between. A pattern to which a step could be added without losing an
-- instance is left out, and so is one that mostly says what those above it say. Cohesion = steps of the pattern ÷ mean length of the shortest stretches that
-- hold it: 1 if nothing ever comes between. At most 200 instances are looked at, spread evenly, and of each the first 60 steps.
WITH found AS (
    SELECT unnest(patterns_agg(
        int_task_events.event_order,
        int_task_events.user_key,
        int_task_events.task_key,
        chosen.task_type,
        CAST(int_task_events.step AS VARCHAR)
    )) AS pattern
    FROM int_task_events
    JOIN chosen_tasks AS chosen ON chosen.task_key = int_task_events.task_key
)
SELECT
    pattern['task_type'] AS task,
    pattern['rank'] AS rank,
    pattern['steps'] AS steps,
    pattern['instances'] AS instances,
    pattern['looked_at'] AS looked_at,
    CAST(pattern['instances'] AS DOUBLE) / pattern['looked_at'] AS share,
    pattern['users'] AS users,
    pattern['cohesion'] AS cohesion
FROM found
ORDER BY task, rank
