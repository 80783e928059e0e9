//! Erasures that were asked for, and what was found when they were done (promise D8).
//!
//! An erasure stays open until everything is gone, so that one which an ended process left is taken up again.

use super::Control;
use crate::StoreError;
use sqlx::Row;
use sqlx::any::AnyRow;

pub(super) const TABLES_2: &[&str] = &["CREATE TABLE erasures (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, subject TEXT NOT NULL, asked_at BIGINT NOT NULL, done_at BIGINT,
        certificate TEXT)"];

pub(super) const OF_A_PROJECT: &[&str] = &["DELETE FROM erasures WHERE project = $1"];

/// One erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Its id.
    pub id: String,
    /// The project.
    pub project: String,
    /// The agent.
    pub subject: String,
    /// Microseconds since 1970, UTC.
    pub asked_at_us: i64,
    /// When it was complete.
    pub done_at_us: Option<i64>,
    /// The certificate as JSON, once it is complete.
    pub certificate: Option<String>,
}

const COLUMNS: &str = "id, project, subject, asked_at, done_at, certificate";

impl Control {
    /// Keeps a new erasure.
    pub async fn put_erasure(&self, erasure: &Erasure) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO erasures (id, project, subject, asked_at) VALUES ($1, $2, $3, $4)")
            .bind(&erasure.id)
            .bind(&erasure.project)
            .bind(&erasure.subject)
            .bind(erasure.asked_at_us)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes that an erasure is complete.
    pub async fn end_erasure(&self, id: &str, certificate: &str, now_us: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE erasures SET done_at = $2, certificate = $3 WHERE id = $1")
            .bind(id)
            .bind(now_us)
            .bind(certificate)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Erasures of a project, newest first.
    pub async fn erasures(&self, project: &str, limit: i64, offset: i64) -> Result<Vec<Erasure>, StoreError> {
        let text =
            format!("SELECT {COLUMNS} FROM erasures WHERE project = $1 ORDER BY asked_at DESC, id LIMIT $2 OFFSET $3");
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).bind(limit).bind(offset).fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }

    /// One erasure of a project.
    ///
    /// Errors: [`StoreError::Missing`] if it is not there.
    pub async fn erasure(&self, project: &str, id: &str) -> Result<Erasure, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM erasures WHERE project = $1 AND id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()?.ok_or_else(|| StoreError::Missing { kind: "erasure", name: id.into() })
    }

    /// Erasures of all projects that are not complete.
    pub async fn open_erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM erasures WHERE done_at IS NULL ORDER BY asked_at");
        let rows = sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &AnyRow) -> Result<Erasure, StoreError> {
    Ok(Erasure {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        subject: row.try_get(2)?,
        asked_at_us: row.try_get(3)?,
        done_at_us: row.try_get(4)?,
        certificate: row.try_get(5)?,
    })
}
