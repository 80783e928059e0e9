//! The list of imports of a project: what was read, what was rejected, what was stored.

use super::Control;
use crate::StoreError;
use sqlx::Row;
use sqlx::any::AnyRow;

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportState {
    /// Rows are being read and written; nothing is visible yet.
    Running,
    /// Committed.
    Done,
    /// The same bytes were imported before; nothing was stored.
    Duplicate,
    /// Nothing was stored; the message says why.
    Failed,
}

impl ImportState {
    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Duplicate => "duplicate",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "done" => Self::Done,
            "duplicate" => Self::Duplicate,
            "failed" => Self::Failed,
            _ => Self::Running,
        }
    }
}

/// One import of one file.
#[derive(Debug, Clone)]
pub struct ImportRecord {
    /// UUID.
    pub id: String,
    /// Project it belongs to.
    pub project: String,
    /// Name of the file as the person knows it.
    pub file: String,
    /// SHA-256 of the bytes as they came, in hex: the identity of the log.
    pub content_hash: String,
    /// Recognised format.
    pub format: Option<String>,
    /// How far it is.
    pub state: ImportState,
    /// Size of the file.
    pub bytes_total: i64,
    /// Rows seen, good and bad.
    pub rows_read: i64,
    /// Rows that could not be read.
    pub rows_rejected: i64,
    /// Rows committed.
    pub rows_stored: i64,
    /// Why it failed, or what it is a duplicate of.
    pub message: Option<String>,
    /// Microseconds since 1970, UTC.
    pub started_at_us: i64,
    /// Likewise; absent while it runs.
    pub finished_at_us: Option<i64>,
}

impl Control {
    /// Writes the beginning of an import.
    pub async fn insert_import(&self, record: &ImportRecord) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO imports (id, project, file, content_hash, format, state, bytes_total, rows_read, rows_rejected, rows_stored, message, started_at, finished_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(&record.id)
        .bind(&record.project)
        .bind(&record.file)
        .bind(&record.content_hash)
        .bind(record.format.as_deref())
        .bind(record.state.as_str())
        .bind(record.bytes_total)
        .bind(record.rows_read)
        .bind(record.rows_rejected)
        .bind(record.rows_stored)
        .bind(record.message.as_deref())
        .bind(record.started_at_us)
        .bind(record.finished_at_us)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Writes the end of an import that stored nothing. One that stored something ends with its commit
    /// ([`Control::commit_import`]).
    pub async fn finish_import(&self, record: &ImportRecord) -> Result<(), StoreError> {
        update(record).execute(&self.pool).await?;
        Ok(())
    }

    /// The committed import of these bytes, if there is one.
    pub async fn import_by_hash(&self, project: &str, content_hash: &str) -> Result<Option<ImportRecord>, StoreError> {
        let row = sqlx::query(
            "SELECT id, project, file, content_hash, format, state, bytes_total, rows_read, rows_rejected, rows_stored, message, started_at, finished_at
             FROM imports WHERE project = $1 AND content_hash = $2 AND state = 'done'",
        )
        .bind(project)
        .bind(content_hash)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(record).transpose()
    }

    /// The import of this id.
    pub async fn import(&self, project: &str, id: &str) -> Result<Option<ImportRecord>, StoreError> {
        let row = sqlx::query(
            "SELECT id, project, file, content_hash, format, state, bytes_total, rows_read, rows_rejected, rows_stored, message, started_at, finished_at
             FROM imports WHERE project = $1 AND id = $2",
        )
        .bind(project)
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(record).transpose()
    }

    /// One page of a project's imports, newest first, and how many there are.
    pub async fn imports(
        &self,
        project: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<ImportRecord>, i64), StoreError> {
        let rows = sqlx::query(
            "SELECT id, project, file, content_hash, format, state, bytes_total, rows_read, rows_rejected, rows_stored, message, started_at, finished_at
             FROM imports WHERE project = $1 ORDER BY started_at DESC, id LIMIT $2 OFFSET $3",
        )
        .bind(project)
        .bind(limit)
        .bind(offset)
        .fetch_all(&self.pool)
        .await?;
        let total: i64 = sqlx::query("SELECT count(*) FROM imports WHERE project = $1")
            .bind(project)
            .fetch_one(&self.pool)
            .await?
            .try_get(0)?;
        Ok((rows.iter().map(record).collect::<Result<_, _>>()?, total))
    }

    /// Imports that were running when the process ended stored nothing; says so.
    pub(crate) async fn fail_interrupted_imports(&self, now_us: i64) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "UPDATE imports SET state = 'failed', message = 'interrupted before it was committed; nothing was stored, import it again', finished_at = $1
             WHERE state = 'running'",
        )
        .bind(now_us)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }
}

type AnyQuery<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

pub(super) fn update(record: &ImportRecord) -> AnyQuery<'_> {
    sqlx::query(
        "UPDATE imports SET format = $2, state = $3, rows_read = $4, rows_rejected = $5, rows_stored = $6, message = $7, finished_at = $8 WHERE id = $1",
    )
    .bind(&record.id)
    .bind(record.format.as_deref())
    .bind(record.state.as_str())
    .bind(record.rows_read)
    .bind(record.rows_rejected)
    .bind(record.rows_stored)
    .bind(record.message.as_deref())
    .bind(record.finished_at_us)
}

fn record(row: &AnyRow) -> Result<ImportRecord, StoreError> {
    Ok(ImportRecord {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        file: row.try_get(2)?,
        content_hash: row.try_get(3)?,
        format: row.try_get(4)?,
        state: ImportState::parse(row.try_get(5)?),
        bytes_total: row.try_get(6)?,
        rows_read: row.try_get(7)?,
        rows_rejected: row.try_get(8)?,
        rows_stored: row.try_get(9)?,
        message: row.try_get(10)?,
        started_at_us: row.try_get(11)?,
        finished_at_us: row.try_get(12)?,
    })
}
