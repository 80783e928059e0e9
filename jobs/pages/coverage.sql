-- How complete the record is
-- reads: coverage
--
-- Agents, users and events per day; gaps are stretches that capture or delivery lost.
SELECT day, agents, users, events, first_event, last_event, gaps, lost_events
FROM coverage
WHERE ($from IS NULL OR last_event >= $from)
  AND ($to IS NULL OR first_event < $to)
ORDER BY day
