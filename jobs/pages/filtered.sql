-- The events that the page's filters let through; the ground on which every page stands.
-- reads: int_labeled_events, int_case_spans, stg_events
--
-- Time, application and event type choose events; activity, variant and step choose whole cases; what people answered about
-- themselves (custom1 to custom5) chooses people.
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
  AND (($custom1 IS NULL AND $custom2 IS NULL AND $custom3 IS NULL AND $custom4 IS NULL AND $custom5 IS NULL) OR user_key IN (
        SELECT user_key FROM stg_events
        WHERE ($custom1 IS NULL OR custom1 = $custom1) AND ($custom2 IS NULL OR custom2 = $custom2) AND ($custom3 IS NULL OR custom3 = $custom3)
          AND ($custom4 IS NULL OR custom4 = $custom4) AND ($custom5 IS NULL OR custom5 = $custom5)))
