//! What all handlers share: the store, the runner, and what is under way.

use crate::backups::Backups;
use crate::client_address::{AddressRange, client_address};
use crate::client_api::Fleet;
use crate::confined::Program;
use crate::identity::Identity;
use crate::importing::Progress;
use crate::jobs::runner::{Runner, Selection};
use crate::pictures::Pictures;
use crate::scripts::Scripts;
use crate::subtraction::Seen;
use axum::http::HeaderMap;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, RwLock};
use store::Store;
use tokio_util::sync::CancellationToken;

/// The state of the service.
#[derive(Clone)]
pub struct AppState {
    /// The store.
    pub store: Store,
    /// The runner of jobs.
    pub runner: Runner,
    /// Who somebody is.
    pub identity: Arc<Identity>,
    /// What the clients' calls share.
    pub fleet: Arc<Fleet>,
    /// Pictures that clients send.
    pub pictures: Arc<Pictures>,
    /// Backups, if there is a folder for them.
    pub backups: Option<Arc<Backups>>,
    /// Where the service listens.
    pub address: SocketAddr,
    /// How requests reach it.
    pub front: Arc<Front>,
    /// Microseconds since 1970, UTC.
    pub started_at_us: i64,
    /// Imports under way.
    pub imports: Registry<Following>,
    /// What accounts were shown of people.
    pub seen: Arc<Seen>,
    /// Questions under way.
    pub questions: Registry<CancellationToken>,
}

/// How requests reach the service.
#[derive(Debug, Default)]
pub struct Front {
    /// Whether it speaks TLS itself.
    pub tls: bool,
    /// Proxies that are believed.
    pub proxies: Vec<AddressRange>,
    /// The address that people know, without a path: `https://lode.example.org`. Settings may change it.
    pub public_url: RwLock<Option<String>>,
}

impl Front {
    /// The address that people know, if one was given.
    pub fn public_url(&self) -> Option<String> {
        self.public_url.read().ok()?.clone()
    }

    /// Whether people reach the service by https, here or at the proxy.
    pub fn is_https(&self) -> bool {
        self.tls || self.public_url().is_some_and(|url| url.starts_with("https://"))
    }
}

/// An import that somebody may follow.
#[derive(Clone)]
pub struct Following {
    /// Id of the project.
    pub project: String,
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
    pub fn new(
        store: Store,
        identity: Identity,
        address: SocketAddr,
        front: Front,
        program: Program,
        scripts: Scripts,
        now_us: i64,
    ) -> Self {
        let runner = Runner::new(store.clone(), scripts);
        let identity = Arc::new(identity);
        Self {
            fleet: Arc::new(Fleet::new(store.clone(), identity.clone())),
            pictures: Arc::new(Pictures::new(store.clone(), identity.clone(), program)),
            backups: None,
            store,
            runner,
            identity,
            address,
            front: Arc::new(front),
            started_at_us: now_us,
            imports: Registry::default(),
            seen: Arc::default(),
            questions: Registry::default(),
        }
    }

    /// The address under which people reach the service, without a path.
    pub fn url(&self) -> String {
        let scheme = if self.front.tls { "https" } else { "http" };
        self.front.public_url().unwrap_or_else(|| format!("{scheme}://{}", self.address))
    }

    /// Whether a `Host` header names this service.
    pub fn is_own_host(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let public = self.front.public_url();
        let is_public = public.as_ref().and_then(|url| url.split_once("://")).is_some_and(|(_, known)| known == host);
        is_public || matches!(name, "localhost" | "127.0.0.1" | "[::1]") || host == self.address.to_string()
    }

    /// Where a request comes from, as far as its peer and the listed proxies can be believed.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        client_address(peer, headers, &self.front.proxies)
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
