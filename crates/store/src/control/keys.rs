//! Dense integer keys for agents and users of a project: small columns, fast grouping, one order.
//!
//! A key is given when an import begins to write and becomes valid with its commit; numbers that a failed import took
//! are not used again, which leaves holes and does no harm.

use super::Control;
use crate::StoreError;
use sqlx::Row;
use std::collections::HashMap;

/// The keys known before an import, and where the next ones begin.
#[derive(Debug, Clone, Default)]
pub struct KnownKeys {
    /// `user_name` → `user_key`.
    pub users: HashMap<String, i32>,
    /// The next free `agent_key`.
    pub next_agent: i32,
    /// The next free `user_key`.
    pub next_user: i32,
}

/// Keys that an import adds.
#[derive(Debug, Clone, Default)]
pub struct NewKeys {
    /// (`agent_key`, `agent_id`).
    pub agents: Vec<(i32, String)>,
    /// (`user_key`, `user_name`).
    pub users: Vec<(i32, String)>,
}

impl Control {
    /// Reads the keys of a project. `user_key` 0 is the person whose name no source gave.
    pub async fn known_keys(&self, project: &str) -> Result<KnownKeys, StoreError> {
        let users = sqlx::query("SELECT user_name, user_key FROM users WHERE project = $1")
            .bind(project)
            .fetch_all(&self.pool)
            .await?;
        let mut known = KnownKeys { next_user: 1, next_agent: 1, ..KnownKeys::default() };
        for row in users {
            let key = narrow(row.try_get(1)?)?;
            known.next_user = known.next_user.max(key + 1);
            known.users.insert(row.try_get(0)?, key);
        }
        let highest: Option<i64> = sqlx::query("SELECT max(agent_key) FROM agents WHERE project = $1")
            .bind(project)
            .fetch_one(&self.pool)
            .await?
            .try_get(0)?;
        known.next_agent = narrow(highest.unwrap_or(0))? + 1;
        Ok(known)
    }

    /// `agent_key` of those of `streams` that have one.
    pub(crate) async fn agent_keys(
        &self,
        project: &str,
        streams: &[String],
    ) -> Result<HashMap<String, i32>, StoreError> {
        let mut keys = HashMap::new();
        for stream in streams {
            let row = sqlx::query("SELECT agent_key FROM agents WHERE project = $1 AND agent_id = $2")
                .bind(project)
                .bind(stream)
                .fetch_optional(&self.pool)
                .await?;
            if let Some(row) = row {
                keys.insert(stream.clone(), narrow(row.try_get(0)?)?);
            }
        }
        Ok(keys)
    }

    /// The streams (`agent/epoch`) of one agent, by `agent_key`.
    pub async fn streams_of(&self, project: &str, agent_id: &str) -> Result<HashMap<i64, String>, StoreError> {
        let mut streams = self.streams(project).await?;
        streams.retain(|_, stream| stream.split_once('/').is_some_and(|(agent, _)| agent == agent_id));
        Ok(streams)
    }

    /// The streams of a project, by `agent_key`; those of imported logs are among them.
    pub(crate) async fn streams(&self, project: &str) -> Result<HashMap<i64, String>, StoreError> {
        let rows = sqlx::query("SELECT agent_key, agent_id FROM agents WHERE project = $1")
            .bind(project)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Takes a person's name out of the project; the number is not used again.
    pub(crate) async fn forget_user(&self, project: &str, user_key: i32) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM users WHERE project = $1 AND user_key = $2")
            .bind(project)
            .bind(i64::from(user_key))
            .execute(&self.pool)
            .await?;
        self.forget_copies()
    }
}

fn narrow(key: i64) -> Result<i32, StoreError> {
    i32::try_from(key).map_err(|_| StoreError::Invalid(format!("key {key} does not fit into 32 bits")))
}
