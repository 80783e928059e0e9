-- Unbroken stretches of work by one user: when, how long, how much of it active.
-- reads: int_labeled_events      grain: session      audience: analyst      parts: agent
SELECT
    agent_key,
    user_key,
    session_key,
    min(time) AS start_time,
    max(time) AS end_time,
    count(*) AS events,
    CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s,
    CAST(CAST(max(time) AS BIGINT) - CAST(min(time) AS BIGINT) - sum(active_us) AS DOUBLE) / 1e6 AS idle_s,
    count(DISTINCT application_label) AS applications
FROM int_labeled_events
GROUP BY agent_key, user_key, session_key
