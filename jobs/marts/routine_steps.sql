-- The steps of each task: how often, what comes next, and whether a robot could do them.
-- reads: int_segments, int_task_events, stg_events      grain: task type, step      audience: analyst
-- params: people_min = 1
--
-- next_share     share of the step's events after which next_step comes: its determinism
-- target         same: done on one element; progression: on elements whose number goes up by target_by; varies: by no rule
-- rule           how the value that the step writes is made of values read before; hit_rate on held_back instances it was not learned from
-- automatable    verdict is known (nothing is written) or explained (the rule is right in at least 9 of 10 instances)
-- script         the rule as an expression; of a table of values it has the lines that at least people_min people wrote, which is the project's
--                smallest group
-- script_ranks   places in the script, which does the most usual order of steps; replayed, replayed_in_order, replayed_exactly are the instances in
--                which that script was followed, in which it does the same steps in the same order, and the same values too; replay_… are those
--                in which this step was the same, was missing in the script, was added by it, came in another order, got another value, or had
--                its value from no rule
WITH found AS (
    SELECT unnest(routine_agg(
        int_task_events.event_order,
        int_task_events.user_key,
        int_task_events.task_key,
        int_segments.task_type,
        int_task_events.step,
        coalesce(stg_events.attributes['source_event'], CAST(stg_events.event_type AS VARCHAR)),
        coalesce(stg_events.element_id, stg_events.element_path),
        stg_events.element_name,
        stg_events.url_template,
        stg_events.text,
        stg_events.value_fingerprint,
        $people_min
    )) AS step
    FROM int_task_events
    JOIN int_segments ON int_segments.task_key = int_task_events.task_key
    JOIN stg_events ON stg_events.event_order = int_task_events.event_order
    WHERE int_segments.standing <> 'rejected'
),
places AS (
    SELECT step, CAST(min(application_label) AS VARCHAR) AS application, CAST(min(screen_label) AS VARCHAR) AS screen, CAST(min(step_key) AS VARCHAR) AS step_key
    FROM int_task_events
    GROUP BY step
)
SELECT
    found.step['task_type'] AS task_type,
    found.step['step'] AS step,
    places.step_key,
    places.application,
    places.screen,
    found.step['position'] AS position,
    found.step['instances'] AS instances,
    found.step['events'] AS events,
    found.step['users'] AS users,
    found.step['next_step'] AS next_step,
    found.step['next_share'] AS next_share,
    found.step['target'] AS target,
    found.step['target_by'] AS target_by,
    found.step['event_type'] AS event_type,
    found.step['element'] AS element,
    found.step['label'] AS label,
    found.step['address'] AS address,
    found.step['reads'] AS reads,
    found.step['rule'] AS rule,
    found.step['script'] AS script,
    found.step['hit_rate'] AS hit_rate,
    found.step['held_back'] AS held_back,
    found.step['verdict'] AS verdict,
    found.step['automatable'] AS automatable,
    found.step['script_ranks'] AS script_ranks,
    found.step['replayed'] AS replayed,
    found.step['replayed_in_order'] AS replayed_in_order,
    found.step['replayed_exactly'] AS replayed_exactly,
    found.step['replay_same'] AS replay_same,
    found.step['replay_missing'] AS replay_missing,
    found.step['replay_added'] AS replay_added,
    found.step['replay_other_order'] AS replay_other_order,
    found.step['replay_other_value'] AS replay_other_value,
    found.step['replay_unknown_value'] AS replay_unknown_value
FROM found
JOIN places ON CAST(places.step AS VARCHAR) = found.step['step']
ORDER BY task_type, position, found.step['step']
