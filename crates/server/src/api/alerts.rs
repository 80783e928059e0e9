//! Whom to tell when a project's clients fall silent ([`crate::alerts`] does it).

use super::errors::{ApiError, ApiResult};
use super::state::AppState;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::State;
use lettre::Address;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::control::project_settings::Alerts;
use utoipa::ToSchema;

/// The longest silence that may be asked for: four weeks, in hours.
const SILENCE_HOURS_MAX: u32 = 28 * 24;

/// Addresses of one project.
const ADDRESSES_MAX: usize = 20;

/// Whom to tell when clients fall silent.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertSettings {
    /// Hours after which an active client counts as silent; 0: never.
    silence_hours: u32,
    /// Addresses that get a mail, if the service has a mail server.
    #[serde(default)]
    email: Vec<String>,
    /// Whether the service's webhook is called, if it has one.
    #[serde(default)]
    webhook: bool,
}

/// Whom to tell when clients fall silent.
#[utoipa::path(get, path = "/projects/{project}/alerts", responses((status = 200, body = AlertSettings)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn show(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<AlertSettings>> {
    let alerts = state.store.control().project_settings(access.id()).await?.alerts;
    Ok(Json(AlertSettings { silence_hours: alerts.silence_hours, email: alerts.email, webhook: alerts.webhook }))
}

/// Changes whom to tell.
#[utoipa::path(put, path = "/projects/{project}/alerts", request_body = AlertSettings,
    responses((status = 200, body = AlertSettings)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn change(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(wanted): Json<AlertSettings>,
) -> ApiResult<Json<AlertSettings>> {
    if wanted.silence_hours > SILENCE_HOURS_MAX {
        let message = format!("silence is told after at most {SILENCE_HOURS_MAX} hours");
        return Err(ApiError::bad_request(message, "choose fewer, or 0 for never"));
    }
    if wanted.email.len() > ADDRESSES_MAX {
        return Err(ApiError::bad_request(format!("at most {ADDRESSES_MAX} addresses"), "use a mailing list"));
    }
    if let Some(wrong) = wanted.email.iter().find(|address| address.parse::<Address>().is_err()) {
        return Err(ApiError::bad_request(format!("'{wrong}' is no e-mail address"), "correct it"));
    }
    let control = state.store.control();
    let mut settings = control.project_settings(access.id()).await?;
    settings.alerts =
        Alerts { silence_hours: wanted.silence_hours, email: wanted.email.clone(), webhook: wanted.webhook };
    let detail =
        json!({ "silence_hours": wanted.silence_hours, "addresses": wanted.email.len(), "webhook": wanted.webhook });
    audit::record(control, &actor, "alerts.change", Some(access.id()), None, detail, now_us()).await?;
    control.put_project_settings(access.id(), &settings).await?;
    Ok(Json(wanted))
}
