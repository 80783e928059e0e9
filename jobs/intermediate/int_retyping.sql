-- Values that a person had before them in one application and typed again in another, without the clipboard.
-- reads: int_labeled_events, stg_events      grain: event      audience: analyst      parts: agent
-- params: within_s = 900, echo_ms = 1000, length_min = 4, usual_writes = 5, usual_percent = 10
--
-- re-typed     a value is entered, and the event with this value before it in the session was in another application, at most within_s
--              before; and since then nothing of which the value is not known was pasted into the application that it is entered in
-- same value   an equal fingerprint; an equal text where there is no fingerprint
-- left out     values shorter than length_min characters, such as 1 or yes; the usual answers of a person to a field, that is values which
--              make up more than usual_percent of what the person entered there, once they were entered usual_writes times; and what comes
--              within echo_ms, which is one entry seen by two recorders
--
-- A value that is entered twice in the second application was carried once: the second time, the event before it is in the same application.
-- That is also what a paste does: it stands between the copy and the entry that follows it.
WITH valued AS (
    SELECT
        int_labeled_events.agent_key,
        int_labeled_events.user_key,
        int_labeled_events.session_key,
        int_labeled_events.event_order,
        int_labeled_events.time,
        CAST(int_labeled_events.event_type AS VARCHAR) AS event_type,
        CAST(int_labeled_events.application_label AS VARCHAR) AS application,
        CAST(int_labeled_events.screen_label AS VARCHAR) AS screen,
        coalesce(CAST(int_labeled_events.element_name AS VARCHAR), CAST(int_labeled_events.element_id AS VARCHAR)) AS element,
        int_labeled_events.value_fingerprint,
        CASE WHEN int_labeled_events.value_fingerprint IS NULL THEN nullif(CAST(stg_events.text AS VARCHAR), '') END AS text,
        coalesce(CAST(int_labeled_events.text_length AS BIGINT), CAST(character_length(stg_events.text) AS BIGINT), 0) AS length
    FROM int_labeled_events
    JOIN stg_events ON stg_events.event_order = int_labeled_events.event_order
    WHERE int_labeled_events.event_type IN ('copy', 'cut', 'paste', 'text_entered', 'element_changed')
),
followed AS (
    SELECT
        *,
        max(CASE WHEN event_type = 'paste' AND value_fingerprint IS NULL AND text IS NULL THEN event_order END)
            OVER (PARTITION BY agent_key, session_key, application ORDER BY event_order ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS unknown_paste,
        sum(CASE WHEN event_type IN ('text_entered', 'element_changed') THEN 1 ELSE 0 END)
            OVER (PARTITION BY agent_key, application, element) AS field_writes,
        sum(CASE WHEN event_type IN ('text_entered', 'element_changed') THEN 1 ELSE 0 END)
            OVER (PARTITION BY agent_key, application, element, value_fingerprint, text) AS same_writes
    FROM valued
),
carried AS (
    SELECT
        *,
        lag(event_order) OVER same_value AS from_event_order,
        lag(application) OVER same_value AS from_application,
        lag(screen) OVER same_value AS from_screen,
        lag(element) OVER same_value AS from_element,
        CAST(time AS BIGINT) - CAST(lag(time) OVER same_value AS BIGINT) AS since_us
    FROM followed
    WHERE (value_fingerprint IS NOT NULL OR text IS NOT NULL) AND length >= $length_min
    WINDOW same_value AS (PARTITION BY agent_key, session_key, value_fingerprint, text ORDER BY event_order)
)
SELECT
    agent_key,
    event_order,
    user_key,
    session_key,
    time,
    from_event_order,
    from_application,
    from_screen,
    from_element,
    application AS to_application,
    screen AS to_screen,
    element AS to_element,
    CAST(since_us AS DOUBLE) / 1e6 AS since_s
FROM carried
WHERE event_type IN ('text_entered', 'element_changed')
  AND from_application <> application
  AND since_us > $echo_ms * 1000
  AND since_us <= $within_s * 1000000
  AND coalesce(unknown_paste, -1) < from_event_order
  AND (same_writes < $usual_writes OR 100 * same_writes <= $usual_percent * field_writes)
ORDER BY agent_key, event_order
