-- Where time goes
-- reads: app_focus
WITH shares AS (
    SELECT *, sum(active_s) OVER () AS all_s FROM app_focus
)
SELECT
    application,
    active_s,
    CASE WHEN all_s > 0 THEN active_s / all_s ELSE 0 END AS share,
    accesses,
    users,
    events,
    focus_p50_s,
    focus_p90_s
FROM shares
ORDER BY active_s DESC, application
