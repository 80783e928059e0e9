-- The events that the page's filters let through; the ground on which every page stands.
-- reads: int_labeled_events, int_case_spans
--
-- Time, application and event type choose events; activity, variant and step choose whole cases.
SELECT *
FROM int_labeled_events
WHERE ($from IS NULL OR time >= $from)
  AND ($to IS NULL OR time < $to)
  AND ($applications IS NULL OR array_has($applications, CAST(application_label AS VARCHAR)))
  AND ($event_types IS NULL OR array_has($event_types, CAST(event_type AS VARCHAR)))
  AND ($case IS NULL OR case_key = $case)
  AND ($session IS NULL OR session_key = $session)
  AND ($activities IS NULL OR case_key IN (
        SELECT case_key FROM int_labeled_events WHERE array_has($activities, CAST(activity AS VARCHAR))))
  AND ($variant IS NULL OR case_key IN (
        SELECT case_key FROM int_case_spans WHERE variant = $variant))
