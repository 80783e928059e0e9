-- Key figures
-- reads: totals, app_switches, copy_paste
WITH switching AS (
    SELECT sum(switches) AS switches, sum(round_trips) AS round_trips FROM app_switches
),
carried AS (
    SELECT sum(pairs) AS pairs FROM copy_paste WHERE outcome = 'paired'
)
SELECT
    totals.*,
    coalesce(carried.pairs, 0) AS copy_paste_pairs,
    coalesce(switching.switches, 0) AS switches,
    CASE WHEN active_h > 0 THEN coalesce(switching.switches, 0) / active_h END AS switches_per_active_hour,
    coalesce(switching.round_trips, 0) AS round_trips
FROM totals
CROSS JOIN switching
CROSS JOIN carried
