-- Values that are typed again
-- reads: retyping
SELECT from_application, from_screen, from_element, to_application, to_screen, to_element, retyped, users, p50_s
FROM retyping
ORDER BY retyped DESC, from_application, from_element, to_application, to_element
