//! Jobs and their runs: list, change, try, start, cancel.

use super::errors::{ApiError, ApiResult};
use super::paging::{Page, time_text};
use super::state::AppState;
use crate::jobs::catalog::{Catalog, Job, Origin, is_table_name};
use crate::jobs::runner::{Freshness, Selection, Workshop, parameters};
use crate::jobs::{catalog::Schedule, head};
use crate::rows;
use arrow::array::RecordBatch;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Instant;
use store::control::jobs::JobOverride;
use store::control::manifest::TableEntry;
use store::control::runs::RunRecord;
use store::engine::Question;

/// Rows that a dry run shows.
const DRY_RUN_ROWS: usize = 100;

pub async fn list(State(state): State<AppState>, Path(project): Path<String>) -> ApiResult<Json<Value>> {
    let project = state.store.control().project(&project).await?;
    let workshop = Workshop::open(&state.store, &project.id).await?;
    let snapshot = workshop.snapshot(&state.store).await?;
    let freshness = workshop.freshness(&state.store, &snapshot).await?;
    let stored = state.store.control().tables(&project.id).await?;
    let runs = state.store.control().last_runs(&project.id).await?;
    let jobs: Vec<Value> = workshop
        .catalog
        .jobs
        .iter()
        .map(|job| {
            let table = stored.iter().find(|table| table.name == job.name);
            let run = runs.iter().find(|run| run.job == job.name);
            described(job, freshness.get(&job.name).copied(), table, run)
        })
        .collect();
    Ok(Json(json!({ "jobs": jobs })))
}

fn described(job: &Job, freshness: Option<Freshness>, table: Option<&TableEntry>, run: Option<&RunRecord>) -> Value {
    let state = match run.map(|run| run.state.as_str()) {
        Some("running" | "queued") => json!("running"),
        Some("failed") => json!("failed"),
        _ => json!(freshness.unwrap_or(Freshness::Never)),
    };
    json!({
        "name": job.name,
        "layer": job.layer,
        "description": job.head.description,
        "reads": job.head.reads,
        "grain": job.head.grain,
        "audience": job.head.audience,
        "params": job.head.params,
        "kind": if job.head.view { "view" } else { "table" },
        "formula": job.head.formula,
        "origin": job.origin,
        "enabled": job.enabled,
        "schedule": job.schedule.as_str(),
        "sql": job.sql,
        "state": state,
        "rows": table.map(|table| table.rows),
        "built_at": table.and_then(|table| time_text(table.built_at_us)),
        "last_run": run.map(run_described),
    })
}

fn run_described(run: &RunRecord) -> Value {
    json!({
        "id": run.id,
        "job": run.job,
        "state": run.state,
        "started_at": time_text(run.started_at_us),
        "finished_at": run.finished_at_us.and_then(time_text),
        "duration_ms": run.finished_at_us.map(|end_us| (end_us - run.started_at_us) / 1_000),
        "rows_in": run.rows_in,
        "rows_out": run.rows_out,
        "peak_memory_bytes": run.peak_memory_bytes,
        "partitions": run.partitions,
        "partitions_reused": run.partitions_reused,
        "error": run.error.as_ref().map(|message| json!({
            "message": message,
            "line": run.position.map(|position| position.line),
            "column": run.position.map(|position| position.column),
        })),
    })
}

#[derive(Deserialize)]
pub struct Put {
    sql: Option<String>,
    enabled: Option<bool>,
    schedule: Option<String>,
}

pub async fn put(
    State(state): State<AppState>,
    Path((project, name)): Path<(String, String)>,
    Json(put): Json<Put>,
) -> ApiResult<Json<Value>> {
    let control = state.store.control();
    let project = control.project(&project).await?;
    if !is_table_name(&name) || name == store::columns::EVENTS {
        return Err(ApiError::bad_request(
            format!("'{name}' cannot name a table"),
            "begin with a small letter; then small letters, digits and _, at most 60",
        ));
    }
    let mut overrides = control.job_overrides(&project.id).await?;
    let before = overrides.iter().find(|own| own.name == name).cloned();
    let changed = JobOverride {
        sql: put.sql.clone().or_else(|| before.as_ref().and_then(|own| own.sql.clone())),
        enabled: put.enabled.unwrap_or_else(|| before.as_ref().is_none_or(|own| own.enabled)),
        schedule: put.schedule.clone().or_else(|| before.as_ref().and_then(|own| own.schedule.clone())),
        name: name.clone(),
    };
    overrides.retain(|own| own.name != name);
    overrides.push(changed.clone());
    // Everything that could keep the jobs from running is found before anything is kept.
    let catalog = Catalog::new(&overrides)?;
    let Some(job) = catalog.job(&name) else {
        return Err(ApiError::not_found(format!("there is no job '{name}'"), "give its SQL to make one"));
    };
    if put.sql.is_some() {
        plan(&state, &project.id, job).await?;
    }
    control.put_job(&project.id, &changed).await?;
    if job.enabled && job.schedule == Schedule::OnData {
        state.run_in_background(project.id.clone(), Selection::Stale);
    }
    Ok(Json(described(job, None, None, None)))
}

/// Plans a job without running it, so that a wrong name is found while the person still looks at the text.
async fn plan(state: &AppState, project: &str, job: &Job) -> ApiResult<()> {
    let workshop = Workshop::open(&state.store, project).await?;
    let snapshot = workshop.snapshot(&state.store).await?;
    let ready = job
        .head
        .reads
        .iter()
        .all(|read| snapshot.tables.contains_key(read) || snapshot.views.iter().any(|view| view.name == *read));
    if ready {
        let question = Question { parameters: parameters(&job.head.params), ..Question::new(job.sql.as_str()) };
        state.store.engine().ask(&snapshot, question, workshop.functions()).await?;
    }
    Ok(())
}

pub async fn remove(
    State(state): State<AppState>,
    Path((project, name)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let control = state.store.control();
    let project = control.project(&project).await?;
    let catalog = Catalog::new(&control.job_overrides(&project.id).await?)?;
    let origin = catalog.job(&name).map(|job| job.origin);
    let mut left = control.job_overrides(&project.id).await?;
    left.retain(|own| own.name != name);
    Catalog::new(&left)?;
    if !control.delete_job(&project.id, &name).await? {
        return Err(ApiError::not_found(
            format!("the project has changed no job '{name}'"),
            "shipped jobs can be switched off",
        ));
    }
    match origin {
        Some(Origin::Custom) => control.drop_table(&project.id, &name).await?,
        _ => {
            state.run_in_background(project.id.clone(), Selection::Stale);
        }
    }
    state.store.collect_garbage().await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub struct DryRun {
    sql: String,
}

pub async fn dry_run(
    State(state): State<AppState>,
    Path(project): Path<String>,
    Json(dry): Json<DryRun>,
) -> ApiResult<Json<Value>> {
    let started = Instant::now();
    let head = head::parse(&dry.sql).map_err(|error| ApiError::text(error.message.clone(), Some(error.position)))?;
    let workshop = Workshop::open(&state.store, &project).await?;
    let snapshot = workshop.snapshot(&state.store).await?;
    let question = Question { parameters: parameters(&head.params), ..Question::new(dry.sql) };
    let answer = state.store.engine().ask(&snapshot, question, workshop.functions()).await?;
    let schema = answer.schema.clone();
    let (batches, truncated, cost) = answer.collect(DRY_RUN_ROWS).await?;
    Ok(Json(json!({
        "columns": rows::columns(&schema),
        "rows": rows::rows(&batches)?,
        "row_count": batches.iter().map(RecordBatch::num_rows).sum::<usize>(),
        "truncated": truncated,
        "elapsed_ms": started.elapsed().as_millis() as u64,
        "bytes_scanned": cost.bytes_scanned,
    })))
}

#[derive(Deserialize, Default)]
pub struct Start {
    jobs: Option<BTreeSet<String>>,
    #[serde(default)]
    all: bool,
}

pub async fn start(
    State(state): State<AppState>,
    Path(project): Path<String>,
    Json(start): Json<Start>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let project = state.store.control().project(&project).await?;
    let workshop = Workshop::open(&state.store, &project.id).await?;
    let selection = match start.jobs {
        Some(names) if !names.is_empty() => {
            if let Some(unknown) = names.iter().find(|name| workshop.catalog.job(name).is_none()) {
                return Err(ApiError::not_found(
                    format!("there is no job '{unknown}'"),
                    "list the jobs of the project",
                ));
            }
            Selection::Named(names)
        }
        _ if start.all => Selection::All,
        _ => Selection::Stale,
    };
    let batch = state.run_in_background(project.id, selection);
    Ok((StatusCode::ACCEPTED, Json(json!({ "run": batch }))))
}

pub async fn cancel(State(state): State<AppState>, Path((_, run)): Path<(String, String)>) -> ApiResult<StatusCode> {
    let batch = run.split('/').next().unwrap_or(&run);
    if state.runner.cancel(batch) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("this run is over", "nothing needs to be done"))
    }
}

#[derive(Deserialize)]
pub struct RunFilter {
    job: Option<String>,
    run: Option<String>,
}

pub async fn runs(
    State(state): State<AppState>,
    Path(project): Path<String>,
    Query(filter): Query<RunFilter>,
    Query(page): Query<Page>,
) -> ApiResult<Json<Value>> {
    let project = state.store.control().project(&project).await?;
    let control = state.store.control();
    let (runs, total) =
        control.runs(&project.id, filter.job.as_deref(), filter.run.as_deref(), page.limit(), page.offset()).await?;
    Ok(Json(json!({ "runs": runs.iter().map(run_described).collect::<Vec<_>>(), "total": total })))
}
