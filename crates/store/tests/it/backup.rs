//! Backup and restore: the whole folder or nothing, and a damaged archive is never taken for a good one.

use crate::support::{NOW_US, Place, ask, files_below, import, over_both, project, unheard};
use std::path::{Path, PathBuf};
use store::backup::{check, restore};
use store::{Settings, Store, StoreError};

/// A store with two logs in a project, and an archive of it.
async fn saved(place: &Place) -> PathBuf {
    let store = place.open().await;
    let project = project(&store, "Orders").await;
    import(&store, &project, "09:00 excel copy B2 @ann | 09:01 crm paste name").await.unwrap();
    import(&store, &project, "09:00 excel copy B2 @bob").await.unwrap();
    let archive = place.beside("saved.tar.zst");
    let list = store.backup(&archive, NOW_US, unheard()).await.unwrap();
    assert_eq!(list.files.len(), 4, "two databases, two files of events");
    store.ingest().close().await;
    store.control().close().await;
    archive
}

/// Events of the project in a data folder.
async fn events_in(folder: &Path) -> Vec<String> {
    let store = Store::open(Settings::for_folder(folder)).await.unwrap();
    let project = store.control().project("orders").await.unwrap();
    ask(&store, &project, "SELECT user_name, count(*) FROM events GROUP BY 1 ORDER BY 1").await.unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_what_was_saved_comes_back() {
    let place = Place::new();
    let archive = saved(&place).await;
    assert_eq!(check(&archive).unwrap().files.len(), 4);
    let folder = place.beside("restored");
    restore(&archive, &folder).await.unwrap();
    assert_eq!(events_in(&folder).await, ["ann 2", "bob 1"]);
    assert_eq!(events_in(&place.folder()).await, ["ann 2", "bob 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_damaged_archive_is_refused_and_leaves_nothing() {
    let place = Place::new();
    let archive = saved(&place).await;
    let whole = std::fs::read(&archive).unwrap();
    let damaged = place.beside("damaged.tar.zst");
    let before = names(&place.beside(""));
    let step = (whole.len() / 60).max(1);
    for position in (0..whole.len()).step_by(step) {
        let mut bytes = whole.clone();
        bytes[position] ^= 0x10;
        std::fs::write(&damaged, &bytes).unwrap();
        // A bit that no file depends on may flip; then what comes back is what was saved.
        if check(&damaged).is_ok() {
            let folder = place.beside("flipped");
            restore(&damaged, &folder).await.unwrap();
            assert_eq!(events_in(&folder).await, ["ann 2", "bob 1"], "byte {position}");
            std::fs::remove_dir_all(&folder).unwrap();
            continue;
        }
        restore(&damaged, &place.beside("restored")).await.unwrap_err();
    }
    for bytes in [&whole[..whole.len() / 2], &whole[..whole.len() - 1], b"no archive at all", b""] {
        std::fs::write(&damaged, bytes).unwrap();
        check(&damaged).unwrap_err();
        restore(&damaged, &place.beside("restored")).await.unwrap_err();
    }
    std::fs::remove_file(&damaged).unwrap();
    assert_eq!(names(&place.beside("")), before, "a refused archive left something");
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_one_flipped_bit_in_a_file_is_found() {
    let place = Place::new();
    let archive = saved(&place).await;
    // The same archive with one bit of one Parquet file flipped: zstd and tar are whole, only the hash tells.
    let mut tar = zstd::decode_all(std::fs::File::open(&archive).unwrap()).unwrap();
    let data = tar.windows(4).rposition(|window| window == b"PAR1").unwrap() - 40;
    tar[data] ^= 1;
    std::fs::write(&archive, zstd::encode_all(tar.as_slice(), 3).unwrap()).unwrap();
    let error = check(&archive).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(".parquet' is not what was saved"), "{error}");
    restore(&archive, &place.beside("restored")).await.unwrap_err();
    assert!(!place.beside("restored").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_damaged_store_is_not_saved_as_if_it_were_whole() {
    let place = Place::new();
    let first = saved(&place).await;
    let store = place.open().await;
    let file = files_below(store.files().folder().unwrap()).remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let second = place.beside("second.tar.zst");
    let error = store.backup(&second, NOW_US, unheard()).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(!second.exists());
    check(&first).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_control_data_in_postgresql_is_not_saved_and_it_is_said_who_does() {
    over_both(async |place| {
        let store = place.open().await;
        let archive = place.beside("saved.tar.zst");
        let saved = store.backup(&archive, NOW_US, unheard()).await;
        match place.settings().control_url {
            None => drop(saved.unwrap()),
            Some(_) => assert!(saved.unwrap_err().to_string().contains("save it with pg_dump")),
        }
        assert_eq!(archive.exists(), place.settings().control_url.is_none());
        assert!(!place.beside("saved.tar.partial").exists());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_empty_is_not_overwritten() {
    let place = Place::new();
    let archive = saved(&place).await;
    let before = files_below(&place.folder());
    let error = restore(&archive, &place.folder()).await.unwrap_err();
    assert!(error.to_string().contains("is not empty"), "{error}");
    assert_eq!(files_below(&place.folder()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_backup_taken_while_tables_change_is_whole() {
    let place = Place::new();
    let store = place.open().await;
    let project = project(&store, "Orders").await;
    import(&store, &project, "09:00 excel copy B2 @ann").await.unwrap();
    let changing = async {
        for round in 0..12 {
            import(&store, &project, &format!("09:00 excel copy B2 @user{round}")).await.unwrap();
            store.compact(&project.id, NOW_US).await.unwrap();
            store.collect_garbage().await.unwrap();
        }
    };
    let saving = async {
        for round in 0..6 {
            let archive = place.beside(&format!("{round}.tar.zst"));
            store.backup(&archive, NOW_US + round, unheard()).await.unwrap();
            let folder = place.beside(&format!("restored-{round}"));
            restore(&archive, &folder).await.unwrap();
            let restored = Store::open(Settings::for_folder(&folder)).await.unwrap();
            let rows: i64 =
                restored.control().files(&project.id, "events").await.unwrap().iter().map(|file| file.rows).sum();
            let read = ask(&restored, &project, "SELECT count(*) FROM events").await.unwrap();
            assert_eq!(read, [rows.to_string()], "the archive lacks files that its manifest names");
        }
    };
    tokio::join!(changing, saving);
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_an_archive_of_a_newer_program_is_refused_and_leaves_nothing() {
    let place = Place::new();
    saved(&place).await;
    crate::open::make_newer(&place.folder()).await;
    // The newer program's own archive: made by hand, because this one does not open the folder any more.
    let archive = place.beside("newer.tar.zst");
    let control = std::fs::read(place.folder().join("control.sqlite")).unwrap();
    write_archive(&archive, &control);
    let before = names(&place.beside(""));
    let error = restore(&archive, &place.beside("restored")).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { .. }), "{error}");
    assert_eq!(names(&place.beside("")), before, "the refused archive left something");
}

fn write_archive(path: &Path, control: &[u8]) {
    use sha2::{Digest, Sha256};
    let sha256 = store::files::hex(&Sha256::digest(control));
    let list = format!(
        r#"{{"version":1,"made_at_us":1,"files":[{{"path":"control.sqlite","bytes":{},"sha256":"{sha256}"}}]}}"#,
        control.len()
    );
    let mut archive = tar::Builder::new(zstd::Encoder::new(std::fs::File::create(path).unwrap(), 3).unwrap());
    for (name, bytes) in [("lode-backup.json", list.as_bytes()), ("control.sqlite", control)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        archive.append_data(&mut header, name, bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
}
