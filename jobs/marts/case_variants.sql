-- Distinct orders of activities over cases, with how often and how long.
-- reads: int_labeled_events, int_case_spans      grain: variant      audience: analyst
WITH found AS (
    SELECT unnest(trace_agg(case_key, activity, time ORDER BY agent_key, event_order)) AS variant
    FROM int_labeled_events
),
people AS (
    SELECT variant, count(DISTINCT user_key) AS users FROM int_case_spans GROUP BY variant
)
SELECT
    found.variant['variant'] AS variant,
    found.variant['activities'] AS activities,
    found.variant['cases'] AS cases,
    found.variant['events'] AS events,
    found.variant['p50_s'] AS p50_s,
    found.variant['p90_s'] AS p90_s,
    people.users,
    found.variant['rework'] AS rework,
    found.variant['truncated'] AS truncated,
    found.variant['example_case'] AS example_case
FROM found
LEFT JOIN people ON people.variant = found.variant['variant']
