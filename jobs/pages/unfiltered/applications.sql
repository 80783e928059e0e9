-- Where time goes
-- reads: app_focus, app_usage
WITH counted AS (
    SELECT application_label, sum(events) AS events, count(DISTINCT user_key) AS users FROM app_usage GROUP BY application_label
),
shares AS (
    SELECT *, sum(active_s) OVER () AS all_s FROM app_focus
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
