-- Pictures of single steps
-- reads: filtered, stg_events
--
-- The events that have a picture, in their order, with the element's box and the pointer in pixels of the virtual desktop.
SELECT
    filtered.event_order AS event,
    filtered.session_key AS "session",
    filtered.case_key AS "case",
    filtered.user_key AS "user",
    filtered.time,
    filtered.application_label AS application,
    filtered.screen_label AS screen,
    filtered.activity,
    filtered.event_type,
    coalesce(filtered.element_name, filtered.element_id) AS element,
    stg_events.element_box[1] AS box_x,
    stg_events.element_box[2] AS box_y,
    stg_events.element_box[3] AS box_width,
    stg_events.element_box[4] AS box_height,
    stg_events.mouse_x,
    stg_events.mouse_y,
    filtered.screenshot_id
FROM filtered
JOIN stg_events ON stg_events.event_order = filtered.event_order
WHERE filtered.screenshot_id IS NOT NULL
ORDER BY filtered.agent_key, filtered.event_order
