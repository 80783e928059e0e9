-- Events that say nothing of their own, and why: they are left out of everything that follows.
-- reads: stg_events      grain: event      audience: analyst      parts: agent
-- params: echo_ms = 1000
--
-- clipboard_echo   the operating system's copy of what an application, or it itself, has just copied
-- selection_only   a cell or field was selected, and the next event is another selection
-- repeated_edit    an edit of a field that the next event edits again: only the last one counts
-- double_click     the two clicks inside a double click
--
-- The window named `whole` looks at all events of an agent. It also makes the engine take an agent at a time in the windows
-- beside it, column by column, which is many times faster than row by row.
WITH neighbours AS (
    SELECT
        agent_key,
        event_order,
        time,
        session_id,
        event_type,
        process_name,
        value_fingerprint,
        coalesce(element_path, element_id, element_name, '') AS element,
        coalesce(window_title, '') AS place,
        min(event_order) OVER whole AS first_event_order,
        lag(event_type) OVER agent AS event_type_before,
        lag(process_name) OVER agent AS process_name_before,
        lag(value_fingerprint) OVER agent AS value_fingerprint_before,
        lag(time) OVER agent AS time_before,
        lead(event_type) OVER agent AS event_type_after,
        lead(coalesce(element_path, element_id, element_name, '')) OVER agent AS element_after,
        lead(coalesce(window_title, '')) OVER agent AS place_after,
        lead(session_id) OVER agent AS session_id_after
    FROM stg_events
    WINDOW
        agent AS (PARTITION BY agent_key ORDER BY event_order),
        whole AS (PARTITION BY agent_key ORDER BY event_order ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
judged AS (
    SELECT
        agent_key,
        event_order,
        time,
        CASE
            WHEN event_type = 'copy' AND process_name = 'os-clipboard'
                AND event_order > first_event_order AND event_type_before IN ('copy', 'cut')
                AND (value_fingerprint IS NOT DISTINCT FROM value_fingerprint_before)
                AND (process_name_before = 'os-clipboard'
                    OR CAST(time AS BIGINT) - CAST(time_before AS BIGINT) <= $echo_ms * 1000)
                THEN 'clipboard_echo'
            WHEN event_type = 'element_focused' AND event_type_after = 'element_focused'
                AND session_id_after = session_id
                THEN 'selection_only'
            WHEN event_type IN ('text_entered', 'element_changed') AND event_type_after = event_type
                AND element <> '' AND element_after = element AND place_after = place
                AND session_id_after = session_id
                THEN 'repeated_edit'
            WHEN event_type = 'left_click' AND event_type_after = 'double_click'
                AND element_after = element AND session_id_after = session_id
                THEN 'double_click'
        END AS reason
    FROM neighbours
)
SELECT agent_key, event_order, time, reason
FROM judged
WHERE reason IS NOT NULL
