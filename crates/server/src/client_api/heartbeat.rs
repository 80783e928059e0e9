//! A client says how it is, once a minute, and hears what is new for it: time, standing, configuration, key epoch.

use super::admission::Admission;
use super::configuration::wanted;
use super::enrol::{ClientKey, next_heartbeat_s, word};
use super::speaker::revoked;
use crate::api::AppState;
use crate::api::errors::{ApiError, ApiResult};
use crate::api::paging::time_text;
use crate::jobs::runner::now_us;
use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;
use store::ingest::clients::{Heartbeat, STATUS_BYTES_MAX, Speaker, Standing};

/// Characters of a reason or an error that are kept.
const TEXT_CHARS_MAX: usize = 500;

#[derive(Serialize)]
pub struct BeatAnswer {
    server_time: Option<String>,
    state: Standing,
    newest_revision: Option<i64>,
    next_s: u32,
    /// The key to hash with, if it is not the one that the client names.
    client_key: Option<ClientKey>,
}

pub async fn beat(
    State(state): State<AppState>,
    Extension(speaker): Extension<Speaker>,
    Json(status): Json<Value>,
) -> ApiResult<Json<BeatAnswer>> {
    state.fleet.limits.call(&speaker.project, speaker.agent_id)?;
    let _room = state.fleet.admission.heartbeat().ok_or_else(|| busy(&state.fleet.admission))?;
    let now_us = now_us();
    let heartbeat = read(&speaker, &status, now_us)?;
    let changed = state.fleet.live.beat(speaker.agent_id, &heartbeat.state, now_us);
    state.store.ingest().beat(heartbeat).await?;
    if changed {
        state.fleet.live.touched(&speaker.project, &speaker.agent_id.to_string());
    }
    if speaker.standing == Standing::Revoked {
        return Err(revoked());
    }
    let (active, rolling) = state.store.control().current_revisions(&speaker.project).await?;
    let keys = state.fleet.keyring.of_project(&speaker.project, now_us).await?;
    let known = status.get("client_key").and_then(Value::as_str);
    Ok(Json(BeatAnswer {
        server_time: time_text(now_us),
        state: speaker.standing,
        newest_revision: wanted(active, rolling, speaker.agent_id).map(|revision| revision.revision),
        next_s: next_heartbeat_s(&state),
        client_key: (known != Some(keys.client_id.as_str()))
            .then(|| ClientKey { id: keys.client_id.clone(), key: URL_SAFE_NO_PAD.encode(keys.client) }),
    }))
}

/// The answer when there is no room: come back later, each one at another time.
pub fn busy(admission: &Admission) -> ApiError {
    let message = "the service has more to do than it can take now";
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "busy",
        message,
        "keep the data and wait as long as Retry-After says",
    )
    .after_s(admission.retry_after_s())
}

/// What lists sort and count by, out of a status; everything else is kept as it came, if it is not too long.
fn read(speaker: &Speaker, status: &Value, now_us: i64) -> ApiResult<Heartbeat> {
    let text = |name: &str| status.get(name).and_then(Value::as_str).map(short);
    let state =
        text("state").ok_or_else(|| ApiError::bad_request("a heartbeat names its state", "see the client's status"))?;
    if !STATES.contains(&state.as_str()) {
        return Err(ApiError::bad_request("this is no state of a client", format!("one of {}", STATES.join(", "))));
    }
    let whole = status.to_string();
    if whole.len() > STATUS_BYTES_MAX {
        let message = format!("a heartbeat has at most {STATUS_BYTES_MAX} bytes");
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, "send fewer rules and gaps"));
    }
    let at_us = status.get("time_us").and_then(Value::as_i64);
    let error = status.get("last_error").filter(|error| !error.is_null());
    let error = error.map(|error| {
        let member = |name: &str| error.get(name).and_then(Value::as_str).map(short);
        (member("code").unwrap_or_else(|| "unknown".into()), member("message").unwrap_or_default())
    });
    Ok(Heartbeat {
        agent_id: speaker.agent_id,
        project: speaker.project.clone(),
        at_us: now_us,
        state,
        why: text("why"),
        version: word(&text("version").unwrap_or_default()),
        os: word(&text("os").unwrap_or_default()),
        config_revision: status.get("config_revision").and_then(Value::as_i64),
        waiting: status.pointer("/counters/waiting").and_then(Value::as_i64).unwrap_or(0),
        clock_offset_us: at_us.map_or(0, |at_us| at_us - now_us),
        status: whole,
        error,
    })
}

/// States that a client can be in, as it says so.
pub const STATES: [&str; 11] = [
    "needs_enrolment",
    "needs_consent",
    "declined",
    "recording",
    "paused",
    "outside_schedule",
    "locked",
    "stopped",
    "blocked",
    "revoked",
    "error",
];

fn short(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn beat(status: Value) -> ApiResult<Heartbeat> {
        let speaker =
            Speaker { agent_id: uuid::Uuid::nil(), project: "p".into(), standing: Standing::Active, expires_at_us: 0 };
        read(&speaker, &status, 1_000_000)
    }

    #[test]
    fn a_heartbeat_gives_what_lists_need() {
        let status = json!({"state": "recording", "version": "0.1.0", "os": "linux-x11", "config_revision": 17,
            "counters": {"waiting": 412}, "time_us": 1_500_000,
            "last_error": {"code": "disk_full", "message": "no space\nleft"}});
        let heartbeat = beat(status).unwrap();
        assert_eq!((heartbeat.waiting, heartbeat.config_revision, heartbeat.clock_offset_us), (412, Some(17), 500_000));
        assert_eq!(heartbeat.error, Some(("disk_full".into(), "no spaceleft".into())));
    }

    #[test]
    fn a_heartbeat_without_a_known_state_or_beyond_its_size_is_refused() {
        assert!(beat(json!({})).is_err());
        assert!(beat(json!({"state": "sleeping"})).is_err());
        assert!(beat(json!({"state": "paused", "filler": "x".repeat(STATUS_BYTES_MAX)})).is_err());
    }
}
