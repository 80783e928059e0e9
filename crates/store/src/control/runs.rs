//! The history of runs: what ran, how long, how much, and what went wrong where.

use super::Control;
use crate::{Position, StoreError};
use sqlx::Row;
use sqlx::any::AnyRow;

/// How a run stands, in a word.
pub const STATES: [&str; 5] = ["queued", "running", "done", "failed", "cancelled"];

/// One execution of one job.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// `<batch>/<job>`: all runs that one request started share the batch.
    pub id: String,
    /// Project.
    pub project: String,
    /// Job.
    pub job: String,
    /// One of [`STATES`].
    pub state: String,
    /// Microseconds since 1970, UTC.
    pub started_at_us: i64,
    /// Likewise.
    pub finished_at_us: Option<i64>,
    /// Rows of the tables it read.
    pub rows_in: Option<i64>,
    /// Rows it wrote.
    pub rows_out: Option<i64>,
    /// The engine's own peak.
    pub peak_memory_bytes: Option<i64>,
    /// Agent ranges the table is made of (1 for a table of the whole project).
    pub partitions: Option<i64>,
    /// How many of them were still good and not computed again.
    pub partitions_reused: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
    /// Where in the job's text.
    pub position: Option<Position>,
}

/// Runs kept per project; older ones go when a new one ends.
pub const RUNS_KEPT: i64 = 10_000;

impl Control {
    /// Writes or rewrites a run.
    pub async fn put_run(&self, run: &RunRecord) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO runs (id, project, job, state, started_at, finished_at, rows_in, rows_out, peak_memory_bytes, partitions, partitions_reused, error, error_line, error_column)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, started_at = excluded.started_at, finished_at = excluded.finished_at,
                 rows_in = excluded.rows_in, rows_out = excluded.rows_out, peak_memory_bytes = excluded.peak_memory_bytes,
                 partitions = excluded.partitions, partitions_reused = excluded.partitions_reused,
                 error = excluded.error, error_line = excluded.error_line, error_column = excluded.error_column",
        )
        .bind(&run.id)
        .bind(&run.project)
        .bind(&run.job)
        .bind(&run.state)
        .bind(run.started_at_us)
        .bind(run.finished_at_us)
        .bind(run.rows_in)
        .bind(run.rows_out)
        .bind(run.peak_memory_bytes)
        .bind(run.partitions)
        .bind(run.partitions_reused)
        .bind(run.error.as_deref())
        .bind(run.position.map(|position| position.line as i64))
        .bind(run.position.map(|position| position.column as i64))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// One page of runs, newest first, of one job or batch or of all, and how many there are.
    pub async fn runs(
        &self,
        project: &str,
        job: Option<&str>,
        batch: Option<&str>,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<RunRecord>, i64), StoreError> {
        let job = job.unwrap_or("%");
        let batch = batch.map_or_else(|| "%".to_owned(), |batch| format!("{batch}/%"));
        let rows = sqlx::query(
            "SELECT id, project, job, state, started_at, finished_at, rows_in, rows_out, peak_memory_bytes, partitions, partitions_reused, error, error_line, error_column
             FROM runs WHERE project = $1 AND job LIKE $2 AND id LIKE $3 ORDER BY started_at DESC, id LIMIT $4 OFFSET $5",
        )
        .bind(project)
        .bind(job)
        .bind(&batch)
        .bind(limit)
        .bind(offset)
        .fetch_all(&self.pool)
        .await?;
        let total = sqlx::query("SELECT count(*) FROM runs WHERE project = $1 AND job LIKE $2 AND id LIKE $3")
            .bind(project)
            .bind(job)
            .bind(&batch)
            .fetch_one(&self.pool)
            .await?
            .try_get(0)?;
        Ok((rows.iter().map(record).collect::<Result<_, _>>()?, total))
    }

    /// The newest run of every job of a project.
    pub async fn last_runs(&self, project: &str) -> Result<Vec<RunRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, project, job, state, started_at, finished_at, rows_in, rows_out, peak_memory_bytes, partitions, partitions_reused, error, error_line, error_column
             FROM runs r WHERE project = $1 AND started_at = (SELECT max(started_at) FROM runs WHERE project = r.project AND job = r.job)",
        )
        .bind(project)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(record).collect()
    }

    /// No run stays `running` after a restart; the table it worked on is the old one.
    pub(crate) async fn fail_interrupted_runs(&self, now_us: i64) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "UPDATE runs SET state = 'cancelled', error = 'interrupted by the end of the process; the table before it is in place', finished_at = $1
             WHERE state IN ('running', 'queued')",
        )
        .bind(now_us)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Removes runs beyond [`RUNS_KEPT`].
    pub async fn trim_runs(&self, project: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM runs WHERE project = $1 AND id NOT IN (SELECT id FROM runs WHERE project = $1 ORDER BY started_at DESC LIMIT $2)")
            .bind(project)
            .bind(RUNS_KEPT)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn record(row: &AnyRow) -> Result<RunRecord, StoreError> {
    let line: Option<i64> = row.try_get(12)?;
    let column: Option<i64> = row.try_get(13)?;
    Ok(RunRecord {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        job: row.try_get(2)?,
        state: row.try_get(3)?,
        started_at_us: row.try_get(4)?,
        finished_at_us: row.try_get(5)?,
        rows_in: row.try_get(6)?,
        rows_out: row.try_get(7)?,
        peak_memory_bytes: row.try_get(8)?,
        partitions: row.try_get(9)?,
        partitions_reused: row.try_get(10)?,
        error: row.try_get(11)?,
        position: line.zip(column).map(|(line, column)| Position { line: line as u64, column: column as u64 }),
    })
}
