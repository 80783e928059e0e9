//! Tables of jobs: the old one or the new one, made in parts of which only the stale are computed.

use crate::support::{NOW_US, Place, ask, files_below, import, over_both, project, table};
use std::path::PathBuf;
use store::marts::{Build, Built};
use store::{Store, StoreError};

async fn build(store: &Store, project: &str, build: &Build) -> Result<Built, StoreError> {
    let snapshot = store.snapshot(project).await?;
    store.build_table(&snapshot, build, NOW_US).await
}

/// A table whose rows stay with their agents.
fn per_agent(sql: &str) -> Build {
    Build { per_agent: true, ..table("steps", sql) }
}

const STEPS: &str = "SELECT agent_key, event_order, event_type FROM events ORDER BY agent_key, event_order";

#[tokio::test(flavor = "multi_thread")]
async fn only_the_part_of_new_events_is_computed() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        import(&store, &project, "09:00 excel copy B2 @ann").await.unwrap();
        import(&store, &project, "09:00 excel copy B2 @bob").await.unwrap();
        let first = build(&store, &project.id, &per_agent(STEPS)).await.unwrap();
        assert_eq!((first.parts, first.parts_kept, first.rows_out), (2, 0, 2));
        import(&store, &project, "09:00 excel copy B2 @eve | 09:01 crm paste name").await.unwrap();
        let second = build(&store, &project.id, &per_agent(STEPS)).await.unwrap();
        assert_eq!((second.parts, second.parts_kept, second.rows_out), (3, 2, 4));
        let other_text = format!("{STEPS} ");
        assert_eq!(build(&store, &project.id, &per_agent(&other_text)).await.unwrap().parts_kept, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p15_a_table_that_cannot_be_made_stays_the_one_before() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        import(&store, &project, "09:00 excel copy B2 @ann").await.unwrap();
        build(&store, &project.id, &per_agent(STEPS)).await.unwrap();
        import(&store, &project, "09:00 excel key_command x @bob").await.unwrap();
        // The part of the first agent can be made, that of the second cannot.
        let wrong = "SELECT agent_key, event_order, CAST(key_command AS BIGINT) AS n FROM events ORDER BY agent_key, event_order";
        let error = build(&store, &project.id, &per_agent(wrong)).await.unwrap_err();
        assert!(matches!(error, StoreError::Sql { .. }), "{error}");
        assert_eq!(ask(&store, &project, "SELECT event_type FROM steps").await.unwrap(), ["copy"]);
        assert_eq!(files_below(&place.folder().join("staging")), Vec::<PathBuf>::new());
        store.collect_garbage().await.unwrap();
        assert_eq!(files_below(&place.folder().join("objects")).len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_names_the_order_of_events_must_have_it() {
    let place = Place::new();
    let store = place.open().await;
    let project = project(&store, "Orders").await;
    import(&store, &project, "09:00 excel copy B2 | 09:01 crm paste name").await.unwrap();
    let backwards = "SELECT agent_key, event_order FROM events ORDER BY event_order DESC";
    let error = build(&store, &project.id, &table("steps", backwards)).await.unwrap_err();
    assert!(error.to_string().contains("ORDER BY agent_key, event_order"), "{error}");
    assert!(ask(&store, &project, "SELECT * FROM steps").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_no_events_is_a_table() {
    let place = Place::new();
    let store = place.open().await;
    let project = project(&store, "Orders").await;
    import(&store, &project, "09:00 excel copy B2 @ann").await.unwrap();
    build(&store, &project.id, &per_agent(STEPS)).await.unwrap();
    store.erase_user(&project.id, "ann", NOW_US).await.unwrap();
    build(&store, &project.id, &per_agent(STEPS)).await.unwrap();
    assert_eq!(ask(&store, &project, "SELECT count(*) FROM steps").await.unwrap(), ["0"]);
}
