-- Where time goes
-- reads: filtered
--
-- Focus time = active time while the application is in front; accesses = times it regains focus; a focus block is one such stretch.
WITH found AS (
    SELECT unnest(focus_agg(agent_key, session_key, application_label, time, active_us, user_key ORDER BY agent_key, event_order)) AS focus FROM filtered
),
counted AS (
    SELECT application_label, count(*) AS events, count(DISTINCT user_key) AS users FROM filtered GROUP BY application_label
),
shares AS (
    SELECT focus['application'] AS application, focus['active_s'] AS active_s, sum(focus['active_s']) OVER () AS all_s,
        focus['accesses'] AS accesses, focus['focus_p50_s'] AS focus_p50_s, focus['focus_p90_s'] AS focus_p90_s
    FROM found
)
SELECT
    application,
    active_s,
    CASE WHEN all_s > 0 THEN active_s / all_s ELSE 0 END AS share,
    accesses,
    counted.users,
    counted.events,
    focus_p50_s,
    focus_p90_s
FROM shares
JOIN counted ON counted.application_label = shares.application
ORDER BY active_s DESC, application
