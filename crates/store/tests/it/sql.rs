//! Questions: read only, of one project, bounded, to be cancelled, with the place of an error.

use crate::support::{NOW_US, Place, answer, ask, comes_true, import, project, table};
use std::time::{Duration, Instant};
use store::control::projects::Project;
use store::engine::Question;
use store::operator::RowFunctions;
use store::{Position, Settings, Store, StoreError};

async fn one_event(place: &Place) -> (Store, Project) {
    let store = place.open().await;
    let project = project(&store, "Orders").await;
    import(&store, &project, "09:00 excel copy B2 @ann").await.unwrap();
    (store, project)
}

#[tokio::test(flavor = "multi_thread")]
async fn tq1_no_question_reads_a_file_or_changes_anything() {
    let place = Place::new();
    let (store, project) = one_event(&place).await;
    let canary = place.beside("canary.csv");
    std::fs::write(&canary, "canary_column\ncanary_value\n").unwrap();
    let (path, out) = (canary.display().to_string(), place.beside("out").display().to_string());
    let parquet = store.control().known_files().await.unwrap().remove(0).0;
    let objects = store.files().folder().unwrap().join(&parquet).display().to_string();
    let attacks = [
        // reading files
        format!("SELECT * FROM '{path}'"),
        format!("SELECT * FROM \"{path}\""),
        format!("SELECT * FROM \"file://{path}\""),
        format!("SELECT * FROM `{path}`"),
        format!("SELECT * FROM read_csv('{path}')"),
        format!("SELECT * FROM read_parquet('{objects}')"),
        format!("SELECT * FROM parquet_scan('{objects}')"),
        format!("SELECT * FROM read_json('{path}')"),
        format!("SELECT * FROM read_text('{path}')"),
        format!("SELECT * FROM glob('{path}')"),
        format!("SELECT * FROM '{objects}'"),
        format!("SELECT * FROM \"lode://objects/{parquet}\""),
        format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{path}'"),
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'lode://objects/'".to_owned(),
        format!("create/* a comment */external table t stored as csv location '{path}'"),
        format!("LOAD '{path}'"),
        format!("ATTACH '{path}' AS other"),
        format!("INSTALL '{path}'"),
        "CREATE FUNCTION f(DOUBLE) RETURNS DOUBLE RETURN $1".into(),
        "SELECT pg_read_file('/etc/passwd')".into(),
        "SELECT getenv('HOME')".into(),
        "SELECT * FROM pg_catalog.pg_tables".into(),
        // writing
        format!("COPY events TO '{out}' STORED AS CSV"),
        format!("COPY (SELECT 1) TO '{out}.parquet'"),
        format!("EXPLAIN COPY events TO '{out}.csv'"),
        format!("EXPLAIN ANALYZE COPY events TO '{out}.csv'"),
        format!("EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}.json' STORED AS JSON"),
        format!("WITH x AS (COPY events TO '{out}') SELECT * FROM x"),
        "INSERT INTO events SELECT * FROM events".into(),
        "EXPLAIN ANALYZE INSERT INTO events SELECT * FROM events".into(),
        "UPDATE events SET user_name = 'bob'".into(),
        "DELETE FROM events".into(),
        "TRUNCATE events".into(),
        "MERGE INTO events USING events e ON true WHEN MATCHED THEN DELETE".into(),
        "CREATE TABLE mine AS SELECT * FROM events".into(),
        "SELECT * INTO mine FROM events".into(),
        "CREATE VIEW mine AS SELECT * FROM events".into(),
        "CREATE TEMPORARY TABLE mine (a INT)".into(),
        "CREATE SCHEMA mine".into(),
        "CREATE DATABASE mine".into(),
        "CREATE INDEX mine ON events (time)".into(),
        "ALTER TABLE events RENAME TO mine".into(),
        "DROP TABLE events".into(),
        "DROP VIEW events".into(),
        "DROP SCHEMA public CASCADE".into(),
        // settings and statements
        "SET datafusion.execution.target_partitions = 1".into(),
        "SET datafusion.catalog.location = '/'".into(),
        "RESET datafusion.execution.target_partitions".into(),
        "PRAGMA database_list".into(),
        "BEGIN".into(),
        "COMMIT".into(),
        "ROLLBACK".into(),
        "PREPARE p AS SELECT 1".into(),
        "EXECUTE p".into(),
        "DEALLOCATE p".into(),
        "USE other".into(),
        "VACUUM".into(),
        "KILL 1".into(),
        "CALL f()".into(),
        "SELECT 1; DROP TABLE events".into(),
        "SELECT 1; SELECT 2".into(),
        "SELECT 1 -- a comment\n; DELETE FROM events".into(),
        "\u{feff}DELETE FROM events".into(),
        "".into(),
        ";".into(),
        "-- only a comment".into(),
    ];
    for attack in &attacks {
        let refused = match answer(&store, &project, attack).await {
            Ok(answer) => answer.collect(10).await.map(|(rows, _, _)| format!("{rows:?}")),
            Err(error) => Err(error),
        };
        let error = refused.expect_err(attack);
        assert!(matches!(error, StoreError::Sql { .. }), "{attack}: {error:?}");
        assert!(!error.to_string().contains("canary_value"), "{attack}: {error}");
    }
    assert_eq!(ask(&store, &project, "SELECT user_name, count(*) FROM events GROUP BY 1").await.unwrap(), ["ann 1"]);
    let written: Vec<_> =
        std::fs::read_dir(place.beside("")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(written.len(), 2, "something was written: {written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tq2_another_projects_tables_are_not_there() {
    let place = Place::new();
    let (store, own) = one_event(&place).await;
    let other = project(&store, "Secret").await;
    import(&store, &other, "09:00 crm text_entered name @canary-name =canary-text").await.unwrap();
    let id = &other.id;
    let path = store.control().files(id, "events").await.unwrap().remove(0).path;
    for attack in [
        "SELECT * FROM secret.events".to_owned(),
        format!("SELECT * FROM \"{id}\".events"),
        format!("SELECT * FROM \"{id}\".public.events"),
        format!("SELECT * FROM \"{id}/events\""),
        format!("SELECT * FROM \"../{path}\""),
        format!("SELECT * FROM \"lode://objects/{path}\""),
        "SELECT * FROM projects".into(),
        "SELECT * FROM files".into(),
        "SELECT * FROM main.imports".into(),
        "SELECT * FROM information_schema.df_settings".into(),
    ] {
        let error = ask(&store, &own, &attack).await.expect_err(&attack).to_string();
        assert!(!error.contains("canary"), "{attack}: {error}");
    }
    for catalogue in ["information_schema.tables", "information_schema.columns"] {
        let rows = ask(&store, &own, &format!("SELECT * FROM {catalogue}")).await.unwrap().join("\n");
        assert!(!rows.contains(id.as_str()) && !rows.contains("canary") && !rows.contains("secret"), "{rows}");
    }
    let seen = ask(&store, &own, "SELECT user_name FROM events").await.unwrap();
    assert_eq!(seen, ["ann"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tq3_a_dropped_answer_ends_its_question_within_two_seconds() {
    let place = Place::new();
    let (store, project) = one_event(&place).await;
    for endless in [
        "SELECT count(*) FROM generate_series(1, 1000000000000)",
        "SELECT count(*) FROM generate_series(1, 1000000) a CROSS JOIN generate_series(1, 1000000) b",
        "SELECT max(a.value * b.value) FROM generate_series(1, 1000000) a JOIN generate_series(1, 1000000) b ON a.value <> b.value",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "SELECT count(*) FROM generate_series(1, 1000000000000) WHERE regexp_like(CAST(value AS VARCHAR), '^(1|2|3)*x$')",
    ] {
        // A table of its own, whose file can only go when the question has let go of it.
        let snapshot = store.snapshot(&project.id).await.unwrap();
        store.build_table(&snapshot, &table("held", "SELECT 1 AS one"), NOW_US).await.unwrap();
        drop(snapshot);
        let mut question = answer(&store, &project, endless).await.unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(200), question.next()).await;
        assert!(waited.is_err(), "{endless}: it is not endless: {waited:?}");
        store.control().drop_table(&project.id, "held").await.unwrap();
        assert_eq!(store.collect_garbage().await.unwrap(), 0, "{endless}: it holds no file");

        let began = Instant::now();
        drop(question);
        let ended = comes_true(5, async || store.collect_garbage().await.unwrap() == 1).await;
        assert!(ended && began.elapsed() < Duration::from_secs(2), "{endless}: ended {ended}, {:?}", began.elapsed());
        // Its threads are free again: there are two, and every question before this one would have kept some.
        let next = tokio::time::timeout(Duration::from_secs(2), ask(&store, &project, "SELECT 1")).await;
        assert_eq!(next.expect(endless).unwrap(), ["1"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tq3_a_question_ends_when_its_time_is_over() {
    let place = Place::new();
    let (store, project) = one_event(&place).await;
    let snapshot = store.snapshot(&project.id).await.unwrap();
    let question =
        Question { seconds_max: 1, ..Question::of_lode("SELECT count(*) FROM generate_series(1, 1000000000000)") };
    let began = Instant::now();
    let error =
        store.engine().ask(&snapshot, question, &RowFunctions::default()).await.unwrap().collect(1).await.unwrap_err();
    assert!(matches!(error, StoreError::Cancelled(_)), "{error}");
    assert!(error.to_string().contains("longer than 1 s"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn tq4_a_question_that_wants_too_much_memory_is_stopped_and_told_so() {
    let place = Place::new();
    let (store, project) = {
        let settings = Settings { query_memory_bytes: 16 << 20, ..place.settings() };
        let store = Store::open(settings).await.unwrap();
        let project = project(&store, "Orders").await;
        (store, project)
    };
    let error = ask(&store, &project, "SELECT array_agg(value) FROM generate_series(1, 100000000)").await.unwrap_err();
    assert!(error.to_string().contains("ask for fewer rows or columns"), "{error}");
    assert_eq!(ask(&store, &project, "SELECT 1").await.unwrap(), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_tells_line_and_column() {
    let place = Place::new();
    let (store, project) = one_event(&place).await;
    for (sql, line, column) in [
        ("SELECT user_name,\n       usr_key\nFROM events", 2, 8),
        ("SELECT *\nFROM evnts", 2, 6),
        ("SELECT *\nFORM events", 2, 1),
        ("SELECT count(*\nFROM events", 2, 1),
    ] {
        let error = ask(&store, &project, sql).await.unwrap_err();
        let StoreError::Sql { position, message } = &error else { panic!("{sql}: {error:?}") };
        assert_eq!(*position, Some(Position { line, column }), "{sql}: {message}");
    }
}
