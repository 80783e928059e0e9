-- Which activity directly follows which, inside a case.
-- reads: int_labeled_events      grain: pair of activities      audience: analyst
--
-- A null from_activity marks the start of cases, a null to_activity their end.
WITH found AS (
    SELECT unnest(dfg_agg(case_key, activity, time ORDER BY agent_key, event_order)) AS edge
    FROM int_labeled_events
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
