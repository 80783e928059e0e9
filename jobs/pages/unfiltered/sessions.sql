-- Sessions
-- reads: int_sessions
SELECT
    session_key AS "session",
    user_key AS "user",
    start_time AS start,
    end_time AS "end",
    events,
    active_s,
    idle_s,
    applications
FROM int_sessions
ORDER BY start, "session"
