//! Runs of jobs: only what is stale, the old table when something fails, nothing that is switched off.

use crate::support::{open, plain_log};
use server::importing::{Progress, Request, import_file};
use server::jobs::runner::{Freshness, Outcome, Runner, Selection, Workshop};
use server::scripts::Scripts;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use store::Store;
use store::control::jobs::JobOverride;
use store::control::projects::ProjectKind;
use store::engine::Question;
use tempfile::TempDir;

const PROJECT: &str = "orders";

/// A store with a project in a folder that goes with it.
async fn prepared() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("data")).await;
    store.control().create_project("Orders", ProjectKind::Imported, 1).await.unwrap();
    (folder, store)
}

async fn import(store: &Store, folder: &Path, log: &str) {
    let path = folder.join("log.csv");
    std::fs::write(&path, log).unwrap();
    let id = uuid::Uuid::now_v7().to_string();
    let request = Request { id, project: PROJECT.into(), name: "log.csv".into(), path, map: Vec::new() };
    import_file(store, &request, &Arc::new(Progress::default())).await.unwrap();
}

/// A runner of jobs in SQL.
fn runner_of(store: &Store) -> Runner {
    Runner::new(store.clone(), Scripts::none(store.settings()))
}

/// How each job ended: `done 1/2` (parts kept of parts), `fresh`, `failed`, `waiting`.
async fn run(store: &Store, selection: &Selection) -> BTreeMap<String, String> {
    let mut ended = BTreeMap::new();
    let batch = uuid::Uuid::now_v7().to_string();
    let report = |job: &str, outcome: &Outcome| {
        let word = match outcome {
            Outcome::Done(built) => format!("done {}/{}", built.parts_kept, built.parts),
            Outcome::Fresh => "fresh".into(),
            Outcome::Failed(_) => "failed".into(),
            Outcome::Waiting => "waiting".into(),
        };
        ended.insert(job.to_owned(), word);
    };
    runner_of(store).run(PROJECT, &batch, selection, report).await.unwrap();
    ended
}

async fn freshness(store: &Store) -> BTreeMap<String, Freshness> {
    let workshop = Workshop::open(store, PROJECT).await.unwrap();
    let snapshot = workshop.snapshot(store).await.unwrap();
    workshop.freshness(store, &snapshot).await.unwrap()
}

async fn number(store: &Store, sql: &str) -> i64 {
    let workshop = Workshop::open(store, PROJECT).await.unwrap();
    let snapshot = workshop.snapshot(store).await.unwrap();
    let answer = store.engine().ask(&snapshot, Question::of_lode(sql), workshop.functions()).await.unwrap();
    let (batches, _, _) = answer.collect(1).await.unwrap();
    server::rows::rows(&batches).unwrap()[0][0].as_i64().unwrap()
}

async fn put(store: &Store, name: &str, sql: Option<&str>, enabled: bool) {
    let project = store.control().project(PROJECT).await.unwrap();
    let job = JobOverride { name: name.into(), text: sql.map(str::to_owned), enabled, schedule: None };
    store.control().put_job(&project.id, &job).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_second_import_only_the_new_part_is_computed() {
    let (folder, store) = prepared().await;
    import(&store, folder.path(), &plain_log(0..2, 20)).await;
    let first = run(&store, &Selection::Stale).await;
    assert!(first.values().all(|ended| ended.starts_with("done 0/")), "{first:?}");
    let again = run(&store, &Selection::Stale).await;
    assert!(again.values().all(|ended| ended == "fresh"), "{again:?}");
    import(&store, folder.path(), &plain_log(2..3, 20)).await;
    let second = run(&store, &Selection::Stale).await;
    assert_eq!((second["stg_noise"].as_str(), second["int_labeled_events"].as_str()), ("done 1/2", "done 1/2"));
    assert!(second.values().all(|ended| ended.starts_with("done ")), "{second:?}");
    assert_eq!(number(&store, "SELECT count(DISTINCT agent_key) FROM int_labeled_events").await, 3);
    // What was kept is what would have been computed.
    let labeled = "SELECT CAST(sum(active_us) AS BIGINT) FROM int_labeled_events";
    let kept = number(&store, labeled).await;
    store
        .control()
        .drop_table(&store.control().project(PROJECT).await.unwrap().id, "int_labeled_events")
        .await
        .unwrap();
    assert_eq!(run(&store, &Selection::Stale).await["int_labeled_events"], "done 0/2");
    assert_eq!(number(&store, labeled).await, kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn p15_a_job_that_fails_leaves_its_table_and_what_depends_is_stale() {
    let (folder, store) = prepared().await;
    import(&store, folder.path(), &plain_log(0..2, 20)).await;
    run(&store, &Selection::Stale).await;
    let before = number(&store, "SELECT count(*) FROM int_sessions").await;
    let broken =
        "-- Broken.\n-- reads: int_labeled_events\nSELECT CAST('no number' AS BIGINT) AS n FROM int_labeled_events";
    put(&store, "int_sessions", Some(broken), true).await;
    let reading = "-- Reads it.\n-- reads: int_sessions\nSELECT count(*) AS n FROM int_sessions";
    put(&store, "own", Some(reading), true).await;
    let ended = run(&store, &Selection::Stale).await;
    assert_eq!((ended["int_sessions"].as_str(), ended["own"].as_str()), ("failed", "waiting"), "{ended:?}");
    assert_eq!(number(&store, "SELECT count(*) FROM int_sessions").await, before);
    let now = freshness(&store).await;
    assert_eq!(
        (now["int_sessions"], now["own"], now["app_usage"]),
        (Freshness::Stale, Freshness::Never, Freshness::Fresh)
    );
    let runs = store.control().last_runs(&store.control().project(PROJECT).await.unwrap().id).await.unwrap();
    let run_of = runs.iter().find(|run| run.job == "int_sessions").unwrap();
    assert!(run_of.state == "failed" && run_of.error.as_ref().unwrap().contains("no number"), "{run_of:?}");

    let mended = "-- Mended.\n-- reads: int_labeled_events\nSELECT 1 AS n";
    put(&store, "int_sessions", Some(mended), true).await;
    let ended = run(&store, &Selection::Stale).await;
    assert!(ended["int_sessions"] == "done 0/1" && ended["own"] == "done 0/1", "{ended:?}");
    assert_eq!(number(&store, "SELECT n FROM own").await, 1, "the replaced text is not the table's");
}

#[tokio::test(flavor = "multi_thread")]
async fn p15_a_cancelled_run_leaves_the_table_before_it() {
    let (folder, store) = prepared().await;
    import(&store, folder.path(), &plain_log(0..1, 20)).await;
    put(&store, "own", Some("-- Quick.\n-- reads: events\nSELECT 42 AS n"), true).await;
    run(&store, &Selection::Stale).await;
    let endless = "-- Endless.\n-- reads: events\nSELECT count(*) AS n FROM generate_series(1, 1000000000000)";
    put(&store, "own", Some(endless), true).await;
    let runner = runner_of(&store);
    let canceller = runner.clone();
    let project = store.control().project(PROJECT).await.unwrap().id;
    let cancel = async {
        loop {
            let runs = store.control().last_runs(&project).await.unwrap();
            if runs.iter().any(|run| run.job == "own" && run.state == "running") {
                assert!(canceller.cancel(PROJECT, "batch"));
                return std::time::Instant::now();
            }
            tokio::task::yield_now().await;
        }
    };
    let selection = Selection::Named(["own".to_owned()].into());
    let run = runner.run(PROJECT, "batch", &selection, |_, _| {});
    let (all_good, cancelled_at) = tokio::join!(run, cancel);
    assert!(!all_good.unwrap());
    assert!(cancelled_at.elapsed() < std::time::Duration::from_secs(2), "{:?}", cancelled_at.elapsed());
    assert_eq!(number(&store, "SELECT n FROM own").await, 42);
    let runs = store.control().last_runs(&project).await.unwrap();
    assert_eq!(runs.iter().find(|run| run.job == "own").unwrap().state, "cancelled");
    assert_eq!(std::fs::read_dir(store.settings().folder.join("staging")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_switched_off_does_not_run() {
    let (folder, store) = prepared().await;
    put(&store, "app_usage", None, false).await;
    import(&store, folder.path(), &plain_log(0..1, 20)).await;
    let ended = run(&store, &Selection::All).await;
    assert!(!ended.contains_key("app_usage") && ended.contains_key("app_switches"), "{ended:?}");
    let workshop = Workshop::open(&store, PROJECT).await.unwrap();
    assert!(!workshop.snapshot(&store).await.unwrap().tables.contains_key("app_usage"));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_run_when_the_last_person_was_erased() {
    let (folder, store) = prepared().await;
    import(&store, folder.path(), &plain_log(0..1, 20)).await;
    run(&store, &Selection::Stale).await;
    store.erase_user(PROJECT, "user0", 2).await.unwrap();
    // What was made of nothing and would be made of nothing again is fresh.
    let is_well = |ended: &String| ended.starts_with("done") || ended == "fresh";
    let ended = run(&store, &Selection::Stale).await;
    assert!(ended.values().all(is_well) && ended["int_labeled_events"].starts_with("done"), "{ended:?}");
    assert_eq!(number(&store, "SELECT count(*) FROM int_labeled_events").await, 0);
    import(&store, folder.path(), &plain_log(3..4, 20)).await;
    let ended = run(&store, &Selection::Stale).await;
    assert!(ended.values().all(is_well) && ended["int_labeled_events"].starts_with("done"), "{ended:?}");
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 20);
}
