//! Events that the service refused for good and keeps sealed: how many and why, sent through again, or thrown away.
//!
//! What such an event holds is never shown: no rule has admitted it.

use super::errors::{ApiError, ApiResult};
use super::paging::{Page, time_text};
use super::path::ItemId;
use super::state::AppState;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::client_api::events;
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// Dead letters of a project.
#[derive(Serialize, ToSchema)]
pub struct DeadLetterList {
    dead_letters: Vec<DeadLetterShown>,
    total: i64,
}

/// A refused event.
#[derive(Serialize, ToSchema)]
pub struct DeadLetterShown {
    id: String,
    agent_id: String,
    seq: Option<i64>,
    /// Why; names columns and rules, never contents.
    reason: String,
    at: Option<String>,
    /// Its size, sealed.
    bytes: usize,
}

/// What became of a dead letter.
#[derive(Serialize, ToSchema)]
pub struct Replayed {
    outcome: ReplayOutcome,
}

/// What became of a dead letter, in a word; `duplicate` where the event is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplayOutcome {
    /// It is an event now.
    Accepted,
    /// The event is there already.
    Duplicate,
}

/// Dead letters of the project, newest first.
#[utoipa::path(get, path = "/projects/{project}/dead-letters", params(Page),
    responses((status = 200, body = DeadLetterList)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn list(
    State(state): State<AppState>,
    access: ProjectAccess,
    Query(page): Query<Page>,
) -> ApiResult<Json<DeadLetterList>> {
    let (found, total) = state.store.ingest().dead_letters(access.id(), page.limit(), page.offset()).await?;
    let shown = |letter: store::ingest::dead_letters::DeadLetter| DeadLetterShown {
        id: letter.id,
        agent_id: letter.agent_id,
        seq: letter.seq,
        reason: letter.reason,
        at: time_text(letter.received_at_us),
        bytes: letter.body.len(),
    };
    Ok(Json(DeadLetterList { dead_letters: found.into_iter().map(shown).collect(), total }))
}

/// Sends a dead letter through the rules of its revision again; once it is stored it is a dead letter no more.
#[utoipa::path(post, path = "/projects/{project}/dead-letters/{letter}/replay",
    responses((status = 200, body = Replayed)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn replay(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<Json<Replayed>> {
    let letter = state.store.ingest().dead_letter(access.id(), &id).await?;
    told(&state, &actor, &access, "dead_letter.replay", &id).await?;
    let is_new = events::replay(&state, access.id(), &letter, now_us()).await?;
    state.store.ingest().remove_dead_letter(access.id(), &id).await?;
    Ok(Json(Replayed { outcome: if is_new { ReplayOutcome::Accepted } else { ReplayOutcome::Duplicate } }))
}

/// Throws a dead letter away.
#[utoipa::path(delete, path = "/projects/{project}/dead-letters/{letter}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn remove(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<StatusCode> {
    if !state.store.ingest().remove_dead_letter(access.id(), &id).await? {
        return Err(ApiError::not_found(format!("there is no dead letter '{id}'"), "look at the list"));
    }
    told(&state, &actor, &access, "dead_letter.remove", &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn told(state: &AppState, actor: &Actor, access: &ProjectAccess, action: &str, id: &str) -> ApiResult<()> {
    let (control, subject) = (state.store.control(), Some(("dead_letter", id)));
    Ok(audit::record(control, actor, action, Some(access.id()), subject, json!({}), now_us()).await?)
}
