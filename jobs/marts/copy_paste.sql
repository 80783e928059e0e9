-- From where to where people carry values through the clipboard.
-- reads: int_labeled_events      grain: pair of places      audience: analyst
--
-- outcome  paired: a paste whose clipboard holds the copy's value; unpaired_paste: no copy was seen; unused_copy: never pasted
WITH found AS (
    SELECT unnest(copy_paste_agg(agent_key, event_type, application_label, screen_label, coalesce(element_name, element_id), value_fingerprint, time, user_key ORDER BY agent_key, event_order)) AS pair
    FROM int_labeled_events
    WHERE event_type IN ('copy', 'cut', 'paste')
)
SELECT
    pair['outcome'] AS outcome,
    pair['from_application'] AS from_application,
    pair['from_screen'] AS from_screen,
    pair['from_element'] AS from_element,
    pair['to_application'] AS to_application,
    pair['to_screen'] AS to_screen,
    pair['to_element'] AS to_element,
    pair['pairs'] AS pairs,
    pair['users'] AS users,
    pair['p50_s'] AS p50_s
FROM found
