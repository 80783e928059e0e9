-- How differently the work is done
-- reads: filtered
--
-- A variant is one distinct order of activities over cases; duration = last event - first event; rework = it visits an activity again.
WITH found AS (
    SELECT unnest(trace_agg(case_key, activity, time ORDER BY agent_key, event_order)) AS variant FROM filtered
),
people AS (
    SELECT variant, count(DISTINCT user_key) AS users FROM int_case_spans GROUP BY variant
)
SELECT
    found.variant['variant'] AS variant,
    found.variant['activities'] AS activities,
    found.variant['cases'] AS cases,
    CAST(found.variant['cases'] AS DOUBLE) / sum(found.variant['cases']) OVER () AS share,
    found.variant['events'] AS events,
    found.variant['p50_s'] AS p50_s,
    found.variant['p90_s'] AS p90_s,
    people.users,
    found.variant['rework'] AS rework,
    found.variant['example_case'] AS example_case
FROM found
LEFT JOIN people ON people.variant = found.variant['variant']
ORDER BY cases DESC, events, variant
