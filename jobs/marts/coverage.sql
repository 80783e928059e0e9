-- Who was recorded when, and where the record has gaps.
-- reads: stg_events      grain: day      audience: analyst
SELECT
    CAST(time AS DATE) AS day,
    count(DISTINCT agent_key) AS agents,
    count(DISTINCT user_key) AS users,
    count(*) AS events,
    min(time) AS first_event,
    max(time) AS last_event,
    sum(CASE WHEN event_type = 'coverage_gap' THEN 1 ELSE 0 END) AS gaps,
    sum(CASE WHEN event_type = 'coverage_gap' THEN coalesce(try_cast(attributes['lost_events'] AS BIGINT), 0) ELSE 0 END) AS lost_events
FROM stg_events
GROUP BY CAST(time AS DATE)
