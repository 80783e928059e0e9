//! Compiled configurations, by project and revision: what the second scrub asks for every event.
//!
//! A revision never changes, so a compiled one is kept until it is not used for a while. Variables of a machine (its user's
//! name) are unknown here; patterns with them were applied where they are known, on the desktop.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Store, StoreError};
use tokio::sync::Mutex;
use uilog::policy::{self, Policy, Variables};

/// Compiled configurations that are kept; patterns take up to 16 MiB each.
const KEPT_MAX: usize = 64;

/// Why an event cannot be scrubbed: nobody knows the configuration it names.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The project has no such revision.
    #[error("revision {0} was never published")]
    Unknown(i64),
    /// The revision is there, and this program cannot compile it.
    #[error("revision {0} cannot be used by this version of the service")]
    Unusable(i64),
    /// The control database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Compiled configurations.
#[derive(Default)]
pub struct Policies {
    /// By project and revision.
    kept: Mutex<HashMap<(String, i64), Kept>>,
    /// Counts the questions, to know which configuration was used longest ago.
    asked: AtomicU64,
}

struct Kept {
    policy: Arc<Policy>,
    used: u64,
}

impl Policies {
    /// The policy of a revision.
    pub async fn of(&self, store: &Store, project: &str, revision: i64) -> Result<Arc<Policy>, PolicyError> {
        let now = self.asked.fetch_add(1, Ordering::Relaxed);
        let mut kept = self.kept.lock().await;
        let key = (project.to_owned(), revision);
        if let Some(known) = kept.get_mut(&key) {
            known.used = now;
            return Ok(known.policy.clone());
        }
        let text = match store.control().revision(project, revision).await {
            Ok(found) => found.xml,
            Err(StoreError::Missing { .. }) => return Err(PolicyError::Unknown(revision)),
            Err(error) => return Err(error.into()),
        };
        let policy =
            policy::parse(&text).and_then(|configuration| Policy::compile(&configuration, &Variables::default()));
        let policy = Arc::new(policy.map_err(|_| PolicyError::Unusable(revision))?);
        if kept.len() >= KEPT_MAX
            && let Some(oldest) = kept.iter().min_by_key(|(_, known)| known.used).map(|(key, _)| key.clone())
        {
            kept.remove(&oldest);
        }
        kept.insert(key, Kept { policy: policy.clone(), used: now });
        Ok(policy)
    }
}
