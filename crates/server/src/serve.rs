//! Keeps the service running: opens the store, listens on loopback, ends in good order.

use crate::api::{AppState, router};
use crate::jobs::runner::now_us;
use crate::jobs::schedule;
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use store::Store;
use tokio::net::TcpListener;

/// Where the service listens unless told otherwise.
pub const LISTEN_DEFAULT: &str = "127.0.0.1:7700";

/// A service that is ready to answer.
pub struct Service {
    listener: TcpListener,
    state: AppState,
}

impl Service {
    /// Binds `listen`; port 0 takes any free one.
    ///
    /// Errors: an address that is not loopback is refused, because there are no accounts yet.
    pub async fn bind(store: Store, listen: SocketAddr) -> Result<Self> {
        if !listen.ip().is_loopback() {
            bail!(
                "there are no accounts yet, so lode listens on this machine only; use 127.0.0.1 or [::1], not {listen}"
            );
        }
        let listener = TcpListener::bind(listen).await.with_context(|| {
            format!("cannot listen on {listen}; is another lode running? choose another port with --listen 127.0.0.1:0")
        })?;
        let state = AppState::new(store, listener.local_addr()?, now_us());
        Ok(Self { listener, state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.state.address
    }

    /// Answers until `end` comes; what is under way may finish.
    pub async fn run(self, end: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let scheduled = tokio::spawn(schedule::keep(self.state.store.clone(), self.state.runner.clone()));
        axum::serve(self.listener, router(self.state)).with_graceful_shutdown(end).await?;
        scheduled.abort();
        Ok(())
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
