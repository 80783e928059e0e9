//! Pictures for people who hold the grant: opened one by one, each time written down; hidden by anybody who sees something
//! that should not be there, shown again or erased by a lead.

use super::errors::{ApiError, ApiResult};
use super::paging::time_text;
use super::path::ItemId;
use super::state::AppState;
use crate::access::{Actor, Permission, ProjectAccess};
use crate::audit;
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use store::ingest::pictures::Picture;
use utoipa::ToSchema;

/// What is known of a picture without looking at it.
#[derive(Serialize, ToSchema)]
pub struct PictureShown {
    screenshot_id: String,
    agent_id: String,
    width: i64,
    height: i64,
    bytes: i64,
    /// Areas that the client painted over, with reasons: `[{x, y, width, height, reason}]`, in pixels of the picture.
    #[schema(value_type = Vec<Value>)]
    masks: Value,
    /// Whether somebody reported it: then only a lead is shown it, to decide.
    hidden: bool,
    received_at: Option<String>,
}

/// What is known of a picture.
#[utoipa::path(get, path = "/projects/{project}/screenshots/{screenshot}",
    responses((status = 200, body = PictureShown)), extensions(("x-lode-permission" = json!("pictures"))))]
pub async fn show(
    State(state): State<AppState>,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<Json<PictureShown>> {
    let picture = state.store.ingest().picture(access.id(), &id).await?;
    Ok(Json(PictureShown {
        masks: serde_json::from_str(&picture.masks).unwrap_or(Value::Null),
        screenshot_id: picture.screenshot_id,
        agent_id: picture.agent_id,
        width: picture.width,
        height: picture.height,
        bytes: picture.bytes,
        hidden: picture.hidden,
        received_at: time_text(picture.received_at_us),
    }))
}

/// Opens a picture; it is written down who did.
#[utoipa::path(get, path = "/projects/{project}/screenshots/{screenshot}/png",
    responses((status = 200, body = Vec<u8>, content_type = "image/png")),
    extensions(("x-lode-permission" = json!("pictures"))))]
pub async fn open(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<Response> {
    let picture = state.store.ingest().picture(access.id(), &id).await?;
    if picture.hidden && access.require(Permission::Lead).is_err() {
        return Err(ApiError::conflict(
            "somebody reported this picture as sensitive",
            "a lead of the project decides whether it is shown again or erased",
        ));
    }
    // What cannot be written down is not shown.
    told(&state, &actor, &access, if picture.hidden { "picture.review" } else { "picture.open" }, &picture).await?;
    let png = state.pictures.open(access.id(), &picture).await;
    let png = png.map_err(|error| ApiError::not_found(format!("{error:#}"), "it cannot be brought back"))?;
    let headers = [
        (header::CONTENT_TYPE, "image/png"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers, png).into_response())
}

/// Hides a picture from everybody, at once, until a lead has looked at it.
#[utoipa::path(post, path = "/projects/{project}/screenshots/{screenshot}/report", responses((status = 204)),
    extensions(("x-lode-permission" = json!("pictures"))))]
pub async fn report(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<StatusCode> {
    hide(&state, &actor, &access, &id, true).await
}

/// Shows a reported picture again.
#[utoipa::path(post, path = "/projects/{project}/screenshots/{screenshot}/release", responses((status = 204)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn release(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<StatusCode> {
    hide(&state, &actor, &access, &id, false).await
}

/// Erases a picture.
#[utoipa::path(delete, path = "/projects/{project}/screenshots/{screenshot}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn erase(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<StatusCode> {
    let picture = state.store.ingest().picture(access.id(), &id).await?;
    told(&state, &actor, &access, "picture.erase", &picture).await?;
    state.store.remove_picture_file(&picture.path).await?;
    state.store.ingest().remove_picture(access.id(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn hide(
    state: &AppState,
    actor: &Actor,
    access: &ProjectAccess,
    id: &str,
    hidden: bool,
) -> ApiResult<StatusCode> {
    let picture = state.store.ingest().picture(access.id(), id).await?;
    state.store.ingest().hide_picture(access.id(), id, hidden).await?;
    told(state, actor, access, if hidden { "picture.report" } else { "picture.release" }, &picture).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn told(
    state: &AppState,
    actor: &Actor,
    access: &ProjectAccess,
    action: &str,
    picture: &Picture,
) -> ApiResult<()> {
    let detail = json!({ "agent": picture.agent_id });
    let subject = Some(("screenshot", picture.screenshot_id.as_str()));
    Ok(audit::record(state.store.control(), actor, action, Some(access.id()), subject, detail, now_us()).await?)
}
