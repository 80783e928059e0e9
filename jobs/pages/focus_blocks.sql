-- How long people stay with one application
-- reads: filtered
--
-- Number of focus blocks by length; a focus block is an unbroken stretch in one application inside a session.
WITH found AS (
    SELECT unnest(focus_agg(agent_key, session_key, application_label, time, active_us, user_key ORDER BY agent_key, event_order)) AS focus FROM filtered
),
classes AS (
    SELECT focus['application'] AS application, unnest(focus['classes']) AS class FROM found
)
SELECT application, class['from_s'] AS from_s, class['to_s'] AS to_s, class['blocks'] AS blocks
FROM classes
WHERE class['blocks'] > 0
ORDER BY application, from_s
