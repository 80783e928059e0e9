-- Cases
-- reads: int_case_spans
SELECT
    case_key AS "case",
    label,
    user_key AS "user",
    start_time AS start,
    end_time AS "end",
    events,
    duration_s,
    handling_s,
    variant
FROM int_case_spans
ORDER BY start_time, "case"
