//! Imports: all or nothing, once, with keys that go on and rows in the order of agents.

use crate::support::{Place, ask, begin, files_below, hash_of, import, over_both, project};
use store::StoreError;
use store::columns::EVENTS;
use store::operator::RowFunctions;
use uilog::{Event, notation};
use uuid::Uuid;

const ANN: &str = "09:00 excel copy B2 @ann | 09:01 crm paste name | 09:02 crm element_clicked Save";
const BOB: &str = "10:00 excel copy B3 @bob | 10:01 crm paste name";

#[tokio::test(flavor = "multi_thread")]
async fn p2_the_same_bytes_are_stored_once() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        assert_eq!(import(&store, &project, ANN).await.unwrap().rows_stored, 3);
        let again = import(&store, &project, ANN).await;
        assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
        assert_eq!(ask(&store, &project, "SELECT count(*) FROM events").await.unwrap(), ["3"]);
        assert!(store.control().import_by_hash(&project.id, &hash_of(ANN)).await.unwrap().is_some());
        assert_eq!(files_below(store.files().folder().unwrap()).len(), 1, "the second import left a file");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p2_an_agent_that_was_imported_in_another_form_is_not_stored_twice() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        import(&store, &project, ANN).await.unwrap();
        let other_bytes = import(&store, &project, "09:00 excel copy B2 @ann").await;
        assert!(matches!(other_bytes, Err(StoreError::Exists { .. })), "{other_bytes:?}");
        assert_eq!(ask(&store, &project, "SELECT count(*) FROM events").await.unwrap(), ["3"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_writer_that_is_given_up_leaves_nothing() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        begin(&store, &project, ANN).await;
        let mut writer = store.begin_import(&project.id).await.unwrap();
        let many: Vec<Event> = std::iter::repeat_n(notation::log(ANN), 30_000).flatten().collect();
        writer.append(&many).unwrap();
        assert!(!files_below(&place.folder().join("staging")).is_empty(), "nothing was written that could be left");
        drop(writer);
        assert!(store.snapshot(&project.id).await.unwrap().tables.is_empty());
        assert_eq!(files_below(&place.folder().join("staging")), Vec::<std::path::PathBuf>::new());
        assert_eq!(files_below(store.files().folder().unwrap()), Vec::<std::path::PathBuf>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_go_on_from_import_to_import() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        import(&store, &project, ANN).await.unwrap();
        import(&store, &project, BOB).await.unwrap();
        let keys = "SELECT DISTINCT agent_key, user_key, user_name FROM events ORDER BY agent_key";
        assert_eq!(ask(&store, &project, keys).await.unwrap(), ["1 1 ann", "2 2 bob"]);
        let orders = ask(&store, &project, "SELECT count(DISTINCT event_order) FROM events").await.unwrap();
        assert_eq!(orders, ["5"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_that_run_at_once_are_both_stored() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        let (one, other) = tokio::join!(import(&store, &project, ANN), import(&store, &project, BOB));
        assert_eq!(one.unwrap().rows_stored + other.unwrap().rows_stored, 5);
        assert_eq!(ask(&store, &project, "SELECT count(DISTINCT agent_key) FROM events").await.unwrap(), ["2"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_users_take_turns_comes_out_in_the_order_of_agents() {
    let place = Place::new();
    let store = place.open().await;
    let project = project(&store, "Orders").await;
    let record = begin(&store, &project, "three users take turns").await;
    let mut writer = store.begin_import(&project.id).await.unwrap();
    // Large enough for two files: the second user fills the first one up.
    let shares = [("ann", 400_000_u32), ("bob", 700_000), ("eve", 100_000)];
    let mut left = shares.map(|(name, rows)| (name, Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()), rows));
    while left.iter().any(|(_, _, rows)| *rows > 0) {
        let mut turn = Vec::new();
        for (name, agent_id, rows) in &mut left {
            let taken = (*rows).min(5_000);
            *rows -= taken;
            let event = Event { agent_id: *agent_id, user_name: Some((*name).into()), ..Event::default() };
            turn.extend(std::iter::repeat_n(event, taken as usize));
        }
        writer.append(&turn).unwrap();
    }
    assert_eq!(store.commit_import(writer, record, 1).await.unwrap().rows_stored, 1_200_000);
    let files = store.control().files(&project.id, EVENTS).await.unwrap();
    let agents: Vec<_> = files.iter().map(|file| (file.agent_min, file.agent_max)).collect();
    assert_eq!(agents, [(Some(1), Some(2)), (Some(3), Some(3))], "an agent is in two files");
    let mut last = i64::MIN;
    let snapshot = store.snapshot(&project.id).await.unwrap();
    let question = store::engine::Question {
        partitions: Some(1),
        ..store::engine::Question::of_lode("SELECT event_order FROM events")
    };
    let mut answer = store.engine().ask(&snapshot, question, &RowFunctions::default()).await.unwrap();
    while let Some(batch) = answer.next().await {
        let batch = batch.unwrap();
        let orders = batch.column(0).to_data();
        for order in orders.buffer::<i64>(0) {
            assert!(*order > last, "{order} after {last}");
            last = *order;
        }
    }
    assert_eq!(files_below(&place.folder().join("staging")), Vec::<std::path::PathBuf>::new());
}
