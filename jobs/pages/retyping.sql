-- Values that are typed again
-- reads: filtered, int_retyping
--
-- A value counts if it is entered in one application at most 15 minutes after it was copied, pasted or entered in another one, in the same session,
-- and no paste brought it. Values of fewer than 4 characters and a person's usual answers to a field (more than a tenth of what the person
-- entered there) are left out; p50 is the time between the two.
SELECT
    int_retyping.from_application,
    int_retyping.from_screen,
    int_retyping.from_element,
    int_retyping.to_application,
    int_retyping.to_screen,
    int_retyping.to_element,
    count(*) AS retyped,
    count(DISTINCT int_retyping.user_key) AS users,
    median(int_retyping.since_s) AS p50_s
FROM filtered
JOIN int_retyping ON int_retyping.event_order = filtered.event_order
GROUP BY from_application, from_screen, from_element, to_application, to_screen, to_element
ORDER BY retyped DESC, from_application, from_element, to_application, to_element
