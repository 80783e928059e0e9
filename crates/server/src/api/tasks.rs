//! What people say about found tasks, and a task as a document to take away.
//!
//! A correction is kept with the steps that the task has now, so that it finds the task again whenever the jobs find it anew
//! ([`crate::tasks`]). Nothing is ever removed: one that is taken back stays in the list.

use super::errors::{ApiError, ApiResult};
use super::export::attachment;
use super::paging::time_text;
use super::path::ItemId;
use super::requests::{Named, named};
use super::state::AppState;
use super::words;
use crate::access::{Actor, ProjectAccess};
use crate::analyses::{Analysis, Filters};
use crate::audit;
use crate::jobs::catalog::correction_question;
use crate::jobs::head;
use crate::jobs::runner::{Selection, Workshop, now_us};
use crate::rows;
use crate::task_document::{self, Task};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use store::control::task_corrections::{CorrectionKind, SpokenOf, TaskCorrection};
use store::engine::{Parameter, Question};
use store::snapshot::Snapshot;
use utoipa::{IntoParams, ToSchema};

/// Characters of a task's name.
const NAME_CHARS_MAX: usize = 120;

/// Rows that a question about one task may give here.
const ROWS_MAX: usize = 10_000;

/// Corrections of a project.
#[derive(Serialize, ToSchema)]
pub struct CorrectionList {
    corrections: Vec<CorrectionShown>,
}

/// A correction, and which task it holds for.
#[derive(Serialize, ToSchema)]
pub struct CorrectionShown {
    id: String,
    #[schema(value_type = words::CorrectionKind)]
    kind: CorrectionKind,
    /// Name of the task when it was corrected.
    task_name: String,
    /// The new name, of a rename or of the part that was split off.
    name: Option<String>,
    /// Name of the task that it was merged into.
    other_name: Option<String>,
    /// The step whose instances were split off.
    step: Option<String>,
    state: CorrectionState,
    /// The task that it holds for now.
    task: Option<String>,
    /// Steps that the task had then and the most alike one has now, as a part of all steps of both.
    likeness: Option<f64>,
    made_by: Named,
    made_at: Option<String>,
    withdrawn_by: Option<Named>,
    withdrawn_at: Option<String>,
}

/// Whether a correction holds. No task is alike any more: `not_found`; the jobs have not run yet: `waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionState {
    /// For a task that was found.
    Holds,
    /// No task is alike any more.
    NotFound,
    /// The jobs have not run yet.
    Waiting,
    /// Somebody took it back.
    Withdrawn,
}

/// What is said of a task.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCorrection {
    #[schema(value_type = words::CorrectionKind)]
    kind: CorrectionKind,
    /// The task's id, as the pages show it now.
    task: String,
    /// The new name; for `rename` and `split`.
    name: Option<String>,
    /// The task that it is the same as; for `merge`.
    other: Option<String>,
    /// Instances with this step are a task of their own; for `split`.
    step: Option<String>,
}

/// A correction that was kept; the jobs apply it.
#[derive(Serialize, ToSchema)]
pub struct CorrectionMade {
    id: String,
    /// Beginning of the ids of the runs that apply it.
    run: String,
}

/// What people said about tasks, oldest first, and what of it holds.
#[utoipa::path(get, path = "/projects/{project}/task-corrections", responses((status = 200, body = CorrectionList)),
    extensions(("x-lode-permission" = json!("pages"))))]
pub async fn corrections(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<CorrectionList>> {
    let kept = state.store.control().task_corrections(access.id()).await?;
    let workshop = Workshop::open(&state.store, access.id()).await?;
    let snapshot = workshop.snapshot(&state.store).await?;
    let mut holds: HashMap<String, (Option<String>, Option<f64>)> = HashMap::new();
    for row in asked(&state, &workshop, &snapshot, "holds", &[]).await? {
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        holds.insert(text("correction").unwrap_or_default(), (text("task_type"), row["likeness"].as_f64()));
    }
    let mut corrections = Vec::with_capacity(kept.len());
    for correction in kept {
        corrections.push(shown(&state, &holds, correction).await?);
    }
    Ok(Json(CorrectionList { corrections }))
}

async fn shown(
    state: &AppState,
    holds: &HashMap<String, (Option<String>, Option<f64>)>,
    correction: TaskCorrection,
) -> ApiResult<CorrectionShown> {
    let (task, likeness) = match holds.get(&correction.id) {
        Some((task, likeness)) if correction.withdrawn_at_us.is_none() => (task.clone(), *likeness),
        _ => (None, None),
    };
    let standing = match (correction.withdrawn_at_us, holds.contains_key(&correction.id), &task) {
        (Some(_), _, _) => CorrectionState::Withdrawn,
        (None, false, _) => CorrectionState::Waiting,
        (None, true, None) => CorrectionState::NotFound,
        (None, true, Some(_)) => CorrectionState::Holds,
    };
    let withdrawn_by = match correction.withdrawn_by {
        Some(account) => Some(named(state, account).await?),
        None => None,
    };
    Ok(CorrectionShown {
        id: correction.id,
        kind: correction.kind,
        task_name: correction.task.name,
        name: correction.name,
        other_name: correction.other.map(|other| other.name),
        step: correction.step,
        state: standing,
        task,
        likeness,
        made_by: named(state, correction.made_by).await?,
        made_at: time_text(correction.made_at_us),
        withdrawn_by,
        withdrawn_at: correction.withdrawn_at_us.and_then(time_text),
    })
}

/// Says something about a task: it holds from now on, and for every later run that finds the task again.
#[utoipa::path(post, path = "/projects/{project}/task-corrections", request_body = NewCorrection,
    responses((status = 201, body = CorrectionMade)), extensions(("x-lode-permission" = json!("sql"))))]
pub async fn correct(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(new): Json<NewCorrection>,
) -> ApiResult<(StatusCode, Json<CorrectionMade>)> {
    let kind = new.kind;
    let name = match kind {
        CorrectionKind::Rename | CorrectionKind::Split => Some(valid_name(new.name.as_deref().unwrap_or(""))?),
        _ => None,
    };
    let workshop = Workshop::open(&state.store, access.id()).await?;
    let snapshot = workshop.snapshot(&state.store).await?;
    let task = spoken_of(&state, &workshop, &snapshot, &new.task).await?;
    let other = match (kind, &new.other) {
        (CorrectionKind::Merge, Some(other)) if *other != new.task => {
            Some(spoken_of(&state, &workshop, &snapshot, other).await?)
        }
        (CorrectionKind::Merge, _) => {
            return Err(ApiError::bad_request("a task is merged with another one", "give its id as `other`"));
        }
        _ => None,
    };
    let step = match (kind, new.step) {
        (CorrectionKind::Split, Some(step)) => Some(step_of(&state, &workshop, &snapshot, &new.task, &step).await?),
        (CorrectionKind::Split, None) => {
            return Err(ApiError::bad_request("a task is split at a step", "give it as `step`"));
        }
        _ => None,
    };
    let correction = TaskCorrection {
        id: uuid::Uuid::now_v7().to_string(),
        project: access.id().to_owned(),
        kind,
        task,
        name,
        other,
        step,
        made_by: actor.account.id.clone(),
        made_at_us: now_us(),
        withdrawn_by: None,
        withdrawn_at_us: None,
    };
    let control = state.store.control();
    control.put_task_correction(&correction).await?;
    let subject = Some(("correction", correction.id.as_str()));
    let detail = json!({ "kind": kind.as_str(), "task": correction.task.task_type });
    audit::record(control, &actor, "task.correct", Some(access.id()), subject, detail, now_us()).await?;
    let run = state.run_in_background(access.id().to_owned(), Selection::Stale);
    Ok((StatusCode::CREATED, Json(CorrectionMade { id: correction.id, run })))
}

fn valid_name(name: &str) -> ApiResult<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        let message = format!("a task needs a name of 1 to {NAME_CHARS_MAX} characters");
        return Err(ApiError::bad_request(message, "say what people do, such as: Enter a reimbursement"));
    }
    Ok(name.to_owned())
}

/// Takes a correction back; what was before it holds again.
#[utoipa::path(delete, path = "/projects/{project}/task-corrections/{correction}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("sql"))))]
pub async fn withdraw(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<StatusCode> {
    let control = state.store.control();
    if !control.withdraw_task_correction(access.id(), &id, &actor.account.id, now_us()).await? {
        return Err(ApiError::not_found("there is no such correction that holds", "list the corrections again"));
    }
    let subject = Some(("correction", id.as_str()));
    audit::record(control, &actor, "task.correction_withdraw", Some(access.id()), subject, json!({}), now_us()).await?;
    state.run_in_background(access.id().to_owned(), Selection::Stale);
    Ok(StatusCode::NO_CONTENT)
}

/// In which form a task is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DocumentWanted {
    #[param(inline)]
    format: TaskForm,
}

/// Form of a task as a document: to read and print, BPMN 2.0, or a script to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskForm {
    /// To read and print.
    Html,
    /// BPMN 2.0.
    Bpmn,
    /// A script to begin with.
    Playwright,
}

/// A task as a document: its steps, figures, model and data flow, without what fewer people do than may be shown.
#[utoipa::path(get, path = "/projects/{project}/tasks/{task}", params(DocumentWanted),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")),
    extensions(("x-lode-permission" = json!("pages"))))]
pub async fn document(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
    Query(wanted): Query<DocumentWanted>,
) -> ApiResult<Response> {
    let (extension, content_type) = match wanted.format {
        TaskForm::Html => ("html", "text/html; charset=utf-8"),
        TaskForm::Bpmn => ("bpmn", "application/xml; charset=utf-8"),
        TaskForm::Playwright => ("spec.mjs", "text/javascript; charset=utf-8"),
    };
    let workshop = Workshop::open(&state.store, access.id()).await?;
    let snapshot = workshop.snapshot(&state.store).await?;
    let filters = Filters { task: Some(id.clone()), ..Filters::default() };
    let mut answers = Vec::new();
    for question in ["automation", "task_steps", "task_variants"] {
        let analysis = Analysis::named(question)?;
        if analysis.missing_table(&snapshot).is_some() {
            return Err(ApiError::not_found("there are no tasks to look at yet", "import a log, then run the jobs"));
        }
        let answered = analysis.answer(&state.store, &workshop, &snapshot, &filters).await?;
        answers.push(records(&answered.schema, &answered.batches)?);
    }
    let [figures, steps, variants] = &answers[..] else { return Err(no_task(&id)) };
    let Some(figures) = figures.first() else { return Err(no_task(&id)) };
    let (project, formula) = (access.project.name.as_str(), Analysis::named("automation")?.formula.as_str());
    let now = time_text(now_us()).unwrap_or_default();
    let task = Task { project, figures, steps, variants, formula, day: now.get(..10).unwrap_or_default() };
    let text = match wanted.format {
        TaskForm::Html => task_document::html(&task),
        TaskForm::Bpmn => task_document::bpmn(&task),
        TaskForm::Playwright => task_document::playwright(&task),
    };
    let subject = Some(("task", id.as_str()));
    let detail = json!({ "format": wanted.format });
    let control = state.store.control();
    audit::record(control, &actor, "export.task", Some(access.id()), subject, detail, now_us()).await?;
    Ok((attachment(&format!("task-{id}.{extension}"), content_type), text).into_response())
}

fn no_task(id: &str) -> ApiError {
    ApiError::not_found(
        format!("there is no task '{id}' that may be shown"),
        "list the tasks again: it may have been corrected, or too few people do it",
    )
}

/// The task of this id with its steps, as the tables have it now.
async fn spoken_of(state: &AppState, workshop: &Workshop, snapshot: &Snapshot, id: &str) -> ApiResult<SpokenOf> {
    let found = asked(state, workshop, snapshot, "task", &[("task", id)]).await?;
    let Some(row) = found.first() else {
        return Err(ApiError::not_found(
            format!("there is no task '{id}'"),
            "list the tasks again; it may have changed",
        ));
    };
    let profile = row["profile"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(SpokenOf {
        task_type: id.to_owned(),
        name: row["name"].as_str().unwrap_or_default().to_owned(),
        profile: profile.map(str::to_owned).collect(),
    })
}

/// A step of a task in the log's own words, given by the name that pages show.
async fn step_of(
    state: &AppState,
    workshop: &Workshop,
    snapshot: &Snapshot,
    task: &str,
    step: &str,
) -> ApiResult<String> {
    let found = asked(state, workshop, snapshot, "step", &[("task", task), ("step", step)]).await?;
    let key = found.first().and_then(|row| row["step_key"].as_str()).map(str::to_owned);
    key.ok_or_else(|| ApiError::not_found(format!("the task has no step '{step}'"), "list its steps again"))
}

/// The answer to a question of `jobs/corrections`; no rows while the tables it reads are not there.
async fn asked(
    state: &AppState,
    workshop: &Workshop,
    snapshot: &Snapshot,
    question: &str,
    parameters: &[(&str, &str)],
) -> ApiResult<Vec<Map<String, Value>>> {
    let sql = correction_question(question).unwrap_or_default();
    let reads = head::parse(&sql).map_err(|error| ApiError::internal(error.message))?.reads;
    if reads.iter().any(|table| !snapshot.tables.contains_key(table)) {
        return Ok(Vec::new());
    }
    let text = |(name, text): &(&str, &str)| ((*name).to_owned(), Parameter::Text(Some((*text).to_owned())));
    let question = Question { parameters: parameters.iter().map(text).collect(), ..Question::of_lode(sql) };
    let answer = state.store.engine().ask(snapshot, question, workshop.functions()).await?;
    let schema = answer.schema.clone();
    let (batches, _, _) = answer.collect(ROWS_MAX).await?;
    records(&schema, &batches)
}

/// Rows as objects with the names of the columns.
fn records(schema: &SchemaRef, batches: &[RecordBatch]) -> ApiResult<Vec<Map<String, Value>>> {
    let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
    let record = |row: Value| match row {
        Value::Array(cells) => names.iter().map(|name| (*name).clone()).zip(cells).collect(),
        _ => Map::new(),
    };
    Ok(rows::rows(batches)?.into_iter().map(record).collect())
}
