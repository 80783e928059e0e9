-- Task instances: who did which task when, how long, and how much like the others of its type.
-- reads: int_task_events      grain: task instance      audience: analyst
-- params: corrections = []
--
-- duration = last event - first event; handling time = active time inside; confidence = steps that the instance and the profile of
-- its type share, as a part of all steps of both; the profile is the steps that at least a fifth of the type's instances have.
-- What people said of tasks is applied here: standing is found, confirmed or rejected.
WITH typed AS (
    SELECT unnest(task_types_agg(event_order, task_key, found_type, found_name, step_key, $corrections)) AS task
    FROM int_task_events
),
spans AS (
    SELECT
        task_key,
        min(agent_key) AS agent_key,
        min(user_key) AS user_key,
        min(session_key) AS session_key,
        min(time) AS start_time,
        max(time) AS end_time,
        count(*) AS events,
        CAST(CAST(max(time) AS BIGINT) - CAST(min(time) AS BIGINT) AS DOUBLE) / 1e6 AS duration_s,
        CAST(sum(active_us) AS DOUBLE) / 1e6 AS handling_s
    FROM int_task_events
    GROUP BY task_key
),
variants AS (
    SELECT unnest(case_variants(task_key, step, time ORDER BY agent_key, event_order)) AS span
    FROM int_task_events
)
SELECT
    spans.task_key,
    task['task_type'] AS task_type,
    task['name'] AS task_name,
    task['standing'] AS standing,
    task['confidence'] AS confidence,
    'discovered' AS found_by,
    spans.agent_key,
    spans.user_key,
    spans.session_key,
    spans.start_time,
    spans.end_time,
    spans.events,
    spans.duration_s,
    spans.handling_s,
    span['variant'] AS variant
FROM typed
JOIN spans ON spans.task_key = task['task_key']
JOIN variants ON span['case_key'] = task['task_key']
ORDER BY spans.task_key
