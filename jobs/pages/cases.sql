-- Cases
-- reads: filtered, int_case_spans
--
-- Duration = last event - first event; handling time = active time inside the case.
WITH chosen AS (
    SELECT DISTINCT case_key FROM filtered
),
steps AS (
    SELECT case_key, activity, lead(activity) OVER (PARTITION BY case_key ORDER BY agent_key, event_order) AS activity_after
    FROM filtered
    WHERE $edge_from IS NOT NULL OR $edge_to IS NOT NULL
)
SELECT
    int_case_spans.case_key AS "case",
    int_case_spans.label,
    int_case_spans.user_key AS "user",
    int_case_spans.start_time AS start,
    int_case_spans.end_time AS "end",
    int_case_spans.events,
    int_case_spans.duration_s,
    int_case_spans.handling_s,
    int_case_spans.variant
FROM int_case_spans
JOIN chosen ON chosen.case_key = int_case_spans.case_key
WHERE ($edge_from IS NULL AND $edge_to IS NULL)
   OR int_case_spans.case_key IN (
        SELECT case_key FROM steps
        WHERE ($edge_from IS NULL OR activity = $edge_from) AND ($edge_to IS NULL OR activity_after = $edge_to))
ORDER BY start_time, "case"
