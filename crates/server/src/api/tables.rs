//! The schema browser: tables with their columns, and the functions that Lode adds to SQL; and tables that somebody brings
//! along.

use super::errors::{ApiError, ApiResult};
use super::paging::time_text;
use super::path::ItemId;
use super::receiving::receive;
use super::state::AppState;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::jobs::catalog::Layer;
use crate::jobs::runner::{Freshness, Workshop, now_us};
use crate::rows::{ColumnType, column_type};
use arrow::datatypes::{Field, SchemaRef};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use store::columns::{AGENT_KEY, CASE_KEY, EVENT_ORDER, EVENTS, USER_KEY};
use store::engine::Question;
use store::uploads::{UPLOAD_BYTES_MAX, is_upload};
use utoipa::ToSchema;

/// Characters of a table's name, as many as PostgreSQL's clients take.
const NAME_CHARS_MAX: usize = 63;

/// What SQL can be written about.
#[derive(Serialize, ToSchema)]
pub struct SqlSchema {
    tables: Vec<TableShown>,
    functions: Vec<FunctionShown>,
}

/// A table.
#[derive(Serialize, ToSchema)]
pub struct TableShown {
    name: String,
    layer: Layer,
    description: String,
    grain: String,
    audience: String,
    rows: Option<i64>,
    bytes: Option<i64>,
    built_at: Option<String>,
    stale: bool,
    columns: Vec<TableColumn>,
}

/// A column of a table.
#[derive(Serialize, ToSchema)]
pub struct TableColumn {
    name: String,
    #[serde(rename = "type")]
    kind: ColumnType,
    /// Whether it may say something about a person.
    personal: bool,
    description: &'static str,
}

/// A function that Lode adds to SQL.
#[derive(Serialize, ToSchema)]
pub struct FunctionShown {
    name: String,
    signature: String,
    description: String,
}

/// Tables, columns and functions.
#[utoipa::path(get, path = "/projects/{project}/tables", responses((status = 200, body = SqlSchema)),
    extensions(("x-lode-permission" = json!("sql"))))]
pub async fn list(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<SqlSchema>> {
    let workshop = Workshop::open(&state.store, access.id()).await?;
    let snapshot = workshop.snapshot(&state.store).await?;
    let freshness = workshop.freshness(&state.store, &snapshot).await?;
    let stored = state.store.control().tables(&snapshot.project.id).await?;
    let mut tables = Vec::new();
    if let Some(events) = snapshot.tables.get(EVENTS) {
        tables.push(TableShown {
            name: EVENTS.into(),
            layer: Layer::Staging,
            description: "The events as they came in.".into(),
            grain: "event".into(),
            audience: "analyst".into(),
            rows: Some(events.rows()),
            bytes: Some(events.files.iter().map(|file| file.bytes).sum()),
            built_at: stored.iter().find(|table| table.name == EVENTS).and_then(|table| time_text(table.built_at_us)),
            stale: false,
            columns: columns(&events.schema),
        });
    }
    for job in &workshop.catalog.jobs {
        let table = snapshot.tables.get(&job.name);
        let entry = stored.iter().find(|table| table.name == job.name);
        let schema = match table {
            Some(table) => Some(table.schema.clone()),
            None if job.head.view && snapshot.tables.contains_key(EVENTS) => {
                let sql = format!("{}\nLIMIT 0", job.text.trim_end());
                let question = Question { author: job.origin.author(), ..Question::of_person(sql) };
                Some(state.store.engine().ask(&snapshot, question, workshop.functions()).await?.schema.clone())
            }
            None => None,
        };
        let Some(schema) = schema else { continue };
        tables.push(TableShown {
            name: job.name.clone(),
            layer: job.layer,
            description: job.head.description.clone(),
            grain: job.head.grain.clone(),
            audience: job.head.audience.clone(),
            rows: table.map(|table| table.rows()),
            bytes: table.map(|table| table.files.iter().map(|file| file.bytes).sum()),
            built_at: entry.and_then(|entry| time_text(entry.built_at_us)),
            stale: freshness.get(&job.name).is_some_and(|state| *state != Freshness::Fresh),
            columns: columns(&schema),
        });
    }
    for entry in stored.iter().filter(|entry| is_upload(entry)) {
        let Some(table) = snapshot.tables.get(&entry.name) else { continue };
        tables.push(TableShown {
            name: entry.name.clone(),
            layer: Layer::Uploaded,
            description: "Somebody brought it along; no job makes it.".into(),
            grain: String::new(),
            audience: "analyst".into(),
            rows: Some(entry.rows),
            bytes: Some(entry.bytes),
            built_at: time_text(entry.built_at_us),
            stale: false,
            columns: columns(&table.schema),
        });
    }
    let operators = state.store.engine().operators();
    let labels =
        workshop.functions().functions.iter().map(|function| (function.name, function.signature, function.description));
    let functions = operators.into_iter().chain(labels).map(|(name, signature, description)| FunctionShown {
        name: name.into(),
        signature: signature.into(),
        description: description.into(),
    });
    Ok(Json(SqlSchema { tables, functions: functions.collect() }))
}

/// A table that was brought along.
#[derive(Serialize, ToSchema)]
pub struct TableWritten {
    name: String,
    rows: i64,
    bytes: i64,
}

/// Makes what is sent a table, or replaces one that was sent before: an Arrow IPC stream or a Parquet file of at most
/// 256 MiB. Readers see the old one or the new one. In a project with a minimum group size only the grant `raw` opens it.
#[utoipa::path(put, path = "/projects/{project}/tables/{table}",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = TableWritten)), extensions(("x-lode-permission" = json!("sql"))))]
pub async fn put(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(table): ItemId,
    body: Body,
) -> ApiResult<Json<TableWritten>> {
    check_name(&table)?;
    let workshop = Workshop::open(&state.store, access.id()).await?;
    if table == EVENTS || workshop.catalog.job(&table).is_some() {
        let message = format!("'{table}' is the table of a job");
        return Err(ApiError::conflict(message, "choose another name"));
    }
    let path = state.store.settings().folder.join("staging").join(format!("{}.table", uuid::Uuid::now_v7()));
    let too_large = || ApiError::bad_request("the table is larger than 256 MiB", "write a smaller one, or several");
    receive(body, &path, UPLOAD_BYTES_MAX, too_large).await?;
    let written = state.store.put_table(access.id(), &table, &path, now_us()).await;
    let _ = tokio::fs::remove_file(&path).await;
    let written = written?;
    let (control, detail) = (state.store.control(), json!({ "rows": written.rows, "bytes": written.bytes }));
    let subject = Some(("table", table.as_str()));
    audit::record(control, &actor, "table.write", Some(access.id()), subject, detail, now_us()).await?;
    state.store.collect_garbage().await?;
    Ok(Json(TableWritten { name: written.name, rows: written.rows, bytes: written.bytes }))
}

/// Takes away a table that was brought along.
#[utoipa::path(delete, path = "/projects/{project}/tables/{table}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("sql"))))]
pub async fn remove(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(table): ItemId,
) -> ApiResult<StatusCode> {
    state.store.remove_uploaded(access.id(), &table).await?;
    let (control, subject) = (state.store.control(), Some(("table", table.as_str())));
    audit::record(control, &actor, "table.remove", Some(access.id()), subject, json!({}), now_us()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A table's name is one that SQL takes without quotation marks.
fn check_name(name: &str) -> ApiResult<()> {
    let letters = name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    let begins = name.chars().next().is_some_and(|letter| letter.is_ascii_lowercase());
    if letters && begins && name.len() <= NAME_CHARS_MAX && !name.starts_with("pg_") {
        return Ok(());
    }
    let message =
        format!("a table's name has 1 to {NAME_CHARS_MAX} lower-case letters, digits and _, and begins with a letter");
    Err(ApiError::bad_request(message, "choose another name"))
}

fn columns(schema: &SchemaRef) -> Vec<TableColumn> {
    let shown = |field: &Arc<Field>| {
        let (personal, description) = meaning(field.name());
        TableColumn { name: field.name().clone(), kind: column_type(field.data_type()), personal, description }
    };
    schema.fields().iter().map(shown).collect()
}

/// Whether a column may say something about a person, and what it means: the UI log's columns speak for themselves
/// wherever they turn up.
fn meaning(name: &str) -> (bool, &'static str) {
    if let Some(column) = uilog::column::find(name) {
        return (column.personal, column.description);
    }
    let own = MEANINGS.iter().find(|(known, _)| *known == name).map_or("", |(_, meaning)| meaning);
    (false, own)
}

/// What the columns that jobs add mean; durations in seconds (`_s`) or microseconds (`_us`).
const MEANINGS: &[(&str, &str)] = &[
    (AGENT_KEY, "Number of the agent (an imported log has one per stream)."),
    (USER_KEY, "Number of the person; 0 where no source named one."),
    (EVENT_ORDER, "One order over all events of the project: agent, then place inside the agent."),
    (CASE_KEY, "Number of the case."),
    ("session_key", "Number of the session: the event_order of its first event."),
    ("active_us", "Active time: to the next event of the session, at most the cap."),
    ("active_s", "Active time."),
    ("idle_s", "From start to end, less active time."),
    ("handling_s", "Active time inside the case."),
    ("duration_s", "From the first to the last event."),
    ("application_label", "Name of the application that people use."),
    ("application", "Name of the application that people use."),
    ("screen_label", "Name of the screen inside the application."),
    ("activity", "What was done, as a name."),
    ("activities", "The activities of a variant, in their order."),
    ("variant", "Identity of a distinct order of activities."),
    ("example_case", "One case of the variant."),
    ("rework", "Whether an activity comes more than once."),
    ("truncated", "Whether the case was too long to be followed to its end."),
    ("day", "Day in UTC."),
    ("hour", "Beginning of the hour in UTC."),
    ("start_time", "First event."),
    ("end_time", "Last event."),
    ("first_event", "First event."),
    ("last_event", "Last event."),
    ("events", "Number of events."),
    ("cases", "Number of cases."),
    ("agents", "Distinct agents."),
    ("users", "Distinct people behind the row; decides whether pages may show it."),
    ("applications", "Distinct applications."),
    ("accesses", "Times the application regained focus."),
    ("focus_p50_s", "Half of the focus blocks are no longer than this."),
    ("focus_p90_s", "Nine of ten focus blocks are no longer than this."),
    ("classes", "Focus blocks by length: from_s, to_s (null = open), blocks."),
    ("from_application", "The application before."),
    ("to_application", "The application after."),
    ("switches", "Pairs of consecutive focus blocks."),
    ("round_trips", "Times that people came back within 60 s."),
    ("outcome", "paired; unpaired_paste: no copy was seen; unused_copy: never pasted."),
    ("from_screen", "Screen of the copy, or where the value was before."),
    ("from_element", "Element of the copy, or where the value was before."),
    ("to_screen", "Screen of the paste, or where the value was typed again."),
    ("to_element", "Element of the paste, or where the value was typed again."),
    ("retyped", "Values that were typed again in another application, without the clipboard."),
    ("since_s", "Time since the value was there in the other application."),
    ("from_event_order", "The event with the value in the other application."),
    ("kind", "invoice, order or ticket."),
    ("identifier", "Number or key of a case, in capital letters."),
    ("pairs", "Pastes whose clipboard holds the copy's value (pastes or copies, for those without a partner)."),
    ("from_activity", "The activity before; null at the start of a case."),
    ("to_activity", "The activity that directly follows; null at the end of a case."),
    ("frequency", "How often it happened."),
    ("p50_s", "Half of the times are no longer than this."),
    ("p90_s", "Nine of ten times are no longer than this."),
    ("mean_s", "Mean time."),
    ("reason", "Why the event is left out of everything that follows."),
    ("gaps", "Stretches that capture or delivery lost."),
    ("lost_events", "Events lost in them, as far as they were counted."),
    ("label", "The name that the source gave the case."),
];
