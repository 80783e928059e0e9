//! The history of the SQL editor: what was asked, how long it took, how it ended. Never what came out.

use super::Control;
use crate::StoreError;
use sqlx::Row;

/// How a question ends, in a word.
pub const STATES: [&str; 3] = ["done", "failed", "cancelled"];

/// One question that a person asked.
#[derive(Debug, Clone)]
pub struct QueryRecord {
    /// UUID.
    pub id: String,
    /// Project.
    pub project: String,
    /// The text.
    pub sql: String,
    /// One of [`STATES`].
    pub state: String,
    /// Rows of the answer.
    pub rows: Option<i64>,
    /// How long it took.
    pub elapsed_ms: Option<i64>,
    /// Why it failed.
    pub message: Option<String>,
    /// Microseconds since 1970, UTC.
    pub started_at_us: i64,
}

/// Questions kept per project.
pub const QUERIES_KEPT: i64 = 500;

impl Control {
    /// Writes one question and forgets those beyond [`QUERIES_KEPT`].
    pub async fn put_query(&self, query: &QueryRecord) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("INSERT INTO queries (id, project, sql, state, rows, elapsed_ms, message, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
            .bind(&query.id)
            .bind(&query.project)
            .bind(&query.sql)
            .bind(&query.state)
            .bind(query.rows)
            .bind(query.elapsed_ms)
            .bind(query.message.as_deref())
            .bind(query.started_at_us)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM queries WHERE project = $1 AND id NOT IN (SELECT id FROM queries WHERE project = $1 ORDER BY started_at DESC LIMIT $2)")
            .bind(&query.project)
            .bind(QUERIES_KEPT)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// One page of questions, newest first, and how many there are.
    pub async fn queries(&self, project: &str, limit: i64, offset: i64) -> Result<(Vec<QueryRecord>, i64), StoreError> {
        let rows = sqlx::query("SELECT id, project, sql, state, rows, elapsed_ms, message, started_at FROM queries WHERE project = $1 ORDER BY started_at DESC, id LIMIT $2 OFFSET $3")
            .bind(project)
            .bind(limit)
            .bind(offset)
            .fetch_all(&self.pool)
            .await?;
        let total = sqlx::query("SELECT count(*) FROM queries WHERE project = $1")
            .bind(project)
            .fetch_one(&self.pool)
            .await?
            .try_get(0)?;
        let queries = rows
            .iter()
            .map(|row| {
                Ok(QueryRecord {
                    id: row.try_get(0)?,
                    project: row.try_get(1)?,
                    sql: row.try_get(2)?,
                    state: row.try_get(3)?,
                    rows: row.try_get(4)?,
                    elapsed_ms: row.try_get(5)?,
                    message: row.try_get(6)?,
                    started_at_us: row.try_get(7)?,
                })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok((queries, total))
    }
}
