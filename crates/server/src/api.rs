//! The HTTP interface (`docs/guide/api.md`): one file per subject, one form of error, one state.
//!
//! Until accounts exist there is nobody to tell apart, so the service listens on loopback only and refuses requests that
//! another origin's page has sent.

mod analyses;
mod errors;
mod export;
mod imports;
mod jobs;
mod paging;
mod projects;
mod query;
mod state;
mod tables;

pub use state::AppState;

use crate::pages;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use errors::ApiError;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

/// Bytes of a JSON body.
const JSON_BYTES_MAX: usize = 1 << 20;

/// What a change may come as; no form of a foreign page can send these.
const CONTENT_TYPES: [&str; 2] = ["application/json", "application/octet-stream"];

/// Everything a browser may load comes from here; nothing may be put around it (promise S10).
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The whole service.
pub fn router(state: AppState) -> Router {
    let project = Router::new()
        .route("/", get(projects::show).patch(projects::change).delete(projects::remove))
        .route("/imports", get(imports::list).post(imports::upload).layer(DefaultBodyLimit::disable()))
        .route("/imports/{import}", get(imports::show))
        .route("/imports/{import}/rejects", get(imports::rejects))
        .route("/analyses", get(analyses::list))
        .route("/analyses/{name}", get(analyses::answer))
        .route("/tables", get(tables::list))
        .route("/query", post(query::ask))
        .route("/query/export", post(query::export))
        .route("/query/history", get(query::history))
        .route("/query/limits", get(query::limits))
        .route("/query/{query}", delete(query::cancel))
        .route("/export", get(export::events))
        .route("/jobs", get(jobs::list))
        .route("/jobs/dry-run", post(jobs::dry_run))
        .route("/jobs/{job}", put(jobs::put).delete(jobs::remove))
        .route("/runs", get(jobs::runs).post(jobs::start))
        .route("/runs/{run}", delete(jobs::cancel));
    let api = Router::new()
        .route("/status", get(projects::status))
        .route("/projects", get(projects::list).post(projects::create))
        .nest("/projects/{project}", project)
        .fallback(async || ApiError::not_found("there is nothing at this address", "see docs/guide/api.md"))
        .layer(DefaultBodyLimit::max(JSON_BYTES_MAX))
        .layer(middleware::map_response(errors::in_one_form))
        .layer(middleware::from_fn_with_state(state.clone(), own_origin_only));
    let fixed = |name, value: &'static str| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    Router::new()
        .nest("/api/v1", api)
        .fallback(pages::serve)
        .layer(CompressionLayer::new())
        .layer(fixed(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(fixed(header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .with_state(state)
}

/// Refuses what another origin's page sends, and names of this machine that are not its own (DNS rebinding).
async fn own_origin_only(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match refusal(&state, &request) {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(state: &AppState, request: &Request) -> Option<ApiError> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let open_ours = "open the address that lode printed";
    if header(header::HOST).is_some_and(|host| !state.is_own_host(host)) {
        return Some(ApiError::forbidden("this address is not one of this service's", open_ours));
    }
    // The origin's port counts too: another program's page on this machine is not ours.
    let own = |origin: &str| origin.split_once("://").is_some_and(|(_, host)| header(header::HOST) == Some(host));
    if header(header::ORIGIN).is_some_and(|origin| !own(origin)) {
        return Some(ApiError::forbidden("requests of other sites' pages are refused", open_ours));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE);
    let kind = header(header::CONTENT_TYPE).map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let typed = kind.is_some_and(|kind| CONTENT_TYPES.contains(&kind));
    if changes && !typed && header(header::CONTENT_LENGTH) != Some("0") {
        let message = "a change needs content-type: application/json or application/octet-stream";
        return Some(ApiError::bad_request(message, "set the header"));
    }
    None
}
