-- Key figures
-- reads: filtered
--
-- Active time of an event = min(time to the next event of the same session, 30 s); idle and locked stretches count zero.
-- A switch is a pair of consecutive focus blocks; a round trip is A, B and back to A within 60 s.
-- A copy-paste pair is a paste whose clipboard holds the copy's value.
WITH pairs AS (
    SELECT unnest(switches_agg(agent_key, session_key, application_label, time, NULL, user_key ORDER BY agent_key, event_order)) AS pair FROM filtered
),
switching AS (
    SELECT sum(pair['switches']) AS switches, sum(pair['round_trips']) AS round_trips FROM pairs
),
clipboard AS (
    SELECT unnest(copy_paste_agg(agent_key, event_type, application_label, screen_label, coalesce(element_name, element_id), value_fingerprint, time, user_key ORDER BY agent_key, event_order)) AS pair
    FROM filtered
    WHERE event_type IN ('copy', 'cut', 'paste')
),
carried AS (
    SELECT sum(pair['pairs']) AS pairs FROM clipboard WHERE pair['outcome'] = 'paired'
),
totals AS (
    SELECT
        count(*) AS events,
        count(DISTINCT user_key) AS users,
        count(DISTINCT session_key) AS sessions,
        count(DISTINCT case_key) AS cases,
        count(DISTINCT application_label) AS applications,
        count(DISTINCT activity) AS activities,
        CAST(coalesce(sum(active_us), 0) AS DOUBLE) / 3.6e9 AS active_h,
        min(time) AS first_event,
        max(time) AS last_event
    FROM filtered
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
