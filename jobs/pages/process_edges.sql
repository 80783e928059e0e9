-- How the work flows: steps
-- reads: filtered
--
-- B directly follows A if it is the next event of the same case; the time is from A to B. A null from_activity is the start, a null to_activity the end.
WITH found AS (
    SELECT unnest(dfg_agg(case_key, activity, time ORDER BY agent_key, event_order)) AS edge FROM filtered
)
SELECT
    edge['from_activity'] AS from_activity,
    edge['to_activity'] AS to_activity,
    edge['frequency'] AS frequency,
    edge['cases'] AS cases,
    edge['p50_s'] AS p50_s,
    edge['p90_s'] AS p90_s,
    edge['mean_s'] AS mean_s
FROM found
ORDER BY frequency DESC, from_activity, to_activity
