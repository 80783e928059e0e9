//! Backups of the whole service: what is planned, which there are, and one made now. None is handed out here: they lie in the
//! administrator's folder.

use super::errors::{ApiError, ApiResult};
use super::state::AppState;
use crate::access::Actor;
use crate::audit;
use crate::backups::{BackupFailure, BackupMade};
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// Backups of the service.
#[derive(Serialize, ToSchema)]
pub struct BackupsShown {
    /// Where they go; null if the service makes none.
    folder: Option<String>,
    /// Hours from one to the next; 0: only when somebody asks.
    every_hours: u32,
    /// How many are kept.
    kept: usize,
    /// The command that they go through, such as one that encrypts them.
    through: Option<String>,
    /// Those that are there, the newest first.
    made: Vec<BackupMade>,
    /// How much of the one under way is done, from 0 to 1.
    progress: Option<f64>,
    /// How the last one failed, if none was made since.
    failure: Option<BackupFailure>,
}

/// The backups.
#[utoipa::path(get, path = "/service/backups", responses((status = 200, body = BackupsShown)),
    extensions(("x-lode-permission" = json!("admin"))))]
pub async fn list(State(state): State<AppState>) -> ApiResult<Json<BackupsShown>> {
    Ok(Json(shown(&state)?))
}

/// Makes a backup now. It goes on after the answer; the list tells how far it is.
#[utoipa::path(post, path = "/service/backups", responses((status = 202, body = BackupsShown)),
    extensions(("x-lode-permission" = json!("admin"))))]
pub async fn begin(State(state): State<AppState>, actor: Actor) -> ApiResult<(StatusCode, Json<BackupsShown>)> {
    let backups = state.backups.as_ref().ok_or_else(|| {
        ApiError::conflict("this service has no folder for backups", "start it with --backups FOLDER")
    })?;
    if !backups.begin(now_us()) {
        return Err(ApiError::conflict("a backup is under way", "wait for its end"));
    }
    audit::record(state.store.control(), &actor, "backup.begin", None, None, json!({}), now_us()).await?;
    Ok((StatusCode::ACCEPTED, Json(shown(&state)?)))
}

fn shown(state: &AppState) -> ApiResult<BackupsShown> {
    let backups = state.backups.as_ref();
    let plan = backups.map(|backups| backups.plan());
    let made = backups.map(|backups| backups.made()).transpose();
    let made = made.map_err(|error| ApiError::internal(format!("{error:#}")))?;
    Ok(BackupsShown {
        folder: plan.map(|plan| plan.folder.display().to_string()),
        every_hours: plan.map_or(0, |plan| plan.every_hours),
        kept: plan.map_or(0, |plan| plan.kept),
        through: plan.and_then(|plan| plan.through.clone()),
        made: made.unwrap_or_default(),
        progress: backups.and_then(|backups| backups.progress()),
        failure: backups.and_then(|backups| backups.failure()),
    })
}
