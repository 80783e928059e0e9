-- Which task each correction of a person holds for; one that holds for none is kept, and told.
-- reads: int_task_events      grain: correction      audience: analyst
-- params: corrections = []
--
-- likeness = steps that the task had when it was corrected and the most alike one has now, as a part of all steps of both.
-- From 0.5 on the correction holds; below, task_type is null: the task is no longer found.
WITH found AS (
    SELECT unnest(task_corrections_agg(event_order, task_key, found_type, found_name, step_key, $corrections)) AS hold
    FROM int_task_events
)
SELECT hold['correction'] AS correction, hold['task_type'] AS task_type, hold['likeness'] AS likeness
FROM found
ORDER BY correction
