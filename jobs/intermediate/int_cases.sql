-- Identifiers of cases (this invoice, that ticket) in titles, addresses and labels, and the task instances whose events show them.
-- reads: int_task_events, int_segments, stg_events      grain: identifier, task instance      audience: analyst
--
-- keys        a tracker's or a number range's form: OPS-1234, INV-2026-0042, PO-4711, INC0012345; capital letters only
-- named       a word for the case and then its number of at least three digits: Invoice #2026-0042, Order no. 4711, Bestellung 88121; a year
--             alone is no number
-- addresses   /orders/4711, /browse/OPS-1234, ?invoice_id=88: a word for the case in the path or the query, then what holds a digit
-- kind        invoice, order or ticket, by the word or the prefix; other prefixes are those of tickets
-- Of each form the first in a text is found. Identifiers are in capital letters. Each distinct text is looked at once.
WITH events AS (
    SELECT
        int_task_events.task_key,
        int_task_events.event_order,
        int_task_events.time,
        CAST(stg_events.window_title AS VARCHAR) AS window_title,
        CAST(stg_events.page_title AS VARCHAR) AS page_title,
        CAST(stg_events.element_name AS VARCHAR) AS element_name,
        CAST(stg_events.url AS VARCHAR) AS url
    FROM int_task_events
    JOIN stg_events ON stg_events.event_order = int_task_events.event_order
),
shown AS (
    SELECT task_key, event_order, time, false AS is_address, window_title AS text FROM events WHERE window_title IS NOT NULL
    UNION ALL
    SELECT task_key, event_order, time, false AS is_address, page_title AS text FROM events WHERE page_title IS NOT NULL
    UNION ALL
    SELECT task_key, event_order, time, false AS is_address, element_name AS text FROM events WHERE element_name IS NOT NULL
    UNION ALL
    SELECT task_key, event_order, time, true AS is_address, url AS text FROM events WHERE url IS NOT NULL
),
texts AS (
    SELECT DISTINCT is_address, text FROM shown
),
matches AS (
    SELECT is_address, text, true AS has_prefix, regexp_match(text, '\b([A-Z]{2,10})(-[0-9]{1,10}(?:-[0-9]{1,10})?)\b') AS parts FROM texts WHERE NOT is_address
    UNION ALL
    SELECT is_address, text, true AS has_prefix, regexp_match(text, '\b(INC|REQ|RITM|CHG|PRB|CASE|INV|PO|SO)([0-9]{4,10})\b') AS parts FROM texts WHERE NOT is_address
    UNION ALL
    SELECT is_address, text, false AS has_prefix, regexp_match(text, '\b(invoice|rechnung|facture|factura|order|bestellung|auftrag|commande|pedido|ticket|case|incident|issue|request|vorgang)\b[ .:#]*(?:(?:no|nr|number|id)\b[ .:#]*)?((?:[A-Z]{1,10}-?)?[0-9]{3,10}(?:[-/][0-9]{1,10})*)\b', 'i') AS parts
    FROM texts
    WHERE NOT is_address
    UNION ALL
    SELECT is_address, text, false AS has_prefix, regexp_match(text, '/(invoice|rechnung|order|bestellung|auftrag|ticket|case|incident|issue|request|browse)(?:s|en)?/([A-Z]{0,10}-?[0-9][A-Z0-9-]{0,35})(?:[/?#.]|$)', 'i') AS parts
    FROM texts
    WHERE is_address
    UNION ALL
    SELECT is_address, text, false AS has_prefix, regexp_match(text, '[?&](invoice|rechnung|order|bestellung|auftrag|ticket|case|incident|issue|request)[_-]?(?:id|no|nr|number)?=([A-Z]{0,10}-?[0-9][A-Z0-9-]{0,35})(?:[&#]|$)', 'i') AS parts
    FROM texts
    WHERE is_address
),
identified AS (
    SELECT
        is_address,
        text,
        upper(parts[1]) AS word,
        upper(CASE WHEN has_prefix THEN parts[1] || parts[2] ELSE parts[2] END) AS identifier
    FROM matches
    WHERE parts IS NOT NULL
),
named AS (
    SELECT DISTINCT
        is_address,
        text,
        CASE
            WHEN word IN ('INV', 'RE', 'RG', 'INVOICE', 'RECHNUNG', 'FACTURE', 'FACTURA') THEN 'invoice'
            WHEN word IN ('PO', 'SO', 'ORD', 'ORDER', 'BESTELLUNG', 'AUFTRAG', 'COMMANDE', 'PEDIDO') THEN 'order'
            WHEN regexp_like(identifier, '^(INV|RE|RG)-?[0-9]') THEN 'invoice'
            WHEN regexp_like(identifier, '^(PO|SO|ORD)-?[0-9]') THEN 'order'
            ELSE 'ticket'
        END AS kind,
        identifier
    FROM identified
    -- Standards and encodings look like keys.
    WHERE word NOT IN ('UTF', 'ISO', 'DIN', 'EN', 'IEC', 'IEEE', 'RFC', 'SHA', 'MD', 'CP', 'COVID', 'GPT', 'PDF', 'WINDOWS')
      AND NOT regexp_like(identifier, '^(19|20)[0-9]{2}$')
)
SELECT
    named.kind,
    named.identifier,
    shown.task_key,
    int_segments.task_type,
    int_segments.user_key,
    int_segments.session_key,
    count(DISTINCT shown.event_order) AS events,
    min(shown.time) AS first_time,
    max(shown.time) AS last_time
FROM named
JOIN shown ON shown.text = named.text AND shown.is_address = named.is_address
JOIN int_segments ON int_segments.task_key = shown.task_key
GROUP BY named.kind, named.identifier, shown.task_key, int_segments.task_type, int_segments.user_key, int_segments.session_key
ORDER BY named.kind, named.identifier, shown.task_key
