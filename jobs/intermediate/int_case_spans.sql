-- One row per case: who, when, how long, and its variant.
-- reads: int_labeled_events      grain: case      audience: analyst      parts: agent
WITH variants AS (
    SELECT unnest(case_variants(case_key, activity, time ORDER BY agent_key, event_order)) AS span
    FROM int_labeled_events
),
handling AS (
    SELECT case_key, min(case_id) AS label, min(user_key) AS user_key, min(agent_key) AS agent_key, CAST(sum(active_us) AS DOUBLE) / 1e6 AS handling_s
    FROM int_labeled_events
    WHERE case_key IS NOT NULL
    GROUP BY case_key
)
SELECT
    handling.agent_key,
    handling.user_key,
    span['case_key'] AS case_key,
    handling.label,
    span['variant'] AS variant,
    span['start'] AS start_time,
    span['end'] AS end_time,
    span['events'] AS events,
    span['duration_s'] AS duration_s,
    handling.handling_s
FROM variants
JOIN handling ON handling.case_key = span['case_key']
