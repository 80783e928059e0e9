//! App keys: what a client shows once, to enrol into one project. Only the hash of a key is kept.

use super::Control;
use crate::StoreError;
use sqlx::Row;
use sqlx::any::AnyRow;
use uilog::planted;

pub(super) const TABLES_2: &[&str] = &[
    "CREATE TABLE app_keys (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL, uses BIGINT NOT NULL, uses_max BIGINT, hold BIGINT NOT NULL, address_range TEXT,
        invitation TEXT, revoked_at BIGINT)",
    "CREATE INDEX app_keys_by_project ON app_keys (project, created_at)",
];

pub(super) const OF_A_PROJECT: &[&str] = &["DELETE FROM app_keys WHERE project = $1"];

/// One app key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppKey {
    /// Id, which stands in the key.
    pub id: String,
    /// The project it enrols into.
    pub project: String,
    /// What people call it.
    pub name: String,
    /// SHA-256 of its secret, in hex.
    pub hash: String,
    /// Microseconds since 1970, UTC.
    pub created_at_us: i64,
    /// From then on it enrols nobody.
    pub expires_at_us: i64,
    /// Agents it has enrolled.
    pub uses: i64,
    /// Agents it may enrol; `None`: any number.
    pub uses_max: Option<i64>,
    /// Whether agents wait for a person's approval.
    pub hold: bool,
    /// Addresses it may be used from, such as `10.0.0.0/8`.
    pub address_range: Option<String>,
    /// The invitation it belongs to; such keys are not listed.
    pub invitation: Option<String>,
    /// When it was revoked.
    pub revoked_at_us: Option<i64>,
}

const COLUMNS: &str =
    "id, project, name, hash, created_at, expires_at, uses, uses_max, hold, address_range, invitation, revoked_at";

impl Control {
    /// Keeps a new app key.
    pub async fn put_app_key(&self, key: &AppKey) -> Result<(), StoreError> {
        let text =
            format!("INSERT INTO app_keys ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
        sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(&key.id)
            .bind(&key.project)
            .bind(&key.name)
            .bind(&key.hash)
            .bind(key.created_at_us)
            .bind(key.expires_at_us)
            .bind(key.uses)
            .bind(key.uses_max)
            .bind(i64::from(key.hold))
            .bind(&key.address_range)
            .bind(&key.invitation)
            .bind(key.revoked_at_us)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The key of this id, whatever its project; for who enrols.
    pub async fn app_key(&self, id: &str) -> Result<Option<AppKey>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM app_keys WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()
    }

    /// Keys of a project but those of invitations, newest first.
    pub async fn app_keys(&self, project: &str) -> Result<Vec<AppKey>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM app_keys WHERE project = $1 AND invitation IS NULL ORDER BY created_at DESC, id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }

    /// Counts one use, if there is one left at `now_us`; `false` if the key may not be used (any more).
    pub async fn use_app_key(&self, id: &str, now_us: i64) -> Result<bool, StoreError> {
        let used = sqlx::query(
            "UPDATE app_keys SET uses = uses + 1 WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2
             AND (uses_max IS NULL OR uses < uses_max)",
        )
        .bind(id)
        .bind(if planted::is("key-never-expires") { 0 } else { now_us })
        .execute(&self.pool)
        .await?;
        Ok(used.rows_affected() == 1)
    }

    /// Revokes the keys that an invitation gave out.
    pub async fn revoke_invitation_keys(&self, invitation: &str, now_us: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE app_keys SET revoked_at = $2 WHERE invitation = $1 AND revoked_at IS NULL")
            .bind(invitation)
            .bind(now_us)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Revokes a key of a project; `false` if it is not there. The agents it enrolled are another matter.
    pub async fn revoke_app_key(&self, project: &str, id: &str, now_us: i64) -> Result<bool, StoreError> {
        let revoked =
            sqlx::query("UPDATE app_keys SET revoked_at = coalesce(revoked_at, $3) WHERE project = $1 AND id = $2")
                .bind(project)
                .bind(id)
                .bind(now_us)
                .execute(&self.pool)
                .await?;
        Ok(revoked.rows_affected() == 1)
    }
}

fn read(row: &AnyRow) -> Result<AppKey, StoreError> {
    Ok(AppKey {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        name: row.try_get(2)?,
        hash: row.try_get(3)?,
        created_at_us: row.try_get(4)?,
        expires_at_us: row.try_get(5)?,
        uses: row.try_get(6)?,
        uses_max: row.try_get(7)?,
        hold: row.try_get::<i64, _>(8)? != 0,
        address_range: row.try_get(9)?,
        invitation: row.try_get(10)?,
        revoked_at_us: row.try_get(11)?,
    })
}
