//! Control data: small, transactional, in SQLite by default and in PostgreSQL by URL.
//!
//! One set of statements serves both: only `TEXT`, `BIGINT` and `DOUBLE PRECISION`, numbered parameters,
//! `ON CONFLICT`. Times are microseconds since 1970 in UTC. Event rows never come here; they are Parquet files, and
//! what makes such a file part of a table is one row of the manifest ([`manifest`]).

pub mod accounts;
pub mod api_tokens;
pub mod app_keys;
pub mod audit;
pub mod configurations;
pub mod erasures;
pub(crate) mod folds;
pub mod imports;
pub mod invitations;
pub mod jobs;
pub mod keys;
pub mod login_sessions;
pub mod manifest;
pub mod members;
pub mod project_keys;
pub mod project_settings;
pub mod projects;
pub mod queries;
pub mod requests;
pub mod rules;
pub mod runs;
pub mod service_settings;
pub mod task_corrections;

use crate::StoreError;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, Executor, Row};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use uilog::planted;

/// The layout of the control database that this program writes.
pub const LAYOUT: i64 = 3;

/// What each layout added, oldest first: one list of statements per module. A new table goes into the `TABLES_…` of its
/// module; a new module goes into the newest list here and, if its rows belong to projects, into [`OF_A_PROJECT`].
const LAYOUTS: [&[&[&str]]; LAYOUT as usize] = [
    &[LAYOUT_1],
    &[
        accounts::TABLES_2,
        api_tokens::TABLES_2,
        app_keys::TABLES_2,
        audit::TABLES_2,
        configurations::TABLES_2,
        erasures::TABLES_2,
        folds::TABLES_2,
        invitations::TABLES_2,
        login_sessions::TABLES_2,
        members::TABLES_2,
        project_keys::TABLES_2,
        project_settings::TABLES_2,
        requests::TABLES_2,
        service_settings::TABLES_2,
    ],
    &[task_corrections::TABLES_3],
];

/// What goes with a project, module by module; `$1` is its id.
const OF_A_PROJECT: &[&[&str]] = &[
    projects::OF_A_PROJECT,
    api_tokens::OF_A_PROJECT,
    app_keys::OF_A_PROJECT,
    configurations::OF_A_PROJECT,
    erasures::OF_A_PROJECT,
    folds::OF_A_PROJECT,
    invitations::OF_A_PROJECT,
    members::OF_A_PROJECT,
    project_keys::OF_A_PROJECT,
    project_settings::OF_A_PROJECT,
    requests::OF_A_PROJECT,
    task_corrections::OF_A_PROJECT,
];

/// Connections to PostgreSQL.
const POSTGRES_CONNECTIONS_MAX: u32 = 4;

/// One connection to SQLite: a transaction that reads before it writes could otherwise find the file locked by another
/// one, which no time-out resolves. Statements here are short; questions never come this way.
const SQLITE_CONNECTIONS_MAX: u32 = 1;

/// An open control database.
#[derive(Debug, Clone)]
pub struct Control {
    pub(crate) pool: AnyPool,
    postgres: bool,
    /// The SQLite file, if it is one that [`Control::open_file`] opened.
    file: Option<PathBuf>,
}

impl Control {
    /// Opens `url` (`sqlite://…` or `postgres://…`) and brings its tables up to [`LAYOUT`].
    ///
    /// Errors: [`StoreError::Newer`] if a newer program wrote it; nothing is changed then.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, None).await
    }

    /// Opens the SQLite file at `path`, making it if it is not there. Before an older layout is changed, a copy of the
    /// file is written beside it (`control.sqlite.before-2`).
    pub async fn open_file(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(&format!("sqlite://{}?mode=rwc", path.display()), Some(path.to_owned())).await
    }

    async fn open_with(url: &str, file: Option<PathBuf>) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let postgres = url.starts_with("postgres");
        let pool = AnyPoolOptions::new()
            .max_connections(if postgres { POSTGRES_CONNECTIONS_MAX } else { SQLITE_CONNECTIONS_MAX })
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if !postgres {
                        for pragma in SQLITE_PRAGMAS {
                            connection.execute(*pragma).await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect_with(AnyConnectOptions::from_str(url)?)
            .await?;
        let control = Self { pool, postgres, file };
        if let Err(error) = control.migrate().await {
            control.close().await;
            return Err(error);
        }
        Ok(control)
    }

    /// Every word of [`Self::kind`].
    pub const KINDS: [&'static str; 2] = ["sqlite", "postgres"];

    /// The database behind it, in a word.
    pub fn kind(&self) -> &'static str {
        if self.postgres { "postgres" } else { "sqlite" }
    }

    /// One transaction from the layout found to [`LAYOUT`]: the old one or the new one, never something between.
    async fn migrate(&self) -> Result<(), StoreError> {
        self.pool.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)").await?;
        let found = self.layout_found().await?;
        if found > LAYOUT {
            return Err(StoreError::Newer { found, known: LAYOUT });
        }
        if found == LAYOUT {
            return Ok(());
        }
        if found > 0 && !planted::is("migrate-in-place") {
            self.copy_aside().await?;
        }
        let mut transaction = self.pool.begin().await?;
        for statement in LAYOUTS[found as usize..].concat().concat() {
            transaction.execute(statement).await?;
        }
        sqlx::query("INSERT INTO meta (key, value) VALUES ('layout', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
            .bind(LAYOUT.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn layout_found(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT value FROM meta WHERE key = 'layout'").fetch_optional(&self.pool).await?;
        Ok(row.and_then(|row| row.get::<String, _>(0).parse().ok()).unwrap_or(0).max(0))
    }

    /// Saves a SQLite file before its layout changes; PostgreSQL is saved by its own tools.
    async fn copy_aside(&self) -> Result<(), StoreError> {
        let Some(kept) = self.copy_before(LAYOUT) else { return Ok(()) };
        let partial = kept.with_added_extension("partial");
        // An interrupted migration may have left one.
        let _ = std::fs::remove_file(&partial);
        self.copy_to(&partial).await?;
        let sync = || File::open(&partial)?.sync_all().and_then(|()| std::fs::rename(&partial, &kept));
        sync().map_err(StoreError::file("keep a copy before the migration in", &kept))
    }

    /// Where the copy stands that was made before the change to `layout`.
    fn copy_before(&self, layout: i64) -> Option<PathBuf> {
        self.file.as_ref().map(|file| file.with_added_extension(format!("before-{layout}")))
    }

    /// Removes the copies of older layouts, in which what is erased now could still be read.
    pub(crate) fn forget_copies(&self) -> Result<(), StoreError> {
        for copy in (2..=LAYOUT).filter_map(|layout| self.copy_before(layout)).filter(|copy| copy.exists()) {
            std::fs::remove_file(&copy).map_err(StoreError::file("remove", &copy))?;
        }
        Ok(())
    }

    /// Removes every row about a project that is in this database; its files become garbage. [`crate::Store::delete_project`]
    /// removes what clients sent too.
    pub async fn delete_project(&self, id: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for statement in OF_A_PROJECT.concat() {
            sqlx::query(statement).bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        self.forget_copies()
    }

    /// Writes a consistent copy of a SQLite control database to `path`.
    ///
    /// Errors: PostgreSQL has its own tools for that; the message names them.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        if self.postgres {
            return Err(StoreError::Invalid(
                "the control data is in PostgreSQL: save it with pg_dump, then save the data folder".into(),
            ));
        }
        sqlx::query("VACUUM INTO $1").bind(path.display().to_string()).execute(&self.pool).await?;
        Ok(())
    }

    /// Empties SQLite's log of changes, in which what was deleted can still be read.
    pub(crate) async fn forget_old_pages(&self) -> Result<(), StoreError> {
        if !self.postgres {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&self.pool).await?;
        }
        Ok(())
    }

    /// Closes every connection; a SQLite file is checkpointed.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Durability before speed: an acknowledged commit survives a power cut (promise P1).
const SQLITE_PRAGMAS: &[&str] = &[
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA secure_delete = ON",
    "PRAGMA journal_size_limit = 67108864",
];

const LAYOUT_1: &[&str] = &[
    "CREATE TABLE projects (
        id TEXT PRIMARY KEY, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL,
        min_group_size BIGINT NOT NULL, case_rule TEXT NOT NULL, created_at BIGINT NOT NULL)",
    "CREATE TABLE imports (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, file TEXT NOT NULL, content_hash TEXT NOT NULL, format TEXT,
        state TEXT NOT NULL, bytes_total BIGINT NOT NULL, rows_read BIGINT NOT NULL, rows_rejected BIGINT NOT NULL,
        rows_stored BIGINT NOT NULL, message TEXT, started_at BIGINT NOT NULL, finished_at BIGINT)",
    "CREATE INDEX imports_by_project ON imports (project, started_at)",
    // Exactly once: the same bytes can be committed to a project only once, whatever races.
    "CREATE UNIQUE INDEX imports_once ON imports (project, content_hash) WHERE state = 'done'",
    "CREATE TABLE agents (
        project TEXT NOT NULL, agent_key BIGINT NOT NULL, agent_id TEXT NOT NULL, import TEXT,
        PRIMARY KEY (project, agent_key), UNIQUE (project, agent_id))",
    "CREATE TABLE users (
        project TEXT NOT NULL, user_key BIGINT NOT NULL, user_name TEXT NOT NULL,
        PRIMARY KEY (project, user_key), UNIQUE (project, user_name))",
    "CREATE TABLE files (
        path TEXT PRIMARY KEY, project TEXT NOT NULL, table_name TEXT NOT NULL, agent_min BIGINT, agent_max BIGINT,
        rows BIGINT NOT NULL, bytes BIGINT NOT NULL, time_min BIGINT, time_max BIGINT, sha256 TEXT NOT NULL,
        fingerprint TEXT NOT NULL, state TEXT NOT NULL, created_at BIGINT NOT NULL)",
    "CREATE INDEX files_by_table ON files (project, table_name, state)",
    "CREATE TABLE tables (
        project TEXT NOT NULL, name TEXT NOT NULL, fingerprint TEXT NOT NULL, rows BIGINT NOT NULL,
        bytes BIGINT NOT NULL, built_at BIGINT NOT NULL, PRIMARY KEY (project, name))",
    "CREATE TABLE jobs (
        project TEXT NOT NULL, name TEXT NOT NULL, sql TEXT, enabled BIGINT NOT NULL, schedule TEXT,
        PRIMARY KEY (project, name))",
    "CREATE TABLE runs (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, job TEXT NOT NULL, state TEXT NOT NULL, started_at BIGINT NOT NULL,
        finished_at BIGINT, rows_in BIGINT, rows_out BIGINT, peak_memory_bytes BIGINT, partitions BIGINT, partitions_reused BIGINT,
        error TEXT, error_line BIGINT, error_column BIGINT)",
    "CREATE INDEX runs_by_project ON runs (project, started_at)",
    "CREATE TABLE queries (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, sql TEXT NOT NULL, state TEXT NOT NULL, rows BIGINT, elapsed_ms BIGINT,
        message TEXT, started_at BIGINT NOT NULL)",
    "CREATE INDEX queries_by_project ON queries (project, started_at)",
    "CREATE TABLE label_rules (project TEXT PRIMARY KEY, rules TEXT NOT NULL, revision BIGINT NOT NULL)",
];
