-- Active seconds, accesses and events per user, application, screen and day.
-- reads: int_labeled_events      grain: user, application, screen, day      audience: analyst
--
-- An access is an event at which the application regains focus: another one, or nothing, was in front before it.
WITH focus AS (
    SELECT
        user_key, day, application_label, screen_label, active_us,
        CASE
            WHEN (lag(application_label) OVER agent IS DISTINCT FROM application_label)
                OR (lag(session_key) OVER agent IS DISTINCT FROM session_key) THEN 1
            ELSE 0
        END AS access
    FROM int_labeled_events
    WINDOW agent AS (PARTITION BY agent_key ORDER BY event_order)
)
SELECT
    user_key,
    day,
    application_label,
    screen_label,
    count(*) AS events,
    sum(access) AS accesses,
    CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s
FROM focus
GROUP BY user_key, day, application_label, screen_label
