//! A client comes into being: an app key admits it, its own Ed25519 key is who it is from then on.
//!
//! An app key can do nothing but this. A leaked one enrols fakes into one project until it is revoked, held ones if the key
//! says so, each counted and purged by the id of the key (promise S2).

use super::speaker::revoked;
use super::{HEARTBEAT_S, heartbeat_s};
use crate::api::AppState;
use crate::api::errors::{ApiError, ApiResult};
use crate::api::paging::time_text;
use crate::client_address::{AddressRange, Peer};
use crate::identity::secret_text::{self, KeyKind};
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use store::ingest::clients::{Enrolment, Standing};
use uuid::Uuid;

/// How long a client's token is good.
pub const TOKEN_LIFE_US: i64 = 3_600 * 1_000_000;

/// Characters of a client's version and system that are kept.
pub const WORD_CHARS_MAX: usize = 64;

#[derive(Serialize)]
pub struct NonceAnswer {
    nonce: String,
    server_time: Option<String>,
}

pub async fn nonce(State(state): State<AppState>) -> Json<NonceAnswer> {
    let now_us = now_us();
    Json(NonceAnswer { nonce: state.fleet.nonces.make(now_us), server_time: time_text(now_us) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    key: String,
    public_key: String,
    nonce: String,
    signature: String,
    os: String,
    version: String,
}

#[derive(Serialize)]
pub struct ClientKey {
    /// Id of the key epoch.
    pub id: String,
    /// The key with which values are hashed, base64url.
    pub key: String,
}

#[derive(Serialize)]
pub struct EnrolAnswer {
    agent_id: Uuid,
    project_id: String,
    state: Standing,
    config_key: String,
    client_key: ClientKey,
    token: String,
    token_expires_at: Option<String>,
    server_time: Option<String>,
    heartbeat_s: u32,
}

pub async fn enrol(
    State(state): State<AppState>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(asked): Json<EnrolRequest>,
) -> ApiResult<(StatusCode, Json<EnrolAnswer>)> {
    let now_us = now_us();
    let shown = KeyKind::AppKey.read(&asked.key).ok_or_else(|| {
        let hint = "copy it again: a key begins with lodek_ and ends with a checksum that this one does not match";
        refused("this is no app key", hint)
    })?;
    state.fleet.limits.enrolment(&shown.id)?;
    let unusable =
        || refused("this app key is unknown, over, used up or revoked", "ask the project lead for another one");
    let key = state.store.control().app_key(&shown.id).await?;
    let key = key.filter(|key| secret_text::same_hash(&key.hash, &shown.hash)).ok_or_else(unusable)?;
    let range = key.address_range.as_deref().and_then(|range| range.parse::<AddressRange>().ok());
    if range.is_some_and(|range| !range.contains(state.client_address(peer, &headers))) {
        return Err(refused("this app key does not work from here", "use it inside the network that it was made for"));
    }
    let message = format!("lode-enrol-1\n{}\n{}\n{}", asked.nonce, key.id, asked.public_key);
    prove(&state, &asked.nonce, &asked.public_key, &asked.signature, message.as_bytes(), now_us)?;
    // Counted last: a call that proves nothing uses nothing up.
    if !state.store.control().use_app_key(&key.id, now_us).await? {
        return Err(unusable());
    }
    let enrolment = Enrolment {
        agent_id: Uuid::new_v4(),
        project: key.project.clone(),
        app_key: key.id.clone(),
        invitation: key.invitation.clone(),
        public_key: asked.public_key,
        standing: if key.hold { Standing::Held } else { Standing::Active },
        team: state.store.control().team_of_invitation(key.invitation.as_deref()).await?,
        version: word(&asked.version),
        os: word(&asked.os),
        at_us: now_us,
    };
    let (agent_id, standing) = (enrolment.agent_id, enrolment.standing);
    state.store.ingest().enrol(enrolment).await?;
    let keys = state.fleet.keyring.of_project(&key.project, now_us).await?;
    let token = issue_token(&state, agent_id, &key.project, now_us).await?;
    state.fleet.live.touched(&key.project, &agent_id.to_string());
    let answer = EnrolAnswer {
        agent_id,
        project_id: key.project,
        state: standing,
        config_key: keys.configuration_public.clone(),
        client_key: ClientKey { id: keys.client_id.clone(), key: URL_SAFE_NO_PAD.encode(keys.client) },
        token: token.token,
        token_expires_at: token.token_expires_at,
        server_time: time_text(now_us),
        heartbeat_s: HEARTBEAT_S,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    agent_id: Uuid,
    nonce: String,
    signature: String,
}

#[derive(Serialize)]
pub struct TokenAnswer {
    token: String,
    token_expires_at: Option<String>,
}

pub async fn token(State(state): State<AppState>, Json(asked): Json<TokenRequest>) -> ApiResult<Json<TokenAnswer>> {
    let now_us = now_us();
    let unknown = || refused("there is no such client, or the signature is not its own", "enrol again with an app key");
    let client = state.store.ingest().client_by_id(asked.agent_id).await?.ok_or_else(unknown)?;
    if client.standing == Standing::Revoked {
        return Err(revoked());
    }
    let message = format!("lode-token-1\n{}\n{}", asked.nonce, asked.agent_id);
    prove(&state, &asked.nonce, &client.public_key, &asked.signature, message.as_bytes(), now_us)?;
    Ok(Json(issue_token(&state, asked.agent_id, &client.project, now_us).await?))
}

async fn issue_token(state: &AppState, agent_id: Uuid, project: &str, now_us: i64) -> ApiResult<TokenAnswer> {
    let token = secret_text::random_secret();
    let expires_at_us = now_us + TOKEN_LIFE_US;
    let hash = secret_text::hash_of(&token);
    state.store.ingest().put_token(agent_id, project, &hash, expires_at_us, now_us).await?;
    Ok(TokenAnswer { token: token.expose_secret().to_owned(), token_expires_at: time_text(expires_at_us) })
}

/// Checks that who calls holds the secret half of `public_key`, by a signature over a nonce that nobody used before.
fn prove(
    state: &AppState,
    nonce: &str,
    public_key: &str,
    signature: &str,
    message: &[u8],
    now_us: i64,
) -> ApiResult<()> {
    if !state.fleet.nonces.take(nonce, now_us) {
        return Err(refused("the nonce is not one of this service's, has ended, or was used", "ask for a new one"));
    }
    let signed = || -> Option<()> {
        let key: [u8; 32] = URL_SAFE_NO_PAD.decode(public_key).ok()?.try_into().ok()?;
        let signature: [u8; 64] = URL_SAFE_NO_PAD.decode(signature).ok()?.try_into().ok()?;
        let key = VerifyingKey::from_bytes(&key).ok()?;
        key.verify(message, &Signature::from_bytes(&signature)).ok()
    };
    signed().ok_or_else(|| refused("the signature does not fit", "sign the exact text with the client's own key"))
}

fn refused(message: &str, hint: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", message, hint)
}

/// What a client says of itself, short and without anything that could disturb a log or a list.
pub fn word(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(WORD_CHARS_MAX).collect()
}

/// Seconds until an agent's next heartbeat.
pub fn next_heartbeat_s(state: &AppState) -> u32 {
    heartbeat_s(state.fleet.live.alive())
}
