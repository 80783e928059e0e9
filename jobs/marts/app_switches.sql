-- Switches between applications, and the round trips A to B and back within 60 seconds.
-- reads: int_labeled_events      grain: pair of applications      audience: analyst
--
-- A switch is a pair of consecutive focus blocks of one session; a round trip counts on the pair of its first switch.
WITH found AS (
    SELECT unnest(switches_agg(agent_key, session_key, application_label, time, NULL, user_key ORDER BY agent_key, event_order)) AS pair
    FROM int_labeled_events
)
SELECT
    pair['from_application'] AS from_application,
    pair['to_application'] AS to_application,
    pair['switches'] AS switches,
    pair['round_trips'] AS round_trips,
    pair['users'] AS users
FROM found
