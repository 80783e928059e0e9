//! The one form of an error: `{"error":{"code","message","hint","line","column"}}`; a configuration at fault has its
//! `problems` beside it.

use super::policies::Problem;
use crate::client_api::admission::retry_after_s;
use crate::identity::password::PasswordError;
use crate::identity::throttle::TooMany;
use crate::jobs::catalog::CatalogError;
use crate::jobs::runner::WorkshopError;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use store::{Position, StoreError};
use uilog::planted;
use utoipa::ToSchema;

/// The status for a question that its asker cancelled.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// When to come back if all who check passwords are busy, in seconds.
const BUSY_RETRY_S: u64 = 2;

/// Bytes of what the framework says when it refuses by itself.
const FRAMEWORK_TEXT_BYTES_MAX: usize = 64 << 10;

/// What the framework says before it names the member at fault: `kind: unknown variant …, expected one of …`.
const BEFORE_THE_MEMBER: [&str; 2] =
    ["Failed to deserialize the JSON body into the target type: ", "Failed to deserialize query string: "];

/// An error on its way out.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: String,
    position: Option<Position>,
    retry_after_s: Option<u64>,
    /// Boxed, because most errors have none and every handler's result carries the room for it.
    problems: Option<Box<Value>>,
}

/// What an error looks like.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "it describes what `into_response` writes")]
pub struct ErrorAnswer {
    /// What went wrong.
    error: ErrorDetail,
    /// What is at fault one by one; only where it is a configuration.
    #[schema(value_type = Option<Vec<Problem>>, nullable = false)]
    problems: Option<Value>,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "see `ErrorAnswer`")]
pub struct ErrorDetail {
    /// For programs: `not_found`, `forbidden` …
    code: String,
    /// For people.
    message: String,
    /// What to do.
    hint: String,
    /// Where in a text that is at fault, from 1.
    #[schema(nullable = false)]
    line: Option<u64>,
    /// Likewise.
    #[schema(nullable = false)]
    column: Option<u64>,
}

/// What handlers give.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error of any kind.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            hint: hint.into(),
            position: None,
            retry_after_s: None,
            problems: None,
        }
    }

    /// Says when to come back.
    pub fn after_s(self, seconds: u32) -> Self {
        Self { retry_after_s: Some(u64::from(seconds)), ..self }
    }

    /// The request is wrong.
    pub fn bad_request(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message, hint)
    }

    /// A member or parameter has a word that is none of those it can be.
    pub fn unknown_word(member: &str, word: &str, words: &[&str]) -> Self {
        let message = format!("{member}: '{word}' is none of the words that it can be");
        Self::bad_request(message, format!("one of {}", words.join(", ")))
    }

    /// Nobody knows who asks.
    pub fn unauthenticated(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", message, hint)
    }

    /// The password was right, the code of the second factor is missing or wrong.
    pub fn second_factor() -> Self {
        let hint = "give the code that your phone shows now, or a recovery code; each works once";
        Self::new(StatusCode::UNAUTHORIZED, "second_factor", "a code of the second factor is needed", hint)
    }

    /// What is asked for needs an account that is safe from a stolen password.
    pub fn without_second_factor() -> Self {
        let message = "this needs an account with a second factor";
        let hint = "set one up under Account: your phone then shows a code at each login";
        Self::new(StatusCode::FORBIDDEN, "no_second_factor", message, hint)
    }

    /// Too many tries, or too much at once.
    pub fn too_many(retry_after_s: u64) -> Self {
        let hint = format!("wait {retry_after_s} s");
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", "too many tries", hint);
        Self { retry_after_s: Some(retry_after_s), ..error }
    }

    /// A configuration is at fault; `problems` tells where.
    pub fn policy(message: impl Into<String>, problems: Value) -> Self {
        let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "policy", message, "correct the configuration");
        Self { problems: Some(Box::new(problems)), ..error }
    }

    /// It clashes with what is there.
    pub fn conflict(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message, hint)
    }

    /// Who asks may not, or not from here.
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

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// For programs: `not_found`, `forbidden` …
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Where in a text that is at fault.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Nothing can be stored for now; whoever asked is to come back, and each one at another time.
    pub fn cannot_store() -> Self {
        let message = "the service cannot store anything now; its disk may be full";
        let hint = "keep the data and wait as long as Retry-After says";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message, hint).after_s(retry_after_s(1.0))
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
            StoreError::Unavailable(_) if planted::is("refused-on-full-disk") => {
                Self::bad_request(message, "correct the request")
            }
            StoreError::Unavailable(_) => {
                tracing::error!(%message, "something was not stored");
                Self::cannot_store()
            }
            StoreError::Sql { position, .. } => Self::text(message, position),
            StoreError::Script { position, .. } => Self { code: "script", ..Self::text(message, position) },
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

impl From<TooMany> for ApiError {
    fn from(error: TooMany) -> Self {
        Self::too_many(error.retry_after_s)
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::too_many(BUSY_RETRY_S),
            PasswordError::Hash => Self::internal(error.to_string()),
            _ => Self::bad_request(
                error.to_string(),
                "choose a longer one, such as four words that have nothing in common",
            ),
        }
    }
}

impl From<arrow::error::ArrowError> for ApiError {
    fn from(error: arrow::error::ArrowError) -> Self {
        StoreError::from(error).into()
    }
}

/// Gives an answer that the framework refused by itself (a body that is no JSON, a missing parameter, a word that is none of
/// those allowed) the one form. A body whose members are wrong is a wrong request like any other.
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
    let said = BEFORE_THE_MEMBER.iter().find_map(|before| said.strip_prefix(before)).unwrap_or(&said);
    let message = if said.is_empty() { status.canonical_reason().unwrap_or("refused") } else { said }.to_owned();
    let status = if status == StatusCode::UNPROCESSABLE_ENTITY { StatusCode::BAD_REQUEST } else { status };
    if let Some(error) = unknown_word(said) {
        return error.into_response();
    }
    let (code, hint) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "send less at once"),
        StatusCode::NOT_FOUND => ("not_found", "see docs/guide/api.md"),
        status if status.is_server_error() => ("internal", "see the log of the service"),
        _ => ("bad_request", "see docs/guide/api.md"),
    };
    ApiError::new(status, code, message, hint).into_response()
}

/// Says which member has a word that is none of those allowed, and which these are, out of what the framework says:
/// "kind: unknown variant `steal`, expected `a` or `b`".
fn unknown_word(said: &str) -> Option<ApiError> {
    let (member, rest) = said.split_once(": unknown variant `")?;
    let (word, rest) = rest.split_once("`, expected ")?;
    let words: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    Some(ApiError::unknown_word(member, word, &words))
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message, "hint": self.hint });
        if let (Some(position), Value::Object(members)) = (self.position, &mut error) {
            members.insert("line".into(), position.line.into());
            members.insert("column".into(), position.column.into());
        }
        let mut body = json!({ "error": error });
        if let Some(problems) = self.problems {
            body["problems"] = *problems;
        }
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_none_of_those_allowed_is_told_with_its_member_and_the_words() {
        let said = "kind: unknown variant `steal`, expected one of `reidentify`, `lower_k` at line 1 column 15";
        let error = unknown_word(said).unwrap();
        assert_eq!(error.message(), "kind: 'steal' is none of the words that it can be");
        assert_eq!(error.hint(), "one of reidentify, lower_k");
        assert!(unknown_word("kind: missing field `kind` at line 1 column 2").is_none());
    }
}
