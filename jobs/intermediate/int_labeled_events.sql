-- Every event with the names people use: application, screen, activity; with its session, its case and its active time.
-- reads: stg_events, stg_noise      grain: event      audience: analyst      parts: agent
-- params: session_gap_s = 300, active_cap_s = 30, case_rule = auto, start_activity = , end_activity =
--
-- session      a new one begins after a pause of more than session_gap_s, when the clock jumps back by more than that, and
--              with a new recording
-- active time  of an event = min(time to the next event of the same session, active_cap_s); idle and locked stretches count zero
-- case         auto: the imported case where there is one, else the session; session; case_id; or activities: from a start
--              activity to the next end activity or start; without a start activity, from the event after an end to the next end
--
-- The windows named `whole` look at all events of an agent. They also make the engine take an agent at a time in the windows
-- beside them, column by column, which is many times faster than row by row.
WITH clean AS (
    -- The few on the left are held in memory, the many on the right pass by in their order.
    SELECT stg_events.*
    FROM stg_noise
    RIGHT ANTI JOIN stg_events ON stg_events.event_order = stg_noise.event_order
),
named AS (
    SELECT
        *,
        lag(process_name) OVER agent AS process_name_before,
        lag(application) OVER agent AS application_before,
        lag(element_id) OVER agent AS element_id_before,
        lag(element_name) OVER agent AS element_name_before,
        lag(column_label) OVER agent AS column_label_before,
        lag(window_title) OVER agent AS window_title_before,
        lag(url_host) OVER agent AS url_host_before,
        lag(url_template) OVER agent AS url_template_before,
        CASE
            WHEN event_order = min(event_order) OVER whole
                OR lag(session_id) OVER agent <> session_id
                OR abs(CAST(time AS BIGINT) - CAST(lag(time) OVER agent AS BIGINT)) > $session_gap_s * 1000000
                THEN event_order
        END AS session_start
    FROM clean
    WINDOW
        agent AS (PARTITION BY agent_key ORDER BY event_order),
        whole AS (PARTITION BY agent_key ORDER BY event_order ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
-- What the operating system reports of the clipboard belongs to the element that had the focus.
placed AS (
    SELECT
        agent_key, user_key, event_order, case_key AS imported_case_key, case_id, time, event_type, actor, session_id, session_start,
        CASE WHEN process_name = 'os-clipboard' THEN process_name_before ELSE process_name END AS process_name,
        CASE WHEN process_name = 'os-clipboard' THEN application_before ELSE application END AS application,
        CASE WHEN process_name = 'os-clipboard' THEN element_id_before ELSE element_id END AS element_id,
        CASE WHEN process_name = 'os-clipboard' THEN element_name_before ELSE element_name END AS element_name,
        CASE WHEN process_name = 'os-clipboard' THEN column_label_before ELSE column_label END AS column_label,
        CASE WHEN process_name = 'os-clipboard' THEN window_title_before ELSE window_title END AS window_title,
        CASE WHEN process_name = 'os-clipboard' THEN url_host_before ELSE url_host END AS url_host,
        CASE WHEN process_name = 'os-clipboard' THEN url_template_before ELSE url_template END AS url_template,
        page_title, element_role, key_command, text_length, value_fingerprint, screenshot_id,
        attributes['concept:name'] AS source_activity
    FROM named
),
sessions AS (
    SELECT
        *,
        max(session_start) OVER (PARTITION BY agent_key ORDER BY event_order ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session_key,
        lead(session_start) OVER agent AS next_session_start,
        lead(time) OVER agent AS time_after,
        max(event_order) OVER whole AS last_event_order,
        coalesce(application_rule(process_name, application, url_host), application, process_name, url_host, 'unknown') AS application_label
    FROM placed
    WINDOW
        agent AS (PARTITION BY agent_key ORDER BY event_order),
        whole AS (PARTITION BY agent_key ORDER BY event_order ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
screens AS (
    SELECT
        *,
        coalesce(screen_rule(application_label, window_title, url_host, url_template, page_title), url_template, window_title, application_label) AS screen_label,
        coalesce('column ' || column_label, nullif(element_name, ''), element_id, element_role, '') AS object
    FROM sessions
),
activities AS (
    SELECT
        *,
        coalesce(
            activity_rule(application_label, screen_label, event_type, element_role, element_name, element_id, key_command),
            source_activity,
            rtrim(CASE event_type
                WHEN 'copy' THEN 'Copy ' || object
                WHEN 'cut' THEN 'Cut ' || object
                WHEN 'paste' THEN 'Paste into ' || object
                WHEN 'text_entered' THEN 'Enter ' || object
                WHEN 'element_changed' THEN 'Change ' || object
                WHEN 'element_clicked' THEN 'Click ' || object
                WHEN 'left_click' THEN 'Click ' || object
                WHEN 'double_click' THEN 'Double-click ' || object
                WHEN 'right_click' THEN 'Right-click ' || object
                WHEN 'element_focused' THEN 'Select ' || object
                WHEN 'page_loaded' THEN 'Open ' || screen_label
                WHEN 'tab_activated' THEN 'Switch to ' || screen_label
                WHEN 'window_activated' THEN 'Switch to ' || application_label
                WHEN 'form_submitted' THEN 'Submit ' || coalesce(nullif(object, ''), screen_label)
                WHEN 'key_command' THEN 'Press ' || coalesce(key_command, 'a key')
                ELSE replace(event_type, '_', ' ') || ' ' || object
            END)
        ) AS activity
    FROM screens
),
cases AS (
    SELECT
        *,
        max(CASE WHEN activity = $start_activity THEN event_order END)
            OVER (PARTITION BY agent_key ORDER BY event_order ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS case_start,
        max(CASE WHEN activity = $end_activity THEN event_order END)
            OVER (PARTITION BY agent_key ORDER BY event_order ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS case_end_before
    FROM activities
)
SELECT
    agent_key,
    user_key,
    event_order,
    time,
    CAST(time AS DATE) AS day,
    event_type,
    actor,
    session_key,
    CASE
        WHEN $case_rule = 'session' THEN session_key
        WHEN $case_rule = 'case_id' THEN imported_case_key
        WHEN $case_rule = 'activities' THEN CASE
            WHEN $start_activity IS NULL THEN coalesce(case_end_before + 1, CAST(agent_key AS BIGINT) * 4294967296)
            WHEN coalesce(case_end_before, -1) < case_start THEN case_start
        END
        ELSE coalesce(imported_case_key, session_key)
    END AS case_key,
    case_id,
    CASE
        WHEN event_order = last_event_order OR next_session_start IS NOT NULL OR event_type IN ('idle_started', 'screen_locked', 'recording_paused', 'recording_stopped') THEN 0
        ELSE greatest(least(CAST(time_after AS BIGINT) - CAST(time AS BIGINT), $active_cap_s * 1000000), 0)
    END AS active_us,
    arrow_cast(application_label, 'Dictionary(Int32, Utf8)') AS application_label,
    arrow_cast(screen_label, 'Dictionary(Int32, Utf8)') AS screen_label,
    arrow_cast(activity, 'Dictionary(Int32, Utf8)') AS activity,
    element_role,
    arrow_cast(coalesce('column ' || column_label, element_name), 'Dictionary(Int32, Utf8)') AS element_name,
    element_id,
    window_title,
    url_host,
    key_command,
    text_length,
    value_fingerprint,
    screenshot_id
FROM cases
ORDER BY agent_key, event_order
