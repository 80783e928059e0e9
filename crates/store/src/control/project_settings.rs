//! What a project is for, how long its data are kept, and whom to tell when clients fall silent.

use super::Control;
use crate::StoreError;
use serde::{Deserialize, Serialize};
use sqlx::Row;

pub(super) const TABLES_2: &[&str] = &[
    "CREATE TABLE project_settings (project TEXT PRIMARY KEY, settings TEXT NOT NULL)",
    "CREATE TABLE alerts_sent (project TEXT PRIMARY KEY, at BIGINT NOT NULL)",
];

pub(super) const OF_A_PROJECT: &[&str] =
    &["DELETE FROM project_settings WHERE project = $1", "DELETE FROM alerts_sent WHERE project = $1"];

/// How long data are kept; the service's clock decides (promise D9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days of events as they came in.
    pub raw_days: u32,
    /// Days of pictures.
    pub picture_days: u32,
    /// Months of tables that jobs made.
    pub aggregate_months: u32,
    /// Why data are kept longer than the default, where they are.
    pub reason: Option<String>,
}

impl Retention {
    /// Whether anything is kept longer than by default.
    pub fn is_longer_than_default(&self) -> bool {
        let default = Self::default();
        self.raw_days > default.raw_days
            || self.picture_days > default.picture_days
            || self.aggregate_months > default.aggregate_months
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { raw_days: 30, picture_days: 14, aggregate_months: 12, reason: None }
    }
}

/// From which set of defaults a project began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Groups of five.
    #[default]
    Standard,
    /// Groups of ten, no pictures, no typed text, an hour to delete before anything is sent.
    WorksCouncil,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 2] = [Self::Standard, Self::WorksCouncil];

    /// The smallest group of people that pages may show.
    pub fn min_group_size(self) -> i64 {
        match self {
            Self::Standard => 5,
            Self::WorksCouncil => 10,
        }
    }
}

/// Whom to tell when clients fall silent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// Hours after which an active client counts as silent; 0: never.
    pub silence_hours: u32,
    /// Addresses that get a letter.
    pub email: Vec<String>,
    /// Whether the service's webhook is called.
    pub webhook: bool,
}

/// Settings of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectSettings {
    /// What the data are collected for.
    pub purposes: Vec<String>,
    /// How long they are kept.
    pub retention: Retention,
    /// Where the project began.
    pub preset: Preset,
    /// Whom to tell.
    pub alerts: Alerts,
}

impl Control {
    /// The settings of a project; the defaults if nobody changed any.
    pub async fn project_settings(&self, project: &str) -> Result<ProjectSettings, StoreError> {
        let row = sqlx::query("SELECT settings FROM project_settings WHERE project = $1")
            .bind(project)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(ProjectSettings::default()) };
        let text: String = row.try_get(0)?;
        serde_json::from_str(&text)
            .map_err(|error| StoreError::Invalid(format!("settings of project {project}: {error}")))
    }

    /// Keeps the settings of a project.
    pub async fn put_project_settings(&self, project: &str, settings: &ProjectSettings) -> Result<(), StoreError> {
        let text = serde_json::to_string(settings).map_err(|error| StoreError::Invalid(error.to_string()))?;
        sqlx::query(
            "INSERT INTO project_settings (project, settings) VALUES ($1, $2)
             ON CONFLICT (project) DO UPDATE SET settings = excluded.settings",
        )
        .bind(project)
        .bind(text)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Claims the right to send a project's alert; `false` if one was sent since `since_us`.
    pub async fn claim_alert(&self, project: &str, since_us: i64, now_us: i64) -> Result<bool, StoreError> {
        let claimed = sqlx::query(
            "INSERT INTO alerts_sent (project, at) VALUES ($1, $2)
             ON CONFLICT (project) DO UPDATE SET at = excluded.at WHERE alerts_sent.at <= $3",
        )
        .bind(project)
        .bind(now_us)
        .bind(since_us)
        .execute(&self.pool)
        .await?;
        Ok(claimed.rows_affected() == 1)
    }

    /// Gives a claim back: the alert reached nobody.
    pub async fn release_alert(&self, project: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM alerts_sent WHERE project = $1").bind(project).execute(&self.pool).await?;
        Ok(())
    }

    /// Sets the smallest group of people that pages may show.
    pub async fn set_min_group_size(&self, project: &str, people: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE projects SET min_group_size = $2 WHERE id = $1")
            .bind(project)
            .bind(people)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
