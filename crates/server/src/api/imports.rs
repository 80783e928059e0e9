//! Imports: the upload of a file, how far it is, what was rejected.

use super::errors::{ApiError, ApiResult};
use super::paging::{Page, time_text};
use super::path::ItemId;
use super::receiving::receive;
use super::state::{AppState, Following};
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::importing::{self, Progress, Request};
use crate::jobs::runner::{Selection, now_us};
use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::control::imports::{ImportRecord, ImportState};
use utoipa::{IntoParams, ToSchema};

/// Bytes of one uploaded file.
const UPLOAD_BYTES_MAX: u64 = 64 << 30;

/// What an upload says about its file.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Upload {
    /// Name of the file.
    file: String,
    /// Our columns for those of the file: `user_name=Resource,case_id=Case`.
    map: Option<String>,
}

/// Imports of a project.
#[derive(Serialize, ToSchema)]
pub struct ImportList {
    imports: Vec<ImportShown>,
    total: i64,
}

/// An import and how far it is.
#[derive(Serialize, ToSchema)]
pub struct ImportShown {
    id: String,
    file: String,
    format: Option<String>,
    state: ImportStage,
    bytes_total: i64,
    bytes_read: i64,
    rows_read: i64,
    rows_rejected: i64,
    rows_stored: i64,
    first_rejects: Vec<RejectShown>,
    message: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportStage {
    /// Rows are read.
    Reading,
    /// They are put into the table of events.
    Storing,
    /// They are there; the jobs make tables of them.
    RunningJobs,
    /// All of it is over.
    Done,
    /// The same bytes were imported before; nothing was stored.
    Duplicate,
    /// Nothing was stored; the message says why.
    Failed,
}

/// A row that could not be read.
#[derive(Serialize, ToSchema)]
pub struct RejectShown {
    line: u64,
    reason: String,
}

/// Takes a log; the work goes on after the answer.
#[utoipa::path(post, path = "/projects/{project}/imports", params(Upload),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 202, body = ImportShown)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn upload(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Query(upload): Query<Upload>,
    body: Body,
) -> ApiResult<(StatusCode, Json<ImportShown>)> {
    let project = access.project;
    let map = importing::parse_map(upload.map.as_deref().unwrap_or(""))
        .map_err(|message| ApiError::bad_request(message, "write map=column=name,column=name"))?;
    let id = uuid::Uuid::now_v7().to_string();
    let path = state.store.settings().folder.join("staging").join(format!("{id}.upload"));
    let too_large = || ApiError::bad_request("the file is larger than 64 GiB", "import it with `lode import`");
    receive(body, &path, UPLOAD_BYTES_MAX, too_large).await?;
    let request = Request { id: id.clone(), project: project.id.clone(), name: upload.file, path, map };
    let subject = Some(("import", id.as_str()));
    audit::record(state.store.control(), &actor, "import.start", Some(&project.id), subject, json!({}), now_us())
        .await?;
    let following = Following {
        project: project.id.clone(),
        progress: Arc::new(Progress::default()),
        file: request.name.clone(),
        jobs_running: Arc::new(AtomicBool::new(false)),
        started_at_us: now_us(),
    };
    let answer = under_way(&id, &following);
    let entered = state.imports.enter(&id, following.clone());
    tokio::spawn(async move {
        let result = importing::import_file(&state.store, &request, &following.progress).await;
        let _ = tokio::fs::remove_file(&request.path).await;
        match result {
            Ok(record) if record.state == ImportState::Done => {
                following.jobs_running.store(true, Ordering::Relaxed);
                let batch = uuid::Uuid::now_v7().to_string();
                if let Err(error) = state.runner.run(&request.project, &batch, &Selection::Stale, |_, _| {}).await {
                    tracing::warn!(%error, "jobs could not run after an import");
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = format!("{error:#}"), import = request.id, "an import failed"),
        }
        drop(entered);
    });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// The imports of a project, newest first.
#[utoipa::path(get, path = "/projects/{project}/imports", params(Page), responses((status = 200, body = ImportList)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn list(
    State(state): State<AppState>,
    access: ProjectAccess,
    Query(page): Query<Page>,
) -> ApiResult<Json<ImportList>> {
    let (records, total) = state.store.control().imports(access.id(), page.limit(), page.offset()).await?;
    Ok(Json(ImportList { imports: records.iter().map(|record| described(&state, record)).collect(), total }))
}

/// One import.
#[utoipa::path(get, path = "/projects/{project}/imports/{import}", responses((status = 200, body = ImportShown)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn show(
    State(state): State<AppState>,
    access: ProjectAccess,
    ItemId(import): ItemId,
) -> ApiResult<Json<ImportShown>> {
    match state.store.control().import(access.id(), &import).await? {
        Some(record) => Ok(Json(described(&state, &record))),
        None => match state.imports.get(&import).filter(|following| following.project == access.id()) {
            Some(following) => Ok(Json(under_way(&import, &following))),
            None => {
                Err(ApiError::not_found(format!("there is no import '{import}'"), "list the imports of the project"))
            }
        },
    }
}

/// The rows of an import that could not be read, as a file.
#[utoipa::path(get, path = "/projects/{project}/imports/{import}/rejects",
    responses((status = 200, body = String, content_type = "text/csv")), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn rejects(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(import): ItemId,
) -> ApiResult<Response> {
    let control = state.store.control();
    let missing = || ApiError::not_found(format!("import '{import}' rejected no row"), "nothing needs mending");
    control.import(access.id(), &import).await?.ok_or_else(missing)?;
    let bytes = tokio::fs::read(importing::rejects_path(&state.store, &import)).await.map_err(|_| missing())?;
    let subject = Some(("import", import.as_str()));
    audit::record(control, &actor, "import.rejects", Some(access.id()), subject, json!({}), now_us()).await?;
    let name = format!("attachment; filename=\"rejects-{import}.csv\"");
    Ok(([(header::CONTENT_TYPE, "text/csv".to_owned()), (header::CONTENT_DISPOSITION, name)], bytes).into_response())
}

/// An import as the interface shows it: what is under way knows more than the record.
fn described(state: &AppState, record: &ImportRecord) -> ImportShown {
    let following = state.imports.get(&record.id);
    let stage = match (record.state, &following) {
        (ImportState::Running, Some(following)) if following.progress.storing.load(Ordering::Relaxed) => {
            ImportStage::Storing
        }
        (ImportState::Running, _) => ImportStage::Reading,
        (ImportState::Done, Some(following)) if following.jobs_running.load(Ordering::Relaxed) => {
            ImportStage::RunningJobs
        }
        (ImportState::Done, Some(_)) => ImportStage::Storing,
        (ImportState::Done, None) => ImportStage::Done,
        (ImportState::Duplicate, _) => ImportStage::Duplicate,
        (ImportState::Failed, _) => ImportStage::Failed,
    };
    let progress = following.as_ref().map(|following| &following.progress);
    let live = |stored: i64, counter: fn(&Progress) -> &std::sync::atomic::AtomicI64| {
        progress.map_or(stored, |progress| stored.max(counter(progress).load(Ordering::Relaxed)))
    };
    ImportShown {
        id: record.id.clone(),
        file: record.file.clone(),
        format: record.format.clone(),
        state: stage,
        bytes_total: record.bytes_total,
        bytes_read: match record.state {
            ImportState::Running => live(0, |progress| &progress.bytes_read),
            _ => record.bytes_total,
        },
        rows_read: live(record.rows_read, |progress| &progress.rows_read),
        rows_rejected: live(record.rows_rejected, |progress| &progress.rows_rejected),
        rows_stored: record.rows_stored,
        first_rejects: first_rejects(state, record, progress),
        message: record.message.clone(),
        started_at: time_text(record.started_at_us),
        finished_at: record.finished_at_us.and_then(time_text),
    }
}

fn first_rejects(state: &AppState, record: &ImportRecord, progress: Option<&Arc<Progress>>) -> Vec<RejectShown> {
    if let Some(Ok(rejects)) = progress.map(|progress| progress.first_rejects.lock()) {
        let shown = |reject: &crate::import::Reject| RejectShown { line: reject.line, reason: reject.reason.clone() };
        return rejects.iter().map(shown).collect();
    }
    if record.rows_rejected == 0 {
        return Vec::new();
    }
    importing::read_first_rejects(&importing::rejects_path(&state.store, &record.id))
        .into_iter()
        .map(|(line, reason)| RejectShown { line, reason })
        .collect()
}

/// An import that has no record yet.
fn under_way(id: &str, following: &Following) -> ImportShown {
    ImportShown {
        id: id.to_owned(),
        file: following.file.clone(),
        format: None,
        state: ImportStage::Reading,
        bytes_total: following.progress.bytes_total.load(Ordering::Relaxed),
        bytes_read: following.progress.bytes_read.load(Ordering::Relaxed),
        rows_read: 0,
        rows_rejected: 0,
        rows_stored: 0,
        first_rejects: Vec::new(),
        message: None,
        started_at: time_text(following.started_at_us),
        finished_at: None,
    }
}
