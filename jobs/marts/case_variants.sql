-- Distinct orders of activities over cases, with how often and how long.
-- reads: int_labeled_events      grain: variant      audience: analyst
WITH found AS (
    SELECT unnest(trace_agg(case_key, activity, time ORDER BY agent_key, event_order)) AS variant
    FROM int_labeled_events
)
SELECT
    variant['variant'] AS variant,
    variant['activities'] AS activities,
    variant['cases'] AS cases,
    variant['events'] AS events,
    variant['p50_s'] AS p50_s,
    variant['p90_s'] AS p90_s,
    variant['rework'] AS rework,
    variant['truncated'] AS truncated,
    variant['example_case'] AS example_case
FROM found
