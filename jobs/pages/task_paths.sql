-- What follows what in a task
-- reads: filtered, chosen_tasks, int_task_events, int_segments
--
-- B directly follows A if it is the next event of the same instance; the time is from A to B. A null from_activity is the start, a null to_activity the end.
WITH events AS (
    SELECT
        chosen.task_type, int_task_events.task_key, int_task_events.user_key, CAST(int_task_events.step AS VARCHAR) AS step,
        lag(CAST(int_task_events.step AS VARCHAR)) OVER task AS step_before,
        lead(CAST(int_task_events.step AS VARCHAR)) OVER task AS step_after,
        CAST(CAST(lead(int_task_events.time) OVER task AS BIGINT) - CAST(int_task_events.time AS BIGINT) AS DOUBLE) / 1e6 AS gap_s
    FROM int_task_events
    JOIN chosen_tasks AS chosen ON chosen.task_key = int_task_events.task_key
    WINDOW task AS (PARTITION BY int_task_events.task_key ORDER BY int_task_events.event_order)
),
paths AS (
    SELECT task_type, task_key, user_key, step AS from_activity, step_after AS to_activity, gap_s FROM events
    UNION ALL
    SELECT task_type, task_key, user_key, NULL, step, NULL FROM events WHERE step_before IS NULL
)
SELECT
    task_type AS task,
    from_activity,
    to_activity,
    count(*) AS frequency,
    count(DISTINCT task_key) AS cases,
    count(DISTINCT user_key) AS users,
    median(gap_s) AS p50_s,
    avg(gap_s) AS mean_s
FROM paths
GROUP BY task_type, from_activity, to_activity
ORDER BY task, frequency DESC, from_activity, to_activity
