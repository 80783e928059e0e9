-- The event log as it came in, with every column; it can be imported again.
-- reads: events
SELECT * EXCEPT (agent_key, user_key, event_order, case_key)
FROM events
ORDER BY agent_key, event_order
