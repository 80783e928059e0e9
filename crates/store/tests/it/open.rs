//! Opening a data folder: one owner, an older program's refusal, and mending what an interrupted process left.

use crate::support::{NOW_US, Place, ask, begin, files_below, import, over_both, project};
use sqlx::{Connection, Executor};
use std::path::Path;
use store::control::imports::ImportState;
use store::control::runs::RunRecord;
use store::{Store, StoreError};

/// Marks a folder's control data as written by a newer program.
pub async fn make_newer(folder: &Path) {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}", folder.join("control.sqlite").display());
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    connection.execute("UPDATE meta SET value = '99' WHERE key = 'layout'").await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_has_one_owner() {
    over_both(async |place| {
        let first = place.open().await;
        let second = Store::open(place.settings()).await;
        assert!(matches!(second, Err(StoreError::Locked(_))), "{second:?}");
        drop(first);
        place.open().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_newer_layout_is_refused_and_not_touched() {
    let place = Place::new();
    let store = place.open().await;
    let project = project(&store, "Orders").await;
    import(&store, &project, "09:00 excel copy B2").await.unwrap();
    store.control().close().await;
    drop(store);
    make_newer(&place.folder()).await;
    let contents = || {
        let files = files_below(&place.folder()).into_iter();
        files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect::<Vec<_>>()
    };
    let before = contents();
    let error = Store::open(place.settings()).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("written by a newer version of lode"), "{error}");
    assert!(before == contents(), "the refused folder was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn p15_nothing_is_running_after_a_start() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        let record = begin(&store, &project, "an import that never ends").await;
        let run = RunRecord {
            id: "batch/job".into(),
            project: project.id.clone(),
            job: "job".into(),
            state: "running".into(),
            started_at_us: NOW_US,
            finished_at_us: None,
            rows_in: None,
            rows_out: None,
            peak_memory_bytes: None,
            partitions: None,
            partitions_reused: None,
            error: None,
            position: None,
        };
        store.control().put_run(&run).await.unwrap();
        drop(store);

        let store = place.open().await;
        let import = store.control().import(&project.id, &record.id).await.unwrap().unwrap();
        assert_eq!(import.state, ImportState::Failed);
        assert!(import.message.unwrap().contains("nothing was stored"));
        let runs = store.control().last_runs(&project.id).await.unwrap();
        assert_eq!(runs[0].state, "cancelled");
        assert!(runs[0].finished_at_us.is_some() && runs[0].error.as_ref().unwrap().contains("interrupted"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_whatever_lies_in_the_folder_the_store_opens_and_works() {
    let place = Place::new();
    let store = place.open().await;
    let project = project(&store, "Orders").await;
    import(&store, &project, "09:00 excel copy B2").await.unwrap();
    drop(store);
    let folder = place.folder();
    std::fs::write(folder.join("staging/half.parquet"), b"PAR1 and no more").unwrap();
    std::fs::create_dir_all(folder.join("staging/a folder/in it")).unwrap();
    std::fs::create_dir_all(folder.join("objects/nobody/events")).unwrap();
    std::fs::write(folder.join("objects/nobody/events/never-committed.parquet"), b"").unwrap();
    std::fs::remove_dir_all(folder.join("scratch")).unwrap();
    std::fs::write(folder.join("scratch"), b"not a folder").unwrap();
    std::fs::write(folder.join("something else"), b"left alone").unwrap();

    let store = place.open().await;
    assert_eq!(ask(&store, &project, "SELECT count(*) FROM events").await.unwrap(), ["1"]);
    import(&store, &project, "09:00 excel copy B2 @bob").await.unwrap();
    assert_eq!(files_below(&folder.join("staging")).len(), 0);
    assert_eq!(files_below(&folder.join("objects")).len(), 2, "a file that was never committed is still there");
    assert!(folder.join("something else").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_control_data_wait_for_each_other() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        import(&store, &project, "09:00 excel copy B2").await.unwrap();
        let files = store.control().files(&project.id, "events").await.unwrap();
        let table = store.control().tables(&project.id).await.unwrap().remove(0);
        let swaps = async {
            for _ in 0..100 {
                store.control().commit_table(&project.id, &table, &files).await.unwrap();
            }
        };
        let rules = async |name: &'static str| {
            for _ in 0..100 {
                store.control().put_label_rules(&project.id, name).await.unwrap();
            }
        };
        tokio::join!(swaps, rules("one"), rules("two"));
    })
    .await;
}
