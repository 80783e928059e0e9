//! Keys of a project, sealed: the one that signs configurations, and per epoch those that hash values.
//!
//! What is kept here is useless without the master key, which is not in the data folder.

use super::Control;
use crate::StoreError;
use sqlx::Row;
use sqlx::any::AnyRow;

pub(super) const TABLES_2: &[&str] = &["CREATE TABLE project_keys (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, kind TEXT NOT NULL, sealed TEXT NOT NULL, public TEXT,
        created_at BIGINT NOT NULL, retired_at BIGINT)"];

pub(super) const OF_A_PROJECT: &[&str] = &["DELETE FROM project_keys WHERE project = $1"];

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519: signs configurations; agents pin its public half.
    Configuration,
    /// HMAC: what agents hash with. Every agent of the project holds it, so it is no secret.
    Client,
    /// HMAC: what the service hashes with once more; it never leaves the service.
    Service,
}

impl KeyKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Client => "client",
            Self::Service => "service",
        }
    }
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectKey {
    /// Its id.
    pub id: String,
    /// The project.
    pub project: String,
    /// The secret, sealed.
    pub sealed: String,
    /// The public half, base64url, if there is one.
    pub public: Option<String>,
    /// Microseconds since 1970, UTC.
    pub created_at_us: i64,
    /// When another one took its place.
    pub retired_at_us: Option<i64>,
}

impl Control {
    /// Keeps a new key; the one of its kind before is retired.
    pub async fn put_project_key(&self, kind: KeyKind, key: &ProjectKey) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("UPDATE project_keys SET retired_at = $3 WHERE project = $1 AND kind = $2 AND retired_at IS NULL")
            .bind(&key.project)
            .bind(kind.as_str())
            .bind(key.created_at_us)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO project_keys (id, project, kind, sealed, public, created_at, retired_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&key.id)
        .bind(&key.project)
        .bind(kind.as_str())
        .bind(&key.sealed)
        .bind(&key.public)
        .bind(key.created_at_us)
        .bind(key.retired_at_us)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Keys of one kind, newest first; the first one is in use.
    pub async fn project_keys(&self, project: &str, kind: KeyKind) -> Result<Vec<ProjectKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, project, sealed, public, created_at, retired_at FROM project_keys WHERE project = $1 AND kind = $2
             ORDER BY created_at DESC, id DESC",
        )
        .bind(project)
        .bind(kind.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Destroys retired keys of one kind whose data are gone; returns how many.
    pub async fn destroy_project_keys(
        &self,
        project: &str,
        kind: KeyKind,
        retired_before_us: i64,
    ) -> Result<u64, StoreError> {
        let gone = sqlx::query("DELETE FROM project_keys WHERE project = $1 AND kind = $2 AND retired_at < $3")
            .bind(project)
            .bind(kind.as_str())
            .bind(retired_before_us)
            .execute(&self.pool)
            .await?;
        Ok(gone.rows_affected())
    }
}

fn read(row: &AnyRow) -> Result<ProjectKey, StoreError> {
    Ok(ProjectKey {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        sealed: row.try_get(2)?,
        public: row.try_get(3)?,
        created_at_us: row.try_get(4)?,
        retired_at_us: row.try_get(5)?,
    })
}
