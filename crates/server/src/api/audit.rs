//! The audit log as admins, leads and councils read it, and its signed head.

use super::errors::ApiResult;
use super::paging::{Page, time_text};
use super::state::AppState;
use super::words;
use crate::access::ProjectAccess;
use crate::audit;
use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use store::control::audit::{AuditEntry, AuditFilter};
use utoipa::{IntoParams, ToSchema};

/// Which entries to show.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuestion {
    /// An action, or its family: `login` for `login.ok` and `login.failed`.
    action: Option<String>,
    /// Id of an account, token or agent.
    actor: Option<String>,
}

/// Entries of the log.
#[derive(Serialize, ToSchema)]
pub struct AuditList {
    entries: Vec<AuditShown>,
    total: i64,
}

/// An entry: who did what to what.
#[derive(Serialize, ToSchema)]
pub struct AuditShown {
    /// Its number, from 1, without a gap.
    n: i64,
    at: Option<String>,
    actor: AuditActorShown,
    action: String,
    /// Short name of the project, or its id once it is gone.
    project: Option<String>,
    subject: Option<AuditSubject>,
    /// Ids and numbers.
    #[schema(value_type = Object)]
    detail: Value,
    /// SHA-256 over the entry and the hash of the one before.
    hash: String,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
pub struct AuditActorShown {
    #[schema(value_type = words::ActorKind)]
    kind: String,
    id: String,
    name: String,
}

/// What it was done to.
#[derive(Serialize, ToSchema)]
pub struct AuditSubject {
    kind: String,
    id: String,
}

/// The whole log, newest first.
#[utoipa::path(get, path = "/audit", params(AuditQuestion, Page), responses((status = 200, body = AuditList)),
    extensions(("x-lode-permission" = json!("admin"))))]
pub async fn list(
    State(state): State<AppState>,
    Query(question): Query<AuditQuestion>,
    Query(page): Query<Page>,
) -> ApiResult<Json<AuditList>> {
    let filter = AuditFilter { project: None, action: question.action, actor: question.actor };
    entries(&state, filter, page).await
}

/// What was done in the project, newest first.
#[utoipa::path(get, path = "/projects/{project}/audit", params(AuditQuestion, Page),
    responses((status = 200, body = AuditList)), extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn of_project(
    State(state): State<AppState>,
    access: ProjectAccess,
    Query(question): Query<AuditQuestion>,
    Query(page): Query<Page>,
) -> ApiResult<Json<AuditList>> {
    let filter = AuditFilter { project: Some(access.project.id), action: question.action, actor: question.actor };
    entries(&state, filter, page).await
}

async fn entries(state: &AppState, filter: AuditFilter, page: Page) -> ApiResult<Json<AuditList>> {
    let control = state.store.control();
    let (entries, total) = control.audit(&filter, page.limit(), page.offset()).await?;
    let slugs: HashMap<String, String> =
        control.projects().await?.into_iter().map(|project| (project.id, project.slug)).collect();
    Ok(Json(AuditList { entries: entries.into_iter().map(|entry| shown(entry, &slugs)).collect(), total }))
}

fn shown(entry: AuditEntry, slugs: &HashMap<String, String>) -> AuditShown {
    let record = entry.record;
    AuditShown {
        n: entry.n,
        at: time_text(entry.at_us),
        actor: AuditActorShown { kind: record.actor.kind, id: record.actor.id, name: record.actor.name },
        action: record.action,
        project: record.project.map(|id| slugs.get(&id).cloned().unwrap_or(id)),
        subject: record.subject.map(|(kind, id)| AuditSubject { kind, id }),
        detail: record.detail,
        hash: entry.hash,
    }
}

/// The signed head of the log, and how the log stands.
#[derive(Serialize, ToSchema)]
pub struct AuditHeadShown {
    /// Number of the entry that was signed last; of the newest, while none was.
    n: i64,
    /// Its hash.
    hash: String,
    /// Number of the newest entry.
    newest: i64,
    signed_at: Option<String>,
    /// Ed25519 signature over `lode-audit-head-1`, number, hash and time in microseconds since 1970, one a line; base64url.
    signature: Option<String>,
    /// The key, base64url.
    key: Option<String>,
    /// Whether every entry is as it was written and none is missing up to the signed one.
    verified: bool,
    /// The first entry that is not.
    broken_at: Option<i64>,
}

/// The signed head of the log, and whether everything before it is as it was written.
#[utoipa::path(get, path = "/audit/head", responses((status = 200, body = AuditHeadShown)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn head(State(state): State<AppState>) -> ApiResult<Json<AuditHeadShown>> {
    let checked = audit::verify(state.store.control(), &state.identity.sealer).await?;
    let signed = checked.head.as_ref();
    let (newest, hash) = checked.tip;
    Ok(Json(AuditHeadShown {
        n: signed.map_or(newest, |head| head.n),
        hash: signed.map_or(hash, |head| head.hash.clone()),
        newest,
        signed_at: signed.and_then(|head| time_text(head.signed_at_us)),
        signature: signed.map(|head| head.signature.clone()),
        key: signed.map(|head| head.public_key.clone()),
        verified: checked.broken_at.is_none(),
        broken_at: checked.broken_at,
    }))
}
