-- The steps of a task
-- reads: filtered, chosen_tasks, int_task_events, int_segments, routine_steps
--
-- Events and instances per step; the usual way is the most frequent order of steps (of several, the longest). A step counts as often as it is done;
-- start and end are the instances that begin and end with it. A robot can do a step if it knows where (the same element, or a number that goes up
-- evenly) and, if it writes a value, a rule gives the value in at least 9 of 10 instances that the rule was not learned from.
WITH events AS (
    SELECT int_task_events.*, chosen.task_type FROM int_task_events JOIN chosen_tasks AS chosen ON chosen.task_key = int_task_events.task_key
),
found AS (
    SELECT unnest(trace_agg(task_key, step, time ORDER BY agent_key, event_order)) AS variant FROM events
),
happy AS (
    SELECT variant['activities'] AS steps FROM found ORDER BY variant['cases'] DESC, array_length(variant['activities']) DESC, variant['variant'] LIMIT 1
),
ranked AS (
    SELECT step, min(position) AS happy_path_rank
    FROM (SELECT unnest(steps) AS step, unnest(range(1, CAST(array_length(steps) AS BIGINT) + 1)) AS position FROM happy)
    GROUP BY step
),
placed AS (
    SELECT
        task_type, step, task_key, user_key, application_label,
        CASE WHEN lag(step) OVER task IS NULL THEN 1 ELSE 0 END AS starts,
        CASE WHEN lead(step) OVER task IS NULL THEN 1 ELSE 0 END AS ends
    FROM events
    WINDOW task AS (PARTITION BY task_key ORDER BY event_order)
),
counted AS (
    SELECT
        task_type, CAST(step AS VARCHAR) AS activity, CAST(min(application_label) AS VARCHAR) AS application, count(*) AS events,
        count(DISTINCT task_key) AS cases, sum(starts) AS start_cases, sum(ends) AS end_cases, count(DISTINCT user_key) AS users
    FROM placed
    GROUP BY task_type, step
)
SELECT
    counted.task_type AS task,
    counted.activity,
    counted.application,
    counted.events,
    counted.cases,
    counted.start_cases,
    counted.end_cases,
    ranked.happy_path_rank,
    counted.users,
    routine_steps.step_key,
    routine_steps.position,
    routine_steps.next_step,
    routine_steps.next_share,
    routine_steps.target,
    routine_steps.target_by,
    routine_steps.event_type,
    routine_steps.element,
    routine_steps.label,
    routine_steps.address,
    routine_steps.reads,
    routine_steps.rule,
    routine_steps.script,
    routine_steps.hit_rate,
    routine_steps.held_back,
    routine_steps.verdict,
    routine_steps.automatable,
    routine_steps.script_ranks,
    routine_steps.replayed,
    routine_steps.replayed_in_order,
    routine_steps.replayed_exactly,
    routine_steps.replay_same,
    routine_steps.replay_missing,
    routine_steps.replay_added,
    routine_steps.replay_other_order,
    routine_steps.replay_other_value,
    routine_steps.replay_unknown_value
FROM counted
JOIN routine_steps ON routine_steps.task_type = counted.task_type AND routine_steps.step = counted.activity
LEFT JOIN ranked ON ranked.step = counted.activity
ORDER BY task, position, counted.activity
