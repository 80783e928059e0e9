//! What agents send, durable before anybody says so, and what the service knows of each agent.
//!
//! Everything here is in a database of its own (`ingest.sqlite`, or the PostgreSQL of the control data), so that the writes
//! of ten thousand desktops never wait for a page and no page waits for them. One task writes ([`writer`]): whatever queued
//! up while the last commit was synced goes into the next one. The way of a batch:
//!
//! 1. [`landing`]: a batch and the received `seq` ranges of its (agent, epoch) are one transaction, then the receipt;
//! 2. [`fold`]: landed batches become files of the event table, in the order of events;
//! 3. [`clients`]: enrolment, tokens, heartbeats, states, errors: the register of agents;
//! 4. [`pictures`]: encrypted files, a row and a key each;
//! 5. [`removal`]: what is erased or whose time is over goes, and is counted.
//!
//! Nothing here knows HTTP, a policy or a signature: who calls has decided what may be stored.

pub mod clients;
pub mod dead_letters;
pub mod fold;
pub mod landing;
pub mod pictures;
pub mod removal;
mod rows;
mod tables;
mod writer;

use crate::StoreError;
use landing::{Batch, LandError, Landed, Packed};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, Executor};
use std::path::Path;
use std::str::FromStr;

/// Connections for reading beside the one that writes.
const READERS_MAX: u32 = 4;

/// The database of everything that agents send.
#[derive(Debug, Clone)]
pub struct Ingest {
    pool: AnyPool,
    writer: writer::Writer,
}

impl Ingest {
    /// Opens the database at `url` and brings its tables up to date.
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let sqlite = !url.starts_with("postgres");
        let options = AnyConnectOptions::from_str(url)?;
        let pool = AnyPoolOptions::new()
            .max_connections(READERS_MAX)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if sqlite {
                        for pragma in SQLITE_PRAGMAS {
                            connection.execute(*pragma).await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect_with(options.clone())
            .await?;
        tables::make(&pool).await?;
        let writer = writer::Writer::start(options, sqlite);
        Ok(Self { pool, writer })
    }

    /// Opens the SQLite file at `path`, making it if it is not there.
    pub(crate) async fn open_file(path: &Path) -> Result<Self, StoreError> {
        Self::open(&format!("sqlite://{}?mode=rwc", path.display())).await
    }

    /// Stores a batch: what is new of it is durable when this returns, and counts once for ever.
    ///
    /// Errors: [`LandError::Overloaded`] at once when too much is queued; [`LandError::Conflict`] if an event came before with
    /// another content, and then nothing of the batch is stored; [`LandError::Unavailable`] if the database failed.
    pub async fn land(&self, batch: Batch) -> Result<Landed, LandError> {
        self.writer.land(Packed::of(batch)?).await
    }

    /// Removes everything about a project.
    pub(crate) async fn forget_project(&self, project: &str) -> Result<(), StoreError> {
        let statements = tables::OF_PROJECT.iter().map(|table| format!("DELETE FROM {table} WHERE project = $1"));
        for statement in statements {
            self.writer.execute(statement, vec![project.into()]).await?;
        }
        Ok(())
    }

    /// Writes a consistent copy of a SQLite database to `path`.
    pub(crate) async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        sqlx::query("VACUUM INTO $1").bind(path.display().to_string()).execute(&self.pool).await?;
        Ok(())
    }

    /// Empties SQLite's log of changes, in which what was deleted can still be read.
    pub(crate) async fn forget_old_pages(&self) -> Result<(), StoreError> {
        self.writer.checkpoint().await
    }

    /// Ends the writer after what is queued, then closes every connection.
    pub async fn close(&self) {
        self.writer.close().await;
        self.pool.close().await;
    }
}

/// As in the control database: an acknowledged commit survives a power cut (promise P1).
const SQLITE_PRAGMAS: &[&str] = &[
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA secure_delete = ON",
    "PRAGMA journal_size_limit = 67108864",
];
