//! From an older layout to this one: a copy is kept, nothing is lost, and a failure leaves the old one (promise P14).

use crate::support::{NOW_US, Place};
use sqlx::{Connection, Executor, Row, SqliteConnection};
use std::path::Path;
use store::StoreError;
use store::control::{Control, LAYOUT};

/// Control databases as older versions left them, with one project.
const OLDER: [(&str, &str); 2] = [("1", include_str!("layout-1.sql")), ("2", include_str!("layout-2.sql"))];

async fn older(path: &Path, layout: &'static str) {
    let mut connection = open(path).await;
    connection.execute(layout).await.unwrap();
    connection.close().await.unwrap();
}

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap()
}

async fn layout_of(path: &Path) -> String {
    let mut connection = open(path).await;
    let row = connection.fetch_one("SELECT value FROM meta WHERE key = 'layout'").await.unwrap();
    connection.close().await.unwrap();
    row.get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_an_older_layout_becomes_this_one_and_a_copy_of_it_stays() {
    assert_eq!(OLDER.len() as i64, LAYOUT - 1, "a sample of every older layout is read");
    for (number, layout) in OLDER {
        let place = Place::new();
        std::fs::create_dir_all(place.folder()).unwrap();
        let file = place.folder().join("control.sqlite");
        older(&file, layout).await;
        let store = place.open().await;
        let control = store.control();
        let project = control.project("orders").await.unwrap();
        assert_eq!((project.name.as_str(), project.created_at_us), ("Orders", NOW_US));
        assert_eq!(control.queries(&project.id, 10, 0).await.unwrap().1, 1);
        assert_eq!(control.account_count().await.unwrap(), 0);
        assert_eq!(control.task_corrections(&project.id).await.unwrap(), []);
        let copy = place.folder().join(format!("control.sqlite.before-{LAYOUT}"));
        assert_eq!(layout_of(&copy).await, number);

        // What is erased now can be read in no copy either.
        control.delete_project(&project.id).await.unwrap();
        assert!(!copy.exists(), "the copy still holds the project");
        drop(store);
        place.open().await;
        assert!(!copy.exists(), "a folder that needs no migration was copied");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_migration_that_fails_leaves_the_old_layout() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("control.sqlite");
    older(&file, OLDER[0].1).await;
    // In the way of a table of the newer layout.
    let mut connection = open(&file).await;
    connection.execute("CREATE TABLE service_settings (somebody_elses TEXT)").await.unwrap();
    connection.close().await.unwrap();
    let error = Control::open_file(&file).await.unwrap_err();
    assert!(matches!(error, StoreError::Control(_)), "{error}");
    assert_eq!(layout_of(&file).await, "1");
    let mut connection = open(&file).await;
    let tables = "SELECT count(*) FROM sqlite_master WHERE name IN ('accounts', 'members', 'audit')";
    let half: i64 = connection.fetch_one(tables).await.unwrap().get(0);
    assert_eq!(half, 0, "half of the newer layout is there");
    connection.execute("DROP TABLE service_settings").await.unwrap();
    connection.close().await.unwrap();
    Control::open_file(&file).await.unwrap().close().await;
    assert_eq!(layout_of(&file).await, LAYOUT.to_string());
}
