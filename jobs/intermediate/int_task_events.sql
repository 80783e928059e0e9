-- Which task each event belongs to, and which step of it: one row per event that belongs to one.
-- reads: int_labeled_events, stg_events      grain: event      audience: analyst
--
-- A task is a stretch of events that recurs (docs/guide/discovery.md). task_key is the first event of the instance, found_type
-- the number of its type in this run, step what the event is called, step_key the same in the log's own words.
-- What the operating system reports of the clipboard stands, as in int_labeled_events, at the element that had the focus.
-- An importer that keeps the log's own word for an event has concluded role, row and column from it: said twice, it would weigh twice.
WITH found AS (
    SELECT unnest(tasks_agg(
        int_labeled_events.event_order,
        int_labeled_events.agent_key,
        CASE WHEN stg_events.attributes['time'] = 'synthetic' THEN NULL ELSE stg_events.time END,
        int_labeled_events.application_label,
        coalesce(stg_events.attributes['source_event'], CAST(stg_events.event_type AS VARCHAR)),
        coalesce(stg_events.attributes['workbook'], CAST(stg_events.page_title AS VARCHAR), CAST(int_labeled_events.window_title AS VARCHAR)),
        stg_events.attributes['sheet'],
        CASE WHEN stg_events.attributes['source_event'] IS NULL THEN stg_events.element_role END,
        coalesce(int_labeled_events.element_id, stg_events.element_path),
        int_labeled_events.element_name,
        coalesce(stg_events.url, stg_events.url_template),
        CASE WHEN stg_events.attributes['source_event'] IS NULL THEN stg_events.row_label END,
        CASE WHEN stg_events.attributes['source_event'] IS NULL THEN stg_events.column_label END,
        stg_events.text,
        stg_events.value_fingerprint,
        int_labeled_events.activity
    )) AS event
    FROM int_labeled_events
    JOIN stg_events ON stg_events.event_order = int_labeled_events.event_order
)
SELECT
    int_labeled_events.agent_key,
    int_labeled_events.user_key,
    int_labeled_events.event_order,
    int_labeled_events.time,
    int_labeled_events.session_key,
    int_labeled_events.active_us,
    int_labeled_events.application_label,
    int_labeled_events.screen_label,
    event['task_key'] AS task_key,
    event['found_type'] AS found_type,
    arrow_cast(event['found_name'], 'Dictionary(Int32, Utf8)') AS found_name,
    arrow_cast(event['step'], 'Dictionary(Int32, Utf8)') AS step,
    arrow_cast(event['step_key'], 'Dictionary(Int32, Utf8)') AS step_key
FROM found
JOIN int_labeled_events ON int_labeled_events.event_order = event['event_order']
ORDER BY int_labeled_events.agent_key, int_labeled_events.event_order
