-- The instances of tasks that the page's filters let through: those with an event that they let through.
-- reads: filtered, int_task_events, int_segments
--
-- A task that people rejected is none.
SELECT DISTINCT int_segments.task_key, int_segments.task_type
FROM filtered
JOIN int_task_events ON int_task_events.event_order = filtered.event_order
JOIN int_segments ON int_segments.task_key = int_task_events.task_key
WHERE ($task IS NULL OR int_segments.task_type = $task)
  AND ($task_variant IS NULL OR int_segments.variant = $task_variant)
  AND int_segments.standing <> 'rejected'
