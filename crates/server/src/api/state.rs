//! What all handlers share: the store, the runner, and what is under way.

use crate::importing::Progress;
use crate::jobs::runner::{Runner, Selection};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use store::Store;
use tokio_util::sync::CancellationToken;

/// The state of the service.
#[derive(Clone)]
pub struct AppState {
    /// The store.
    pub store: Store,
    /// The runner of jobs.
    pub runner: Runner,
    /// Where the service listens.
    pub address: SocketAddr,
    /// Microseconds since 1970, UTC.
    pub started_at_us: i64,
    /// Imports under way.
    pub imports: Registry<Following>,
    /// Questions under way.
    pub questions: Registry<CancellationToken>,
}

/// An import that somebody may follow.
#[derive(Clone)]
pub struct Following {
    /// How far it is.
    pub progress: Arc<Progress>,
    /// Name of the file.
    pub file: String,
    /// Whether the jobs run.
    pub jobs_running: Arc<std::sync::atomic::AtomicBool>,
    /// When it began, microseconds since 1970, UTC.
    pub started_at_us: i64,
}

/// Things under way, by id.
pub struct Registry<T>(Arc<Mutex<HashMap<String, T>>>);

impl<T> Clone for Registry<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Registry<T> {
    /// Enters one; it leaves when the guard is dropped.
    pub fn enter(&self, id: &str, thing: T) -> Entered<T> {
        if let Ok(mut things) = self.0.lock() {
            things.insert(id.to_owned(), thing);
        }
        Entered { registry: self.clone(), id: id.to_owned() }
    }

    /// The one with this id.
    pub fn get(&self, id: &str) -> Option<T> {
        self.0.lock().ok()?.get(id).cloned()
    }
}

/// Keeps a thing entered.
pub struct Entered<T> {
    registry: Registry<T>,
    id: String,
}

impl<T> Drop for Entered<T> {
    fn drop(&mut self) {
        if let Ok(mut things) = self.registry.0.lock() {
            things.remove(&self.id);
        }
    }
}

impl AppState {
    /// The state of a service that listens at `address`.
    pub fn new(store: Store, address: SocketAddr, now_us: i64) -> Self {
        let runner = Runner::new(store.clone());
        Self {
            store,
            runner,
            address,
            started_at_us: now_us,
            imports: Registry::default(),
            questions: Registry::default(),
        }
    }

    /// Whether a `Host` header names this service.
    pub fn is_own_host(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "localhost" | "127.0.0.1" | "[::1]") || host == self.address.to_string()
    }

    /// Brings a project's tables up to date without anybody waiting; the batch names the runs.
    pub fn run_in_background(&self, project: String, selection: Selection) -> String {
        let batch = uuid::Uuid::now_v7().to_string();
        let (runner, name) = (self.runner.clone(), batch.clone());
        tokio::spawn(async move {
            if let Err(error) = runner.run(&project, &name, &selection, |_, _| {}).await {
                tracing::warn!(%error, project, "jobs could not run");
            }
        });
        batch
    }
}
