//! The audit log: what people did with data. Entries are added, never changed; each holds the hash of the one before.
//!
//! A chain shows an edited, inserted or swapped entry, but not a cut tail. So the server signs the head once a day and
//! keeps the signatures here; [`Control::verify_audit`] compares the chain with itself and with every signed head.
//! Entries hold ids and numbers, never contents, and they outlive projects and accounts.

use super::Control;
use crate::StoreError;
use crate::files::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{Executor, Row};
use uilog::planted;

pub(super) const TABLES_2: &[&str] = &[
    "CREATE TABLE audit (
        n BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor_kind TEXT NOT NULL, actor_id TEXT NOT NULL, actor_name TEXT NOT NULL,
        action TEXT NOT NULL, project TEXT, subject_kind TEXT, subject_id TEXT, detail TEXT NOT NULL, hash TEXT NOT NULL)",
    "CREATE INDEX audit_by_project ON audit (project, n)",
    "CREATE TABLE audit_heads (
        n BIGINT PRIMARY KEY, hash TEXT NOT NULL, signed_at BIGINT NOT NULL, public_key TEXT NOT NULL, signature TEXT NOT NULL)",
];

/// The hash before the first entry.
const NOTHING_YET: &str = "";

/// How often an entry is tried again when another one took its number.
const TRIES_MAX: usize = 16;

/// Entries read at once while the chain is checked.
const ENTRIES_AT_ONCE: i64 = 1_000;

/// What somebody who did something can be, in a word.
pub const ACTOR_KINDS: [&str; 4] = ["account", "token", "agent", "service"];

/// Who did something, as the log keeps it; names may change later, these do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditActor {
    /// One of [`ACTOR_KINDS`].
    pub kind: String,
    /// Id of the account, token or agent.
    pub id: String,
    /// Name at that time.
    pub name: String,
}

/// What is to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Who did it.
    pub actor: AuditActor,
    /// What was done: `login.ok`, `member.put`, `export.events` …
    pub action: String,
    /// Id of the project it concerns.
    pub project: Option<String>,
    /// (kind, id) of what it was done to.
    pub subject: Option<(String, String)>,
    /// Ids and numbers; an object.
    pub detail: Value,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, from 1, without a gap.
    pub n: i64,
    /// Microseconds since 1970, UTC.
    pub at_us: i64,
    /// What was written down.
    pub record: AuditRecord,
    /// SHA-256 in hex over the entry and the hash of the one before.
    pub hash: String,
}

/// A signed head of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// Number of the entry.
    pub n: i64,
    /// Its hash.
    pub hash: String,
    /// Microseconds since 1970, UTC.
    pub signed_at_us: i64,
    /// Ed25519 key, base64url.
    pub public_key: String,
    /// Ed25519 signature over [`AuditHead::signed_text`], base64url.
    pub signature: String,
}

impl AuditHead {
    /// The text that is signed.
    pub fn signed_text(n: i64, hash: &str, signed_at_us: i64) -> String {
        format!("lode-audit-head-1\n{n}\n{hash}\n{signed_at_us}")
    }
}

/// Which entries to show; absent means all.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Id of a project.
    pub project: Option<String>,
    /// An action, or its beginning up to a dot: `login`.
    pub action: Option<String>,
    /// Id of an actor.
    pub actor: Option<String>,
}

impl Control {
    /// Adds an entry and returns it.
    ///
    /// Errors: whatever the database says; the caller's act is then not to be confirmed.
    pub async fn append_audit(&self, record: &AuditRecord, now_us: i64) -> Result<AuditEntry, StoreError> {
        let detail = record.detail.to_string();
        let mut last_error = None;
        for _ in 0..TRIES_MAX {
            match self.try_append(record, &detail, now_us).await {
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() => last_error = Some(error),
                result => return Ok(result?),
            }
        }
        Err(last_error.map_or_else(
            || StoreError::Invalid("the audit log is busy".into()),
            |error| sqlx::Error::Database(error).into(),
        ))
    }

    async fn try_append(&self, record: &AuditRecord, detail: &str, now_us: i64) -> Result<AuditEntry, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        if self.postgres {
            // Whoever writes next waits here rather than losing the race for the number, over and over in a crowd.
            transaction.execute("LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE").await?;
        }
        let last =
            sqlx::query("SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1").fetch_optional(&mut *transaction).await?;
        let (n, before) = match last {
            Some(row) => (row.try_get::<i64, _>(0)? + 1, row.try_get::<String, _>(1)?),
            None => (1, NOTHING_YET.to_owned()),
        };
        let hash = hash(n, now_us, record, detail, &before);
        sqlx::query(
            "INSERT INTO audit (n, at, actor_kind, actor_id, actor_name, action, project, subject_kind, subject_id, detail, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(n)
        .bind(now_us)
        .bind(&record.actor.kind)
        .bind(&record.actor.id)
        .bind(&record.actor.name)
        .bind(&record.action)
        .bind(record.project.as_deref())
        .bind(record.subject.as_ref().map(|subject| subject.0.as_str()))
        .bind(record.subject.as_ref().map(|subject| subject.1.as_str()))
        .bind(detail)
        .bind(&hash)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(AuditEntry { n, at_us: now_us, record: record.clone(), hash })
    }

    /// One page of entries, newest first, and how many the filter lets through.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<AuditEntry>, i64), StoreError> {
        const WHERE: &str =
            "($1 = '' OR project = $1) AND ($2 = '' OR action = $2 OR action LIKE $3) AND ($4 = '' OR actor_id = $4)";
        let project = filter.project.clone().unwrap_or_default();
        let action = filter.action.clone().unwrap_or_default();
        let family = format!("{}.%", action.replace(['%', '_'], ""));
        let actor = filter.actor.clone().unwrap_or_default();
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM audit WHERE {WHERE} ORDER BY n DESC LIMIT $5 OFFSET $6"
        )))
        .bind(&project)
        .bind(&action)
        .bind(&family)
        .bind(&actor)
        .bind(limit)
        .bind(offset)
        .fetch_all(&self.pool)
        .await?;
        let total = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM audit WHERE {WHERE}")))
            .bind(&project)
            .bind(&action)
            .bind(&family)
            .bind(&actor)
            .fetch_one(&self.pool)
            .await?
            .try_get(0)?;
        let entries: Result<Vec<_>, _> = rows.iter().map(|row| entry(row).map(|entry| entry.0)).collect();
        Ok((entries?, total))
    }

    /// Number and hash of the newest entry; 0 and an empty text if there is none.
    pub async fn audit_tip(&self) -> Result<(i64, String), StoreError> {
        let row = sqlx::query("SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1").fetch_optional(&self.pool).await?;
        row.map_or(Ok((0, NOTHING_YET.into())), |row| Ok((row.try_get(0)?, row.try_get(1)?)))
    }

    /// Keeps a signed head; one of the same entry is replaced.
    pub async fn put_audit_head(&self, head: &AuditHead) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audit_heads (n, hash, signed_at, public_key, signature) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (n) DO UPDATE SET hash = excluded.hash, signed_at = excluded.signed_at,
                 public_key = excluded.public_key, signature = excluded.signature",
        )
        .bind(head.n)
        .bind(&head.hash)
        .bind(head.signed_at_us)
        .bind(&head.public_key)
        .bind(&head.signature)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Every signed head, oldest first.
    pub async fn audit_heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        let rows = sqlx::query("SELECT n, hash, signed_at, public_key, signature FROM audit_heads ORDER BY n")
            .fetch_all(&self.pool)
            .await?;
        let head = |row: &AnyRow| {
            Ok(AuditHead {
                n: row.try_get(0)?,
                hash: row.try_get(1)?,
                signed_at_us: row.try_get(2)?,
                public_key: row.try_get(3)?,
                signature: row.try_get(4)?,
            })
        };
        rows.iter().map(head).collect()
    }

    /// Checks the whole chain; gives the number of the first entry that is not as it was written, or is missing.
    /// Whether the heads' signatures hold is the caller's to check; here they are compared with the chain.
    pub async fn verify_audit(&self, heads: &[AuditHead]) -> Result<Option<i64>, StoreError> {
        let (mut last, mut before) = (0, NOTHING_YET.to_owned());
        loop {
            let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
                "SELECT {COLUMNS} FROM audit WHERE n > $1 ORDER BY n LIMIT $2"
            )))
            .bind(last)
            .bind(ENTRIES_AT_ONCE)
            .fetch_all(&self.pool)
            .await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let (entry, detail) = entry(row)?;
                let expected = hash(last + 1, entry.at_us, &entry.record, &detail, &before);
                let signed = heads.iter().find(|head| head.n == last + 1);
                if entry.n != last + 1 || entry.hash != expected || signed.is_some_and(|head| head.hash != entry.hash) {
                    return Ok(Some(last + 1));
                }
                (last, before) = (entry.n, entry.hash);
            }
        }
        Ok(heads.iter().any(|head| head.n > last).then_some(last + 1))
    }
}

const COLUMNS: &str =
    "n, at, actor_kind, actor_id, actor_name, action, project, subject_kind, subject_id, detail, hash";

/// SHA-256 over an array, whose order is fixed, of everything the entry holds and the hash before it.
fn hash(n: i64, at_us: i64, record: &AuditRecord, detail: &str, before: &str) -> String {
    let before = if planted::is("audit-unchained") { "" } else { before };
    let AuditActor { kind, id, name } = &record.actor;
    let text = json!([n, at_us, kind, id, name, record.action, record.project, record.subject, detail, before]);
    hex(&Sha256::digest(text.to_string()))
}

/// An entry, and its detail as it is written.
fn entry(row: &AnyRow) -> Result<(AuditEntry, String), StoreError> {
    let detail: String = row.try_get(9)?;
    let subject_kind: Option<String> = row.try_get(7)?;
    let subject_id: Option<String> = row.try_get(8)?;
    let record = AuditRecord {
        actor: AuditActor { kind: row.try_get(2)?, id: row.try_get(3)?, name: row.try_get(4)? },
        action: row.try_get(5)?,
        project: row.try_get(6)?,
        subject: subject_kind.zip(subject_id),
        detail: serde_json::from_str(&detail).unwrap_or(Value::Null),
    };
    Ok((AuditEntry { n: row.try_get(0)?, at_us: row.try_get(1)?, record, hash: row.try_get(10)? }, detail))
}
