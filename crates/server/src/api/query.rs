//! SQL written by people: ask, cancel, take away, look back.

use super::errors::{ApiError, ApiResult};
use super::export::{FileFormat, file};
use super::paging::{Page, time_text};
use super::state::AppState;
use crate::jobs::runner::{Workshop, now_us};
use crate::rows;
use arrow::array::RecordBatch;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Instant;
use store::StoreError;
use store::control::queries::QueryRecord;
use store::engine::{QUESTION_SECONDS_MAX, Question};
use tokio_util::sync::CancellationToken;

/// Rows of an answer at most, on the page and as a file.
pub const ROWS_MAX: usize = 1_000_000;

/// Rows of an answer unless asked otherwise.
const ROWS_DEFAULT: usize = 1_000;

/// Characters of a question.
const SQL_CHARS_MAX: usize = 200_000;

#[derive(Deserialize)]
pub struct Asked {
    sql: String,
    limit: Option<usize>,
    query_id: Option<String>,
}

pub async fn ask(
    State(state): State<AppState>,
    Path(project): Path<String>,
    Json(asked): Json<Asked>,
) -> ApiResult<Json<Value>> {
    let id = asked.query_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let project = state.store.control().project(&project).await?.id;
    let (started, started_at_us) = (Instant::now(), now_us());
    let cancel = CancellationToken::new();
    let _entered = state.questions.enter(&id, cancel.clone());
    let work = answer(&state, &project, &asked.sql, asked.limit.unwrap_or(ROWS_DEFAULT).min(ROWS_MAX));
    let result = tokio::select! {
        () = cancel.cancelled() => Err(StoreError::Cancelled("cancelled".into()).into()),
        result = work => result,
    };
    let record = QueryRecord {
        id: uuid::Uuid::now_v7().to_string(),
        project,
        sql: asked.sql,
        state: match &result {
            Ok(_) => "done",
            Err(_) if cancel.is_cancelled() => "cancelled",
            Err(_) => "failed",
        }
        .into(),
        rows: result.as_ref().ok().and_then(|answer| answer["row_count"].as_i64()),
        elapsed_ms: Some(started.elapsed().as_millis() as i64),
        message: result.as_ref().err().map(ApiError::message),
        started_at_us,
    };
    state.store.control().put_query(&record).await?;
    result.map(Json)
}

async fn answer(state: &AppState, project: &str, sql: &str, rows_max: usize) -> ApiResult<Value> {
    let started = Instant::now();
    let (schema, batches, truncated, bytes_scanned) = ask_store(state, project, sql, rows_max).await?;
    Ok(json!({
        "columns": rows::columns(&schema),
        "rows": rows::rows(&batches)?,
        "row_count": batches.iter().map(RecordBatch::num_rows).sum::<usize>(),
        "truncated": truncated,
        "elapsed_ms": started.elapsed().as_millis() as u64,
        "bytes_scanned": bytes_scanned,
    }))
}

type Rows = (arrow::datatypes::SchemaRef, Vec<RecordBatch>, bool, usize);

async fn ask_store(state: &AppState, project: &str, sql: &str, rows_max: usize) -> ApiResult<Rows> {
    if sql.trim().is_empty() {
        return Err(ApiError::text("there is no question", None));
    }
    if sql.chars().count() > SQL_CHARS_MAX {
        return Err(ApiError::text(format!("the question is longer than {SQL_CHARS_MAX} characters"), None));
    }
    let workshop = Workshop::open(&state.store, project).await?;
    let snapshot = workshop.snapshot(&state.store).await?;
    let answer = state.store.engine().ask(&snapshot, Question::new(sql), workshop.functions()).await?;
    let schema = answer.schema.clone();
    let (batches, truncated, cost) = answer.collect(rows_max).await?;
    Ok((schema, batches, truncated, cost.bytes_scanned))
}

pub async fn cancel(State(state): State<AppState>, Path((_, query)): Path<(String, String)>) -> ApiResult<StatusCode> {
    match state.questions.get(&query) {
        Some(cancel) => cancel.cancel(),
        None => return Err(ApiError::not_found("this question does not run (any more)", "nothing needs to be done")),
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub struct Taken {
    sql: String,
    format: String,
}

pub async fn export(
    State(state): State<AppState>,
    Path(project): Path<String>,
    Json(taken): Json<Taken>,
) -> ApiResult<Response> {
    let format = FileFormat::parse(&taken.format)?;
    let (schema, batches, truncated, _) = ask_store(&state, &project, &taken.sql, ROWS_MAX).await?;
    if truncated {
        return Err(ApiError::bad_request(
            format!("the answer has more than {ROWS_MAX} rows"),
            "add a LIMIT, or use `lode sql` on the machine of the service",
        ));
    }
    file(&format!("answer.{}", format.extension()), format, &schema, &batches)
}

pub async fn history(
    State(state): State<AppState>,
    Path(project): Path<String>,
    Query(page): Query<Page>,
) -> ApiResult<Json<Value>> {
    let project = state.store.control().project(&project).await?;
    let (queries, total) = state.store.control().queries(&project.id, page.limit(), page.offset()).await?;
    let queries: Vec<Value> = queries
        .into_iter()
        .map(|query| {
            json!({
                "id": query.id, "sql": query.sql, "state": query.state, "rows": query.rows, "elapsed_ms": query.elapsed_ms,
                "started_at": time_text(query.started_at_us), "message": query.message,
            })
        })
        .collect();
    Ok(Json(json!({ "queries": queries, "total": total })))
}

pub async fn limits(State(state): State<AppState>) -> Json<Value> {
    Json(json!({
        "seconds": QUESTION_SECONDS_MAX,
        "memory_bytes": state.store.settings().query_memory_bytes,
        "preview_rows": ROWS_MAX,
    }))
}
