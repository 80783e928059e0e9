//! Who speaks: the token of a client's call, looked up on every request, with a memory of a few seconds.
//!
//! A token is 256 random bits, kept as a hash, good for one hour. Revoking an agent works within [`REMEMBERED_US`].

use crate::api::AppState;
use crate::api::errors::{ApiError, ApiResult};
use crate::identity::secret_text;
use crate::jobs::runner::now_us;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::sync::Mutex;
use store::ingest::clients::{Speaker, Standing};
use uilog::planted;

/// How long what was looked up is believed; below the five seconds within which a revocation must work (promise S3).
pub const REMEMBERED_US: i64 = 3_000_000;

/// Tokens that are remembered at once.
const REMEMBERED_MAX: usize = 200_000;

/// Who speaks with which token, as far as it was looked up lately.
#[derive(Default)]
pub struct Speakers(Mutex<HashMap<String, (Option<Speaker>, i64)>>);

impl Speakers {
    fn remembered(&self, hash: &str, now_us: i64) -> Option<Option<Speaker>> {
        let known = self.0.lock().ok()?;
        known
            .get(hash)
            .filter(|(_, at_us)| now_us - at_us < REMEMBERED_US || planted::is("token-not-rechecked"))
            .map(|(speaker, _)| speaker.clone())
    }

    fn remember(&self, hash: String, speaker: Option<Speaker>, now_us: i64) {
        if let Ok(mut known) = self.0.lock() {
            if known.len() >= REMEMBERED_MAX {
                known.retain(|_, (_, at_us)| now_us - *at_us < REMEMBERED_US);
            }
            if known.len() < REMEMBERED_MAX {
                known.insert(hash, (speaker, now_us));
            }
        }
    }
}

/// Lets a call through that shows a good token, with its [`Speaker`]. Held agents may only say how they are.
pub async fn required(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let only_status = request.uri().path().ends_with("/heartbeat");
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(|value| value.strip_prefix("Bearer ")).map(secret_text::hash);
    match identify(&state, token, only_status).await {
        Ok(speaker) => {
            request.extensions_mut().insert(speaker);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// Who shows the token of this hash; a held agent passes where it only says how it is.
async fn identify(state: &AppState, token: Option<String>, only_status: bool) -> ApiResult<Speaker> {
    let unknown = || {
        let message = "the token of this call is missing, has ended, or was revoked";
        ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", message, "ask for a new one at /client/v1/token")
    };
    let (hash, now_us) = (token.ok_or_else(unknown)?, now_us());
    let speaker = match state.fleet.speakers.remembered(&hash, now_us) {
        Some(speaker) => speaker,
        None => {
            let speaker = state.store.ingest().speaker(&hash).await?;
            state.fleet.speakers.remember(hash, speaker.clone(), now_us);
            speaker
        }
    };
    let speaker = speaker.filter(|speaker| speaker.expires_at_us > now_us).ok_or_else(unknown)?;
    match speaker.standing {
        Standing::Active => Ok(speaker),
        Standing::Held if only_status => Ok(speaker),
        Standing::Held => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "held",
            "this client waits for approval",
            "keep the data; the project lead approves it on the page Clients",
        )),
        Standing::Revoked => Err(revoked()),
    }
}

/// The answer to an agent that was revoked: it stops capturing and keeps what it has.
pub fn revoked() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        "revoked",
        "this client was revoked",
        "stop capturing; ask the project lead, who can say why",
    )
}
