//! `GET /status`, and projects: list, make, change, remove.

use super::errors::{ApiError, ApiResult};
use super::paging::time_text;
use super::state::AppState;
use crate::importing;
use crate::jobs::runner::{Freshness, Selection, Workshop, now_us};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Store;
use store::columns::EVENTS;
use store::control::projects::{CaseRule, Project, ProjectKind};

pub async fn status(State(state): State<AppState>) -> ApiResult<Json<Value>> {
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "loopback_only": true,
        "data_folder": state.store.settings().folder.display().to_string(),
        "control": state.store.control().kind(),
        "projects": state.store.control().projects().await?.len(),
        "started_at": time_text(state.started_at_us),
    })))
}

pub async fn list(State(state): State<AppState>) -> ApiResult<Json<Value>> {
    let mut projects = Vec::new();
    for project in state.store.control().projects().await? {
        projects.push(described(&state.store, &project).await?);
    }
    Ok(Json(json!({ "projects": projects })))
}

#[derive(Deserialize)]
pub struct NewProject {
    name: String,
    kind: Option<ProjectKind>,
}

pub async fn create(
    State(state): State<AppState>,
    Json(new): Json<NewProject>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let kind = new.kind.unwrap_or(ProjectKind::Imported);
    let project = state.store.control().create_project(&new.name, kind, now_us()).await?;
    Ok((StatusCode::CREATED, Json(described(&state.store, &project).await?)))
}

pub async fn show(State(state): State<AppState>, Path(project): Path<String>) -> ApiResult<Json<Value>> {
    let project = state.store.control().project(&project).await?;
    Ok(Json(described(&state.store, &project).await?))
}

#[derive(Deserialize)]
pub struct Change {
    name: Option<String>,
    case_rule: Option<CaseRule>,
}

pub async fn change(
    State(state): State<AppState>,
    Path(project): Path<String>,
    Json(change): Json<Change>,
) -> ApiResult<Json<Value>> {
    let control = state.store.control();
    let project = control.project(&project).await?;
    let name = change.name.unwrap_or_else(|| project.name.clone());
    if name.trim().is_empty() {
        return Err(ApiError::bad_request("a project needs a name", "give one of 1 to 100 characters"));
    }
    let rule = change.case_rule.unwrap_or_else(|| project.case_rule.clone());
    control.update_project(&project.id, name.trim(), &rule).await?;
    if rule != project.case_rule {
        state.run_in_background(project.id.clone(), Selection::Stale);
    }
    let changed = control.project(&project.id).await?;
    Ok(Json(described(&state.store, &changed).await?))
}

pub async fn remove(State(state): State<AppState>, Path(project): Path<String>) -> ApiResult<StatusCode> {
    let project = state.store.control().project(&project).await?;
    importing::forget_rejects(&state.store, &project.id).await?;
    state.store.delete_project(&project.id).await?;
    state.store.collect_garbage().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn described(store: &Store, project: &Project) -> ApiResult<Value> {
    let workshop = Workshop::open(store, &project.id).await?;
    let snapshot = workshop.snapshot(store).await?;
    let events = snapshot.tables.get(EVENTS);
    let first = events.and_then(|table| table.files.iter().filter_map(|file| file.time_min_us).min());
    let last = events.and_then(|table| table.files.iter().filter_map(|file| file.time_max_us).max());
    let freshness = workshop.freshness(store, &snapshot).await?;
    let runs = store.control().last_runs(&project.id).await?;
    let stale = freshness.values().any(|state| *state != Freshness::Fresh);
    let state = if runs.iter().any(|run| run.state == "running") {
        "running"
    } else if runs.iter().any(|run| run.state == "failed") {
        "failed"
    } else if stale && events.is_some() {
        "stale"
    } else {
        "fresh"
    };
    let tables = store.control().tables(&project.id).await?;
    let built_at = tables.iter().filter(|table| table.name != EVENTS).map(|table| table.built_at_us).max();
    Ok(json!({
        "id": project.id,
        "slug": project.slug,
        "name": project.name,
        "kind": project.kind,
        "min_group_size": project.min_group_size,
        "created_at": time_text(project.created_at_us),
        "events": events.map_or(0, |table| table.rows()),
        "users": store.control().known_keys(&project.id).await?.users.len(),
        "first_event": first.and_then(time_text),
        "last_event": last.and_then(time_text),
        "case_rule": project.case_rule,
        "jobs": { "state": state, "built_at": built_at.and_then(time_text) },
    }))
}
