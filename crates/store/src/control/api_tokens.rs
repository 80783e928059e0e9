//! API tokens: what a script of an account shows instead of a login. Only hashes are kept.

use super::Control;
use super::accounts::{self, Account};
use crate::StoreError;
use sqlx::Row;
use sqlx::any::AnyRow;

pub(super) const TABLES_2: &[&str] = &[
    "CREATE TABLE api_tokens (
        id TEXT PRIMARY KEY, account TEXT NOT NULL, project TEXT, name TEXT NOT NULL, read_only BIGINT NOT NULL,
        secret_hash TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, last_used_at BIGINT)",
    "CREATE INDEX api_tokens_by_account ON api_tokens (account)",
];

pub(super) const OF_A_PROJECT: &[&str] = &["DELETE FROM api_tokens WHERE project = $1"];

/// Tokens of one account at a time.
pub const TOKENS_MAX: usize = 50;

/// One API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// The part of the token that is no secret.
    pub id: String,
    /// Whose it is; it can do no more than its owner.
    pub account: String,
    /// Id of the one project it works in; `None`: all of its owner's.
    pub project: Option<String>,
    /// What its owner calls it.
    pub name: String,
    /// Whether it changes nothing.
    pub read_only: bool,
    /// Microseconds since 1970, UTC.
    pub created_at_us: i64,
    /// Likewise.
    pub expires_at_us: i64,
    /// Likewise, to the minute; absent until it is used.
    pub last_used_at_us: Option<i64>,
}

/// A token as its check needs it.
#[derive(Debug, Clone)]
pub struct KnownToken {
    /// The token.
    pub token: ApiToken,
    /// SHA-256 of its text in hex, to be compared in constant time.
    pub secret_hash: String,
    /// Its owner.
    pub owner: Account,
}

const COLUMNS: &str = "t.id, t.account, t.project, t.name, t.read_only, t.created_at, t.expires_at, t.last_used_at";

impl Control {
    /// Keeps a new token.
    pub async fn put_api_token(&self, token: &ApiToken, secret_hash: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO api_tokens (id, account, project, name, read_only, secret_hash, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&token.id)
        .bind(&token.account)
        .bind(token.project.as_deref())
        .bind(&token.name)
        .bind(i64::from(token.read_only))
        .bind(secret_hash)
        .bind(token.created_at_us)
        .bind(token.expires_at_us)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The token of this id, unless it is expired or its owner disabled.
    pub async fn api_token(&self, id: &str, now_us: i64) -> Result<Option<KnownToken>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {}, {COLUMNS}, t.secret_hash FROM api_tokens t JOIN accounts a ON a.id = t.account
             WHERE t.id = $1 AND t.expires_at > $2 AND a.disabled = 0",
            accounts::COLUMNS
        )))
        .bind(id)
        .bind(now_us)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(KnownToken { owner: accounts::account(&row)?, token: token(&row, 13)?, secret_hash: row.try_get(21)? })
        })
        .transpose()
    }

    /// The tokens of an account, newest first, expired ones too.
    pub async fn api_tokens(&self, account: &str) -> Result<Vec<ApiToken>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM api_tokens t WHERE t.account = $1 ORDER BY t.created_at DESC, t.id"
        )))
        .bind(account)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| token(row, 0)).collect()
    }

    /// Writes down when a token was last used.
    pub async fn note_token_use(&self, id: &str, now_us: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE api_tokens SET last_used_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now_us)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes a token away; false if the account has no such token.
    pub async fn delete_api_token(&self, account: &str, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM api_tokens WHERE account = $1 AND id = $2")
            .bind(account)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn token(row: &AnyRow, at: usize) -> Result<ApiToken, StoreError> {
    Ok(ApiToken {
        id: row.try_get(at)?,
        account: row.try_get(at + 1)?,
        project: row.try_get(at + 2)?,
        name: row.try_get(at + 3)?,
        read_only: row.try_get::<i64, _>(at + 4)? != 0,
        created_at_us: row.try_get(at + 5)?,
        expires_at_us: row.try_get(at + 6)?,
        last_used_at_us: row.try_get(at + 7)?,
    })
}
