//! What a running script may ask: questions about the tables of its head, and to take its own table.
//!
//! It speaks HTTP like the service, so that the same package and the same script work on an analyst's machine; but over one
//! socket that was open when the script began, to nobody but this desk.

use super::Script;
use axum::body::Body;
use axum::extract::{Path as Segments, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Json, Router};
use futures::StreamExt;
use parquet::arrow::ArrowWriter;
use serde::Deserialize;
use serde_json::json;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use store::engine::Question;
use store::files::Staged;
use store::uploads::UPLOAD_BYTES_MAX;
use store::{Position, Store, StoreError};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

/// Rows of one answer, as everywhere.
const ROWS_MAX: usize = 1_000_000;

/// Characters of an error that a script may tell.
const MESSAGE_CHARS_MAX: usize = 2_000;

/// What a script said last.
pub enum Told {
    /// Nothing yet.
    Nothing,
    /// Its table.
    Table(Staged),
    /// Why it cannot go on.
    Failed(StoreError),
}

/// The desk of one run.
pub struct Desk {
    store: Store,
    script: Script,
    /// Where a table is put while it comes in.
    incoming: PathBuf,
    told: Mutex<Told>,
}

impl Desk {
    pub fn new(store: Store, script: Script, incoming: PathBuf) -> Arc<Self> {
        Arc::new(Self { store, script, incoming, told: Mutex::new(Told::Nothing) })
    }

    /// Name of the table that is waited for.
    pub fn job(&self) -> &str {
        self.script.name.as_deref().unwrap_or("my_table")
    }

    /// What was said last; it is handed over.
    pub fn told(&self) -> Told {
        self.told.lock().map(|mut told| std::mem::replace(&mut *told, Told::Nothing)).unwrap_or(Told::Nothing)
    }

    /// Answers what comes by `socket` until the other end is gone.
    pub async fn serve(self: Arc<Self>, socket: UnixStream) {
        let router = Router::new()
            .route("/api/v1/projects/{project}/query/export", post(answer))
            .route("/api/v1/projects/{project}/tables/{table}", put(take))
            .route("/api/v1/failed", post(failed))
            .fallback(nothing_else)
            .with_state(self);
        if let Err(error) = axum::serve(OneCaller(Some(socket)), router).await {
            tracing::warn!(%error, "the desk of a script closed");
        }
    }

    fn set(&self, said: Told) {
        if let Ok(mut told) = self.told.lock() {
            *told = said;
        }
    }
}

/// A listener with one connection, which was there before.
struct OneCaller(Option<UnixStream>);

impl axum::serve::Listener for OneCaller {
    type Io = UnixStream;
    type Addr = ();

    async fn accept(&mut self) -> (UnixStream, ()) {
        match self.0.take() {
            Some(socket) => (socket, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A refusal in the form of the service's errors.
struct Refusal {
    status: StatusCode,
    message: String,
    hint: String,
    position: Option<Position>,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, message: message.into(), hint: hint.into(), position: None }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let position = match &error {
            StoreError::Sql { position, .. } => *position,
            _ => None,
        };
        Self { position, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string(), "") }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (line, column) = (self.position.map(|place| place.line), self.position.map(|place| place.column));
        let error =
            json!({ "code": "script", "message": self.message, "hint": self.hint, "line": line, "column": column });
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}

#[derive(Deserialize)]
struct Asked {
    sql: String,
    format: String,
}

async fn answer(State(desk): State<Arc<Desk>>, Json(asked): Json<Asked>) -> Result<Response, Refusal> {
    if asked.format != "parquet" {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "a script is answered in Parquet", "ask for parquet"));
    }
    let (script, engine) = (&desk.script, desk.store.engine());
    let answer = engine.ask(&script.snapshot, Question::of_person(asked.sql), &script.functions).await;
    let answer = answer.map_err(|error| explained(error, script))?;
    let mut writer = ArrowWriter::try_new(Vec::new(), answer.schema.clone(), None).map_err(StoreError::from)?;
    let (batches, truncated, _) = answer.collect(ROWS_MAX).await?;
    if truncated {
        let message = format!("the answer has more than {ROWS_MAX} rows");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, message, "let SQL count, or read events() page by page"));
    }
    for batch in &batches {
        writer.write(batch).map_err(StoreError::from)?;
    }
    Ok(writer.into_inner().map_err(StoreError::from)?.into_response())
}

/// Says what a script may read, where it asked for something else.
fn explained(error: StoreError, script: &Script) -> StoreError {
    let StoreError::Sql { message, position } = error else { return error };
    if !message.contains("not found") {
        return StoreError::Sql { message, position };
    }
    let views = script.snapshot.views.iter().map(|view| &view.name);
    let known: Vec<&str> = script.snapshot.tables.keys().chain(views).map(String::as_str).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let message = format!("{message}. A script reads the tables that its head names after reads: ({known})");
    StoreError::Sql { message, position }
}

async fn take(
    State(desk): State<Arc<Desk>>,
    Segments((_, table)): Segments<(String, String)>,
    body: Body,
) -> Result<Json<serde_json::Value>, Refusal> {
    let path = &desk.incoming;
    let file = |action| StoreError::file(action, path.clone());
    let mut incoming = tokio::fs::File::create(path).await.map_err(file("write"))?;
    let (mut stream, mut bytes) = (body.into_data_stream(), 0);
    while let Some(chunk) = stream.next().await {
        let broken_off = |error: axum::Error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string(), "");
        let chunk = chunk.map_err(broken_off)?;
        bytes += chunk.len() as u64;
        if bytes > UPLOAD_BYTES_MAX {
            let message = format!("the table has more than {UPLOAD_BYTES_MAX} bytes");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message, "write a smaller one"));
        }
        incoming.write_all(&chunk).await.map_err(file("write"))?;
    }
    incoming.flush().await.map_err(file("write"))?;
    // Only now: who is refused before everything was read loses the connection, and with it the reason.
    if let Some(own) = desk.script.name.as_ref().filter(|own| **own != table) {
        let message = format!("a job writes its own table, '{own}', and not '{table}'");
        return Err(Refusal::new(StatusCode::FORBIDDEN, message, "make another job for another table"));
    }
    let staged = desk.store.stage_table(path).await?;
    let rows = staged.rows;
    desk.set(Told::Table(staged));
    Ok(Json(json!({ "name": table, "rows": rows })))
}

/// What a script says when it cannot go on.
#[derive(Deserialize)]
struct Failed {
    message: String,
    line: Option<u64>,
    column: Option<u64>,
}

async fn failed(State(desk): State<Arc<Desk>>, Json(said): Json<Failed>) -> StatusCode {
    let message = said.message.chars().take(MESSAGE_CHARS_MAX).collect();
    let position = Position { line: said.line.unwrap_or(1), column: said.column.unwrap_or(1) };
    desk.set(Told::Failed(StoreError::Script { message, position: Some(position) }));
    StatusCode::NO_CONTENT
}

async fn nothing_else() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "a script that runs as a job asks in SQL, reads events and writes its own table, and nothing else",
        "use sql(), events() and write_table()",
    )
}
