//! What people say about the tasks that were found: it is a task, it is called so, it is the same as another one, two in
//! one, or none.
//!
//! A correction is never changed and never removed while its project is there: one that is taken back keeps its row, with
//! who did so and when. Which task a correction is about is told by the steps that the task had; how they are compared
//! with what is found later is not known here.

use super::Control;
use crate::StoreError;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

pub(super) const TABLES_3: &[&str] = &["CREATE TABLE task_corrections (
        id TEXT PRIMARY KEY, project TEXT NOT NULL, number BIGINT NOT NULL, kind TEXT NOT NULL, task_type TEXT NOT NULL,
        task_name TEXT NOT NULL, profile TEXT NOT NULL, name TEXT, other_type TEXT, other_name TEXT, other_profile TEXT,
        step TEXT, made_by TEXT NOT NULL, made_at BIGINT NOT NULL, withdrawn_by TEXT, withdrawn_at BIGINT,
        UNIQUE (project, number))"];

pub(super) const OF_A_PROJECT: &[&str] = &["DELETE FROM task_corrections WHERE project = $1"];

/// Corrections of one project at most; the oldest must be taken back before more are made.
pub const CORRECTIONS_MAX: usize = 2_000;

/// What is said of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionKind {
    /// It is a task.
    Confirm,
    /// It is called otherwise.
    Rename,
    /// It is the same task as another one.
    Merge,
    /// Instances with a step are a task of their own.
    Split,
    /// It is no task.
    Reject,
}

impl CorrectionKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Confirm, Self::Rename, Self::Merge, Self::Split, Self::Reject];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Rename => "rename",
            Self::Merge => "merge",
            Self::Split => "split",
            Self::Reject => "reject",
        }
    }

    /// The kind of this word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A task as it was when it was spoken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpokenOf {
    /// Id of its type then.
    pub task_type: String,
    /// What it was called then.
    pub name: String,
    /// Its steps then.
    pub profile: Vec<String>,
}

/// One correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskCorrection {
    /// Its id.
    pub id: String,
    /// The project.
    pub project: String,
    /// What is said.
    pub kind: CorrectionKind,
    /// Of which task.
    pub task: SpokenOf,
    /// The new name, of a rename or of the part that is split off.
    pub name: Option<String>,
    /// The task that it is the same as.
    pub other: Option<SpokenOf>,
    /// The step whose instances are split off.
    pub step: Option<String>,
    /// Id of the account that made it.
    pub made_by: String,
    /// Microseconds since 1970, UTC.
    pub made_at_us: i64,
    /// Id of the account that took it back, if one did.
    pub withdrawn_by: Option<String>,
    /// When it did.
    pub withdrawn_at_us: Option<i64>,
}

const COLUMNS: &str = "id, project, kind, task_type, task_name, profile, name, other_type, other_name, other_profile, step, \
                       made_by, made_at, withdrawn_by, withdrawn_at";

impl Control {
    /// Keeps a new correction behind all others of its project.
    ///
    /// Errors: [`StoreError::Invalid`] if [`CORRECTIONS_MAX`] hold already.
    pub async fn put_task_correction(&self, correction: &TaskCorrection) -> Result<(), StoreError> {
        let held = self.task_corrections(&correction.project).await?;
        if held.iter().filter(|one| one.withdrawn_at_us.is_none()).count() >= CORRECTIONS_MAX {
            let message =
                format!("a project has at most {CORRECTIONS_MAX} corrections of tasks; take old ones back first");
            return Err(StoreError::Invalid(message));
        }
        let text = format!(
            "INSERT INTO task_corrections ({COLUMNS}, number)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, coalesce(max(number), 0) + 1
             FROM task_corrections WHERE project = $2"
        );
        let other = correction.other.as_ref();
        sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(&correction.id)
            .bind(&correction.project)
            .bind(correction.kind.as_str())
            .bind(&correction.task.task_type)
            .bind(&correction.task.name)
            .bind(written(&correction.task.profile)?)
            .bind(&correction.name)
            .bind(other.map(|other| other.task_type.clone()))
            .bind(other.map(|other| other.name.clone()))
            .bind(other.map(|other| written(&other.profile)).transpose()?)
            .bind(&correction.step)
            .bind(&correction.made_by)
            .bind(correction.made_at_us)
            .bind(&correction.withdrawn_by)
            .bind(correction.withdrawn_at_us)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// All corrections of a project in the order in which they were made, also those that were taken back.
    pub async fn task_corrections(&self, project: &str) -> Result<Vec<TaskCorrection>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM task_corrections WHERE project = $1 ORDER BY number");
        let rows = sqlx::query(sqlx::AssertSqlSafe(text)).bind(project).fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }

    /// Takes a correction back; `false`, and nothing changes, if it is not there or was taken back before.
    pub async fn withdraw_task_correction(
        &self,
        project: &str,
        id: &str,
        account: &str,
        now_us: i64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE task_corrections SET withdrawn_by = $3, withdrawn_at = $4
             WHERE project = $1 AND id = $2 AND withdrawn_at IS NULL",
        )
        .bind(project)
        .bind(id)
        .bind(account)
        .bind(now_us)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn written(profile: &[String]) -> Result<String, StoreError> {
    serde_json::to_string(profile).map_err(|error| StoreError::Invalid(format!("a task's steps: {error}")))
}

fn profile(text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Invalid(format!("a task's steps: {error}")))
}

fn read(row: &AnyRow) -> Result<TaskCorrection, StoreError> {
    let kind: String = row.try_get(2)?;
    let other: Option<String> = row.try_get(7)?;
    Ok(TaskCorrection {
        id: row.try_get(0)?,
        project: row.try_get(1)?,
        kind: CorrectionKind::parse(&kind)
            .ok_or_else(|| StoreError::Invalid(format!("'{kind}' is no kind of correction")))?,
        task: SpokenOf {
            task_type: row.try_get(3)?,
            name: row.try_get(4)?,
            profile: profile(&row.try_get::<String, _>(5)?)?,
        },
        name: row.try_get(6)?,
        other: other
            .map(|task_type| {
                let steps: Option<String> = row.try_get(9)?;
                let name: Option<String> = row.try_get(8)?;
                Ok::<_, StoreError>(SpokenOf {
                    task_type,
                    name: name.unwrap_or_default(),
                    profile: profile(steps.as_deref().unwrap_or("[]"))?,
                })
            })
            .transpose()?,
        step: row.try_get(10)?,
        made_by: row.try_get(11)?,
        made_at_us: row.try_get(12)?,
        withdrawn_by: row.try_get(13)?,
        withdrawn_at_us: row.try_get(14)?,
    })
}
