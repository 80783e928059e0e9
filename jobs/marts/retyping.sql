-- From where to where people carry values by typing them again.
-- reads: int_retyping      grain: pair of places      audience: analyst
--
-- retyped = values that were entered in one application after they were copied, pasted or entered in another, without the clipboard;
-- p50_s = median time between the two
SELECT
    from_application,
    from_screen,
    from_element,
    to_application,
    to_screen,
    to_element,
    count(*) AS retyped,
    count(DISTINCT user_key) AS users,
    median(since_s) AS p50_s
FROM int_retyping
GROUP BY from_application, from_screen, from_element, to_application, to_screen, to_element
