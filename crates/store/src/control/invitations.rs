//! Invitations: people who were asked to record, each with a personal link and no account.
//!
//! Who was invited is kept apart from what was recorded: the person's name and address are sealed with the master key, and
//! what connects an invitation with an agent is only in the ingest database. Putting the two together takes two people
//! (promise D4).

use super::Control;
use crate::StoreError;
use sqlx::Row;
use sqlx::any::AnyRow;

pub(super) const TABLES_2: &[&str] = &[
    "CREATE TABLE invitations (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE, person TEXT NOT NULL, team TEXT,
        created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, revoked_at BIGINT)",
    "CREATE INDEX invitations_by_project ON invitations (project, created_at)",
];

pub(super) const OF_A_PROJECT: &[&str] = &["DELETE FROM invitations WHERE project = $1"];

/// One invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: String,
    /// The project.
    pub project: String,
    /// SHA-256 of the token in its link, in hex.
    pub token_hash: String,
    /// The person's name and address, sealed.
    pub person: String,
    /// The person's team.
    pub team: Option<String>,
    /// Microseconds since 1970, UTC.
    pub created_at_us: i64,
    /// From then on the link is dead.
    pub expires_at_us: i64,
    /// When it was taken back.
    pub revoked_at_us: Option<i64>,
}

const COLUMNS: &str = "id, project, token_hash, person, team, created_at, expires_at, revoked_at";

impl Control {
    /// Keeps new invitations, all or none.
    pub async fn put_invitations(&self, invitations: &[Invitation]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for invitation in invitations {
            let text = format!("INSERT INTO invitations ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
            sqlx::query(sqlx::AssertSqlSafe(text))
                .bind(&invitation.id)
                .bind(&invitation.project)
                .bind(&invitation.token_hash)
                .bind(&invitation.person)
                .bind(&invitation.team)
                .bind(invitation.created_at_us)
                .bind(invitation.expires_at_us)
                .bind(invitation.revoked_at_us)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Invitations of a project, newest first, and how many there are.
    pub async fn invitations(
        &self,
        project: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Invitation>, i64), StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM invitations WHERE project = $1 ORDER BY created_at DESC, id LIMIT $2 OFFSET $3"
        );
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).bind(limit).bind(offset).fetch_all(&self.pool).await?;
        let total = sqlx::query("SELECT count(*) FROM invitations WHERE project = $1")
            .bind(project)
            .fetch_one(&self.pool)
            .await?
            .try_get(0)?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
    }

    /// The invitation whose link holds the token of this hash.
    pub async fn invitation_by_token(&self, token_hash: &str) -> Result<Option<Invitation>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM invitations WHERE token_hash = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(token_hash).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()
    }

    /// One invitation of a project.
    ///
    /// Errors: [`StoreError::Missing`] if it is not there.
    pub async fn invitation(&self, project: &str, id: &str) -> Result<Invitation, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM invitations WHERE project = $1 AND id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()?.ok_or_else(|| StoreError::Missing { kind: "invitation", name: id.into() })
    }

    /// The team of the person behind an invitation.
    pub async fn team_of_invitation(&self, id: Option<&str>) -> Result<Option<String>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let row = sqlx::query("SELECT team FROM invitations WHERE id = $1").bind(id).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
    }

    /// Takes an invitation back, and the key that its link gave out; `false` if it is not there.
    pub async fn revoke_invitation(&self, project: &str, id: &str, now_us: i64) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let revoked =
            sqlx::query("UPDATE invitations SET revoked_at = coalesce(revoked_at, $3) WHERE project = $1 AND id = $2")
                .bind(project)
                .bind(id)
                .bind(now_us)
                .execute(&mut *transaction)
                .await?;
        sqlx::query("UPDATE app_keys SET revoked_at = coalesce(revoked_at, $3) WHERE project = $1 AND invitation = $2")
            .bind(project)
            .bind(id)
            .bind(now_us)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(revoked.rows_affected() == 1)
    }
}

fn read(row: &AnyRow) -> Result<Invitation, StoreError> {
    Ok(Invitation {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        token_hash: row.try_get(2)?,
        person: row.try_get(3)?,
        team: row.try_get(4)?,
        created_at_us: row.try_get(5)?,
        expires_at_us: row.try_get(6)?,
        revoked_at_us: row.try_get(7)?,
    })
}
