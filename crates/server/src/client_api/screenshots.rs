//! A picture comes in: its own bounds, its own budget, its own receipt. It is kept as this service encoded it.

use super::body::{self, BodyError};
use super::heartbeat::busy;
use crate::api::AppState;
use crate::api::errors::{ApiError, ApiResult};
use crate::api::path::ItemId;
use crate::confined::pictures::SENT_BYTES_MAX;
use crate::jobs::runner::now_us;
use crate::pictures::{Area, MASKS_MAX, Note, PictureError, Sent};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use store::ingest::clients::Speaker;
use store::ingest::pictures::Kept;
use uuid::Uuid;

/// The header with what a client says of a picture: base64url of a JSON object.
const NOTE_HEADER: &str = "lode-picture";

/// What became of a picture.
#[derive(Serialize)]
pub struct Receipt {
    /// `stored`, or `duplicate` where it was there already.
    result: &'static str,
}

/// Takes a picture in.
pub(super) async fn keep(
    State(state): State<AppState>,
    Extension(speaker): Extension<Speaker>,
    ItemId(id): ItemId,
    request: Request,
) -> ApiResult<Json<Receipt>> {
    state.fleet.limits.picture(&speaker.project, speaker.agent_id)?;
    let refused = |message: String| {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "not_a_picture", message, "do not send it again")
    };
    let screenshot_id = Uuid::parse_str(&id).map_err(|_| refused(format!("'{id}' is no id of a picture")))?;
    let note = note(request.headers()).map_err(refused)?;
    let admission = &state.fleet.admission;
    let (png, _room) =
        body::read(admission, speaker.agent_id, request, SENT_BYTES_MAX).await.map_err(|error| match error {
            BodyError::TooLarge => too_large(),
            BodyError::TooSlow | BodyError::NoRoom => busy(admission),
        })?;
    let sent = Sent { project: speaker.project.clone(), agent_id: speaker.agent_id, screenshot_id, png, note };
    match state.pictures.keep(sent, now_us()).await {
        Ok(Kept::New) => Ok(Json(Receipt { result: "stored" })),
        Ok(Kept::Again) => Ok(Json(Receipt { result: "duplicate" })),
        Ok(Kept::Conflict) => Err(ApiError::conflict(
            "another picture has this id",
            "do not send it again; make a new id for each picture",
        )),
        Err(error @ PictureError::Refused(_)) => Err(refused(error.to_string())),
        Err(PictureError::Busy) => Err(busy(admission)),
        Err(error @ PictureError::Full) => Err(ApiError::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "full",
            error.to_string(),
            "keep it; the project lead can shorten how long pictures are kept",
        )),
        Err(PictureError::Failed(error)) => {
            tracing::error!(error = format!("{error:#}"), "a picture was not kept");
            state.fleet.live.failed();
            Err(ApiError::cannot_store())
        }
    }
}

/// What the client says of it, read so that nothing else is kept.
fn note(headers: &HeaderMap) -> Result<Note, String> {
    let Some(value) = headers.get(NOTE_HEADER) else { return Ok(Note::default()) };
    let unread = || format!("the header {NOTE_HEADER} is not base64url of a JSON object with place and masks");
    let bytes = URL_SAFE_NO_PAD.decode(value.as_bytes()).map_err(|_| unread())?;
    let note: Note = serde_json::from_slice(&bytes).map_err(|_| unread())?;
    let plain =
        |area: &Area| area.reason.len() <= 40 && area.reason.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if note.masks.len() > MASKS_MAX || !note.masks.iter().all(plain) {
        return Err(format!("a picture has at most {MASKS_MAX} areas, each with a reason of lower-case letters"));
    }
    Ok(note)
}

fn too_large() -> ApiError {
    let message = format!("a picture has at most {} MiB", SENT_BYTES_MAX >> 20);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, "do not send it again; scale it down")
}
