-- The tasks that people do: how many do each, how often, how long.
-- reads: int_segments, int_task_events, int_labeled_events      grain: task type      audience: analyst
--
-- share = handling time of the task / active time of everything; duration = last event - first event; handling time = active time inside
WITH durations AS (
    SELECT unnest(figures_agg(task_type, user_key, task_key, CAST(duration_s * 1e6 AS BIGINT) ORDER BY task_key)) AS figures FROM int_segments
),
types AS (
    SELECT
        task_type,
        min(task_name) AS name,
        min(standing) AS standing,
        count(*) AS instances,
        count(DISTINCT user_key) AS users,
        count(DISTINCT variant) AS variants,
        sum(events) AS events,
        sum(handling_s) AS handling_s,
        median(handling_s) AS handling_p50_s,
        avg(confidence) AS confidence,
        min(start_time) AS first_time,
        max(end_time) AS last_time
    FROM int_segments
    GROUP BY task_type
),
places AS (
    SELECT int_segments.task_type, CAST(int_task_events.application_label AS VARCHAR) AS application, CAST(sum(int_task_events.active_us) AS DOUBLE) AS active_us
    FROM int_task_events
    JOIN int_segments ON int_segments.task_key = int_task_events.task_key
    GROUP BY int_segments.task_type, int_task_events.application_label
),
applications AS (
    SELECT task_type, array_agg(application ORDER BY active_us DESC, application) AS applications FROM places GROUP BY task_type
),
steps AS (
    SELECT int_segments.task_type, CAST(int_task_events.step_key AS VARCHAR) AS step_key, count(DISTINCT int_task_events.task_key) AS instances
    FROM int_task_events
    JOIN int_segments ON int_segments.task_key = int_task_events.task_key
    GROUP BY int_segments.task_type, int_task_events.step_key
),
profiles AS (
    SELECT steps.task_type, array_agg(steps.step_key ORDER BY steps.step_key) AS profile
    FROM steps
    JOIN types ON types.task_type = steps.task_type
    WHERE steps.instances >= 0.2 * types.instances
    GROUP BY steps.task_type
),
everything AS (
    SELECT CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s FROM int_labeled_events
)
SELECT
    types.task_type,
    types.name,
    types.standing,
    types.instances,
    types.users,
    types.variants,
    types.events,
    figures['p50'] / 1e6 AS p50_s,
    figures['p90'] / 1e6 AS p90_s,
    types.handling_s,
    types.handling_p50_s,
    CASE WHEN everything.active_s > 0 THEN types.handling_s / everything.active_s ELSE 0 END AS share,
    applications.applications,
    types.confidence,
    types.first_time,
    types.last_time,
    profiles.profile
FROM types
JOIN durations ON figures['name'] = types.task_type
JOIN applications ON applications.task_type = types.task_type
LEFT JOIN profiles ON profiles.task_type = types.task_type
CROSS JOIN everything
ORDER BY types.handling_s DESC, types.task_type
