//! Where Parquet files are: a folder and any other object store behave the same.

use arrow::array::RecordBatch;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use store::batch::EventBatch;
use store::columns::event_schema;
use store::files::{Files, hex};
use uilog::notation;

/// Tells a story over a folder and over memory.
async fn over_each_store(story: impl AsyncFn(&Files)) {
    let folder = tempfile::tempdir().unwrap();
    story(&Files::in_folder(&folder.path().join("objects"), &folder.path().join("staging")).unwrap()).await;
    assert_eq!(std::fs::read_dir(folder.path().join("staging")).unwrap().count(), 0, "something is left in staging");
    let staging = tempfile::tempdir().unwrap();
    story(&Files::in_object_store(Arc::new(InMemory::new()), staging.path()).unwrap()).await;
    assert_eq!(std::fs::read_dir(staging.path()).unwrap().count(), 0, "something is left in staging");
}

fn three_events() -> RecordBatch {
    let mut keys =
        store::batch::Keys::new(store::control::keys::KnownKeys { next_agent: 7, next_user: 1, ..Default::default() });
    let mut batch = EventBatch::default();
    for event in notation::log("09:00 excel copy B2 @ann | 09:01 crm paste name | 09:05 crm paste name @bob") {
        batch.push(&event, &mut keys).unwrap();
    }
    batch.take().unwrap()
}

#[tokio::test]
async fn a_published_file_is_whole_and_is_what_its_entry_says() {
    over_each_store(async |files| {
        let mut writer = files.stage(event_schema()).unwrap();
        writer.write(three_events()).unwrap();
        let entry = files.publish(writer.finish().unwrap(), "p/events/one.parquet", "print").await.unwrap();
        assert_eq!((entry.rows, entry.agent_min, entry.agent_max), (3, Some(7), Some(8)));
        assert_eq!(entry.time_min_us.map(|first| first - notation::DAY_US), Some(9 * 3_600_000_000));
        assert_eq!((entry.path.as_str(), entry.fingerprint.as_str()), ("p/events/one.parquet", "print"));
        let bytes =
            files.object_store().get(&ObjectPath::from(entry.path.as_str())).await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes.len() as i64, entry.bytes);
        assert_eq!(hex(&Sha256::digest(&bytes)), entry.sha256);
    })
    .await;
}

#[tokio::test]
async fn a_file_can_be_deleted_twice() {
    over_each_store(async |files| {
        let staged = files.stage(event_schema()).unwrap().finish().unwrap();
        let entry = files.publish(staged, "p/events/one.parquet", "").await.unwrap();
        files.delete(&entry.path).await.unwrap();
        files.delete(&entry.path).await.unwrap();
        assert!(files.object_store().head(&ObjectPath::from(entry.path.as_str())).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn what_is_not_published_leaves_nothing() {
    over_each_store(async |files| {
        let mut given_up = files.stage(event_schema()).unwrap();
        given_up.write(three_events()).unwrap();
        drop(given_up);
        let complete = files.stage(event_schema()).unwrap().finish().unwrap();
        drop(complete);
    })
    .await;
}
