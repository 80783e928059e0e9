//! The PostgreSQL protocol, for BI tools and notebooks: a project is a database that can be read and not changed.
//!
//! The way of a statement:
//!
//! 1. [`connection`] takes messages off the wire, bounded in size and time;
//! 2. [`handlers`] hands each message to [`session`], which knows whose connection it is, and looks up before each statement what they may **now**;
//! 3. a question about rows goes where HTTP's questions go ([`crate::api::query::run_sql`]), with the same limits, the same
//!    minimum group size and the same record; a question about names goes to the catalogue, which has no rows;
//! 4. [`parameters`] and [`answers`] turn PostgreSQL's values into SQL and the engine's columns into PostgreSQL's rows;
//!    [`errors`] finds the code that clients know.
//!
//! The engine itself never meets the protocol. What is absent: everything that changes something, cursors in SQL, `COPY`.

mod answers;
mod connection;
mod errors;
mod handlers;
mod parameters;
mod session;

use crate::api::AppState;
use anyhow::{Context, Result};
use pgwire::api::RandomPidSecretKeyGenerator;
use pgwire::tokio::TlsAcceptor;
use rustls::ServerConfig;
use session::{Places, Session, Shared};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Connections of all projects together; further ones are closed unanswered.
pub const CONNECTIONS_MAX: usize = 200;

/// What a client must name when it speaks TLS from the first byte on.
const ALPN: &[u8] = b"postgresql";

/// A port that is ready to answer.
pub struct Door {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Door {
    /// Listens at `address`, with TLS if there is a certificate.
    ///
    /// Errors: an address that is taken.
    pub fn bind(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Result<Self> {
        let listener = std::net::TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .and_then(TcpListener::from_std)
            .with_context(|| format!("cannot listen for PostgreSQL on {address}; choose another port"))?;
        let tls = tls.map(|config| {
            let mut config = config.as_ref().clone();
            config.alpn_protocols = vec![ALPN.to_vec()];
            TlsAcceptor::from(Arc::new(config))
        });
        Ok(Self { listener, tls })
    }

    /// Where it listens.
    ///
    /// Errors: the operating system's.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Answers for as long as it is polled.
    pub async fn run(self, state: AppState) {
        let shared = Arc::new(Shared {
            state,
            tls_only: self.tls.is_some(),
            places: Places::new(),
            keys: RandomPidSecretKeyGenerator::default(),
        });
        loop {
            let (socket, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a PostgreSQL connection could not be accepted");
                    tokio::task::yield_now().await;
                    continue;
                }
            };
            let Some(place) = shared.places.anywhere() else {
                tracing::warn!(%peer, "more than {CONNECTIONS_MAX} PostgreSQL connections: one was closed");
                continue;
            };
            let (session, tls) = (Session::new(shared.clone()), self.tls.clone());
            tokio::spawn(async move {
                if let Err(error) = connection::serve(socket, tls, session).await {
                    tracing::debug!(%error, "a PostgreSQL connection broke");
                }
                drop(place);
            });
        }
    }
}
