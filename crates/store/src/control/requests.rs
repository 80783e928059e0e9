//! Requests that take two people: to name a person, to lower the smallest group, to erase a project (promise D4).
//!
//! A request is decided once: the statement that decides it asks again that it is open and that another account asked. What
//! an approval leads to is not done here.

use super::Control;
use crate::StoreError;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

pub(super) const TABLES_2: &[&str] = &[
    "CREATE TABLE requests (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT, value BIGINT, reason TEXT NOT NULL,
        asked_by TEXT NOT NULL, asked_at BIGINT NOT NULL, state TEXT NOT NULL, decided_by TEXT, decided_at BIGINT)",
    "CREATE INDEX requests_by_project ON requests (project, asked_at)",
];

pub(super) const OF_A_PROJECT: &[&str] = &["DELETE FROM requests WHERE project = $1"];

/// How long a request waits for a second person: seven days, in microseconds.
pub const OPEN_US: i64 = 7 * 24 * 3_600 * 1_000_000;

/// How a request stands, in a word.
pub const STATES: [&str; 4] = ["open", "approved", "refused", "expired"];

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// Who is behind an agent.
    Reidentify,
    /// A smaller smallest group.
    LowerK,
    /// The end of the project and all its data.
    EraseProject,
}

impl RequestKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Reidentify, Self::LowerK, Self::EraseProject];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reidentify => "reidentify",
            Self::LowerK => "lower_k",
            Self::EraseProject => "erase_project",
        }
    }

    /// The kind of this word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// The project.
    pub project: String,
    /// What is asked for.
    pub kind: RequestKind,
    /// The agent, if it is about one.
    pub subject: Option<String>,
    /// The number, if it is about one.
    pub value: Option<i64>,
    /// Why.
    pub reason: String,
    /// Id of the account that asked.
    pub asked_by: String,
    /// Microseconds since 1970, UTC.
    pub asked_at_us: i64,
    /// `open`, `approved` or `refused`, as somebody decided.
    pub decision: String,
    /// Id of the account that decided.
    pub decided_by: Option<String>,
    /// When it did.
    pub decided_at_us: Option<i64>,
}

impl Request {
    /// One of [`STATES`]: as somebody decided, or `expired` when nobody did in time.
    pub fn state(&self, now_us: i64) -> &str {
        if self.decision == "open" && self.asked_at_us + OPEN_US <= now_us { "expired" } else { &self.decision }
    }
}

const COLUMNS: &str = "id, project, kind, subject, value, reason, asked_by, asked_at, state, decided_by, decided_at";

impl Control {
    /// Keeps a new request.
    pub async fn put_request(&self, request: &Request) -> Result<(), StoreError> {
        let text = format!("INSERT INTO requests ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
        sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(&request.id)
            .bind(&request.project)
            .bind(request.kind.as_str())
            .bind(&request.subject)
            .bind(request.value)
            .bind(&request.reason)
            .bind(&request.asked_by)
            .bind(request.asked_at_us)
            .bind(&request.decision)
            .bind(&request.decided_by)
            .bind(request.decided_at_us)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Requests of a project, newest first.
    pub async fn requests(&self, project: &str, limit: i64, offset: i64) -> Result<Vec<Request>, StoreError> {
        let text =
            format!("SELECT {COLUMNS} FROM requests WHERE project = $1 ORDER BY asked_at DESC, id LIMIT $2 OFFSET $3");
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).bind(limit).bind(offset).fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }

    /// One request of a project.
    ///
    /// Errors: [`StoreError::Missing`] if it is not there.
    pub async fn request(&self, project: &str, id: &str) -> Result<Request, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM requests WHERE project = $1 AND id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()?.ok_or_else(|| StoreError::Missing { kind: "request", name: id.into() })
    }

    /// Decides an open request; `false`, and nothing changes, if it is not open any more or `account` asked for it itself.
    pub async fn decide_request(
        &self,
        project: &str,
        id: &str,
        account: &str,
        approved: bool,
        now_us: i64,
    ) -> Result<bool, StoreError> {
        let decided = sqlx::query(
            "UPDATE requests SET state = $3, decided_by = $4, decided_at = $5
             WHERE project = $1 AND id = $2 AND state = 'open' AND (asked_by <> $4 OR $3 = 'refused') AND asked_at > $6",
        )
        .bind(project)
        .bind(id)
        .bind(if approved { "approved" } else { "refused" })
        .bind(account)
        .bind(now_us)
        .bind(now_us - OPEN_US)
        .execute(&self.pool)
        .await?;
        Ok(decided.rows_affected() == 1)
    }
}

fn read(row: &AnyRow) -> Result<Request, StoreError> {
    let kind: String = row.try_get(2)?;
    Ok(Request {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        kind: RequestKind::parse(&kind)
            .ok_or_else(|| StoreError::Invalid(format!("'{kind}' is no kind of request")))?,
        subject: row.try_get(3)?,
        value: row.try_get(4)?,
        reason: row.try_get(5)?,
        asked_by: row.try_get(6)?,
        asked_at_us: row.try_get(7)?,
        decision: row.try_get(8)?,
        decided_by: row.try_get(9)?,
        decided_at_us: row.try_get(10)?,
    })
}
