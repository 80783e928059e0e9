//! SQL written by people: ask, cancel, take away, look back.

use super::analyses::SCREENSHOT_COLUMN;
use super::errors::{ApiError, ApiResult};
use super::export::{FileFormat, file};
use super::paging::{Page, time_text};
use super::path::ItemId;
use super::state::AppState;
use super::words;
use crate::access::{Actor, Permission, ProjectAccess};
use crate::audit;
use crate::jobs::catalog::Origin;
use crate::jobs::runner::{Workshop, now_us};
use crate::rows::{self, ColumnShown};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use store::StoreError;
use store::control::Control;
use store::control::members::Grant;
use store::control::queries::QueryRecord;
use store::engine::{Answer, QUESTION_SECONDS_MAX, Question};
use store::postgres::Catalogue;
use store::snapshot::Snapshot;
use tokio_util::sync::CancellationToken;
use uilog::planted;
use utoipa::ToSchema;

/// Rows of an answer at most, on the page and as a file.
pub const ROWS_MAX: usize = 1_000_000;

/// Rows of an answer unless asked otherwise.
const ROWS_DEFAULT: usize = 1_000;

/// Characters of a question.
pub const SQL_CHARS_MAX: usize = 200_000;

/// A question.
#[derive(Deserialize, ToSchema)]
pub struct Asked {
    /// One `SELECT`, or `WITH`, or `EXPLAIN`.
    sql: String,
    /// Rows wanted: 1,000 unless asked otherwise.
    limit: Option<usize>,
    /// With which the question can be cancelled; the page makes it.
    query_id: Option<String>,
}

/// Rows that a question gave.
#[derive(Serialize, ToSchema)]
pub struct QueryAnswer {
    columns: Vec<ColumnShown>,
    /// Rows as arrays, in the order of the columns.
    #[schema(value_type = Vec<Vec<rows::Cell>>)]
    rows: Vec<Value>,
    row_count: usize,
    truncated: bool,
    elapsed_ms: u64,
    bytes_scanned: usize,
}

impl QueryAnswer {
    /// The answer as it is shown; `started` is when the question came.
    pub fn new(
        schema: &SchemaRef,
        batches: &[RecordBatch],
        truncated: bool,
        scanned: usize,
        started: Instant,
    ) -> ApiResult<Self> {
        Ok(Self {
            columns: rows::columns(schema),
            rows: rows::rows(batches)?,
            row_count: batches.iter().map(RecordBatch::num_rows).sum(),
            truncated,
            elapsed_ms: started.elapsed().as_millis() as u64,
            bytes_scanned: scanned,
        })
    }
}

/// Asks in SQL. Every question is written down.
#[utoipa::path(post, path = "/projects/{project}/query", request_body = Asked,
    responses((status = 200, body = QueryAnswer)),
    extensions(("x-lode-permission" = json!("sql")), ("x-lode-reads-only" = json!(true))))]
pub async fn ask(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(asked): Json<Asked>,
) -> ApiResult<Json<QueryAnswer>> {
    let shown_id = asked.query_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let cancel = CancellationToken::new();
    let _entered = state.questions.enter(&in_project(access.id(), &shown_id), cancel.clone());
    let written = WrittenQuestion::begin(&state, &actor, &access, &asked.sql, json!({})).await?;
    let work = answer(&state, &access, &asked.sql, asked.limit.unwrap_or(ROWS_DEFAULT).min(ROWS_MAX));
    let result = tokio::select! {
        () = cancel.cancelled() => Err(StoreError::Cancelled("cancelled".into()).into()),
        result = work => result,
    };
    let ended = match &result {
        Ok(answer) => Ended::Done(answer.row_count),
        Err(_) if cancel.is_cancelled() => Ended::Cancelled,
        Err(error) => Ended::Failed(error.message()),
    };
    written.end(ended).await?;
    result.map(Json)
}

/// A question that is written down, whichever door it came through: who asked stands in the audit log before it runs, what
/// was asked and how it ended in the project's history after it.
pub struct WrittenQuestion {
    control: Control,
    /// `None` once it is closed.
    record: Option<QueryRecord>,
    started: Instant,
}

/// How a question ended.
pub enum Ended {
    /// With this many rows.
    Done(usize),
    /// Somebody stopped it.
    Cancelled,
    /// Why it failed.
    Failed(String),
}

impl WrittenQuestion {
    /// Writes down who asks; `detail` says what the audit log should know of the door.
    ///
    /// Errors: the database's. The question must not run then.
    pub async fn begin(
        state: &AppState,
        actor: &Actor,
        access: &ProjectAccess,
        sql: &str,
        detail: Value,
    ) -> ApiResult<Self> {
        let record = QueryRecord {
            id: uuid::Uuid::now_v7().to_string(),
            project: access.id().to_owned(),
            sql: sql.to_owned(),
            state: "cancelled".into(),
            rows: None,
            elapsed_ms: None,
            message: None,
            started_at_us: now_us(),
        };
        let control = state.store.control().clone();
        let (subject, at_us) = (Some(("query", record.id.as_str())), record.started_at_us);
        audit::record(&control, actor, "query.ask", Some(access.id()), subject, detail, at_us).await?;
        Ok(Self { control, record: Some(record), started: Instant::now() })
    }

    /// Writes down how it ended.
    ///
    /// Errors: the database's.
    pub async fn end(mut self, ended: Ended) -> ApiResult<()> {
        match self.closed(ended) {
            Some(record) => Ok(self.control.put_query(&record).await?),
            None => Ok(()),
        }
    }

    fn closed(&mut self, ended: Ended) -> Option<QueryRecord> {
        let mut record = self.record.take()?;
        record.elapsed_ms = Some(self.started.elapsed().as_millis() as i64);
        (record.state, record.rows, record.message) = match ended {
            Ended::Done(rows) => ("done".into(), Some(rows as i64), None),
            Ended::Cancelled => ("cancelled".into(), None, Some("cancelled".into())),
            Ended::Failed(message) => ("failed".into(), None, Some(message)),
        };
        Some(record)
    }
}

/// Whoever asked is gone before the answer is: that is written down too.
impl Drop for WrittenQuestion {
    fn drop(&mut self) {
        if let (Some(record), Ok(threads)) = (self.closed(Ended::Cancelled), tokio::runtime::Handle::try_current()) {
            let control = self.control.clone();
            threads.spawn(async move {
                if let Err(error) = control.put_query(&record).await {
                    tracing::warn!(%error, "a cancelled question could not be written down");
                }
            });
        }
    }
}

/// Questions under way are known by project and id, so that nobody cancels another project's.
fn in_project(project: &str, query: &str) -> String {
    format!("{project}/{query}")
}

async fn answer(state: &AppState, access: &ProjectAccess, sql: &str, rows_max: usize) -> ApiResult<QueryAnswer> {
    let started = Instant::now();
    let (schema, batches, truncated, bytes_scanned) = ask_store(state, access, sql, rows_max).await?;
    QueryAnswer::new(&schema, &batches, truncated, bytes_scanned, started)
}

type Rows = (SchemaRef, Vec<RecordBatch>, bool, usize);

async fn ask_store(state: &AppState, access: &ProjectAccess, sql: &str, rows_max: usize) -> ApiResult<Rows> {
    let answer = run_sql(state, access, sql).await?;
    let schema = answer.schema.clone();
    let (batches, truncated, cost) = answer.collect(rows_max).await?;
    Ok((schema, batches, truncated, cost.bytes_scanned))
}

/// Starts a question of somebody who may ask in this project. SQL that people write is run here and nowhere else, whichever
/// door it comes through.
///
/// Errors: a text that is empty, too long, or wrong, with the place in it.
pub async fn run_sql(state: &AppState, access: &ProjectAccess, sql: &str) -> ApiResult<Answer> {
    if sql.trim().is_empty() {
        return Err(ApiError::text("there is no question", None));
    }
    if sql.chars().count() > SQL_CHARS_MAX {
        return Err(ApiError::text(format!("the question is longer than {SQL_CHARS_MAX} characters"), None));
    }
    let workshop = Workshop::open(&state.store, access.id()).await?;
    let snapshot = shown_to(access, &workshop, workshop.snapshot(&state.store).await?);
    let asked = state.store.engine().ask(&snapshot, Question::of_person(sql), workshop.functions()).await;
    asked.map_err(|error| explained(error, &snapshot).into())
}

/// What PostgreSQL's clients may know: names and columns of the tables that [`run_sql`] would answer about. `before` is given
/// back while it still tells the same.
pub async fn catalogue(
    state: &AppState,
    access: &ProjectAccess,
    user: &str,
    before: Option<Arc<Catalogue>>,
) -> ApiResult<Arc<Catalogue>> {
    let workshop = Workshop::open(&state.store, access.id()).await?;
    let snapshot = shown_to(access, &workshop, workshop.snapshot(&state.store).await?);
    let (engine, whose) = (state.store.engine(), (access.project.slug.as_str(), user));
    Ok(engine.catalogue(&snapshot, workshop.functions(), whose, before).await?)
}

/// The tables as somebody may see them in SQL (promise D6).
///
/// Who may not see pictures is not told that there are any.
///
/// Who has the grant `raw` sees everything. For others the project's minimum group size holds: rows about fewer people are
/// not there, tables that count nobody are not there, and neither are tables whose text a member wrote, who could count what
/// he likes.
pub fn shown_to(access: &ProjectAccess, workshop: &Workshop, mut snapshot: Snapshot) -> Snapshot {
    if access.require(Permission::Pictures).is_err() && !planted::is("pictures-are-told") {
        snapshot.hidden_columns.push(SCREENSHOT_COLUMN.to_owned());
    }
    let least = access.project.min_group_size;
    if least <= 1 || access.grants.contains(&Grant::Raw) {
        return snapshot;
    }
    let ours = |name: &String| {
        let job = workshop.catalog.jobs.iter().find(|job| job.name == *name);
        job.is_some_and(|job| job.origin == Origin::BuiltIn)
    };
    snapshot.tables.retain(|name, _| ours(name));
    snapshot.views.clear();
    snapshot.persons_min = Some(least);
    snapshot
}

/// Says why a table is not there, where the minimum group size hides it.
pub fn explained(error: StoreError, snapshot: &Snapshot) -> StoreError {
    match (error, snapshot.persons_min) {
        (StoreError::Sql { message, position }, Some(least)) if message.contains("not found") => StoreError::Sql {
            message: format!(
                "{message}. This project shows groups of at least {least} people: only tables of the built-in jobs that \
                 count people can be asked; single events need the grant 'raw'"
            ),
            position,
        },
        (error, _) => error,
    }
}

/// Stops a question that runs.
#[utoipa::path(delete, path = "/projects/{project}/query/{query}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("sql")), ("x-lode-reads-only" = json!(true))))]
pub async fn cancel(
    State(state): State<AppState>,
    access: ProjectAccess,
    ItemId(query): ItemId,
) -> ApiResult<StatusCode> {
    match state.questions.get(&in_project(access.id(), &query)) {
        Some(cancel) => cancel.cancel(),
        None => return Err(ApiError::not_found("this question does not run (any more)", "nothing needs to be done")),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// An answer to take away.
#[derive(Deserialize, ToSchema)]
pub struct QueryExport {
    sql: String,
    format: FileFormat,
}

/// Asks in SQL and answers with a file.
#[utoipa::path(post, path = "/projects/{project}/query/export", request_body = QueryExport,
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")),
    extensions(("x-lode-permission" = json!("sql")), ("x-lode-reads-only" = json!(true))))]
pub async fn export(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(taken): Json<QueryExport>,
) -> ApiResult<Response> {
    audit::record(state.store.control(), &actor, "export.query", Some(access.id()), None, json!({}), now_us()).await?;
    let (schema, batches, truncated, _) = ask_store(&state, &access, &taken.sql, ROWS_MAX).await?;
    if truncated {
        return Err(ApiError::bad_request(
            format!("the answer has more than {ROWS_MAX} rows"),
            "add a LIMIT, or use `lode sql` on the machine of the service",
        ));
    }
    file(&format!("answer.{}", taken.format.extension()), taken.format, &schema, &batches)
}

/// Questions that were asked.
#[derive(Serialize, ToSchema)]
pub struct QueryHistory {
    queries: Vec<PastQuery>,
    total: i64,
}

/// A question that was asked, and how it ended.
#[derive(Serialize, ToSchema)]
pub struct PastQuery {
    id: String,
    sql: String,
    #[schema(value_type = words::QueryState)]
    state: String,
    rows: Option<i64>,
    elapsed_ms: Option<i64>,
    started_at: Option<String>,
    message: Option<String>,
}

/// What was asked in the project, newest first.
#[utoipa::path(get, path = "/projects/{project}/query/history", params(Page),
    responses((status = 200, body = QueryHistory)), extensions(("x-lode-permission" = json!("sql"))))]
pub async fn history(
    State(state): State<AppState>,
    access: ProjectAccess,
    Query(page): Query<Page>,
) -> ApiResult<Json<QueryHistory>> {
    let (queries, total) = state.store.control().queries(access.id(), page.limit(), page.offset()).await?;
    let shown = |query: QueryRecord| PastQuery {
        id: query.id,
        sql: query.sql,
        state: query.state,
        rows: query.rows,
        elapsed_ms: query.elapsed_ms,
        started_at: time_text(query.started_at_us),
        message: query.message,
    };
    Ok(Json(QueryHistory { queries: queries.into_iter().map(shown).collect(), total }))
}

/// What bounds a question.
#[derive(Serialize, ToSchema)]
pub struct QueryLimits {
    seconds: u64,
    memory_bytes: usize,
    preview_rows: usize,
}

/// How long a question may run, and how much it may take.
#[utoipa::path(get, path = "/projects/{project}/query/limits", responses((status = 200, body = QueryLimits)),
    extensions(("x-lode-permission" = json!("sql"))))]
pub async fn limits(State(state): State<AppState>) -> Json<QueryLimits> {
    Json(QueryLimits {
        seconds: QUESTION_SECONDS_MAX,
        memory_bytes: state.store.settings().query_memory_bytes,
        preview_rows: ROWS_MAX,
    })
}
