//! What desktop clients speak: enrol, send events, say how they are, fetch their configuration. Base path `/client/v1`.
//!
//! Nothing here serves a person and nothing here needs an account: an app key enrols, an Ed25519 key proves who speaks, a
//! short-lived token travels with each call. The way of an envelope:
//!
//! 1. [`speaker`] finds out who speaks; revoked and held agents end here;
//! 2. [`admission`] says whether there is room; if not, when to come back, spread over the fleet;
//! 3. [`events`] unpacks within bounds, scrubs again with the project's rules, hashes once more with a key that no agent
//!    has, lands the batch, and answers with a receipt per event.
//!
//! Pictures go a way of their own, with budgets of their own: [`screenshots`], [`pictures`](crate::pictures).
//! [`folding`](crate::folding) makes tables of what landed.

pub mod admission;
mod body;
pub mod configuration;
mod enrol;
pub mod events;
mod heartbeat;
pub mod limits;
pub mod nonces;
pub mod policies;
mod screenshots;
pub mod speaker;

use crate::api::{self, AppState, errors};
use crate::identity::Identity;
use crate::keyring::Keyring;
use crate::live::Live;
use admission::Admission;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post, put};
pub use heartbeat::STATES;
use limits::Limits;
use nonces::Nonces;
use policies::Policies;
use speaker::Speakers;
use std::sync::Arc;
use store::Store;

/// Where the clients' calls begin.
pub const BASE: &str = "/client/v1";

/// Bytes of a JSON body of a client.
const JSON_BYTES_MAX: usize = 64 << 10;

/// Seconds between two heartbeats of an agent in a small fleet.
pub const HEARTBEAT_S: u32 = 60;

/// Seconds between two heartbeats of an agent in a large one.
pub const HEARTBEAT_S_MAX: u32 = 300;

/// Heartbeats a second that one service takes without stretching the interval.
const HEARTBEATS_PER_S: i64 = 333;

/// What the clients' calls share, and the pages that watch the fleet.
pub struct Fleet {
    /// Keys of projects.
    pub keyring: Keyring,
    /// What changes right now.
    pub live: Live,
    /// How often who may call.
    pub limits: Limits,
    /// Who speaks with which token.
    pub speakers: Speakers,
    /// Numbers that are signed once.
    pub nonces: Nonces,
    /// Compiled configurations by project and revision.
    pub policies: Policies,
    /// Room for what comes in.
    pub admission: Admission,
}

impl Fleet {
    /// The fleet of a service that has just begun.
    pub fn new(store: Store, identity: Arc<Identity>) -> Self {
        Self {
            keyring: Keyring::new(store, identity),
            live: Live::default(),
            limits: Limits::default(),
            speakers: Speakers::default(),
            nonces: Nonces::default(),
            policies: Policies::default(),
            admission: Admission::default(),
        }
    }
}

/// The calls of the clients.
pub fn router(state: &AppState) -> Router<AppState> {
    let spoken = Router::new()
        .route("/events", post(events::land))
        .route("/screenshots/{id}", put(screenshots::keep))
        .route("/heartbeat", post(heartbeat::beat))
        .route("/configuration", get(configuration::fetch))
        .route_layer(middleware::from_fn_with_state(state.clone(), speaker::required));
    Router::new()
        .route("/nonce", post(enrol::nonce))
        .route("/enrol", post(enrol::enrol))
        .route("/token", post(enrol::token))
        .merge(spoken)
        .layer(DefaultBodyLimit::max(JSON_BYTES_MAX))
        .layer(middleware::map_response(errors::in_one_form))
        .layer(middleware::from_fn_with_state(state.clone(), api::encrypted_only))
}

/// Seconds until an agent's next heartbeat: longer when so many beat that they would crowd out their events.
pub fn heartbeat_s(clients: i64) -> u32 {
    let stretched = u32::try_from(clients / HEARTBEATS_PER_S).unwrap_or(HEARTBEAT_S_MAX);
    stretched.clamp(HEARTBEAT_S, HEARTBEAT_S_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_a_large_fleet_beats_less_often() {
        assert_eq!(heartbeat_s(10), 60);
        assert_eq!(heartbeat_s(50_000), 150);
        assert_eq!(heartbeat_s(100_000), 300);
        assert_eq!(heartbeat_s(10_000_000), 300);
    }
}
