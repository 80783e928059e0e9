//! The one form of an error: `{"error":{"code","message","hint","line","column"}}`.

use crate::jobs::catalog::CatalogError;
use crate::jobs::runner::WorkshopError;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use store::{Position, StoreError};

/// The status for a question that its asker cancelled.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Bytes of what the framework says when it refuses by itself.
const FRAMEWORK_TEXT_BYTES_MAX: usize = 64 << 10;

/// An error on its way out.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: String,
    position: Option<Position>,
}

/// What handlers give.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: hint.into(), position: None }
    }

    /// The request is wrong.
    pub fn bad_request(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message, hint)
    }

    /// Not from here.
    pub fn forbidden(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message, hint)
    }

    /// Not there.
    pub fn not_found(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message, hint)
    }

    /// A text that a person wrote is wrong.
    pub fn text(message: impl Into<String>, position: Option<Position>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self { position, ..Self::new(status, "sql", message, "correct the text and try again") }
    }

    /// What went wrong, for the history.
    pub fn message(&self) -> String {
        self.message.clone()
    }

    /// Our fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message, "see the log of the service")
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Missing { kind, .. } => Self::not_found(message, format!("check the name of the {kind}")),
            StoreError::Exists { .. } => Self::new(StatusCode::CONFLICT, "conflict", message, "choose another name"),
            StoreError::Invalid(_) => Self::bad_request(message, "correct the request"),
            StoreError::Sql { position, .. } => Self::text(message, position),
            StoreError::Cancelled(_) => {
                let status = StatusCode::from_u16(CLIENT_CLOSED_REQUEST).unwrap_or(StatusCode::BAD_REQUEST);
                Self::new(status, "cancelled", message, "run it again, or ask for less")
            }
            _ => {
                tracing::error!(%message, "a request failed");
                Self::internal(message)
            }
        }
    }
}

impl From<CatalogError> for ApiError {
    fn from(error: CatalogError) -> Self {
        let position = error.position;
        Self::text(error.to_string(), position)
    }
}

impl From<WorkshopError> for ApiError {
    fn from(error: WorkshopError) -> Self {
        match error {
            WorkshopError::Store(error) => error.into(),
            WorkshopError::Catalog(error) => error.into(),
            WorkshopError::Rules(error) => Self::text(error.to_string(), None),
        }
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<StoreError>() {
            Ok(error) => error.into(),
            Err(error) => Self::internal(format!("{error:#}")),
        }
    }
}

impl From<arrow::error::ArrowError> for ApiError {
    fn from(error: arrow::error::ArrowError) -> Self {
        StoreError::from(error).into()
    }
}

/// Gives an answer that the framework refused by itself (a body that is no JSON, a missing parameter) the one form.
pub async fn in_one_form(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !(status.is_client_error() || status.is_server_error())
        || kind.is_some_and(|kind| kind.starts_with("application/json"))
    {
        return response;
    }
    let body = axum::body::to_bytes(response.into_body(), FRAMEWORK_TEXT_BYTES_MAX).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&body);
    let message = if said.is_empty() { status.canonical_reason().unwrap_or("refused").to_owned() } else { said.into() };
    let (code, hint) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "send less at once"),
        StatusCode::NOT_FOUND => ("not_found", "see docs/guide/api.md"),
        status if status.is_server_error() => ("internal", "see the log of the service"),
        _ => ("bad_request", "see docs/guide/api.md"),
    };
    ApiError::new(status, code, message, hint).into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message, "hint": self.hint });
        if let (Some(position), Value::Object(members)) = (self.position, &mut error) {
            members.insert("line".into(), position.line.into());
            members.insert("column".into(), position.column.into());
        }
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}
