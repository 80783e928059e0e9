-- The task that somebody speaks of, with its steps in the log's own words.
-- reads: task_types
SELECT name, profile FROM task_types WHERE task_type = $task
