-- The event log by case, with the names people use; for tools that think in cases.
-- reads: events, int_labeled_events
SELECT
    int_labeled_events.event_order,
    int_labeled_events.case_key,
    events.case_id,
    int_labeled_events.user_key,
    events.user_name,
    int_labeled_events.time,
    int_labeled_events.activity,
    int_labeled_events.event_type,
    int_labeled_events.application_label,
    int_labeled_events.screen_label,
    int_labeled_events.element_role,
    int_labeled_events.element_name,
    int_labeled_events.element_id,
    int_labeled_events.url_host,
    int_labeled_events.key_command,
    int_labeled_events.text_length,
    int_labeled_events.active_us
FROM int_labeled_events
JOIN events ON events.event_order = int_labeled_events.event_order
ORDER BY int_labeled_events.case_key, int_labeled_events.event_order
