//! Jobs and their runs: list, change, try, start, cancel.

use super::errors::{ApiError, ApiResult};
use super::paging::{Page, time_text};
use super::path::ItemId;
use super::query::{QueryAnswer, explained, shown_to};
use super::state::AppState;
use super::words;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::jobs::catalog::{Catalog, Job, Layer, Origin, is_table_name};
use crate::jobs::runner::{Freshness, Selection, Workshop, now_us, parameters};
use crate::jobs::{catalog::Schedule, head, head::Language};
use crate::scripts::{self, Ended, Script};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use store::control::jobs::JobOverride;
use store::control::manifest::TableEntry;
use store::control::runs::RunRecord;
use store::engine::Question;
use store::uploads::first_rows;
use store::{Position, StoreError};
use utoipa::{IntoParams, ToSchema};

/// Rows that a dry run shows.
const DRY_RUN_ROWS: usize = 100;

/// The jobs of a project, in the order in which they run.
#[derive(Serialize, ToSchema)]
pub struct JobList {
    jobs: Vec<JobShown>,
}

/// A job and how its table stands.
#[derive(Serialize, ToSchema)]
pub struct JobShown {
    name: String,
    layer: Layer,
    description: String,
    reads: Vec<String>,
    grain: String,
    audience: String,
    params: BTreeMap<String, String>,
    kind: JobKind,
    formula: String,
    origin: Origin,
    enabled: bool,
    /// `on-data`, `manual` or a cron expression.
    schedule: String,
    language: Language,
    /// Its text, head and all.
    text: String,
    state: JobState,
    rows: Option<i64>,
    built_at: Option<String>,
    last_run: Option<RunShown>,
}

/// What a job makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// A question that is asked anew each time.
    View,
    /// A table that is kept.
    Table,
}

/// How the table of a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Made from what is there now.
    Fresh,
    /// Made from something older.
    Stale,
    /// It is being made.
    Running,
    /// The last run failed.
    Failed,
    /// Never made.
    Never,
}

/// Runs of jobs.
#[derive(Serialize, ToSchema)]
pub struct RunList {
    runs: Vec<RunShown>,
    total: i64,
}

/// One execution of a job.
#[derive(Serialize, ToSchema)]
pub struct RunShown {
    id: String,
    job: String,
    #[schema(value_type = words::RunState)]
    state: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    duration_ms: Option<i64>,
    rows_in: Option<i64>,
    rows_out: Option<i64>,
    peak_memory_bytes: Option<i64>,
    partitions: Option<i64>,
    partitions_reused: Option<i64>,
    error: Option<RunError>,
}

/// Why a run failed.
#[derive(Serialize, ToSchema)]
pub struct RunError {
    message: String,
    line: Option<u64>,
    column: Option<u64>,
}

impl RunError {
    fn new(message: String, position: Option<Position>) -> Self {
        Self { message, line: position.map(|place| place.line), column: position.map(|place| place.column) }
    }
}

/// The jobs and how their tables stand.
#[utoipa::path(get, path = "/projects/{project}/jobs", responses((status = 200, body = JobList)),
    extensions(("x-lode-permission" = json!("sql"))))]
pub async fn list(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<JobList>> {
    let workshop = Workshop::open(&state.store, access.id()).await?;
    let snapshot = workshop.snapshot(&state.store).await?;
    let freshness = workshop.freshness(&state.store, &snapshot).await?;
    let stored = state.store.control().tables(access.id()).await?;
    let runs = state.store.control().last_runs(access.id()).await?;
    let shown = |job: &Job| {
        let table = stored.iter().find(|table| table.name == job.name);
        let run = runs.iter().find(|run| run.job == job.name);
        described(job, freshness.get(&job.name).copied(), table, run)
    };
    Ok(Json(JobList { jobs: workshop.catalog.jobs.iter().map(shown).collect() }))
}

fn described(job: &Job, freshness: Option<Freshness>, table: Option<&TableEntry>, run: Option<&RunRecord>) -> JobShown {
    let state = match run.map(|run| run.state.as_str()) {
        Some("running" | "queued") => JobState::Running,
        Some("failed") => JobState::Failed,
        _ => match freshness {
            Some(Freshness::Fresh) => JobState::Fresh,
            Some(Freshness::Stale) => JobState::Stale,
            Some(Freshness::Never) | None => JobState::Never,
        },
    };
    JobShown {
        name: job.name.clone(),
        layer: job.layer,
        description: job.head.description.clone(),
        reads: job.head.reads.clone(),
        grain: job.head.grain.clone(),
        audience: job.head.audience.clone(),
        params: job.head.params.clone(),
        kind: if job.head.view { JobKind::View } else { JobKind::Table },
        formula: job.head.formula.clone(),
        origin: job.origin,
        enabled: job.enabled,
        schedule: job.schedule.as_str().to_owned(),
        language: job.head.language,
        text: job.text.clone(),
        state,
        rows: table.map(|table| table.rows),
        built_at: table.and_then(|table| time_text(table.built_at_us)),
        last_run: run.map(run_described),
    }
}

fn run_described(run: &RunRecord) -> RunShown {
    RunShown {
        id: run.id.clone(),
        job: run.job.clone(),
        state: run.state.clone(),
        started_at: time_text(run.started_at_us),
        finished_at: run.finished_at_us.and_then(time_text),
        duration_ms: run.finished_at_us.map(|end_us| (end_us - run.started_at_us) / 1_000),
        rows_in: run.rows_in,
        rows_out: run.rows_out,
        peak_memory_bytes: run.peak_memory_bytes,
        partitions: run.partitions,
        partitions_reused: run.partitions_reused,
        error: run.error.clone().map(|message| RunError::new(message, run.position)),
    }
}

/// What may be changed of a job; what is absent stays.
#[derive(Deserialize, ToSchema)]
pub struct JobChange {
    /// SQL, or a Python script whose first line begins with `#`.
    text: Option<String>,
    enabled: Option<bool>,
    schedule: Option<String>,
}

/// Makes a job, replaces a shipped one, or changes when it runs.
#[utoipa::path(put, path = "/projects/{project}/jobs/{job}", request_body = JobChange,
    responses((status = 200, body = JobShown)), extensions(("x-lode-permission" = json!("sql"))))]
pub async fn put(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(name): ItemId,
    Json(put): Json<JobChange>,
) -> ApiResult<Json<JobShown>> {
    let (control, project) = (state.store.control(), &access.project);
    if !is_table_name(&name) || name == store::columns::EVENTS {
        return Err(ApiError::bad_request(
            format!("'{name}' cannot name a table"),
            "begin with a small letter; then small letters, digits and _, at most 60",
        ));
    }
    let mut overrides = control.job_overrides(&project.id).await?;
    let before = overrides.iter().find(|own| own.name == name).cloned();
    let changed = JobOverride {
        text: put.text.clone().or_else(|| before.as_ref().and_then(|own| own.text.clone())),
        enabled: put.enabled.unwrap_or_else(|| before.as_ref().is_none_or(|own| own.enabled)),
        schedule: put.schedule.clone().or_else(|| before.as_ref().and_then(|own| own.schedule.clone())),
        name: name.clone(),
    };
    overrides.retain(|own| own.name != name);
    overrides.push(changed.clone());
    // Everything that could keep the jobs from running is found before anything is kept.
    let catalog = Catalog::new(&overrides)?;
    let Some(job) = catalog.job(&name) else {
        return Err(ApiError::not_found(format!("there is no job '{name}'"), "give its text to make one"));
    };
    if put.text.is_some() {
        plan(&state, &project.id, job).await?;
    }
    control.put_job(&project.id, &changed).await?;
    let detail = json!({ "text_changed": put.text.is_some(), "enabled": changed.enabled });
    let subject = Some(("job", name.as_str()));
    audit::record(control, &actor, "job.put", Some(&project.id), subject, detail, now_us()).await?;
    if job.enabled && job.schedule == Schedule::OnData {
        state.run_in_background(project.id.clone(), Selection::Stale);
    }
    Ok(Json(described(job, None, None, None)))
}

/// Plans a job without running it, so that a wrong name is found while the person still looks at the text.
async fn plan(state: &AppState, project: &str, job: &Job) -> ApiResult<()> {
    let workshop = Workshop::open(&state.store, project).await?;
    let snapshot = workshop.snapshot(&state.store).await?;
    if job.head.language == Language::Python {
        let script = workshop.script(job, snapshot);
        return Ok(state.runner.scripts().check(&state.store, script).await?);
    }
    let ready = job
        .head
        .reads
        .iter()
        .all(|read| snapshot.tables.contains_key(read) || snapshot.views.iter().any(|view| view.name == *read));
    if ready {
        let question = Question { parameters: parameters(&job.head.params), ..Question::of_person(job.text.as_str()) };
        state.store.engine().ask(&snapshot, question, workshop.functions()).await?;
    }
    Ok(())
}

/// Takes a project's own job away, or its change to a shipped one.
#[utoipa::path(delete, path = "/projects/{project}/jobs/{job}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("sql"))))]
pub async fn remove(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(name): ItemId,
) -> ApiResult<StatusCode> {
    let (control, project) = (state.store.control(), &access.project);
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
    let subject = Some(("job", name.as_str()));
    audit::record(control, &actor, "job.delete", Some(&project.id), subject, json!({}), now_us()).await?;
    match origin {
        Some(Origin::Custom) => control.drop_table(&project.id, &name).await?,
        _ => {
            state.run_in_background(project.id.clone(), Selection::Stale);
        }
    }
    state.store.collect_garbage().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A job to be tried.
#[derive(Deserialize, ToSchema)]
pub struct DryRun {
    /// SQL, or a Python script whose first line begins with `#`.
    text: String,
}

/// What came of a job that was tried.
#[derive(Serialize, ToSchema)]
pub struct JobTried {
    /// Absent for a script that failed.
    answer: Option<QueryAnswer>,
    /// Why a script failed. What is wrong with SQL is an error of the whole call.
    error: Option<RunError>,
    /// What a script printed, the end of it.
    printed: String,
}

/// Tries a job: at most 100 rows, nothing is stored. A script reads what whoever tries it may see.
#[utoipa::path(post, path = "/projects/{project}/jobs/dry-run", request_body = DryRun,
    responses((status = 200, body = JobTried)),
    extensions(("x-lode-permission" = json!("sql")), ("x-lode-reads-only" = json!(true))))]
pub async fn dry_run(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(dry): Json<DryRun>,
) -> ApiResult<Json<JobTried>> {
    let started = Instant::now();
    audit::record(state.store.control(), &actor, "job.dry_run", Some(access.id()), None, json!({}), now_us()).await?;
    let head = head::parse(&dry.text).map_err(|error| ApiError::text(error.message.clone(), Some(error.position)))?;
    let workshop = Workshop::open(&state.store, access.id()).await?;
    let snapshot = shown_to(&access, &workshop, workshop.snapshot(&state.store).await?);
    if head.language == Language::Python {
        let readable = workshop.catalog.readable(&head.reads);
        let script = Script {
            name: None,
            text: dry.text,
            snapshot: scripts::only(snapshot, &readable),
            functions: workshop.functions().clone(),
        };
        let Ended { written, printed } = state.runner.scripts().run(&state.store, script).await;
        let staged = match written {
            Err(StoreError::Script { message, position }) => {
                return Ok(Json(JobTried { answer: None, error: Some(RunError::new(message, position)), printed }));
            }
            written => written?,
        };
        let (schema, batches, truncated) = first_rows(&staged, DRY_RUN_ROWS)?;
        let answer = QueryAnswer::new(&schema, &batches, truncated, 0, started)?;
        return Ok(Json(JobTried { answer: Some(answer), error: None, printed }));
    }
    let question = Question { parameters: parameters(&head.params), ..Question::of_person(dry.text) };
    let asked = state.store.engine().ask(&snapshot, question, workshop.functions()).await;
    let answer = asked.map_err(|error| explained(error, &snapshot))?;
    let schema = answer.schema.clone();
    let (batches, truncated, cost) = answer.collect(DRY_RUN_ROWS).await?;
    let answer = QueryAnswer::new(&schema, &batches, truncated, cost.bytes_scanned, started)?;
    Ok(Json(JobTried { answer: Some(answer), error: None, printed: String::new() }))
}

/// Which jobs to run: those that are stale, unless said otherwise.
#[derive(Deserialize, Default, ToSchema)]
pub struct RunStart {
    jobs: Option<BTreeSet<String>>,
    #[serde(default)]
    all: bool,
}

/// Runs that were started.
#[derive(Serialize, ToSchema)]
pub struct RunStarted {
    /// Beginning of the ids of all its runs.
    run: String,
}

/// Runs jobs.
#[utoipa::path(post, path = "/projects/{project}/runs", request_body = RunStart,
    responses((status = 202, body = RunStarted)), extensions(("x-lode-permission" = json!("sql"))))]
pub async fn start(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(start): Json<RunStart>,
) -> ApiResult<(StatusCode, Json<RunStarted>)> {
    let workshop = Workshop::open(&state.store, access.id()).await?;
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
    let run = state.run_in_background(access.project.id.clone(), selection);
    let subject = Some(("run", run.as_str()));
    audit::record(state.store.control(), &actor, "run.start", Some(access.id()), subject, json!({}), now_us()).await?;
    Ok((StatusCode::ACCEPTED, Json(RunStarted { run })))
}

/// Cancels runs that were started together.
#[utoipa::path(delete, path = "/projects/{project}/runs/{run}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("sql"))))]
pub async fn cancel(
    State(state): State<AppState>,
    access: ProjectAccess,
    ItemId(run): ItemId,
) -> ApiResult<StatusCode> {
    let batch = run.split('/').next().unwrap_or(&run);
    if state.runner.cancel(access.id(), batch) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("this run is over", "nothing needs to be done"))
    }
}

/// Which runs to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RunFilter {
    /// Those of one job.
    job: Option<String>,
    /// Those that were started together.
    run: Option<String>,
}

/// What ran, newest first.
#[utoipa::path(get, path = "/projects/{project}/runs", params(RunFilter, Page), responses((status = 200, body = RunList)),
    extensions(("x-lode-permission" = json!("sql"))))]
pub async fn runs(
    State(state): State<AppState>,
    access: ProjectAccess,
    Query(filter): Query<RunFilter>,
    Query(page): Query<Page>,
) -> ApiResult<Json<RunList>> {
    let control = state.store.control();
    let (job, run) = (filter.job.as_deref(), filter.run.as_deref());
    let (runs, total) = control.runs(access.id(), job, run, page.limit(), page.offset()).await?;
    Ok(Json(RunList { runs: runs.iter().map(run_described).collect(), total }))
}
