//! Saves a data folder into one archive and brings it back; either whole or not at all.
//!
//! The archive (tar, zstd) holds a consistent copy of the control database and of what agents sent, their pictures, every live Parquet file, and
//! a list of sizes and hashes that `check` compares. PostgreSQL control data is saved by PostgreSQL's own tools.

use crate::control::Control;
use crate::files::hex;
use crate::ingest::pictures::{PICTURES_FOLDER, picture_paths};
use crate::store::{CONTROL_FILE, INGEST_FILE, OBJECTS_FOLDER};
use crate::{Store, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

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

/// Tells how much of how many bytes is done.
pub type Progress = Box<dyn Fn(u64, u64) + Send>;

/// Where a file lies while it is saved, and what its hash has to be if somebody knows.
struct Source {
    /// Path inside the data folder.
    path: String,
    file: PathBuf,
    sha256: Option<String>,
}

impl Store {
    /// Writes an archive of this store to `target`, while whoever works in it goes on; the file appears only when it is complete.
    ///
    /// Errors: those of [`Self::write_backup`], and no archive is written.
    pub async fn backup(&self, target: &Path, now_us: i64, progress: Progress) -> Result<BackupList, StoreError> {
        let partial = target.with_extension("partial");
        let file = File::create(&partial).map_err(StoreError::file("write the backup", &partial))?;
        let written = async {
            let (list, file) = self.write_backup(file, now_us, progress).await?;
            file.sync_all()
                .and_then(|()| std::fs::rename(&partial, target))
                .map_err(StoreError::file("write the backup", target))?;
            Ok(list)
        };
        let written = written.await;
        if written.is_err() {
            let _ = std::fs::remove_file(&partial);
        }
        written
    }

    /// Writes an archive of this store to `out`, such as a program that encrypts it, and gives `out` back when everything is written.
    ///
    /// Errors: a Parquet file that is not what the manifest says is named.
    pub async fn write_backup<W: Write + Send + 'static>(
        &self,
        out: W,
        now_us: i64,
        progress: Progress,
    ) -> Result<(BackupList, W), StoreError> {
        let folder = self.settings().folder.clone();
        let copies = folder.join("staging").join(format!("backup-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&copies).map_err(StoreError::file("make the folder", &copies))?;
        let sources = self.sources(&folder, &copies).await;
        let written = match sources {
            Ok(sources) => {
                let write = move || write_archive(out, &sources, now_us, &progress);
                let written = tokio::task::spawn_blocking(write).await;
                written.unwrap_or_else(|error| Err(StoreError::Invalid(format!("the backup stopped: {error}"))))
            }
            Err(error) => Err(error),
        };
        let _ = std::fs::remove_dir_all(&copies);
        written
    }

    /// Everything that is saved, held still: databases are copied into `copies`, pictures linked, and tables' files are not
    /// removed while they are read.
    async fn sources(&self, folder: &Path, copies: &Path) -> Result<Vec<Source>, StoreError> {
        let (control, ingest) = (copies.join(CONTROL_FILE), copies.join(INGEST_FILE));
        let objects = self.files().folder().ok_or_else(|| {
            StoreError::Invalid("the Parquet files are in an object store: save them with its own tools".into())
        })?;
        let live = {
            // An event is in the copy of the one database or of the other: nothing is folded between them.
            let _still = self.keep_from_folding().await;
            let live = self.copy_control(&control).await?;
            self.ingest().copy_to(&ingest).await?;
            live
        };
        let copy = |path: &str, file: PathBuf| Source { path: path.to_owned(), file, sha256: None };
        let mut sources = vec![copy(CONTROL_FILE, control), copy(INGEST_FILE, ingest.clone())];
        for path in picture_paths(&ingest).await? {
            let (picture, link) = (folder.join(PICTURES_FOLDER).join(&path), copies.join(PICTURES_FOLDER).join(&path));
            if link_or_copy(&picture, &link).map_err(StoreError::file("save", &picture))? {
                sources.push(copy(&format!("{PICTURES_FOLDER}/{path}"), link));
            }
        }
        sources.extend(live.values().flat_map(|table| &table.files).map(|file| Source {
            path: format!("{OBJECTS_FOLDER}/{}", file.path),
            file: objects.join(&file.path),
            sha256: Some(file.sha256.clone()),
        }));
        Ok(sources)
    }
}

/// A second name for a file, or a copy where the disk knows no second names; `false` if the file is gone meanwhile, as the
/// picture of somebody who was erased is.
fn link_or_copy(file: &Path, link: &Path) -> std::io::Result<bool> {
    if let Some(parent) = link.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let made = std::fs::hard_link(file, link).or_else(|_| std::fs::copy(file, link).map(|_| ()));
    match made {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        made => made.map(|()| true),
    }
}

fn write_archive<W: Write>(
    out: W,
    sources: &[Source],
    now_us: i64,
    progress: &Progress,
) -> Result<(BackupList, W), StoreError> {
    let mut total = 0;
    for source in sources {
        total += std::fs::metadata(&source.file).map_err(StoreError::file("read", &source.file))?.len();
    }
    // Everything is read twice: for its hash, which stands first, and for the archive.
    let done = Cell::new(0);
    let open = |source: &Source| {
        let file = File::open(&source.file).map_err(StoreError::file("read", &source.file))?;
        Ok::<_, StoreError>(Counted { file, done: &done, total: 2 * total, progress })
    };
    let mut files = Vec::new();
    for source in sources {
        let (bytes, sha256) = digest(open(source)?).map_err(StoreError::file("read", &source.file))?;
        if source.sha256.as_ref().is_some_and(|expected| *expected != sha256) {
            let reason = "its hash is not the one in the manifest".into();
            return Err(StoreError::Damaged { path: source.path.clone(), reason });
        }
        files.push(BackupFile { path: source.path.clone(), bytes, sha256 });
    }
    let list = BackupList { version: ARCHIVE_VERSION, made_at_us: now_us, files };
    let text = serde_json::to_vec_pretty(&list).map_err(|error| StoreError::Invalid(error.to_string()))?;
    let failed = |error: std::io::Error| StoreError::Invalid(format!("the backup cannot be written: {error}"));
    let mut archive = tar::Builder::new(zstd::Encoder::new(out, 3).map_err(failed)?);
    let header = |bytes: u64| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(now_us / 1_000_000).unwrap_or(0));
        header
    };
    archive.append_data(&mut header(text.len() as u64), LIST_FILE, text.as_slice()).map_err(failed)?;
    for (source, file) in sources.iter().zip(&list.files) {
        archive.append_data(&mut header(file.bytes), &source.path, open(source)?).map_err(failed)?;
    }
    let mut out = archive.into_inner().and_then(zstd::Encoder::finish).map_err(failed)?;
    out.flush().map_err(failed)?;
    Ok((list, out))
}

/// A file that tells how far it was read.
struct Counted<'a> {
    file: File,
    done: &'a Cell<u64>,
    total: u64,
    progress: &'a Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.done.set(self.done.get() + read as u64);
        (self.progress)(self.done.get(), self.total);
        Ok(read)
    }
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
