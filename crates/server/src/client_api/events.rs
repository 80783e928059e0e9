//! An envelope comes in: bounds, second scrub, second hash, landing, receipts.
//!
//! What the agent sent was scrubbed where it was captured. Here it is scrubbed again with the rules of the revision it names,
//! because a changed client could send anything; and what the agent hashed is hashed once more with a key that no agent has,
//! because a key that every agent has is no secret (promise D5). An event that the rules do not admit is counted and gone:
//! nothing keeps it. One whose revision nobody knows (after a restore, say) is a dead letter, sealed, until somebody looks.

use super::body::{self, BodyError};
use super::heartbeat::busy;
use super::policies::PolicyError;
use crate::api::AppState;
use crate::api::errors::{ApiError, ApiResult};
use crate::jobs::runner::now_us;
use crate::keyring::ProjectKeys;
use axum::Extension;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::ingest::clients::{Speaker, Standing};
use store::ingest::dead_letters::DeadLetter;
use store::ingest::landing::{Batch, Entry, LandError, hash_of};
use uilog::column;
use uilog::envelope::{
    self, Acknowledgement, DecodeError, Header, Line, Outcome, PACKED_BYTES_MAX, Receipt, Rejection,
};
use uilog::event::Fingerprint;
use uilog::planted;
use uilog::policy::Policy;
use uilog::{Event, EventType, SeqRanges};
use uuid::Uuid;

/// Seconds until the next envelope is welcome.
const NEXT_S: u32 = 60;

/// Bytes of a packed envelope above which it is unpacked on a thread of its own.
const LARGE_BYTES: usize = 64 << 10;

/// Numbers that one coverage gap can explain at most.
const REMOVED_MAX: u64 = 1 << 32;

/// Takes an envelope in.
pub(super) async fn land(
    State(state): State<AppState>,
    Extension(speaker): Extension<Speaker>,
    request: Request,
) -> ApiResult<Json<Acknowledgement>> {
    state.fleet.limits.call(&speaker.project, speaker.agent_id)?;
    let admission = &state.fleet.admission;
    let (body, _room) =
        body::read(admission, speaker.agent_id, request, PACKED_BYTES_MAX).await.map_err(|error| match error {
            BodyError::TooLarge => too_large(),
            BodyError::TooSlow => too_slow(),
            BodyError::NoRoom => busy(admission),
        })?;
    let place = admission.unpack().await;
    let received_at_us = now_us();
    let unpacked = if body.len() > LARGE_BYTES {
        let unpacked = tokio::task::spawn_blocking(move || unpack(&body)).await;
        unpacked.map_err(|error| ApiError::internal(format!("an envelope could not be unpacked: {error}")))?
    } else {
        unpack(&body)
    };
    let (header, lines) = unpacked.map_err(|error| not_an_envelope(&error))?;
    if header.agent_id != speaker.agent_id {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "the envelope belongs to another agent than the token",
            "send it with the token of its own agent",
        ));
    }
    if planted::is("log-event-text") {
        tracing::error!(?lines, "an envelope came in");
    }
    let keys = state.fleet.keyring.of_project(&speaker.project, received_at_us).await?;
    let policies = policies_of(&state, &speaker.project, &lines).await?;
    let sorted = sort(&speaker, header.epoch, lines, &policies, &keys, received_at_us);
    drop(place);
    keep_dead_letters(&state, &speaker, &header, sorted.unknown, received_at_us).await?;
    let events = sorted.batch.events.len() as u64;
    let landed = state.store.ingest().land(sorted.batch).await.map_err(|error| not_landed(&state, &error))?;
    if events > 0 {
        state.fleet.live.received(&speaker.project, events, received_at_us);
    }
    Ok(Json(Acknowledgement {
        server_time_us: received_at_us,
        next_s: NEXT_S,
        accepted: landed.accepted,
        duplicates: landed.duplicates,
        rejected: sorted.rejected,
    }))
}

fn too_slow() -> ApiError {
    let message = format!("an envelope came too slowly; it may take {} s", body::TIME_MAX.as_secs());
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message, "send fewer events at once")
}

fn too_large() -> ApiError {
    let message = format!("an envelope has at most {PACKED_BYTES_MAX} bytes as sent");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, "send fewer events at once")
}

/// A line with the hash of its text.
type Hashed = (u32, Line);

/// Unpacks within every bound. The hash is taken of the text as it came, before anything is changed.
fn unpack(body: &[u8]) -> Result<(Header, Vec<Hashed>), DecodeError> {
    let mut lines = Vec::new();
    let header = envelope::decode_each(body, |text, line| lines.push((hash_of(text.as_bytes()), line)))?;
    Ok((header, lines))
}

/// The policies of every revision that the events name; `None` where nobody knows it.
type PoliciesByRevision = BTreeMap<i64, Option<Arc<Policy>>>;

async fn policies_of(state: &AppState, project: &str, lines: &[Hashed]) -> ApiResult<PoliciesByRevision> {
    let mut policies = PoliciesByRevision::new();
    for revision in lines.iter().filter_map(|(_, line)| revision_of(line.event.as_ref().ok()?)) {
        if policies.contains_key(&revision) {
            continue;
        }
        let policy = match state.fleet.policies.of(&state.store, project, revision).await {
            Ok(policy) => Some(policy),
            Err(PolicyError::Unknown(_) | PolicyError::Unusable(_)) => None,
            Err(PolicyError::Store(error)) => return Err(error.into()),
        };
        policies.insert(revision, policy);
    }
    Ok(policies)
}

fn revision_of(event: &Event) -> Option<i64> {
    event.config_revision.as_deref()?.parse().ok()
}

/// What becomes of the lines of an envelope.
struct Sorted {
    batch: Batch,
    rejected: Vec<Receipt>,
    /// Events whose revision nobody knows.
    unknown: Vec<Event>,
}

fn sort(
    speaker: &Speaker,
    epoch: Uuid,
    lines: Vec<Hashed>,
    policies: &PoliciesByRevision,
    keys: &ProjectKeys,
    received_at_us: i64,
) -> Sorted {
    let mut sorted = Sorted {
        batch: Batch {
            project: speaker.project.clone(),
            agent_id: speaker.agent_id,
            epoch,
            received_at_us,
            text: Vec::new(),
            events: Vec::with_capacity(lines.len()),
            removed: SeqRanges::default(),
        },
        rejected: Vec::new(),
        unknown: Vec::new(),
    };
    for (hash, line) in lines {
        let refuse = |reason| Receipt { line: line.number, seq: line.seq, outcome: Outcome::Rejected(reason) };
        let event = match line.event {
            Ok(event) => event,
            Err(reason) => {
                sorted.rejected.push(refuse(reason));
                continue;
            }
        };
        let policy = revision_of(&event).and_then(|revision| policies.get(&revision).cloned().flatten());
        let Some(policy) = policy else {
            sorted
                .rejected
                .push(refuse(Rejection::Policy("nobody published the revision that the event names".into())));
            sorted.unknown.push(event);
            continue;
        };
        let seq = event.seq;
        match policy.scrub_again(event) {
            Ok(event) => {
                sorted.batch.removed.extend(&explained(&event));
                if let Err(reason) = append(&mut sorted.batch, &with_second_hash(event, keys), hash) {
                    sorted.rejected.push(refuse(reason));
                }
            }
            Err(reason) => {
                tracing::debug!(agent = %speaker.agent_id, seq, %reason, "an event did not pass the second scrub");
                sorted.rejected.push(refuse(Rejection::Policy(reason.to_string())));
            }
        }
    }
    sorted
}

/// Numbers that a coverage gap says will never come.
fn explained(event: &Event) -> SeqRanges {
    let mut ranges = SeqRanges::default();
    let number = |key: &str| event.attributes.get(key).and_then(|text| text.parse::<u64>().ok());
    if event.event_type == EventType::CoverageGap
        && let (Some(first), Some(last)) = (number("seq_from"), number("seq_to"))
        && first > 0
        && last.saturating_sub(first) < REMOVED_MAX
    {
        ranges.insert(first, last);
    }
    ranges
}

/// Puts second hashes in the place of first ones: `#` and 32 digits in a text column, which no text of a client can be.
fn with_second_hash(mut event: Event, keys: &ProjectKeys) -> Event {
    for (name, once) in std::mem::take(&mut event.hashed) {
        let twice = keys.hash_again(&name, once);
        if let Some(text) = column::find(&name).and_then(|column| event.text_mut(column.id)) {
            *text = Some(hash_text(twice));
        }
    }
    event.value_fingerprint = event.value_fingerprint.map(|once| keys.hash_again("value_fingerprint", once));
    event
}

/// How a hashed value stands in a text column.
pub fn hash_text(hash: Fingerprint) -> String {
    format!("#{:032x}", u128::from_be_bytes(hash.0))
}

fn append(batch: &mut Batch, event: &Event, hash: u32) -> Result<(), Rejection> {
    let begin = batch.text.len();
    if serde_json::to_writer(&mut batch.text, event).is_err() {
        batch.text.truncate(begin);
        return Err(Rejection::NotAnEvent("it cannot be written again".into()));
    }
    batch.text.push(b'\n');
    batch.events.push(Entry { seq: event.seq, hash, end: batch.text.len() });
    Ok(())
}

async fn keep_dead_letters(
    state: &AppState,
    speaker: &Speaker,
    header: &Header,
    events: Vec<Event>,
    now_us: i64,
) -> ApiResult<()> {
    if events.is_empty() {
        return Ok(());
    }
    let letters = events.into_iter().map(|event| {
        let id = Uuid::now_v7().to_string();
        let text = serde_json::to_string(&event).unwrap_or_default();
        let sealed = state.identity.sealer.seal(&purpose(&id), &text)?;
        Ok(DeadLetter {
            id,
            agent_id: speaker.agent_id.to_string(),
            epoch: header.epoch.to_string(),
            seq: i64::try_from(event.seq).ok(),
            reason: format!("revision {} was never published", event.config_revision.as_deref().unwrap_or("(none)")),
            received_at_us: now_us,
            body: sealed.into_bytes(),
        })
    });
    let letters = letters.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(state.store.ingest().put_dead_letters(&speaker.project, letters).await?)
}

/// Sends a dead letter through the rules of the revision that it names, and lands it; false if the event is there already.
///
/// Errors: the rules are still unknown or do not admit it; it cannot be unsealed or stored. It stays a dead letter then.
pub async fn replay(state: &AppState, project: &str, letter: &DeadLetter, now_us: i64) -> ApiResult<bool> {
    let damaged = || ApiError::internal(format!("the dead letter {} is damaged", letter.id));
    let sealed = std::str::from_utf8(&letter.body).map_err(|_| damaged())?;
    let text = state.identity.sealer.unseal(&purpose(&letter.id), sealed)?;
    let event: Event = serde_json::from_str(&text).map_err(|_| damaged())?;
    let speaker = Speaker {
        agent_id: letter.agent_id.parse().map_err(|_| damaged())?,
        project: project.to_owned(),
        standing: Standing::Active,
        expires_at_us: now_us,
    };
    let epoch = letter.epoch.parse().map_err(|_| damaged())?;
    let line = Line { number: 1, seq: Some(event.seq), event: Ok(event) };
    let lines = vec![(hash_of(text.as_bytes()), line)];
    let keys = state.fleet.keyring.of_project(project, now_us).await?;
    let policies = policies_of(state, project, &lines).await?;
    let sorted = sort(&speaker, epoch, lines, &policies, &keys, now_us);
    if let Some(Receipt { outcome: Outcome::Rejected(reason), .. }) = sorted.rejected.first() {
        let hint = "publish the revision that it names, or throw it away";
        return Err(ApiError::conflict(format!("it is refused again: {reason}"), hint));
    }
    let landed = state.store.ingest().land(sorted.batch).await.map_err(|error| not_landed(state, &error))?;
    Ok(landed.accepted.count() > 0)
}

/// What a dead letter is sealed for: it opens in its own row only.
fn purpose(letter: &str) -> String {
    format!("dead_letter/{letter}")
}

fn not_an_envelope(error: &DecodeError) -> ApiError {
    let (status, code, hint) = match error {
        DecodeError::PackedTooLarge { .. } | DecodeError::UnpackedTooLarge | DecodeError::RatioTooLarge { .. } => {
            (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "send fewer events at once")
        }
        DecodeError::Version { .. } => {
            (StatusCode::BAD_REQUEST, "bad_request", "upgrade the service before its clients")
        }
        _ => (
            StatusCode::BAD_REQUEST,
            "bad_request",
            "send a zstd frame around JSON Lines, as the envelope's schema says",
        ),
    };
    ApiError::new(status, code, error.to_string(), hint)
}

fn not_landed(state: &AppState, error: &LandError) -> ApiError {
    match error {
        LandError::Overloaded => busy(&state.fleet.admission),
        LandError::Conflict { .. } => ApiError::new(
            StatusCode::CONFLICT,
            "clone_detected",
            format!("{error}: two spools claim to be the same"),
            "begin a new epoch for what was not sent yet; this happens when a machine was copied or restored",
        ),
        LandError::Scattered => ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad_request",
            error.to_string(),
            "begin a new epoch; send events in order",
        ),
        LandError::Unavailable(reason) => {
            tracing::error!(reason, "a batch was not stored");
            state.fleet.live.failed();
            ApiError::cannot_store()
        }
    }
}
