//! A data folder that this process owns: control database, files, staging, scratch.

use crate::StoreError;
use crate::control::Control;
use crate::control::manifest::FileEntry;
use crate::engine::Engine;
use crate::files::Files;
use crate::ingest::Ingest;
use crate::snapshot::{Leases, Snapshot, TableFiles};
use sqlx::Row;
use std::collections::{BTreeMap, HashMap};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder; made if it is not there.
    pub folder: PathBuf,
    /// `postgres://…` to keep the control data there; else SQLite inside the folder.
    pub control_url: Option<String>,
    /// Memory for questions and jobs together, in bytes. The engine undercounts, so leave room for 2.6 times as much.
    pub query_memory_bytes: usize,
    /// Cores for one question.
    pub cores: usize,
}

impl Settings {
    /// The defaults for a data folder: 1 GiB for questions, every core.
    pub fn for_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            control_url: None,
            query_memory_bytes: 1 << 30,
            cores: std::thread::available_parallelism().map_or(2, usize::from),
        }
    }
}

/// An open store. One process at a time owns a data folder.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    control: Control,
    ingest: Ingest,
    files: Files,
    leases: Leases,
    engine: Engine,
    /// Per project: whose turn it is to write a log.
    import_turns: Mutex<HashMap<String, Arc<Mutex<()>>>>,
    /// Folds read it; whoever copies both databases writes it.
    folding: RwLock<()>,
    settings: Settings,
    /// Held until the process ends or the store is dropped; the operating system lets go of it in any case.
    _lock: File,
}

impl Store {
    /// Opens a data folder, mends what an interrupted process left, and forgets what nobody needs.
    ///
    /// Errors: [`StoreError::Locked`] if another process owns it; [`StoreError::Newer`] if a newer program wrote it.
    pub async fn open(settings: Settings) -> Result<Self, StoreError> {
        let folder = &settings.folder;
        std::fs::create_dir_all(folder).map_err(StoreError::file("make the folder", folder))?;
        let lock = lock(folder)?;
        let control = match &settings.control_url {
            Some(url) => Control::open(url).await?,
            None => Control::open_file(&folder.join(CONTROL_FILE)).await?,
        };
        let ingest = match &settings.control_url {
            Some(url) => Ingest::open(url).await?,
            None => Ingest::open_file(&folder.join(INGEST_FILE)).await?,
        };
        let files = Files::in_folder(&folder.join(OBJECTS_FOLDER), &folder.join("staging"))?;
        files.clear_staging()?;
        let scratch = folder.join("scratch");
        let _ = if scratch.is_file() { std::fs::remove_file(&scratch) } else { std::fs::remove_dir_all(&scratch) };
        let engine = Engine::new(&settings, &scratch, files.object_store(), files.folder())?;
        let store = Self {
            inner: Arc::new(Inner {
                control,
                ingest,
                files,
                leases: Leases::default(),
                engine,
                import_turns: Mutex::default(),
                folding: RwLock::default(),
                settings,
                _lock: lock,
            }),
        };
        store.recover().await?;
        Ok(store)
    }

    /// The control database.
    pub fn control(&self) -> &Control {
        &self.inner.control
    }

    /// What agents send.
    pub fn ingest(&self) -> &Ingest {
        &self.inner.ingest
    }

    /// The Parquet files.
    pub fn files(&self) -> &Files {
        &self.inner.files
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// How it was opened.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The tables of a project as they are now.
    pub async fn snapshot(&self, project: &str) -> Result<Snapshot, StoreError> {
        let project = self.control().project(project).await?;
        let load = live_files(self.control(), &project.id);
        let tables = self.inner.leases.take(self.files(), load).await?;
        Ok(Snapshot { project, tables, views: Vec::new(), persons_min: None, hidden_columns: Vec::new() })
    }

    /// Removes a project and every row about it, here and in the ingest database; its files become garbage.
    pub async fn delete_project(&self, id: &str) -> Result<(), StoreError> {
        let _turn = self.import_turn(id).await;
        self.expire_pictures(id, i64::MAX).await?;
        self.ingest().forget_project(id).await?;
        self.control().delete_project(id).await
    }

    /// Waits until no other log is written into the project.
    pub(crate) async fn import_turn(&self, project: &str) -> OwnedMutexGuard<()> {
        let turn = self.inner.import_turns.lock().await.entry(project.to_owned()).or_default().clone();
        turn.lock_owned().await
    }

    /// Held by a fold while it moves events from one database to the other.
    pub(crate) async fn folding(&self) -> RwLockReadGuard<'_, ()> {
        self.inner.folding.read().await
    }

    /// Waits for folds to end, and keeps others from beginning.
    pub(crate) async fn keep_from_folding(&self) -> RwLockWriteGuard<'_, ()> {
        self.inner.folding.write().await
    }

    /// Copies the control database to `path` and leases every file that the copy names.
    pub(crate) async fn copy_control(&self, path: &Path) -> Result<BTreeMap<String, TableFiles>, StoreError> {
        let load = async {
            self.control().copy_to(path).await?;
            let copy = Control::open_file(path).await?;
            let files = copy.all_live_files().await;
            copy.close().await;
            // By path: tables of all projects are together here, and names repeat.
            Ok(files?.into_iter().map(|file| (file.path.clone(), file)).collect())
        };
        self.inner.leases.take(self.files(), load).await
    }

    /// Deletes files that dropped out of every table and that nobody reads; returns how many.
    pub async fn collect_garbage(&self) -> Result<u64, StoreError> {
        let dropped = self.control().dropped_files().await?;
        let delete = async |path: String| {
            self.files().delete(&path).await?;
            self.control().forget_file(&path).await
        };
        self.inner.leases.delete_unread(dropped, delete).await
    }

    /// [`Self::collect_garbage`], and what was deleted from the databases cannot be read in their logs of changes any more: for
    /// whoever deletes because a person or a day must go (promises D8, D9). Whoever writes has to wait for it, so nobody else does it.
    pub async fn leave_no_trace(&self) -> Result<u64, StoreError> {
        let deleted = self.collect_garbage().await?;
        self.control().forget_old_pages().await?;
        self.ingest().forget_old_pages().await?;
        Ok(deleted)
    }

    /// After a start: nothing runs, what was published but never committed is removed.
    async fn recover(&self) -> Result<(), StoreError> {
        let now_us = chrono::Utc::now().timestamp_micros();
        self.control().fail_interrupted_imports(now_us).await?;
        self.control().fail_interrupted_runs(now_us).await?;
        self.finish_folds(None).await?;
        self.leave_no_trace().await?;
        let known: std::collections::HashSet<String> =
            self.control().known_files().await?.into_iter().map(|file| file.0).collect();
        if let Some(folder) = self.files().folder() {
            for path in published(folder)? {
                if !known.contains(&path) {
                    tracing::info!(path, "removing a file that was published but never committed");
                    self.files().delete(&path).await?;
                }
            }
        }
        Ok(())
    }
}

/// Name of the SQLite file in a data folder.
pub(crate) const CONTROL_FILE: &str = "control.sqlite";
/// Name of the SQLite file with what agents sent, in a data folder.
pub(crate) const INGEST_FILE: &str = "ingest.sqlite";
/// Name of the folder with the Parquet files in a data folder.
pub(crate) const OBJECTS_FOLDER: &str = "objects";

fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join("lode.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(StoreError::file("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(StoreError::File { action: "lock", path, source }),
    }
}

/// One statement, so that the list is of one moment.
async fn live_files(control: &Control, project: &str) -> Result<Vec<(String, FileEntry)>, StoreError> {
    let rows = sqlx::query(
        "SELECT path, agent_min, agent_max, rows, bytes, time_min, time_max, sha256, fingerprint, table_name FROM files
         WHERE project = $1 AND state = 'live' ORDER BY table_name, agent_min, path",
    )
    .bind(project)
    .fetch_all(&control.pool)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(9)?, crate::control::manifest::entry(row)?))).collect()
}

/// Paths of all Parquet files below `folder`, relative to it.
pub(crate) fn published(folder: &Path) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(current) = open.pop() {
        for entry in std::fs::read_dir(&current).map_err(StoreError::file("read the folder", &current))?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(relative) = path.strip_prefix(folder) {
                found.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    Ok(found)
}
