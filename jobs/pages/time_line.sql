-- What happened
-- reads: filtered
--
-- The events in their order; the gap is the time since the event before it in the same session.
SELECT
    event_order AS event,
    session_key AS "session",
    case_key AS "case",
    user_key AS "user",
    time,
    CAST(CAST(time AS BIGINT) - CAST(lag(time) OVER (PARTITION BY agent_key ORDER BY event_order) AS BIGINT) AS DOUBLE) / 1e6 AS gap_s,
    application_label AS application,
    screen_label AS screen,
    activity,
    event_type,
    coalesce(element_name, element_id) AS element,
    window_title,
    url_host,
    text_length,
    screenshot_id
FROM filtered
ORDER BY agent_key, event_order
