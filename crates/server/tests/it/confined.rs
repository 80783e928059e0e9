//! SQL that people write runs in a process that has nothing to lose, and ends when it must (promise S8).

use crate::support::{Running, SAMPLE, fixture, run_json, sample_service, service};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// A service with a small log in the project `p`.
fn with_log() -> Running {
    let running = service();
    crate::support::make_project(running.client, "p", "imported");
    let log = crate::support::plain_log(0..3, 40);
    let done = running.client.upload("p", "log.csv", log.as_bytes());
    assert_eq!(done["state"], "done", "{done}");
    running
}

fn ask(running: &Running, sql: &str) -> (u16, Value) {
    let answer = running.client.post("/projects/p/query", &json!({ "sql": sql }));
    (answer.status, answer.json())
}

/// Waits until no worker of the service is left; each has a folder while it lives.
fn workers_are_gone(running: &Running) {
    let scratch = running.store.settings().folder.join("scratch");
    let workers = || {
        let folders = std::fs::read_dir(&scratch).unwrap().flatten();
        // The engine of the service has folders of another kind here.
        folders.filter(|folder| uuid::Uuid::parse_str(&folder.file_name().to_string_lossy()).is_ok()).count()
    };
    let end = Instant::now() + Duration::from_secs(30);
    while workers() > 0 {
        assert!(Instant::now() < end, "a worker goes on");
        std::thread::yield_now();
    }
}

#[test]
fn s8_a_question_of_a_person_is_answered_as_before() {
    let client = sample_service();
    let sql = "SELECT process_name, count(*) AS n, max(time) AS last FROM events GROUP BY 1 ORDER BY 1";
    let answer = client.post(&format!("/projects/{SAMPLE}/query"), &json!({ "sql": sql })).expect(200);
    assert!(answer["row_count"].as_i64().unwrap() > 1 && answer["bytes_scanned"].as_i64().unwrap() > 0, "{answer}");
    // Functions of the project and sequence operators are there too.
    let sql = "SELECT count(*) AS n FROM (SELECT unnest(dfg_agg(agent_key, event_type ORDER BY agent_key, event_order)) FROM events)";
    let answer = client.post(&format!("/projects/{SAMPLE}/query"), &json!({ "sql": sql })).expect(200);
    assert!(answer["rows"][0][0].as_i64().unwrap() > 1, "{answer}");
    let none = client
        .post(&format!("/projects/{SAMPLE}/query"), &json!({ "sql": "SELECT process_name FROM events WHERE false" }));
    let none = none.expect(200);
    assert_eq!((&none["row_count"], &none["columns"][0]["name"]), (&json!(0), &json!("process_name")), "{none}");
    let wrong = client.post(&format!("/projects/{SAMPLE}/query"), &json!({ "sql": "SELECT time,\n  tme FROM events" }));
    let error = &wrong.expect(422)["error"];
    assert_eq!((&error["line"], &error["column"]), (&json!(2), &json!(3)), "{error}");
}

/// Attempts to leave the tables; a canary stands in a file and in another project.
fn attempts(canary: &Path) -> Vec<String> {
    let path = canary.display();
    let mut attempts: Vec<String> = [
        "SELECT * FROM '{}'",
        "SELECT * FROM \"{}\"",
        "SELECT * FROM read_csv('{}')",
        "SELECT * FROM read_parquet('{}')",
        "SELECT * FROM read_text('{}')",
        "SELECT * FROM glob('{}')",
        "SELECT pg_read_file('{}')",
        "SELECT readfile('{}')",
        "SELECT load_file('{}')",
        "SELECT * FROM parquet_metadata('{}')",
        "SELECT * FROM csv.\"{}\"",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{}'",
        "CREATE EXTERNAL TABLE t (a text) STORED AS CSV LOCATION 'file://{}'",
        "COPY (SELECT 1) TO '{}'",
        "COPY events TO '{}' STORED AS PARQUET",
        "COPY events FROM '{}'",
        "ATTACH '{}' AS other",
        "LOAD '{}'",
        "INSTALL '{}'",
        "INSERT INTO events SELECT * FROM events; SELECT * FROM '{}'",
        "/* '{}' */ CREATE TABLE t AS SELECT 1",
        "SELECT 1; COPY (SELECT 1) TO '{}'",
        "SELECT * FROM \u{201c}{}\u{201d}",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{}'",
        "WITH t AS (SELECT * FROM '{}') SELECT * FROM t",
    ]
    .iter()
    .map(|text| text.replace("{}", &path.to_string()))
    .collect();
    attempts.extend(
        [
            "SET datafusion.catalog.location = '/'",
            "SET datafusion.catalog.create_default_catalog_and_schema = true",
            "SET datafusion.execution.target_partitions = 10000",
            "RESET ALL",
            "SHOW ALL",
            "CREATE FUNCTION f() RETURNS int RETURN 1",
            "CREATE DATABASE d",
            "CREATE SCHEMA s",
            "CREATE VIEW v AS SELECT 1",
            "DROP TABLE events",
            "DELETE FROM events",
            "UPDATE events SET user_name = 'x'",
            "TRUNCATE TABLE events",
            "PREPARE q AS SELECT 1",
            "EXECUTE q",
            "DEALLOCATE q",
            "BEGIN",
            "COMMIT",
            "SELECT getenv('HOME')",
            "SELECT * FROM datafusion.public.theirs",
            "SELECT * FROM theirs.public.events",
            "SELECT * FROM \"theirs\".events",
            "SELECT current_setting('data_directory')",
            "SELECT * FROM pg_catalog.pg_shadow",
        ]
        .map(String::from),
    );
    attempts
}

#[test]
fn tq1_no_text_reaches_a_file_or_changes_anything() {
    let running = with_log();
    crate::support::make_project(running.client, "theirs", "imported");
    let folder = tempfile::tempdir().unwrap();
    let canary = folder.path().join("canary.csv");
    std::fs::write(&canary, "a\ncanary-4711\n").unwrap();
    for sql in attempts(&canary) {
        let (status, answer) = ask(&running, &sql);
        assert_eq!(status, 422, "{sql}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.contains("canary-4711"), "{sql}: {message}");
    }
    assert_eq!(std::fs::read_to_string(&canary).unwrap(), "a\ncanary-4711\n");
    let (status, answer) = ask(&running, "SELECT count(*) FROM events");
    assert_eq!((status, &answer["rows"][0][0]), (200, &json!(120)), "{answer}");
}

#[test]
fn tq3_a_cancelled_question_ends_its_process() {
    let running = with_log();
    for endless in [
        "SELECT count(*) FROM generate_series(1, 1000000000000)",
        "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a.value % 7 = b.value % 11",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    ] {
        let client = running.client;
        let asking = std::thread::spawn(move || {
            client.post("/projects/p/query", &json!({ "sql": endless, "query_id": "endless" }))
        });
        let end = Instant::now() + Duration::from_secs(30);
        while client.delete("/projects/p/query/endless").status != 204 {
            assert!(Instant::now() < end, "{endless}: it never began");
            std::thread::yield_now();
        }
        let answer = asking.join().unwrap();
        assert!(answer.status >= 400 && answer.text().contains("cancelled"), "{endless}: {}", answer.text());
        workers_are_gone(&running);
    }
}

#[test]
fn tq4_a_question_that_needs_too_much_says_so_and_costs_the_service_nothing() {
    let running = with_log();
    for (sql, said) in [
        ("SELECT repeat('x', 2000000000) AS wide", "memory"),
        ("SELECT repeat('x', 100000000) AS wide FROM events LIMIT 2", "larger than 64 MiB"),
        ("SELECT array_agg(a.value) FROM generate_series(1, 100000) a, generate_series(1, 100000) b", "memory"),
    ] {
        let (status, answer) = ask(&running, sql);
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 422 && message.contains(said), "{sql}: {status} {answer}");
    }
    let (status, _) = ask(&running, "SELECT 1");
    assert_eq!(status, 200);
    workers_are_gone(&running);
}

#[test]
fn s8_a_job_of_a_project_is_made_outside_and_so_is_what_reads_its_views() {
    let running = with_log();
    let put = |name: &str, head: &str, sql: &str| {
        let text = format!("-- Told by a test.\n-- {head}\n-- grain: user    audience: analyst\n{sql}\n");
        running
            .client
            .change("PUT", &format!("/projects/p/jobs/{name}"), &json!({ "text": text, "schedule": "manual" }))
            .expect(200);
    };
    put("by_user", "reads: events", "SELECT user_name, count(*) AS n FROM events GROUP BY 1");
    put("seen", "reads: by_user    kind: view", "SELECT n + 1 AS more FROM by_user");
    let run = running.client.post("/projects/p/runs", &json!({ "jobs": ["by_user"] })).expect(202)["run"].clone();
    let done = format!("/projects/p/runs?run={}", run.as_str().unwrap());
    running.client.until(&done, |runs| runs["runs"][0]["state"] == "done");
    let (status, answer) = ask(&running, "SELECT more FROM seen ORDER BY 1");
    assert_eq!((status, &answer["rows"]), (200, &json!([[41], [41], [41]])), "{answer}");
    // A view that a person wrote is planned with every question: the service itself plans none of them.
    let wide = "SELECT repeat('x', 2000000000) AS more FROM by_user";
    let text = format!("-- Told by a test.\n-- reads: by_user    kind: view\n{wide}\n");
    let refused = running.client.change("PUT", "/projects/p/jobs/seen", &json!({ "text": text })).expect(422);
    assert!(refused.to_string().contains("memory"), "{refused}");
    let (status, answer) = ask(&running, "SELECT count(*) FROM seen");
    assert_eq!((status, &answer["rows"]), (200, &json!([[3]])), "{answer}");
}

#[test]
fn s8_the_command_line_asks_outside_too() {
    let folder = tempfile::tempdir().unwrap();
    let log = fixture("sample-data/leno-real/StudentRecord.csv.zst");
    let (code, answer) = run_json(folder.path(), &["import", log.to_str().unwrap(), "--project", "p"]);
    assert_eq!(code, 0, "{answer}");
    let (code, answer) = run_json(folder.path(), &["sql", "SELECT count(*) FROM events", "--project", "p"]);
    assert_eq!((code, answer["rows"][0][0].as_i64().unwrap() > 100), (0, true), "{answer}");
}
