//! A picture comes in: its own bounds, its own budget, its own receipt. It is kept as this service encoded it.

use super::heartbeat::busy;
use crate::api::AppState;
use crate::api::errors::{ApiError, ApiResult};
use crate::api::path::ItemId;
use crate::confined::pictures::SENT_BYTES_MAX;
use crate::jobs::runner::now_us;
use crate::pictures::{PictureError, Sent};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::ingest::clients::Speaker;
use store::ingest::pictures::Kept;
use uuid::Uuid;

/// How long a picture may take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);

/// The header with the areas that were painted over: base64url of a JSON array.
const MASKS_HEADER: &str = "lode-masks";

/// Areas of one picture at most.
const MASKS_MAX: usize = 500;

/// An area that was painted over, in pixels of the picture.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mask {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    /// Why: `window`, `password`, `pattern` …; never what stood there.
    reason: String,
}

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
    let masks = masks(request.headers()).map_err(refused)?;
    let admission = &state.fleet.admission;
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let announced: usize = announced.unwrap_or(SENT_BYTES_MAX);
    if announced > SENT_BYTES_MAX {
        return Err(too_large());
    }
    let _room = admission.body(announced).ok_or_else(|| busy(admission))?;
    let body = tokio::time::timeout(BODY_TIME_MAX, axum::body::to_bytes(request.into_body(), SENT_BYTES_MAX)).await;
    let png = body.map_err(|_| busy(admission))?.map_err(|_| too_large())?.to_vec();
    let sent = Sent { project: speaker.project.clone(), agent_id: speaker.agent_id, screenshot_id, png, masks };
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
        Err(PictureError::Failed(error)) => Err(ApiError::internal(format!("a picture was not kept: {error:#}"))),
    }
}

/// The areas, written anew so that nothing else is kept.
fn masks(headers: &HeaderMap) -> Result<String, String> {
    let Some(value) = headers.get(MASKS_HEADER) else { return Ok("[]".into()) };
    let unread = || format!("the header {MASKS_HEADER} is not base64url of a JSON array of areas");
    let bytes = URL_SAFE_NO_PAD.decode(value.as_bytes()).map_err(|_| unread())?;
    let masks: Vec<Mask> = serde_json::from_slice(&bytes).map_err(|_| unread())?;
    let reasons =
        |mask: &Mask| mask.reason.len() <= 40 && mask.reason.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if masks.len() > MASKS_MAX || !masks.iter().all(reasons) {
        return Err(format!("a picture has at most {MASKS_MAX} areas, each with a reason of lower-case letters"));
    }
    serde_json::to_string(&masks).map_err(|_| unread())
}

fn too_large() -> ApiError {
    let message = format!("a picture has at most {} MiB", SENT_BYTES_MAX >> 20);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, "do not send it again; scale it down")
}
