//! The seven questions of the benchmark as Lode is asked them; `peers.py` asks the same of other engines.
//!
//! Large answers are summed up inside the engine: number of rows, total, sum of squares. `{sample}` stands for a
//! condition on agents, which only the questions asked of PM4Py have.

/// One question.
pub struct Question {
    /// Its name here, in `peers.py` and in the result.
    pub name: &'static str,
    /// What is asked.
    pub title: &'static str,
    /// How Lode is asked.
    pub sql: &'static str,
    /// Who else is asked.
    pub peers: &'static [&'static str],
}

const ENGINES: &[&str] = &["duckdb", "polars", "chdb", "datafusion"];
const PM4PY: &[&str] = &["pm4py"];

/// All questions, in the order of the table.
pub const QUESTIONS: [Question; 9] = [
    Question {
        name: "usage",
        title: "active time, events and users per application and day",
        sql: "SELECT application_label, day, sum(active_us), count(*), count(DISTINCT user_key)
            FROM int_labeled_events GROUP BY application_label, day",
        peers: ENGINES,
    },
    Question {
        name: "sessions",
        title: "sessions with a gap of more than five minutes",
        sql: "WITH found AS (
                SELECT unnest(sessions_agg(agent_key, event_order, time, 300, 30 ORDER BY agent_key, event_order)) AS session
                FROM int_labeled_events),
            answer AS (
                SELECT session['events'] AS n,
                    CAST(session['end'] AS BIGINT) - CAST(session['start'] AS BIGINT) AS duration_us FROM found)
            SELECT count(*), sum(n), sum(n * n), sum(duration_us) FROM answer",
        peers: ENGINES,
    },
    Question {
        name: "directly_follows",
        title: "directly-follows counts",
        sql: "WITH found AS (
                SELECT unnest(dfg_agg(case_key, activity ORDER BY agent_key, event_order)) AS edge
                FROM int_labeled_events),
            answer AS (
                SELECT edge['frequency'] AS n FROM found
                WHERE edge['from_activity'] IS NOT NULL AND edge['to_activity'] IS NOT NULL)
            SELECT count(*), sum(n), sum(n * n) FROM answer",
        peers: ENGINES,
    },
    Question {
        name: "variants",
        title: "variants of cases",
        sql: "WITH found AS (
                SELECT unnest(trace_agg(case_key, activity, time ORDER BY agent_key, event_order)) AS variant
                FROM int_labeled_events),
            answer AS (SELECT variant['cases'] AS n FROM found)
            SELECT count(*), sum(n), sum(n * n) FROM answer",
        peers: ENGINES,
    },
    Question {
        name: "switches",
        title: "switches between applications",
        sql: "WITH found AS (
                SELECT unnest(switches_agg(agent_key, session_key, application_label, time, NULL
                    ORDER BY agent_key, event_order)) AS pair
                FROM int_labeled_events)
            SELECT pair['from_application'], pair['to_application'], pair['switches'] FROM found",
        peers: ENGINES,
    },
    Question {
        name: "copy_paste",
        title: "copies paired with their pastes, by place",
        sql: "WITH found AS (
                SELECT unnest(copy_paste_agg(agent_key, event_type, application_label, screen_label, element_name,
                    NULL, time ORDER BY agent_key, event_order)) AS pair
                FROM int_labeled_events WHERE event_type IN ('copy', 'cut', 'paste')),
            answer AS (SELECT pair['pairs'] AS n FROM found WHERE pair['outcome'] = 'paired')
            SELECT count(*), sum(n), sum(n * n) FROM answer",
        peers: ENGINES,
    },
    Question {
        name: "people",
        title: "distinct users and cases, p50 and p95 of active time per application",
        sql: "WITH found AS (
                SELECT unnest(figures_agg(application_label, user_key, case_key, active_us)) AS figures
                FROM int_labeled_events)
            SELECT figures['name'], figures['users'], figures['cases'], figures['p50'], figures['p95'] FROM found",
        peers: ENGINES,
    },
    Question {
        name: "directly_follows_sample",
        title: "directly-follows counts of some agents",
        sql: "WITH found AS (
                SELECT unnest(dfg_agg(case_key, activity ORDER BY agent_key, event_order)) AS edge
                FROM int_labeled_events WHERE {sample}),
            answer AS (
                SELECT edge['frequency'] AS n FROM found
                WHERE edge['from_activity'] IS NOT NULL AND edge['to_activity'] IS NOT NULL)
            SELECT count(*), sum(n), sum(n * n) FROM answer",
        peers: PM4PY,
    },
    Question {
        name: "variants_sample",
        title: "variants of cases of some agents",
        sql: "WITH found AS (
                SELECT unnest(trace_agg(case_key, activity, time ORDER BY agent_key, event_order)) AS variant
                FROM int_labeled_events WHERE {sample}),
            answer AS (SELECT variant['cases'] AS n FROM found)
            SELECT count(*), sum(n), sum(n * n) FROM answer",
        peers: PM4PY,
    },
];
