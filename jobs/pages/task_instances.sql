-- Instances of a task
-- reads: filtered, int_task_events, int_segments
--
-- Duration = last event − first event; handling time = active time inside; confidence = steps that the instance and the profile of its task share, as a
-- part of all steps of both.
WITH chosen AS (
    SELECT DISTINCT int_task_events.task_key FROM filtered JOIN int_task_events ON int_task_events.event_order = filtered.event_order
)
SELECT
    int_segments.task_key AS instance,
    int_segments.task_type AS task,
    int_segments.task_name AS name,
    int_segments.user_key AS "user",
    int_segments.session_key AS "session",
    int_segments.start_time AS start,
    int_segments.end_time AS "end",
    int_segments.events,
    int_segments.duration_s,
    int_segments.handling_s,
    int_segments.confidence,
    int_segments.variant
FROM int_segments
JOIN chosen ON chosen.task_key = int_segments.task_key
WHERE ($task IS NULL OR int_segments.task_type = $task)
  AND ($task_variant IS NULL OR int_segments.variant = $task_variant)
ORDER BY start_time, instance
