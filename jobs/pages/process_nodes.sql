-- How the work flows: activities
-- reads: filtered
--
-- Events and cases per activity; the happy path is the activities of the most frequent variant (of several, the longest), in its order.
WITH found AS (
    SELECT unnest(trace_agg(case_key, activity, time ORDER BY agent_key, event_order)) AS variant FROM filtered
),
happy AS (
    SELECT variant['activities'] AS activities FROM found ORDER BY variant['cases'] DESC, array_length(variant['activities']) DESC, variant['variant'] LIMIT 1
),
ranked AS (
    SELECT step, min(position) AS happy_path_rank
    FROM (SELECT unnest(activities) AS step, unnest(range(1, CAST(array_length(activities) AS BIGINT) + 1)) AS position FROM happy)
    GROUP BY step
),
edges AS (
    SELECT unnest(dfg_agg(case_key, activity, time ORDER BY agent_key, event_order)) AS edge FROM filtered
),
starts AS (
    SELECT edge['to_activity'] AS activity, edge['frequency'] AS cases FROM edges WHERE edge['from_activity'] IS NULL
),
ends AS (
    SELECT edge['from_activity'] AS activity, edge['frequency'] AS cases FROM edges WHERE edge['to_activity'] IS NULL
),
counted AS (
    SELECT
        CAST(activity AS VARCHAR) AS activity,
        CAST(min(application_label) AS VARCHAR) AS application,
        count(*) AS events,
        count(DISTINCT case_key) AS cases,
        count(DISTINCT user_key) AS users
    FROM filtered
    WHERE case_key IS NOT NULL
    GROUP BY activity
)
SELECT
    counted.activity,
    counted.application,
    counted.events,
    counted.cases,
    coalesce(starts.cases, 0) AS start_cases,
    coalesce(ends.cases, 0) AS end_cases,
    ranked.happy_path_rank,
    counted.users
FROM counted
LEFT JOIN starts ON starts.activity = counted.activity
LEFT JOIN ends ON ends.activity = counted.activity
LEFT JOIN ranked ON ranked.step = counted.activity
ORDER BY events DESC, counted.activity
