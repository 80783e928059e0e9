-- Focus blocks per application: how long people stay before they turn to something else.
-- reads: int_labeled_events      grain: application      audience: analyst
--
-- A focus block is an unbroken stretch in one application inside a session; its length is the active time in it.
WITH found AS (
    SELECT unnest(focus_agg(agent_key, session_key, application_label, time, active_us, user_key ORDER BY agent_key, event_order)) AS focus
    FROM int_labeled_events
),
counted AS (
    SELECT application_label, count(*) AS events FROM int_labeled_events GROUP BY application_label
)
SELECT
    focus['application'] AS application,
    focus['active_s'] AS active_s,
    focus['accesses'] AS accesses,
    focus['users'] AS users,
    counted.events,
    focus['focus_p50_s'] AS focus_p50_s,
    focus['focus_p90_s'] AS focus_p90_s,
    focus['classes'] AS classes
FROM found
JOIN counted ON counted.application_label = focus['application']
