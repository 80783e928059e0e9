//! Erasures by participant: asked for, done within minutes, certified ([`crate::erasing`]).

use super::errors::{ApiError, ApiResult};
use super::paging::{Page, time_text};
use super::path::ItemId;
use super::state::AppState;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::erasing;
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::control::erasures::Erasure;
use utoipa::ToSchema;

/// Erasures of a project.
#[derive(Serialize, ToSchema)]
pub struct ErasureList {
    erasures: Vec<ErasureShown>,
}

/// An erasure, and its certificate once it is complete.
#[derive(Serialize, ToSchema)]
pub struct ErasureShown {
    id: String,
    state: ErasureState,
    /// The client whose data go.
    subject: String,
    asked_at: Option<String>,
    done_at: Option<String>,
    certificate: Option<Certificate>,
}

/// How far an erasure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErasureState {
    /// Something may still be there.
    Running,
    /// Nothing is.
    Done,
}

/// What an erasure found and removed, signed.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Certificate {
    /// Id of the erasure.
    erasure: String,
    /// Id of the project.
    project: String,
    /// The client whose data went.
    subject: String,
    /// Microseconds since 1970, UTC.
    asked_at_us: i64,
    /// Likewise.
    done_at_us: i64,
    /// Events.
    rows: u64,
    /// Tables that jobs had made.
    marts: u64,
    pictures: u64,
    dead_letters: u64,
    /// Batches that were on their way.
    batches: u64,
    /// Files of events that had to be written anew.
    files_rewritten: u64,
    /// All of the above as JSON: the text that is signed.
    text: String,
    /// Of the text, in hex.
    sha256: String,
    /// Ed25519 signature over `lode-erasure-1`, a line break and the text; base64url.
    signature: String,
    /// The key that checks it, base64url.
    key: String,
}

/// Whose data are to go.
#[derive(Deserialize, ToSchema)]
pub struct NewErasure {
    agent_id: String,
}

/// Erases everything that a client sent. A client that goes on recording sends new data: revoke it first.
#[utoipa::path(post, path = "/projects/{project}/erasures", request_body = NewErasure,
    responses((status = 202, body = ErasureShown)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn create(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(new): Json<NewErasure>,
) -> ApiResult<(StatusCode, Json<ErasureShown>)> {
    let client = state.store.ingest().client(access.id(), &new.agent_id).await?;
    let (control, now_us) = (state.store.control(), now_us());
    let erasure = Erasure {
        id: uuid::Uuid::now_v7().to_string(),
        project: access.id().to_owned(),
        subject: client.agent_id.clone(),
        asked_at_us: now_us,
        done_at_us: None,
        certificate: None,
    };
    let detail = json!({ "erasure": erasure.id });
    let subject = Some(("agent", erasure.subject.as_str()));
    audit::record(control, &actor, "erasure.ask", Some(access.id()), subject, detail, now_us).await?;
    erasing::list(&state).add(&erasure).map_err(|error| ApiError::internal(format!("{error:#}")))?;
    control.put_erasure(&erasure).await?;
    erasing::in_background(state.clone(), erasure.clone());
    Ok((StatusCode::ACCEPTED, Json(shown(erasure)?)))
}

/// Erasures of the project, newest first.
#[utoipa::path(get, path = "/projects/{project}/erasures", params(Page), responses((status = 200, body = ErasureList)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn list(
    State(state): State<AppState>,
    access: ProjectAccess,
    Query(page): Query<Page>,
) -> ApiResult<Json<ErasureList>> {
    let found = state.store.control().erasures(access.id(), page.limit(), page.offset()).await?;
    Ok(Json(ErasureList { erasures: found.into_iter().map(shown).collect::<ApiResult<_>>()? }))
}

/// One erasure.
#[utoipa::path(get, path = "/projects/{project}/erasures/{erasure}", responses((status = 200, body = ErasureShown)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn show(
    State(state): State<AppState>,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<Json<ErasureShown>> {
    Ok(Json(shown(state.store.control().erasure(access.id(), &id).await?)?))
}

fn shown(erasure: Erasure) -> ApiResult<ErasureShown> {
    let certificate = erasure.certificate.as_deref().map(serde_json::from_str).transpose();
    Ok(ErasureShown {
        id: erasure.id,
        state: if erasure.done_at_us.is_some() { ErasureState::Done } else { ErasureState::Running },
        subject: erasure.subject,
        asked_at: time_text(erasure.asked_at_us),
        done_at: erasure.done_at_us.and_then(time_text),
        certificate: certificate.map_err(|error| ApiError::internal(format!("a certificate is damaged: {error}")))?,
    })
}
