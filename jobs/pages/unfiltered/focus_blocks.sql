-- How long people stay with one application
-- reads: app_focus
WITH found AS (
    SELECT application, unnest(classes) AS class FROM app_focus
)
SELECT application, class['from_s'] AS from_s, class['to_s'] AS to_s, class['blocks'] AS blocks
FROM found
WHERE class['blocks'] > 0
ORDER BY application, from_s
