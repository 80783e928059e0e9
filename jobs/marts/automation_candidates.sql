-- What is worth automating: each task with every factor of its potential.
-- reads: task_types, task_variants, routine_steps, int_labeled_events      grain: task type      audience: analyst
--
-- RAI                    = steps that a robot can do / steps, each counted as often as it is done
-- determinism            = share of steps after which the most usual next step follows
-- exceptions             = share of instances done in an order of steps that occurs only once
-- minutes per week       = instances per week × median handling time; a recording of less than a week counts as a week
-- potential, min/week    = minutes per week × RAI × determinism × (1 − exceptions)
WITH steps AS (
    SELECT
        task_type,
        count(*) AS steps,
        sum(CASE WHEN automatable THEN 1 ELSE 0 END) AS automatable_steps,
        CAST(sum(CASE WHEN automatable THEN events ELSE 0 END) AS DOUBLE) / sum(events) AS rai,
        sum(next_share * events) / sum(events) AS determinism,
        sum(CASE WHEN verdict IN ('explained', 'value_unknown') THEN 1 ELSE 0 END) AS writing_steps,
        sum(CASE WHEN rule IS NOT NULL THEN 1 ELSE 0 END) AS explained_steps,
        avg(hit_rate) AS hit_rate
    FROM routine_steps
    GROUP BY task_type
),
orders AS (
    SELECT task_type, CAST(sum(CASE WHEN instances = 1 THEN 1 ELSE 0 END) AS DOUBLE) / sum(instances) AS exceptions
    FROM task_variants
    GROUP BY task_type
),
recorded AS (
    SELECT greatest(CAST(CAST(max(time) AS BIGINT) - CAST(min(time) AS BIGINT) AS DOUBLE) / 6.048e11, 1.0) AS weeks FROM int_labeled_events
),
factors AS (
    SELECT
        task_types.task_type,
        task_types.name,
        task_types.standing,
        task_types.users,
        task_types.instances,
        task_types.applications,
        steps.steps,
        steps.automatable_steps,
        steps.writing_steps,
        steps.explained_steps,
        steps.hit_rate,
        steps.rai,
        steps.determinism,
        orders.exceptions,
        task_types.handling_p50_s,
        task_types.instances / recorded.weeks AS instances_per_week,
        task_types.instances / recorded.weeks * task_types.handling_p50_s / 60 AS minutes_per_week
    FROM task_types
    JOIN steps ON steps.task_type = task_types.task_type
    JOIN orders ON orders.task_type = task_types.task_type
    CROSS JOIN recorded
    WHERE task_types.standing <> 'rejected'
)
SELECT
    *,
    minutes_per_week * rai * determinism * (1 - exceptions) AS potential_minutes_per_week
FROM factors
ORDER BY rai DESC, potential_minutes_per_week DESC, task_type
