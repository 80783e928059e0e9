//! Who belongs to which project, as what, and with which grants. Whoever is not here has no right in the project.

use super::Control;
use super::projects::{self, Project};
use crate::StoreError;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeSet;

pub(super) const TABLES_2: &[&str] = &[
    "CREATE TABLE members (
        project TEXT NOT NULL, account TEXT NOT NULL, role TEXT NOT NULL, grants TEXT NOT NULL, since BIGINT NOT NULL,
        PRIMARY KEY (project, account))",
    "CREATE INDEX members_by_account ON members (account)",
];

pub(super) const OF_A_PROJECT: &[&str] = &["DELETE FROM members WHERE project = $1"];

/// Makes account `$1` the lead of every project without one, at `$2`; projects may be older than accounts.
pub(super) const LEAD_WHAT_NOBODY_LEADS: &str = "INSERT INTO members (project, account, role, grants, since)
     SELECT id, $1, 'lead', '', $2 FROM projects WHERE id NOT IN (SELECT project FROM members WHERE role = 'lead')";

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Decides about the project: configuration, keys, members.
    Lead,
    /// Works with SQL, jobs and tables.
    Analyst,
    /// Looks at pages.
    Viewer,
    /// Works council or data protection officer: sees the rules and the record, no content.
    Council,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Lead, Self::Analyst, Self::Viewer, Self::Council];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Analyst => "analyst",
            Self::Viewer => "viewer",
            Self::Council => "council",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        match text {
            "lead" => Ok(Self::Lead),
            "analyst" => Ok(Self::Analyst),
            "viewer" => Ok(Self::Viewer),
            "council" => Ok(Self::Council),
            _ => Err(StoreError::Invalid(format!("'{text}' is no role of this version"))),
        }
    }
}

/// A right that a role alone does not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// Rows of single events.
    Raw,
    /// Screenshots.
    Pictures,
    /// Who a participant is; takes two people.
    Identities,
}

impl Grant {
    /// Every grant.
    pub const ALL: [Self; 3] = [Self::Raw, Self::Pictures, Self::Identities];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Pictures => "pictures",
            Self::Identities => "identities",
        }
    }
}

/// A set of grants.
pub type Grants = BTreeSet<Grant>;

/// Role and grants of one account in one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// What it is.
    pub role: Role,
    /// What it may besides.
    pub grants: Grants,
    /// Microseconds since 1970, UTC.
    pub since_us: i64,
}

/// A member as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Id of the account.
    pub account: String,
    /// Its address.
    pub email: String,
    /// Its name.
    pub name: String,
    /// Its rights.
    pub membership: Membership,
}

impl Control {
    /// The members of a project, by address.
    pub async fn members(&self, project: &str) -> Result<Vec<Member>, StoreError> {
        let rows = sqlx::query(
            "SELECT m.role, m.grants, m.since, a.id, a.email, a.name FROM members m JOIN accounts a ON a.id = m.account
             WHERE m.project = $1 ORDER BY a.email",
        )
        .bind(project)
        .fetch_all(&self.pool)
        .await?;
        let member = |row: &AnyRow| {
            Ok(Member {
                account: row.try_get(3)?,
                email: row.try_get(4)?,
                name: row.try_get(5)?,
                membership: membership(row, 0)?,
            })
        };
        rows.iter().map(member).collect()
    }

    /// Makes an account a member, or changes what it may.
    ///
    /// Errors: [`StoreError::Missing`] without such an account, [`StoreError::Invalid`] if the project would lose its
    /// last lead.
    pub async fn put_member(
        &self,
        project: &str,
        account: &str,
        role: Role,
        grants: &Grants,
        now_us: i64,
    ) -> Result<(), StoreError> {
        self.account(account).await?;
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO members (project, account, role, grants, since) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (project, account) DO UPDATE SET role = excluded.role, grants = excluded.grants",
        )
        .bind(project)
        .bind(account)
        .bind(role.as_str())
        .bind(grants_text(grants))
        .bind(now_us)
        .execute(&mut *transaction)
        .await?;
        somebody_leads(&mut transaction, project).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes a member out of a project; false if it was none.
    ///
    /// Errors: [`StoreError::Invalid`] if the project would lose its last lead.
    pub async fn remove_member(&self, project: &str, account: &str) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query("DELETE FROM members WHERE project = $1 AND account = $2")
            .bind(project)
            .bind(account)
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        somebody_leads(&mut transaction, project).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The project with this id, short name or name, and what `account` is in it. One question, so that a project that is
    /// not there and one that is somebody else's take the same time.
    pub async fn project_for(
        &self,
        handle: &str,
        account: &str,
    ) -> Result<Option<(Project, Option<Membership>)>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {}, m.role, m.grants, m.since FROM projects p
             LEFT JOIN members m ON m.project = p.id AND m.account = $2 WHERE p.id = $1 OR p.slug = $1 OR p.name = $1",
            projects::COLUMNS
        )))
        .bind(handle)
        .bind(account)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(project_and_membership).transpose()
    }

    /// The projects of an account, by name.
    pub async fn projects_of(&self, account: &str) -> Result<Vec<(Project, Membership)>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {}, m.role, m.grants, m.since FROM projects p JOIN members m ON m.project = p.id AND m.account = $1
             ORDER BY p.name",
            projects::COLUMNS
        )))
        .bind(account)
        .fetch_all(&self.pool)
        .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            if let (project, Some(membership)) = project_and_membership(row)? {
                found.push((project, membership));
            }
        }
        Ok(found)
    }
}

fn project_and_membership(row: &AnyRow) -> Result<(Project, Option<Membership>), StoreError> {
    let at = projects::COLUMN_COUNT;
    let is_member = row.try_get::<Option<String>, _>(at)?.is_some();
    Ok((projects::project(row)?, is_member.then(|| membership(row, at)).transpose()?))
}

async fn somebody_leads(transaction: &mut sqlx::Transaction<'_, sqlx::Any>, project: &str) -> Result<(), StoreError> {
    let leads: i64 = sqlx::query("SELECT count(*) FROM members WHERE project = $1 AND role = 'lead'")
        .bind(project)
        .fetch_one(&mut **transaction)
        .await?
        .try_get(0)?;
    if leads == 0 {
        return Err(StoreError::Invalid("a project needs a lead; make another member lead first".into()));
    }
    Ok(())
}

/// Reads role, grants and since, from column `at` on.
fn membership(row: &AnyRow, at: usize) -> Result<Membership, StoreError> {
    let words: String = row.try_get(at + 1)?;
    let grants = Grant::ALL.into_iter().filter(|grant| words.split(' ').any(|word| word == grant.as_str())).collect();
    Ok(Membership { role: Role::parse(row.try_get(at)?)?, grants, since_us: row.try_get(at + 2)? })
}

fn grants_text(grants: &Grants) -> String {
    grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>().join(" ")
}
