//! Pictures for people who hold the grant: opened one by one, each time written down; hidden by anybody who sees something
//! that should not be there, shown again, painted over or erased by a lead.

use super::errors::{ApiError, ApiResult};
use super::paging::time_text;
use super::path::ItemId;
use super::state::AppState;
use crate::access::{Actor, Permission, ProjectAccess};
use crate::audit;
use crate::jobs::runner::now_us;
use crate::pictures::{Area, COVERED, MASKS_MAX, Note};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::ingest::pictures::Picture;
use uilog::planted;
use utoipa::ToSchema;

/// What is known of a picture without looking at it.
#[derive(Serialize, ToSchema)]
pub struct PictureShown {
    screenshot_id: String,
    agent_id: String,
    width: i64,
    height: i64,
    bytes: i64,
    /// The part of the virtual desktop that it shows: x, y, width, height in physical pixels; null if the client did not say.
    place: Option<[i32; 4]>,
    /// Areas that were painted over, with reasons, in pixels of the picture: by the client, or (`covered`) by a lead.
    masks: Vec<Area>,
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
    let note: Note = serde_json::from_str(&picture.note).unwrap_or_default();
    Ok(Json(PictureShown {
        place: note.place,
        masks: note.masks,
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
    if picture.hidden && access.require(Permission::Lead).is_err() && !planted::is("reported-stays") {
        return Err(ApiError::conflict(
            "somebody reported this picture as sensitive",
            "a lead of the project decides whether it is shown again or erased",
        ));
    }
    // What cannot be written down is not shown.
    if !planted::is("picture-unrecorded") {
        told(&state, &actor, &access, if picture.hidden { "picture.review" } else { "picture.open" }, &picture).await?;
    }
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

/// Parts of a picture that nobody shall see.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PictureCover {
    /// In pixels of the picture.
    areas: Vec<CoverArea>,
}

/// One of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverArea {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

/// Paints parts of a picture over, for good: the picture that is kept is written anew, nothing of what stood there is left.
#[utoipa::path(post, path = "/projects/{project}/screenshots/{screenshot}/cover", request_body = PictureCover,
    responses((status = 204)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn cover(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
    Json(wish): Json<PictureCover>,
) -> ApiResult<StatusCode> {
    let picture = state.store.ingest().picture(access.id(), &id).await?;
    let note: Note = serde_json::from_str(&picture.note).unwrap_or_default();
    let inside = |area: &CoverArea| {
        area.width > 0
            && area.height > 0
            && i64::from(area.x) + i64::from(area.width) <= picture.width
            && i64::from(area.y) + i64::from(area.height) <= picture.height
    };
    if wish.areas.is_empty() || !wish.areas.iter().all(inside) || note.masks.len() + wish.areas.len() > MASKS_MAX {
        return Err(ApiError::bad_request(
            "these are no areas of this picture",
            format!("name one to {MASKS_MAX}, each inside of {} × {} pixels", picture.width, picture.height),
        ));
    }
    let area = |area: CoverArea| {
        let CoverArea { x, y, width, height } = area;
        Area { x, y, width, height, reason: COVERED.into() }
    };
    told(&state, &actor, &access, "picture.cover", &picture).await?;
    let covered = state.pictures.cover(access.id(), &picture, wish.areas.into_iter().map(area).collect()).await;
    covered
        .map_err(|error| ApiError::conflict(format!("the picture was not changed: {error:#}"), "look at it again"))?;
    Ok(StatusCode::NO_CONTENT)
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
