-- Which task each correction holds for.
-- reads: task_corrections
SELECT correction, task_type, likeness FROM task_corrections
