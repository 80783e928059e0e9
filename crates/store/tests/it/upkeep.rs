//! Upkeep: files are written anew and swapped; rows that stay keep their order, rows that go leave no byte.

use crate::support::{
    NOW_US, Place, answer, ask, comes_true, files_below, files_with, import, over_both, project, table,
};
use std::path::PathBuf;
use store::control::projects::Project;
use store::{Store, StoreError};
use uilog::notation::DAY_US;

/// One minute, in the notation's day.
const MINUTE_US: i64 = 60_000_000;

async fn three_people(store: &Store) -> Project {
    let project = project(store, "Orders").await;
    for user in ["ann", "bob", "eve"] {
        let log = format!("09:00 excel copy B2 @{user} | 09:10 crm paste name | 33:00 crm element_clicked Save");
        import(store, &project, &log).await.unwrap();
    }
    project
}

const IN_ORDER: &str = "SELECT agent_key, event_order, user_name, event_type, time FROM events";

#[tokio::test(flavor = "multi_thread")]
async fn compaction_keeps_every_row_and_their_order() {
    over_both(async |place| {
        let store = place.open().await;
        let project = three_people(&store).await;
        let before = ask(&store, &project, &format!("{IN_ORDER} ORDER BY event_order")).await.unwrap();
        let done = store.compact(&project.id, NOW_US).await.unwrap();
        assert_eq!((done.files_before, done.files_after, done.rows_removed), (3, 1, 0));
        assert_eq!(ask(&store, &project, IN_ORDER).await.unwrap(), before);
        assert_eq!(store.compact(&project.id, NOW_US).await.unwrap().files_before, 0, "it is never done");
        assert_eq!(store.collect_garbage().await.unwrap(), 3);
        assert_eq!(files_below(store.files().folder().unwrap()).len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d9_retiring_takes_what_is_older_and_nothing_else() {
    over_both(async |place| {
        let store = place.open().await;
        let project = three_people(&store).await;
        // Every file has events before, at and after this moment; the one of exactly that moment stays.
        let nine_ten = DAY_US + (9 * 60 + 10) * MINUTE_US;
        let done = store.retire(&project.id, nine_ten, NOW_US).await.unwrap();
        assert_eq!((done.files_before, done.rows_removed), (3, 3));
        let types = "SELECT event_type, count(*) FROM events GROUP BY 1 ORDER BY 1";
        assert_eq!(ask(&store, &project, types).await.unwrap(), ["element_clicked 3", "paste 3"]);
        assert_eq!(store.retire(&project.id, nine_ten + 1, NOW_US).await.unwrap().rows_removed, 3);
        assert_eq!(ask(&store, &project, types).await.unwrap(), ["element_clicked 3"]);
        // A project without a row is still one that can be asked.
        store.retire(&project.id, i64::MAX / 2, NOW_US).await.unwrap();
        assert_eq!(ask(&store, &project, "SELECT count(*) FROM events").await.unwrap(), ["0"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d8_an_erased_person_leaves_no_byte_and_nobody_else_goes() {
    over_both(async |place| {
        let store = place.open().await;
        let project = three_people(&store).await;
        let log = "09:00 excel copy B2 @canary-name | 09:01 crm text_entered name =canary-text";
        import(&store, &project, log).await.unwrap();
        let mart = table("typed", "SELECT user_name, text FROM events");
        let snapshot = store.snapshot(&project.id).await.unwrap();
        store.build_table(&snapshot, &mart, NOW_US).await.unwrap();
        drop(snapshot);
        assert_eq!(files_with(&place.folder().join("objects"), "canary-text").len(), 2, "the search sees nothing");

        let done = store.erase_user(&project.id, "canary-name", NOW_US).await.unwrap();
        assert_eq!((done.files_before, done.files_after, done.rows_removed), (1, 0, 2));
        store.leave_no_trace().await.unwrap();
        let left = ask(&store, &project, "SELECT user_name, count(*) FROM events GROUP BY 1 ORDER BY 1").await.unwrap();
        assert_eq!(left, ["ann 3", "bob 3", "eve 3"]);
        for canary in ["canary-name", "canary-text"] {
            assert_eq!(files_with(&place.folder(), canary), Vec::<PathBuf>::new(), "{canary}");
        }
        let again = store.erase_user(&project.id, "canary-name", NOW_US).await;
        assert!(matches!(again, Err(StoreError::Missing { .. })), "{again:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_project_leaves_no_byte_and_its_neighbour_stays() {
    let place = Place::new();
    let store = place.open().await;
    let neighbour = three_people(&store).await;
    let gone = project(&store, "canary-project").await;
    import(&store, &gone, "09:00 crm text_entered name @canary-name =canary-text").await.unwrap();
    store.delete_project(&gone.id).await.unwrap();
    store.leave_no_trace().await.unwrap();
    for canary in ["canary-project", "canary-name", "canary-text"] {
        assert_eq!(files_with(&place.folder(), canary), Vec::<PathBuf>::new(), "{canary}");
    }
    assert_eq!(ask(&store, &neighbour, "SELECT count(*) FROM events").await.unwrap(), ["9"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_keeps_its_files_while_the_table_is_made_anew() {
    let place = Place::new();
    let store = place.open().await;
    let project = three_people(&store).await;
    // More rows than may wait in the queue, so that the question is under way until somebody reads on.
    let long = "SELECT event_order FROM events CROSS JOIN generate_series(1, 200000)";
    let mut long = answer(&store, &project, long).await.unwrap();
    let first = long.next().await.unwrap().unwrap().num_rows();
    store.compact(&project.id, NOW_US).await.unwrap();
    assert_eq!(store.collect_garbage().await.unwrap(), 0, "a file went while it was read");
    assert_eq!(files_below(store.files().folder().unwrap()).len(), 4);
    let mut rows = first;
    while let Some(batch) = long.next().await {
        rows += batch.unwrap().num_rows();
    }
    assert_eq!(rows, 9 * 200_000);
    drop(long);
    assert!(comes_true(10, async || store.collect_garbage().await.unwrap() == 3).await, "the files were never let go");
    assert_eq!(files_below(store.files().folder().unwrap()).len(), 1);
}
