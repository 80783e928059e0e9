//! Revisions of a project's client configuration: what was published, signed, to whom; and the draft of the next one.
//!
//! A revision is never changed or removed while its project lives: its signed bytes are what an agent obeyed and what the
//! works council can compare. Only its state changes: rolling out to a share of the agents, active, superseded, rolled back.
//! The text is opaque here; who publishes has checked and signed it.

use super::Control;
use crate::StoreError;
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

pub(super) const TABLES_2: &[&str] = &[
    "CREATE TABLE configurations (
        project TEXT NOT NULL, revision BIGINT NOT NULL, xml TEXT NOT NULL, header TEXT NOT NULL, signature TEXT NOT NULL,
        key_id TEXT NOT NULL, note TEXT NOT NULL, author TEXT NOT NULL, published_at BIGINT NOT NULL, percent BIGINT NOT NULL,
        state TEXT NOT NULL, PRIMARY KEY (project, revision))",
    "CREATE TABLE configuration_drafts (
        project TEXT PRIMARY KEY, xml TEXT NOT NULL, saved_at BIGINT NOT NULL, saved_by TEXT NOT NULL)",
];

pub(super) const OF_A_PROJECT: &[&str] =
    &["DELETE FROM configurations WHERE project = $1", "DELETE FROM configuration_drafts WHERE project = $1"];

/// Where a revision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevisionState {
    /// A share of the agents obeys it.
    RollingOut,
    /// Every agent obeys it.
    Active,
    /// A later one took its place.
    Superseded,
    /// It was taken back.
    RolledBack,
}

impl RevisionState {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::RollingOut, Self::Active, Self::Superseded, Self::RolledBack];

    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RollingOut => "rolling_out",
            Self::Active => "active",
            Self::Superseded => "superseded",
            Self::RolledBack => "rolled_back",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "rolling_out" => Self::RollingOut,
            "active" => Self::Active,
            "rolled_back" => Self::RolledBack,
            _ => Self::Superseded,
        }
    }
}

/// One published revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The project.
    pub project: String,
    /// 1, 2, 3 …
    pub revision: i64,
    /// The exact bytes that were signed.
    pub xml: String,
    /// The exact bytes of the signed header.
    pub header: String,
    /// Ed25519 over both, base64url.
    pub signature: String,
    /// Id of the key.
    pub key_id: String,
    /// What the author said of it.
    pub note: String,
    /// Id of the account that published it.
    pub author: String,
    /// Microseconds since 1970, UTC.
    pub published_at_us: i64,
    /// Share of the agents that obey it, 0 to 100.
    pub percent: i64,
    /// Where it stands.
    pub state: RevisionState,
}

/// The draft of the next revision; it need not be valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its text.
    pub xml: String,
    /// Microseconds since 1970, UTC.
    pub saved_at_us: i64,
    /// Id of the account.
    pub saved_by: String,
}

const COLUMNS: &str = "project, revision, xml, header, signature, key_id, note, author, published_at, percent, state";

impl Control {
    /// Publishes a revision. One that goes to every agent takes the place of those before; one that goes to a share of them
    /// takes the place of another one that is rolling out, and the active one stays for the others.
    ///
    /// Errors: [`StoreError::Exists`] if somebody published the same number meanwhile.
    pub async fn publish_revision(&self, revision: &Revision) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let replaced = match revision.state {
            RevisionState::Active => "state IN ('active', 'rolling_out')",
            _ => "state = 'rolling_out'",
        };
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE configurations SET state = 'superseded' WHERE project = $1 AND {replaced}"
        )))
        .bind(&revision.project)
        .execute(&mut *transaction)
        .await?;
        let inserted = sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO configurations ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        )))
        .bind(&revision.project)
        .bind(revision.revision)
        .bind(&revision.xml)
        .bind(&revision.header)
        .bind(&revision.signature)
        .bind(&revision.key_id)
        .bind(&revision.note)
        .bind(&revision.author)
        .bind(revision.published_at_us)
        .bind(revision.percent)
        .bind(revision.state.as_str())
        .execute(&mut *transaction)
        .await;
        if let Err(error) = inserted {
            return Err(match error.as_database_error() {
                Some(database) if database.is_unique_violation() => {
                    StoreError::Exists { kind: "revision", name: revision.revision.to_string() }
                }
                _ => error.into(),
            });
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Widens or narrows the share of a revision that is rolling out; at 100 it becomes the active one.
    ///
    /// Errors: [`StoreError::Missing`] if none is rolling out.
    pub async fn set_rollout(&self, project: &str, percent: i64) -> Result<Revision, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let found = sqlx::query("SELECT revision FROM configurations WHERE project = $1 AND state = 'rolling_out'")
            .bind(project)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(found) = found else {
            return Err(StoreError::Missing { kind: "roll-out", name: project.into() });
        };
        let number: i64 = found.try_get(0)?;
        if percent >= 100 {
            sqlx::query("UPDATE configurations SET state = 'superseded' WHERE project = $1 AND state = 'active'")
                .bind(project)
                .execute(&mut *transaction)
                .await?;
        }
        let state = if percent >= 100 { RevisionState::Active } else { RevisionState::RollingOut };
        sqlx::query("UPDATE configurations SET percent = $3, state = $4 WHERE project = $1 AND revision = $2")
            .bind(project)
            .bind(number)
            .bind(percent.clamp(0, 100))
            .bind(state.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.revision(project, number).await
    }

    /// Marks revisions above `revision` as taken back, after their content was published anew under a higher number.
    pub async fn mark_rolled_back(&self, project: &str, above: i64, below: i64) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE configurations SET state = 'rolled_back' WHERE project = $1 AND revision > $2 AND revision < $3",
        )
        .bind(project)
        .bind(above)
        .bind(below)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// One revision.
    ///
    /// Errors: [`StoreError::Missing`] if it was never published.
    pub async fn revision(&self, project: &str, revision: i64) -> Result<Revision, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM configurations WHERE project = $1 AND revision = $2");
        let row =
            sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).bind(revision).fetch_optional(&self.pool).await?;
        let missing = || StoreError::Missing { kind: "revision", name: revision.to_string() };
        row.as_ref().map(read).transpose()?.ok_or_else(missing)
    }

    /// Revisions of a project, newest first, and how many there are.
    pub async fn revisions(&self, project: &str, limit: i64, offset: i64) -> Result<(Vec<Revision>, i64), StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM configurations WHERE project = $1 ORDER BY revision DESC LIMIT $2 OFFSET $3"
        );
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).bind(limit).bind(offset).fetch_all(&self.pool).await?;
        let total = sqlx::query("SELECT count(*) FROM configurations WHERE project = $1")
            .bind(project)
            .fetch_one(&self.pool)
            .await?
            .try_get(0)?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
    }

    /// The revisions that agents may obey now: the active one, and one that is rolling out.
    pub async fn current_revisions(&self, project: &str) -> Result<(Option<Revision>, Option<Revision>), StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM configurations WHERE project = $1 AND state IN ('active', 'rolling_out') ORDER BY revision"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).fetch_all(&self.pool).await?;
        let (mut active, mut rolling) = (None, None);
        for row in &rows {
            let revision = read(row)?;
            match revision.state {
                RevisionState::Active => active = Some(revision),
                _ => rolling = Some(revision),
            }
        }
        Ok((active, rolling))
    }

    /// The highest number that was ever published.
    pub async fn last_revision(&self, project: &str) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT coalesce(max(revision), 0) FROM configurations WHERE project = $1")
            .bind(project)
            .fetch_one(&self.pool)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// The draft of a project.
    pub async fn draft(&self, project: &str) -> Result<Option<Draft>, StoreError> {
        let row = sqlx::query("SELECT xml, saved_at, saved_by FROM configuration_drafts WHERE project = $1")
            .bind(project)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(Draft { xml: row.try_get(0)?, saved_at_us: row.try_get(1)?, saved_by: row.try_get(2)? }))
            .transpose()
    }

    /// Keeps the draft of a project; `None` throws it away.
    pub async fn put_draft(&self, project: &str, draft: Option<&Draft>) -> Result<(), StoreError> {
        match draft {
            Some(draft) => {
                sqlx::query(
                    "INSERT INTO configuration_drafts (project, xml, saved_at, saved_by) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (project) DO UPDATE SET xml = excluded.xml, saved_at = excluded.saved_at, saved_by = excluded.saved_by",
                )
                .bind(project)
                .bind(&draft.xml)
                .bind(draft.saved_at_us)
                .bind(&draft.saved_by)
                .execute(&self.pool)
                .await?;
            }
            None => {
                sqlx::query("DELETE FROM configuration_drafts WHERE project = $1")
                    .bind(project)
                    .execute(&self.pool)
                    .await?;
            }
        }
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<Revision, StoreError> {
    Ok(Revision {
        project: row.try_get(0)?,
        revision: row.try_get(1)?,
        xml: row.try_get(2)?,
        header: row.try_get(3)?,
        signature: row.try_get(4)?,
        key_id: row.try_get(5)?,
        note: row.try_get(6)?,
        author: row.try_get(7)?,
        published_at_us: row.try_get(8)?,
        percent: row.try_get(9)?,
        state: RevisionState::parse(row.try_get(10)?),
    })
}
