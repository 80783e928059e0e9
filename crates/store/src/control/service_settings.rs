//! Settings of the whole service, by name. Secrets among them are sealed by the server before they come here.

use super::Control;
use crate::StoreError;
use sqlx::Row;

pub(super) const TABLES_2: &[&str] = &["CREATE TABLE service_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)"];

impl Control {
    /// The value of a setting.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT value FROM service_settings WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Sets or, with `None`, forgets a setting.
    pub async fn put_setting(&self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        let query = match value {
            Some(value) => sqlx::query(
                "INSERT INTO service_settings (name, value) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            )
            .bind(name)
            .bind(value),
            None => sqlx::query("DELETE FROM service_settings WHERE name = $1").bind(name),
        };
        query.execute(&self.pool).await?;
        Ok(())
    }

    /// Sets a setting unless it is there; gives the one that is there now. Whoever is first decides.
    pub async fn setting_or(&self, name: &str, value: &str) -> Result<String, StoreError> {
        sqlx::query("INSERT INTO service_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(value)
            .execute(&self.pool)
            .await?;
        Ok(self.setting(name).await?.unwrap_or_else(|| value.to_owned()))
    }
}
