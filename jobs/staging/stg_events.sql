-- Every admitted event once, without those of our own client and its signs of life.
-- reads: events      grain: event      audience: analyst      kind: view
SELECT *
FROM events
WHERE event_type <> 'alive'
  AND coalesce(process_name, '') NOT IN ('lode-agent', 'lode-agent.exe')
