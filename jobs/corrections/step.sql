-- A step of the task that somebody speaks of, in the log's own words.
-- reads: routine_steps
SELECT step_key FROM routine_steps WHERE task_type = $task AND step = $step
