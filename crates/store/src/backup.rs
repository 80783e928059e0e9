//! Saves a data folder into one archive and brings it back; either whole or not at all.
//!
//! The archive (tar, zstd) holds a consistent copy of the control database and of what agents sent, every live Parquet file, and a list of sizes
//! and hashes that `check` compares. PostgreSQL control data is saved by PostgreSQL's own tools.

use crate::control::Control;
use crate::files::hex;
use crate::store::{CONTROL_FILE, INGEST_FILE, OBJECTS_FOLDER};
use crate::{Store, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// Version of the archive's form.
const ARCHIVE_VERSION: u32 = 1;

/// Name of the list inside the archive; it comes first.
const LIST_FILE: &str = "lode-backup.json";

/// What is in an archive.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct BackupList {
    version: u32,
    /// Microseconds since 1970, UTC.
    pub made_at_us: i64,
    /// Every file but this list.
    pub files: Vec<BackupFile>,
}

/// One file of an archive.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct BackupFile {
    /// Path inside the data folder.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: String,
}

impl Store {
    /// Writes an archive of this store to `target`; the file appears only when it is complete.
    ///
    /// Errors: a Parquet file that is not what the manifest says is named, and no archive is written.
    pub async fn backup(&self, target: &Path, now_us: i64) -> Result<BackupList, StoreError> {
        let folder = self.settings().folder.clone();
        let staging = folder.join("staging");
        let copy = staging.join(format!("backup-{now_us}.sqlite"));
        let ingest = staging.join(format!("backup-{now_us}-ingest.sqlite"));
        let objects = self
            .files()
            .folder()
            .ok_or_else(|| {
                StoreError::Invalid("the Parquet files are in an object store: save them with its own tools".into())
            })?
            .to_owned();
        // What the copy names is what is saved, and none of it goes while it is read.
        let live = {
            // An event is in the copy of the one database or of the other: nothing is folded between them.
            let _still = self.keep_from_folding().await;
            self.ingest().copy_to(&ingest).await?;
            self.copy_control(&copy).await?
        };
        let target = target.to_owned();
        let written = tokio::task::spawn_blocking(move || {
            let mut sources =
                vec![(CONTROL_FILE.to_owned(), copy.clone(), None), (INGEST_FILE.to_owned(), ingest.clone(), None)];
            sources.extend(live.values().flat_map(|table| &table.files).map(|file| {
                (format!("{OBJECTS_FOLDER}/{}", file.path), objects.join(&file.path), Some(file.sha256.clone()))
            }));
            let list = write_archive(&target, &sources, now_us);
            for copy in [copy, ingest] {
                let _ = std::fs::remove_file(copy);
            }
            list
        });
        written.await.map_err(|error| StoreError::Invalid(format!("the backup stopped: {error}")))?
    }
}

fn write_archive(
    target: &Path,
    sources: &[(String, std::path::PathBuf, Option<String>)],
    now_us: i64,
) -> Result<BackupList, StoreError> {
    let mut files = Vec::new();
    for (path, source, expected) in sources {
        let (bytes, sha256) = digest(File::open(source).map_err(StoreError::file("read", source))?)
            .map_err(StoreError::file("read", source))?;
        if expected.as_ref().is_some_and(|expected| *expected != sha256) {
            return Err(StoreError::Damaged {
                path: path.clone(),
                reason: "its hash is not the one in the manifest".into(),
            });
        }
        files.push(BackupFile { path: path.clone(), bytes, sha256 });
    }
    let list = BackupList { version: ARCHIVE_VERSION, made_at_us: now_us, files };
    let text = serde_json::to_vec_pretty(&list).map_err(|error| StoreError::Invalid(error.to_string()))?;
    let partial = target.with_extension("partial");
    let write = || -> std::io::Result<()> {
        let file = File::create(&partial)?;
        let mut archive = tar::Builder::new(zstd::Encoder::new(file, 3)?);
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        archive.append_data(&mut header, LIST_FILE, text.as_slice())?;
        for (path, source, _) in sources {
            archive.append_path_with_name(source, path)?;
        }
        let mut file = archive.into_inner()?.finish()?;
        file.flush()?;
        file.sync_all()?;
        std::fs::rename(&partial, target)
    };
    write().map_err(|source| {
        let _ = std::fs::remove_file(&partial);
        StoreError::File { action: "write the backup", path: target.to_owned(), source }
    })?;
    Ok(list)
}

/// Compares an archive with its own list: every file there, of the right size and hash, nothing else.
pub fn check(archive: &Path) -> Result<BackupList, StoreError> {
    unpack(archive, None)
}

/// Brings an archive back into `folder`, which must not exist or be empty.
///
/// Errors: whatever is wrong with the archive; `folder` is as it was then.
pub async fn restore(archive: &Path, folder: &Path) -> Result<BackupList, StoreError> {
    if folder.exists()
        && std::fs::read_dir(folder).map_err(StoreError::file("read the folder", folder))?.next().is_some()
    {
        return Err(StoreError::Invalid(format!(
            "'{}' is not empty; restore into a new folder and swap the two",
            folder.display()
        )));
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(StoreError::file("make the folder", parent))?;
    let aside = parent.join(format!(".lode-restore-{}", uuid::Uuid::new_v4()));
    let unpacked = async {
        let list = unpack(archive, Some(&aside))?;
        Control::open_file(&aside.join(CONTROL_FILE)).await?.close().await;
        Ok(list)
    };
    let list = match unpacked.await {
        Ok(list) => list,
        Err(error) => {
            let _ = std::fs::remove_dir_all(&aside);
            return Err(error);
        }
    };
    if folder.exists() {
        std::fs::remove_dir(folder).map_err(StoreError::file("replace", folder))?;
    }
    std::fs::rename(&aside, folder).map_err(StoreError::file("publish", folder))?;
    Ok(list)
}

fn unpack(archive: &Path, target: Option<&Path>) -> Result<BackupList, StoreError> {
    let broken = |reason: String| StoreError::Damaged { path: archive.display().to_string(), reason };
    let file = File::open(archive).map_err(StoreError::file("read", archive))?;
    let decoder = zstd::Decoder::new(file).map_err(|error| broken(error.to_string()))?;
    let mut tar = tar::Archive::new(decoder);
    let mut entries = tar.entries().map_err(|error| broken(error.to_string()))?;
    let mut first = match entries.next() {
        Some(Ok(entry)) if entry.path().is_ok_and(|path| path == Path::new(LIST_FILE)) => entry,
        _ => return Err(broken("it is not a backup that lode made".into())),
    };
    let mut text = String::new();
    first.read_to_string(&mut text).map_err(|error| broken(error.to_string()))?;
    let list: BackupList = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    if list.version > ARCHIVE_VERSION {
        return Err(StoreError::Newer { found: i64::from(list.version), known: i64::from(ARCHIVE_VERSION) });
    }
    let mut missing: std::collections::HashMap<&str, &BackupFile> =
        list.files.iter().map(|file| (file.path.as_str(), file)).collect();
    for entry in entries {
        let mut entry = entry.map_err(|error| broken(error.to_string()))?;
        let path = entry.path().map_err(|error| broken(error.to_string()))?.to_string_lossy().into_owned();
        if !Path::new(&path).components().all(|part| matches!(part, std::path::Component::Normal(_))) {
            return Err(broken(format!("it holds '{path}', which lies outside the folder")));
        }
        let Some(expected) = missing.remove(path.as_str()) else {
            return Err(broken(format!("it holds '{path}', which its list does not name")));
        };
        let (bytes, sha256) = match target {
            Some(target) => {
                let file = target.join(&path);
                if let Some(parent) = file.parent() {
                    std::fs::create_dir_all(parent).map_err(StoreError::file("make the folder", parent))?;
                }
                let mut out = File::create(&file).map_err(StoreError::file("write", &file))?;
                std::io::copy(&mut entry, &mut out)
                    .and_then(|_| out.sync_all())
                    .map_err(StoreError::file("write", &file))?;
                digest(File::open(&file).map_err(StoreError::file("read", &file))?)
                    .map_err(StoreError::file("read", &file))?
            }
            None => digest(entry).map_err(|error| broken(error.to_string()))?,
        };
        if bytes != expected.bytes || sha256 != expected.sha256 {
            return Err(broken(format!("'{path}' is not what was saved")));
        }
    }
    match missing.keys().next() {
        Some(path) => Err(broken(format!("'{path}' is missing"))),
        None => Ok(list),
    }
}

fn digest(mut source: impl Read) -> std::io::Result<(u64, String)> {
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, hex(&hash.finalize())));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}
