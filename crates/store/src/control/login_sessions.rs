//! Login sessions: one per browser and login, known by the hash of a secret that only the browser has.

use super::Control;
use super::accounts::{self, Account};
use crate::StoreError;
use sqlx::Row;
use sqlx::any::AnyRow;

pub(super) const TABLES_2: &[&str] = &[
    "CREATE TABLE login_sessions (
        id TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, account TEXT NOT NULL, created_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL, address TEXT NOT NULL, user_agent TEXT NOT NULL)",
    "CREATE INDEX login_sessions_by_account ON login_sessions (account)",
];

/// Sessions of one account at a time; the oldest ends when one more begins.
pub const SESSIONS_MAX: i64 = 20;

/// One login session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSession {
    /// UUID; says nothing to whoever learns it.
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// Microseconds since 1970, UTC.
    pub created_at_us: i64,
    /// The last request, to the minute.
    pub seen_at_us: i64,
    /// Where the login came from.
    pub address: String,
    /// What the browser called itself, cut to a bounded length.
    pub user_agent: String,
}

/// Before which moments a session must have begun, and been seen, to be over.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// Begun before: too old.
    pub created_before_us: i64,
    /// Last seen before: idle.
    pub seen_before_us: i64,
}

impl Control {
    /// Keeps a new session under the hash of its secret; sessions that are over, or beyond [`SESSIONS_MAX`], go.
    pub async fn put_login_session(
        &self,
        session: &LoginSession,
        token_hash: &str,
        ended: Ended,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM login_sessions WHERE created_at < $1 OR seen_at < $2")
            .bind(ended.created_before_us)
            .bind(ended.seen_before_us)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO login_sessions (id, token_hash, account, created_at, seen_at, address, user_agent)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&session.id)
        .bind(token_hash)
        .bind(&session.account)
        .bind(session.created_at_us)
        .bind(session.seen_at_us)
        .bind(&session.address)
        .bind(&session.user_agent)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM login_sessions WHERE account = $1 AND id NOT IN
             (SELECT id FROM login_sessions WHERE account = $1 ORDER BY created_at DESC, id LIMIT $2)",
        )
        .bind(&session.account)
        .bind(SESSIONS_MAX)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The session with this hash and its account, unless it is over or the account is disabled.
    pub async fn login_session(
        &self,
        token_hash: &str,
        ended: Ended,
    ) -> Result<Option<(Account, LoginSession)>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {}, s.id, s.account, s.created_at, s.seen_at, s.address, s.user_agent
             FROM login_sessions s JOIN accounts a ON a.id = s.account
             WHERE s.token_hash = $1 AND s.created_at >= $2 AND s.seen_at >= $3 AND a.disabled = 0",
            accounts::COLUMNS
        )))
        .bind(token_hash)
        .bind(ended.created_before_us)
        .bind(ended.seen_before_us)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| Ok((accounts::account(&row)?, session(&row, 13)?))).transpose()
    }

    /// Writes down when a session was last seen.
    pub async fn see_login_session(&self, id: &str, now_us: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE login_sessions SET seen_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now_us)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The sessions of an account that are not over, newest first.
    pub async fn login_sessions(&self, account: &str, ended: Ended) -> Result<Vec<LoginSession>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, account, created_at, seen_at, address, user_agent FROM login_sessions
             WHERE account = $1 AND created_at >= $2 AND seen_at >= $3 ORDER BY created_at DESC, id",
        )
        .bind(account)
        .bind(ended.created_before_us)
        .bind(ended.seen_before_us)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| session(row, 0)).collect()
    }

    /// Ends a session of an account; false if it has no such session.
    pub async fn end_login_session(&self, account: &str, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM login_sessions WHERE account = $1 AND id = $2")
            .bind(account)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn session(row: &AnyRow, at: usize) -> Result<LoginSession, StoreError> {
    Ok(LoginSession {
        id: row.try_get(at)?,
        account: row.try_get(at + 1)?,
        created_at_us: row.try_get(at + 2)?,
        seen_at_us: row.try_get(at + 3)?,
        address: row.try_get(at + 4)?,
        user_agent: row.try_get(at + 5)?,
    })
}
