//! What a project changed about its jobs: replaced text, own jobs, switched off, another schedule.

use super::Control;
use crate::StoreError;
use sqlx::Row;

/// A project's own word on one job; what is `None` stays as shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOverride {
    /// Name of the job and of its table.
    pub name: String,
    /// Its text; `None` for a shipped job that is only switched off or rescheduled.
    pub text: Option<String>,
    /// Whether it runs.
    pub enabled: bool,
    /// `on-data`, `manual` or a cron expression.
    pub schedule: Option<String>,
}

impl Control {
    /// The overrides of a project.
    pub async fn job_overrides(&self, project: &str) -> Result<Vec<JobOverride>, StoreError> {
        let rows = sqlx::query("SELECT name, sql, enabled, schedule FROM jobs WHERE project = $1 ORDER BY name")
            .bind(project)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(JobOverride {
                    name: row.try_get(0)?,
                    text: row.try_get(1)?,
                    enabled: row.try_get::<i64, _>(2)? != 0,
                    schedule: row.try_get(3)?,
                })
            })
            .collect()
    }

    /// Sets or replaces one override.
    pub async fn put_job(&self, project: &str, job: &JobOverride) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO jobs (project, name, sql, enabled, schedule) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (project, name) DO UPDATE SET sql = excluded.sql, enabled = excluded.enabled, schedule = excluded.schedule",
        )
        .bind(project)
        .bind(&job.name)
        .bind(job.text.as_deref())
        .bind(i64::from(job.enabled))
        .bind(job.schedule.as_deref())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Removes one override; says whether there was one.
    pub async fn delete_job(&self, project: &str, name: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM jobs WHERE project = $1 AND name = $2")
            .bind(project)
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
