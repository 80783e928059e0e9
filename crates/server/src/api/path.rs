//! The id of a thing inside a project, from the path.

use super::errors::ApiError;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

/// The last parameter of the path: `{import}` of `/projects/{project}/imports/{import}`. Which project it must belong to
/// says [`crate::access::ProjectAccess`]; whoever looks it up gives both.
pub struct ItemId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for ItemId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let parameters = parameters.map_err(|error| ApiError::bad_request(error.to_string(), "correct the address"))?;
        let last = parameters.iter().last().map(|(_, value)| Self(value.to_owned()));
        last.ok_or_else(|| ApiError::internal("this operation's path names nothing"))
    }
}
