-- What breaks concentration
-- reads: filtered
--
-- A switch is a pair of consecutive focus blocks; a round trip A, B, A within 60 s counts on the pair A, B.
WITH found AS (
    SELECT unnest(switches_agg(agent_key, session_key, application_label, time, NULL, user_key ORDER BY agent_key, event_order)) AS pair FROM filtered
)
SELECT
    pair['from_application'] AS from_application,
    pair['to_application'] AS to_application,
    pair['switches'] AS switches,
    pair['round_trips'] AS round_trips,
    pair['users'] AS users
FROM found
ORDER BY switches DESC, from_application, to_application
