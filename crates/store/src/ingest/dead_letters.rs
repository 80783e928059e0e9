//! Events that a policy or a bound refused for good: kept with the reason, so that a person can look at the count, send
//! them through again after mending the configuration, or throw them away.
//!
//! A dead letter holds the event as the agent sent it, which this service's rules did not admit. It is therefore sealed by
//! whoever writes it, bounded in number, and ends with the project's raw data.

use super::Ingest;
use super::rows::Bound;
use crate::StoreError;
use sqlx::Row;

/// Dead letters of one project at most; the oldest go first.
pub const LETTERS_MAX: i64 = 100_000;

/// One refused event.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// Its id.
    pub id: String,
    /// The agent that sent it.
    pub agent_id: String,
    /// The epoch of its spool.
    pub epoch: String,
    /// Its number, if it could be read.
    pub seq: Option<i64>,
    /// Why it was refused; names columns and rules, never contents.
    pub reason: String,
    /// Microseconds since 1970, UTC.
    pub received_at_us: i64,
    /// The sealed event.
    pub body: Vec<u8>,
}

impl Ingest {
    /// Keeps refused events.
    pub async fn put_dead_letters(&self, project: &str, letters: Vec<DeadLetter>) -> Result<(), StoreError> {
        let mut statements: Vec<_> = letters
            .into_iter()
            .map(|letter| {
                let values: Vec<Bound> = vec![
                    letter.id.into(),
                    project.into(),
                    letter.agent_id.into(),
                    letter.epoch.into(),
                    letter.seq.into(),
                    letter.reason.into(),
                    letter.received_at_us.into(),
                    Bound::Bytes(letter.body),
                ];
                (
                    "INSERT INTO dead_letters (id, project, agent_id, epoch, seq, reason, received_at, body)
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING"
                        .to_owned(),
                    values,
                )
            })
            .collect();
        statements.push((
            "DELETE FROM dead_letters WHERE project = $1 AND id IN (SELECT id FROM dead_letters WHERE project = $1
             ORDER BY received_at DESC LIMIT 1000 OFFSET $2)"
                .to_owned(),
            vec![project.into(), LETTERS_MAX.into()],
        ));
        self.writer.execute_all(statements).await?;
        Ok(())
    }

    /// Refused events of a project, newest first, and how many there are.
    pub async fn dead_letters(
        &self,
        project: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<DeadLetter>, i64), StoreError> {
        let rows = sqlx::query(
            "SELECT id, agent_id, epoch, seq, reason, received_at, body FROM dead_letters WHERE project = $1
             ORDER BY received_at DESC, id LIMIT $2 OFFSET $3",
        )
        .bind(project)
        .bind(limit)
        .bind(offset)
        .fetch_all(&self.pool)
        .await?;
        let total = sqlx::query("SELECT count(*) FROM dead_letters WHERE project = $1")
            .bind(project)
            .fetch_one(&self.pool)
            .await?
            .try_get(0)?;
        let letters = rows.iter().map(letter).collect::<Result<_, _>>()?;
        Ok((letters, total))
    }

    /// One refused event of a project.
    ///
    /// Errors: [`StoreError::Missing`] if it is not there.
    pub async fn dead_letter(&self, project: &str, id: &str) -> Result<DeadLetter, StoreError> {
        let row = sqlx::query(
            "SELECT id, agent_id, epoch, seq, reason, received_at, body FROM dead_letters WHERE project = $1 AND id = $2",
        )
        .bind(project)
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref()
            .map(letter)
            .transpose()?
            .ok_or_else(|| StoreError::Missing { kind: "dead letter", name: id.into() })
    }

    /// Throws a refused event away; `false` if it was not there.
    pub async fn remove_dead_letter(&self, project: &str, id: &str) -> Result<bool, StoreError> {
        let statement = "DELETE FROM dead_letters WHERE project = $1 AND id = $2";
        Ok(self.writer.execute(statement.into(), vec![project.into(), id.into()]).await? > 0)
    }
}

fn letter(row: &sqlx::any::AnyRow) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        id: row.try_get(0)?,
        agent_id: row.try_get(1)?,
        epoch: row.try_get(2)?,
        seq: row.try_get(3)?,
        reason: row.try_get(4)?,
        received_at_us: row.try_get(5)?,
        body: row.try_get(6)?,
    })
}
