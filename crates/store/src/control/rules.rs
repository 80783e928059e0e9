//! A project's labelling rules: text that the server reads and applies; here it is only kept, with a revision number.

use super::Control;
use crate::StoreError;
use sqlx::Row;

impl Control {
    /// The project's own rules and their revision; `None` if it uses those that Lode ships.
    pub async fn label_rules(&self, project: &str) -> Result<Option<(String, i64)>, StoreError> {
        let row = sqlx::query("SELECT rules, revision FROM label_rules WHERE project = $1")
            .bind(project)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
    }

    /// Replaces the project's rules; the revision grows by one, so every labelled table becomes stale.
    pub async fn put_label_rules(&self, project: &str, rules: &str) -> Result<i64, StoreError> {
        let revision = self.label_rules(project).await?.map_or(1, |(_, revision)| revision + 1);
        sqlx::query(
            "INSERT INTO label_rules (project, rules, revision) VALUES ($1, $2, $3)
             ON CONFLICT (project) DO UPDATE SET rules = excluded.rules, revision = excluded.revision",
        )
        .bind(project)
        .bind(rules)
        .bind(revision)
        .execute(&self.pool)
        .await?;
        Ok(revision)
    }
}
