-- What is worth automating
-- reads: filtered, int_task_events, int_segments, automation_candidates
--
-- RAI (routine automatability index) = steps that a robot can do ÷ steps, each counted as often as it is done.
-- Determinism = share of steps after which the most usual next step follows. Exceptions = share of instances in an order of steps that occurs only once.
-- Minutes per week = instances per week × median active time of one; a recording of less than a week counts as a week.
-- Potential = minutes per week × RAI × determinism × (1 − exceptions). A filter changes people, instances and minutes; the other factors are those of all instances.
WITH chosen AS (
    SELECT DISTINCT int_task_events.task_key FROM filtered JOIN int_task_events ON int_task_events.event_order = filtered.event_order
),
recorded AS (
    SELECT greatest(CAST(CAST(max(time) AS BIGINT) - CAST(min(time) AS BIGINT) AS DOUBLE) / 6.048e11, 1.0) AS weeks FROM filtered
),
counted AS (
    SELECT int_segments.task_type, count(*) AS instances, count(DISTINCT int_segments.user_key) AS users, median(int_segments.handling_s) AS handling_p50_s
    FROM int_segments
    JOIN chosen ON chosen.task_key = int_segments.task_key
    WHERE $task IS NULL OR int_segments.task_type = $task
    GROUP BY int_segments.task_type
),
figures AS (
    SELECT
        counted.task_type AS task,
        automation_candidates.name,
        automation_candidates.standing,
        counted.users,
        counted.instances,
        automation_candidates.applications,
        automation_candidates.steps,
        automation_candidates.automatable_steps,
        automation_candidates.writing_steps,
        automation_candidates.explained_steps,
        automation_candidates.hit_rate,
        automation_candidates.rai,
        automation_candidates.determinism,
        automation_candidates.exceptions,
        counted.handling_p50_s,
        counted.instances / recorded.weeks AS instances_per_week,
        counted.instances / recorded.weeks * counted.handling_p50_s / 60 AS minutes_per_week
    FROM counted
    JOIN automation_candidates ON automation_candidates.task_type = counted.task_type
    CROSS JOIN recorded
)
SELECT *, minutes_per_week * rai * determinism * (1 - exceptions) AS potential_minutes_per_week
FROM figures
ORDER BY rai DESC, potential_minutes_per_week DESC, task
