-- Where people carry data by hand
-- reads: filtered
--
-- A pair is a paste whose clipboard holds the copy's value; p50 is the time from copy to paste.
WITH found AS (
    SELECT unnest(copy_paste_agg(agent_key, event_type, application_label, screen_label, coalesce(element_name, element_id), value_fingerprint, time, user_key ORDER BY agent_key, event_order)) AS pair
    FROM filtered
    WHERE event_type IN ('copy', 'cut', 'paste')
)
SELECT
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
WHERE pair['outcome'] = 'paired'
ORDER BY pairs DESC, from_application, from_element, to_application, to_element
