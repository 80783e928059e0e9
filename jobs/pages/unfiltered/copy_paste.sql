-- Where people carry data by hand
-- reads: copy_paste
SELECT from_application, from_screen, from_element, to_application, to_screen, to_element, pairs, users, p50_s
FROM copy_paste
WHERE outcome = 'paired'
ORDER BY pairs DESC, from_application, from_element, to_application, to_element
