//! Keeps the service running: opens the door that fits how people reach it, listens, ends in good order.
//!
//! Without encryption the service stays on this machine. Others reach it by TLS, with a certificate given to it, or through
//! a proxy that speaks TLS and was listed (promise S12).

use crate::api::{AppState, Front, router, settings};
use crate::audit;
use crate::backups::{self, BackupPlan, Backups};
use crate::client_address::AddressRange;
use crate::confined::{Confinement, Program};
use crate::connections::Places;
use crate::erasing;
use crate::folding;
use crate::identity::Identity;
use crate::identity::master_key::Sealer;
use crate::jobs::runner::now_us;
use crate::jobs::schedule;
use crate::pictures::Pictures;
use crate::postgres::Door;
use crate::retention;
use crate::scripts::Scripts;
use anyhow::{Context, Result, bail};
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use secrecy::SecretString;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use store::Store;
use uilog::planted;

/// Where the service listens unless told otherwise.
pub const LISTEN_DEFAULT: &str = "127.0.0.1:7700";

/// How long the head of a request may take; slower ones are closed (promise S7).
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// How long what is under way may take when the service ends.
const END_TIME_MAX: Duration = Duration::from_secs(10);

/// How often it is looked whether the audit log's head is due to be signed.
const SIGNING_LOOK: Duration = Duration::from_secs(60 * 60);

/// How the service runs.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Whether everybody who reaches it is let in; on this machine only.
    pub open: bool,
    /// File of the master key; `None`: the one beside the person's other settings.
    pub master_key: Option<PathBuf>,
    /// Certificate chain and key, both PEM, to speak TLS with.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Proxies that speak TLS for it and are believed.
    pub proxies: Vec<AddressRange>,
    /// The address that people know; `None`: the one in the settings, or where it listens.
    pub public_url: Option<String>,
    /// What is run where clients' pictures are looked at.
    pub program: Program,
    /// The Python that runs jobs which are scripts, if there is one.
    pub python: Option<PathBuf>,
    /// Where its backups go, if it makes any.
    pub backups: Option<BackupPlan>,
    /// Where it speaks the PostgreSQL protocol, if anywhere.
    pub postgres: Option<SocketAddr>,
    /// Whether it may do so without encryption on an address that other machines reach.
    pub postgres_in_the_clear: bool,
}

impl ServeOptions {
    /// A service for people with accounts, on this machine.
    pub fn on(listen: SocketAddr) -> Self {
        // Without a file of its own the program cannot start another; it says so when it must.
        let unknown = |_| Program { path: PathBuf::from("lode"), confinement: Confinement::Required };
        let program = Program::this().unwrap_or_else(unknown);
        Self {
            listen,
            open: false,
            master_key: None,
            tls: None,
            proxies: Vec::new(),
            public_url: None,
            python: None,
            backups: None,
            postgres: None,
            postgres_in_the_clear: false,
            program,
        }
    }

    /// Refuses what would let strangers in, or listen in.
    fn check(&self) -> Result<()> {
        if let Some(address) = self.postgres
            && !(address.ip().is_loopback() || self.tls.is_some() || self.postgres_in_the_clear)
        {
            bail!(
                "without TLS lode speaks PostgreSQL on this machine only, not on {address}: give --tls-cert and --tls-key, \
                 or say --postgres-in-the-clear where the network itself encrypts"
            );
        }
        let listen = self.listen;
        if listen.ip().is_loopback() {
            return Ok(());
        }
        if self.open {
            bail!("without accounts lode listens on this machine only; use 127.0.0.1 or [::1], not {listen}");
        }
        if self.tls.is_none() && self.proxies.is_empty() {
            bail!(
                "without TLS lode listens on this machine only, not on {listen}: give --tls-cert and --tls-key, \
                 or name the proxy that speaks TLS with --behind-proxy"
            );
        }
        Ok(())
    }
}

/// A service that is ready to answer.
pub struct Service {
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    postgres: Option<Door>,
    state: AppState,
}

impl Service {
    /// Opens the master key, reads the certificate, listens.
    ///
    /// Errors: an address that other machines reach, without encryption or without accounts; a master key, certificate or
    /// address that cannot be used.
    pub async fn bind(store: Store, options: ServeOptions) -> Result<Self> {
        options.check()?;
        let folder = store.settings().folder.clone();
        let sealer = Sealer::open(options.master_key.as_deref(), &folder, store.control()).await?;
        let tls = match &options.tls {
            Some((certificate, key)) => Some(read_tls(certificate, key).await?),
            None => None,
        };
        let listen = options.listen;
        let listener = TcpListener::bind(listen).with_context(|| {
            format!("cannot listen on {listen}; is another lode running? choose another port with --listen 127.0.0.1:0")
        })?;
        let postgres = options.postgres.map(|address| Door::bind(address, tls.as_ref().map(RustlsConfig::get_inner)));
        let kept = settings::public_url(store.control()).await.map_err(|error| anyhow::anyhow!(error.message()))?;
        let given = options.public_url.as_deref().map(settings::web_address).transpose();
        let given = given.map_err(|error| anyhow::anyhow!(error.message()))?;
        let front = Front { tls: tls.is_some(), proxies: options.proxies, public_url: RwLock::new(given.or(kept)) };
        if !listen.ip().is_loopback() && front.public_url().is_none() {
            bail!("people reach this service by a name: say which, with --public-url https://lode.example.org");
        }
        let identity = Identity::new(sealer, options.open);
        let scripts = Scripts::new(options.python, options.program.clone(), store.settings());
        if scripts.has_python() {
            scripts.python().await?;
        }
        let address = listener.local_addr()?;
        let backups = options.backups.map(|plan| Backups::new(store.clone(), plan)).transpose()?.map(Arc::new);
        let state = AppState::new(store, identity, address, front, options.program, scripts, now_us());
        let state = AppState { backups, ..state };
        Ok(Self { listener, tls, postgres: postgres.transpose()?, state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.state.address
    }

    /// Where it speaks the PostgreSQL protocol, if anywhere.
    ///
    /// Errors: the operating system's.
    pub fn postgres_address(&self) -> Result<Option<SocketAddr>> {
        self.postgres.as_ref().map(Door::address).transpose()
    }

    /// What keeps and opens pictures.
    pub fn pictures(&self) -> Arc<Pictures> {
        self.state.pictures.clone()
    }

    /// The address that people know.
    pub fn url(&self) -> String {
        self.state.url()
    }

    /// While there is no account: the token with which the first one is made, and that no other call gives again.
    pub async fn setup_token(&self) -> Result<Option<SecretString>> {
        let needed = !self.state.identity.open && self.state.store.control().account_count().await? == 0;
        Ok(needed.then(|| self.state.identity.setup.issue()))
    }

    /// Answers until `end` comes; what is under way may finish.
    ///
    /// Errors: an erasure that older data undid could not be done again; the system's.
    pub async fn run(self, end: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        erasing::repeat(&self.state).await?;
        let scheduled = tokio::spawn(schedule::keep(self.state.store.clone(), self.state.runner.clone()));
        let signing = tokio::spawn(keep_signing(self.state.clone()));
        let folding = tokio::spawn(folding::keep(self.state.clone()));
        let ending_data = tokio::spawn(retention::keep(self.state.clone()));
        let saving = self.state.backups.clone().map(|backups| tokio::spawn(backups::keep(backups)));
        let postgres = self.postgres.map(|door| tokio::spawn(door.run(self.state.clone())));
        let ingest = self.state.store.ingest().clone();
        let handle = Handle::new();
        let ending = tokio::spawn({
            let handle = handle.clone();
            async move {
                end.await;
                handle.graceful_shutdown(Some(END_TIME_MAX));
            }
        });
        let service = router(self.state).into_make_service_with_connect_info::<SocketAddr>();
        let plain =
            axum_server::from_tcp(self.listener)?.handle(handle).http1_only().first_request_timeout(HEAD_TIME_MAX);
        let (plain, places) = (with_timers(plain), Places::of_this_process());
        let served = match self.tls {
            Some(config) => plain.acceptor(RustlsAcceptor::new(config).acceptor(places)).serve(service).await,
            None => plain.acceptor(places).serve(service).await,
        };
        for task in [scheduled, signing, folding, ending_data, ending].into_iter().chain(saving).chain(postgres) {
            task.abort();
        }
        ingest.close().await;
        Ok(served?)
    }
}

/// Without a timer hyper's own time-out for the head does nothing.
fn with_timers<A: axum_server::Address>(mut server: axum_server::Server<A>) -> axum_server::Server<A> {
    if planted::is("no-header-timeout") {
        return server;
    }
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    server
}

async fn read_tls(certificate: &PathBuf, key: &PathBuf) -> Result<RustlsConfig> {
    // Another part of the process may have installed it; it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    RustlsConfig::from_pem_file(certificate, key).await.with_context(|| {
        format!("cannot use certificate '{}' with key '{}'; both must be PEM", certificate.display(), key.display())
    })
}

/// Signs the head of the audit log once a day.
async fn keep_signing(state: AppState) {
    let mut looks = tokio::time::interval(SIGNING_LOOK);
    loop {
        looks.tick().await;
        if let Err(error) = audit::sign_daily(state.store.control(), &state.identity.sealer, now_us()).await {
            tracing::error!(error = format!("{error:#}"), "the head of the audit log could not be signed");
        }
    }
}

/// Ends with ctrl+c, or when the system asks the process to end.
pub async fn end_of_process() {
    let interrupt = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
