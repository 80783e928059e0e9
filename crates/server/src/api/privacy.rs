//! What a project is for, how long its data stay, and the smallest group that pages show.
//!
//! Raising the smallest group acts at once; lowering it takes two people ([`super::requests`]). Keeping data longer than by
//! default takes a reason, which everybody with oversight can read.

use super::errors::{ApiError, ApiResult};
use super::paging::time_text;
use super::state::AppState;
use super::words;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::control::project_keys::KeyKind;
use store::control::project_settings::{Preset, Retention};
use utoipa::ToSchema;

/// The largest group that may be asked for.
pub const GROUP_MAX: i64 = 1_000;

/// Days that events or pictures may be kept: ten years.
const DAYS_MAX: u32 = 3_660;

/// Months that tables may be kept: ten years.
const MONTHS_MAX: u32 = 120;

/// Purposes of one project.
const PURPOSES_MAX: usize = 20;

/// Characters of a purpose or a reason.
pub const REASON_CHARS_MAX: usize = 500;

/// How a project treats what it holds about people.
#[derive(Serialize, ToSchema)]
pub struct PrivacyShown {
    /// Pages show only groups of at least this many people.
    min_group_size: i64,
    retention: RetentionShown,
    purposes: Vec<String>,
    #[schema(value_type = words::Preset)]
    preset: Preset,
    /// Inside one epoch equal values have equal codes; between two nothing connects them.
    key_epochs: Vec<KeyEpoch>,
}

/// How long data stay.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct RetentionShown {
    /// Days of events as they came in.
    raw_days: u32,
    /// Days of pictures.
    picture_days: u32,
    /// Months of tables that jobs made.
    aggregate_months: u32,
    /// Why data stay longer than by default.
    #[serde(default)]
    reason: Option<String>,
}

impl From<Retention> for RetentionShown {
    fn from(kept: Retention) -> Self {
        Self {
            raw_days: kept.raw_days,
            picture_days: kept.picture_days,
            aggregate_months: kept.aggregate_months,
            reason: kept.reason,
        }
    }
}

impl RetentionShown {
    /// The retention, if it is within bounds and longer ones have a reason.
    pub fn checked(self) -> ApiResult<Retention> {
        let days = 1..=DAYS_MAX;
        if !days.contains(&self.raw_days)
            || !days.contains(&self.picture_days)
            || !(1..=MONTHS_MAX).contains(&self.aggregate_months)
        {
            let message = format!("data are kept 1 to {DAYS_MAX} days, tables 1 to {MONTHS_MAX} months");
            return Err(ApiError::bad_request(message, "choose within these bounds"));
        }
        let reason = self.reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_CHARS_MAX) {
            let message = format!("a reason has at most {REASON_CHARS_MAX} characters");
            return Err(ApiError::bad_request(message, "shorten it"));
        }
        let kept = Retention {
            raw_days: self.raw_days,
            picture_days: self.picture_days,
            aggregate_months: self.aggregate_months,
            reason,
        };
        if kept.is_longer_than_default() && kept.reason.is_none() {
            let message =
                "data that stay longer than by default (30 days, pictures 14, tables 12 months) need a reason";
            return Err(ApiError::bad_request(message, "say why in retention.reason"));
        }
        Ok(kept)
    }
}

/// An epoch of the keys with which values are hashed.
#[derive(Serialize, ToSchema)]
pub struct KeyEpoch {
    id: String,
    created_at: Option<String>,
    retired_at: Option<String>,
}

/// How the project treats what it holds about people.
#[utoipa::path(get, path = "/projects/{project}/privacy", responses((status = 200, body = PrivacyShown)),
    extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn show(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<PrivacyShown>> {
    Ok(Json(described(&state, access.id()).await?))
}

/// What may be changed; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivacyChange {
    /// Only a larger one.
    min_group_size: Option<i64>,
    retention: Option<RetentionShown>,
    purposes: Option<Vec<String>>,
}

/// Changes purposes and retention, and raises the smallest group. Nothing is changed if any part is refused.
#[utoipa::path(patch, path = "/projects/{project}/privacy", request_body = PrivacyChange,
    responses((status = 200, body = PrivacyShown)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn change(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(change): Json<PrivacyChange>,
) -> ApiResult<Json<PrivacyShown>> {
    let (control, before) = (state.store.control(), access.project.min_group_size);
    let group = change.min_group_size.unwrap_or(before);
    if group < before {
        return Err(ApiError::conflict(
            format!("groups of at least {before} people cannot become groups of {group} by one person's word"),
            format!("ask a second person: POST /projects/{{project}}/requests with kind lower_k and value {group}"),
        ));
    }
    if group > GROUP_MAX {
        return Err(ApiError::bad_request(format!("a group has at most {GROUP_MAX} people"), "choose a smaller one"));
    }
    let mut settings = control.project_settings(access.id()).await?;
    if let Some(retention) = change.retention {
        settings.retention = retention.checked()?;
    }
    if let Some(purposes) = change.purposes {
        settings.purposes = checked_purposes(purposes)?;
    }
    let kept = &settings.retention;
    let detail = json!({
        "min_group_size": group, "raw_days": kept.raw_days, "picture_days": kept.picture_days,
        "aggregate_months": kept.aggregate_months, "purposes": settings.purposes.len(),
    });
    audit::record(control, &actor, "privacy.change", Some(access.id()), None, detail, now_us()).await?;
    control.put_project_settings(access.id(), &settings).await?;
    if group > before {
        control.set_min_group_size(access.id(), group).await?;
    }
    Ok(Json(described(&state, access.id()).await?))
}

/// Trims and bounds the purposes of a project.
pub fn checked_purposes(purposes: Vec<String>) -> ApiResult<Vec<String>> {
    let purposes: Vec<String> =
        purposes.iter().map(|purpose| purpose.trim().to_owned()).filter(|purpose| !purpose.is_empty()).collect();
    if purposes.len() > PURPOSES_MAX || purposes.iter().any(|purpose| purpose.chars().count() > REASON_CHARS_MAX) {
        let message = format!("a project has at most {PURPOSES_MAX} purposes of {REASON_CHARS_MAX} characters");
        return Err(ApiError::bad_request(message, "name fewer, or shorten them"));
    }
    Ok(purposes)
}

async fn described(state: &AppState, project: &str) -> ApiResult<PrivacyShown> {
    let control = state.store.control();
    let settings = control.project_settings(project).await?;
    let epochs = control.project_keys(project, KeyKind::Client).await?;
    let epoch = |key: store::control::project_keys::ProjectKey| KeyEpoch {
        id: key.id,
        created_at: time_text(key.created_at_us),
        retired_at: key.retired_at_us.and_then(time_text),
    };
    Ok(PrivacyShown {
        min_group_size: control.project(project).await?.min_group_size,
        retention: settings.retention.into(),
        purposes: settings.purposes,
        preset: settings.preset,
        key_epochs: epochs.into_iter().map(epoch).collect(),
    })
}
