-- The tasks that people do
-- reads: filtered, int_task_events, int_segments, task_types
--
-- A task is a stretch of events that recurs; it was found, not configured. Time = last event − first event of an instance, median and 90th
-- percentile. Share = active time inside the task ÷ active time of everything. With a filter, instances count that have an event it lets through.
WITH chosen AS (
    SELECT DISTINCT int_task_events.task_key FROM filtered JOIN int_task_events ON int_task_events.event_order = filtered.event_order
),
instances AS (
    SELECT int_segments.* FROM int_segments JOIN chosen ON chosen.task_key = int_segments.task_key
),
durations AS (
    SELECT unnest(figures_agg(task_type, user_key, task_key, CAST(duration_s * 1e6 AS BIGINT) ORDER BY task_key)) AS figures FROM instances
),
types AS (
    SELECT
        task_type, min(task_name) AS name, min(standing) AS standing, count(*) AS instances, count(DISTINCT user_key) AS users,
        count(DISTINCT variant) AS variants, sum(handling_s) AS handling_s, avg(confidence) AS confidence,
        min(start_time) AS first_time, max(end_time) AS last_time
    FROM instances
    GROUP BY task_type
),
everything AS (
    SELECT CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s FROM filtered
)
SELECT
    types.task_type AS task,
    types.name,
    types.standing,
    types.users,
    types.instances,
    types.variants,
    figures['p50'] / 1e6 AS p50_s,
    figures['p90'] / 1e6 AS p90_s,
    types.handling_s,
    CASE WHEN everything.active_s > 0 THEN types.handling_s / everything.active_s ELSE 0 END AS share,
    task_types.applications,
    types.confidence,
    types.first_time AS "first",
    types.last_time AS "last"
FROM types
JOIN durations ON figures['name'] = types.task_type
JOIN task_types ON task_types.task_type = types.task_type
CROSS JOIN everything
ORDER BY handling_s DESC, task
