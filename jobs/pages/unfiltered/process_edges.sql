-- How the work flows: steps
-- reads: activity_graph
SELECT from_activity, to_activity, frequency, cases, p50_s, p90_s, mean_s
FROM activity_graph
ORDER BY frequency DESC, from_activity, to_activity
