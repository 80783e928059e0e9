//! The HTTP interface (`docs/guide/api.md`): one file per subject, one form of error, one state.
//!
//! Every operation is declared where its handler stands (`#[utoipa::path]`) and registered in [`operations`]; the OpenAPI
//! document that comes out is served, checked in, and the list of permissions that [`crate::access`] goes by.
//! `docs/recipes/add-an-operation.md` tells how to add one.

pub mod accounts;
mod alerts;
mod analyses;
mod app_keys;
mod audit;
mod backups;
mod clients;
mod configuration;
mod dead_letters;
mod erasures;
pub mod errors;
mod export;
mod imports;
mod invitations;
mod jobs;
mod live;
mod login;
mod me;
mod members;
mod oidc;
pub mod openapi;
mod oversight;
mod own_data;
pub mod paging;
pub mod path;
mod policies;
mod privacy;
mod projects;
pub mod query;
mod receiving;
mod requests;
mod screenshots;
pub mod settings;
mod state;
mod tables;
mod tasks;
mod vocabulary;
mod words;

pub use state::{AppState, Front};

use crate::access::{self, Gate};
use crate::client_address::Peer;
use crate::client_api;
use crate::pages;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use errors::ApiError;
use std::net::IpAddr;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use uilog::planted;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

/// Below which all operations stand.
pub const BASE: &str = "/api/v1";

/// Bytes of a JSON body.
const JSON_BYTES_MAX: usize = 1 << 20;

/// What a change may come as; no form of a foreign page can send these.
const CONTENT_TYPES: [&str; 2] = ["application/json", "application/octet-stream"];

/// Everything a browser may load comes from here; nothing may be put around it (promise S10).
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A year, for browsers that came by https once.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Every operation below [`BASE`]. A new one is one line here.
fn operations() -> Operations {
    Operations::default()
        .with(routes!(projects::status))
        .with(routes!(login::setup))
        .with(routes!(login::login))
        .with(routes!(login::logout))
        .with(routes!(login::link_owner, login::choose_password))
        .with(routes!(oidc::start))
        .with(routes!(oidc::callback))
        .with(routes!(me::show, me::change))
        .with(routes!(me::password))
        .with(routes!(me::prepare_totp, me::activate_totp, me::remove_totp))
        .with(routes!(me::sessions))
        .with(routes!(me::end_session))
        .with(routes!(me::tokens, me::create_token))
        .with(routes!(me::delete_token))
        .with(routes!(accounts::list, accounts::create))
        .with(routes!(accounts::change))
        .with(routes!(accounts::reset))
        .with(routes!(settings::show, settings::change))
        .with(routes!(backups::list, backups::begin))
        .with(routes!(audit::list))
        .with(routes!(audit::head))
        .with(routes!(projects::list, projects::create))
        .with(routes!(projects::show, projects::change, projects::remove))
        .with(routes!(members::list, members::add))
        .with(routes!(members::put, members::remove))
        .with(routes!(audit::of_project))
        .with(routes!(app_keys::list, app_keys::create))
        .with(routes!(app_keys::revoke))
        .with(routes!(app_keys::purge))
        .with(routes!(invitations::list, invitations::create))
        .with(routes!(invitations::revoke))
        .with(routes!(invitations::join))
        .with(routes!(clients::list))
        .with(routes!(clients::show, clients::change))
        .with(routes!(clients::approve))
        .with(routes!(clients::revoke))
        .with(routes!(clients::approve_held))
        .with(routes!(clients::errors))
        .with(routes!(clients::balance))
        .with(routes!(live::watch))
        .with(routes!(dead_letters::list))
        .with(routes!(dead_letters::replay))
        .with(routes!(dead_letters::remove))
        .with(routes!(screenshots::show, screenshots::erase))
        .with(routes!(screenshots::open))
        .with(routes!(screenshots::report))
        .with(routes!(screenshots::release))
        .with(routes!(screenshots::cover))
        .with(routes!(alerts::show, alerts::change))
        .with(routes!(privacy::show, privacy::change))
        .with(routes!(requests::list, requests::ask))
        .with(routes!(requests::show))
        .with(routes!(requests::approve))
        .with(routes!(requests::refuse))
        .with(routes!(erasures::list, erasures::create))
        .with(routes!(erasures::show))
        .with(routes!(own_data::export))
        .with(routes!(oversight::council))
        .with(routes!(oversight::document))
        .with(routes!(configuration::show))
        .with(routes!(configuration::put_draft))
        .with(routes!(configuration::check_text))
        .with(routes!(configuration::preview))
        .with(routes!(configuration::explain))
        .with(routes!(configuration::publish))
        .with(routes!(configuration::rollout))
        .with(routes!(configuration::rollback))
        .with(routes!(configuration::revisions))
        .with(routes!(configuration::revision))
        .with(routes!(configuration::template))
        .with(routes!(vocabulary::show))
        .with(routes!(imports::list, imports::upload).layer(DefaultBodyLimit::disable()))
        .with(routes!(imports::show))
        .with(routes!(imports::rejects))
        .with(routes!(analyses::list))
        .with(routes!(analyses::answer))
        .with(routes!(tasks::corrections, tasks::correct))
        .with(routes!(tasks::withdraw))
        .with(routes!(tasks::document))
        .with(routes!(tables::list))
        .with(routes!(tables::put, tables::remove).layer(DefaultBodyLimit::disable()))
        .with(routes!(query::ask))
        .with(routes!(query::export))
        .with(routes!(query::history))
        .with(routes!(query::limits))
        .with(routes!(query::cancel))
        .with(routes!(export::events))
        .with(routes!(jobs::list))
        .with(routes!(jobs::dry_run))
        .with(routes!(jobs::put, jobs::remove))
        .with(routes!(jobs::runs, jobs::start))
        .with(routes!(jobs::cancel))
}

/// Operations, each behind the check of its permission: there is no other way in.
#[derive(Default)]
struct Operations(OpenApiRouter<AppState>);

impl Operations {
    /// The operations of one path.
    fn with(self, routes: UtoipaMethodRouter<AppState>) -> Self {
        Self(self.0.routes(access::guarded(routes)))
    }

    /// The router and the document, both below [`BASE`].
    fn split(self) -> (Router<AppState>, serde_json::Value) {
        let (router, document) = OpenApiRouter::default().nest(BASE, self.0).split_for_parts();
        (router, openapi::completed(document))
    }
}

/// The whole service.
pub fn router(state: AppState) -> Router {
    let (operations, document) = operations().split();
    let gate = Gate { control: state.store.control().clone(), identity: state.identity.clone() };
    let service = operations
        .layer(Extension(gate))
        .route(&format!("{BASE}/openapi.json"), get(async move || axum::Json(document.clone())))
        .route(&format!("{BASE}/{{*rest}}"), axum::routing::any(nothing_here))
        .layer(DefaultBodyLimit::max(JSON_BYTES_MAX))
        .layer(middleware::map_response(errors::in_one_form))
        .layer(middleware::map_response(not_kept))
        .layer(middleware::from_fn_with_state(state.clone(), own_origin_only));
    let fixed = |name, value: &'static str| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    let https = state.front.clone();
    let hsts = move |_: &Response| https.is_https().then_some(HSTS);
    service
        .nest(client_api::BASE, client_api::router(&state))
        .fallback(pages::serve)
        .layer(CompressionLayer::new())
        // A picture brings a tighter one.
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(CONTENT_SECURITY_POLICY),
        ))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(fixed(header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .layer(SetResponseHeaderLayer::overriding(header::STRICT_TRANSPORT_SECURITY, hsts))
        .with_state(state)
}

async fn nothing_here() -> ApiError {
    ApiError::not_found("there is nothing at this address", "see docs/guide/api.md")
}

/// Answers may hold what only this person may see: no cache keeps them.
async fn not_kept(mut response: Response) -> Response {
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses what another origin's page sends, names of this machine that are not its own (DNS rebinding), and what
/// travelled in the clear.
async fn own_origin_only(State(state): State<AppState>, Peer(peer): Peer, request: Request, next: Next) -> Response {
    match refusal(&state, peer, &request) {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    }
}

/// Refuses what travelled in the clear, for calls that no browser makes.
pub async fn encrypted_only(State(state): State<AppState>, Peer(peer): Peer, request: Request, next: Next) -> Response {
    if travelled_in_the_clear(&state, peer, request.headers()) && !planted::is("http-fallback") {
        return in_the_clear().into_response();
    }
    next.run(request).await
}

fn in_the_clear() -> ApiError {
    ApiError::bad_request("this came without encryption", "use https")
}

fn refusal(state: &AppState, peer: IpAddr, request: &Request) -> Option<ApiError> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let open_ours = "open the address that lode printed";
    if travelled_in_the_clear(state, peer, request.headers()) {
        return Some(in_the_clear());
    }
    if header(header::HOST).is_some_and(|host| !state.is_own_host(host)) {
        return Some(ApiError::forbidden("this address is not one of this service's", open_ours));
    }
    // The origin's port counts too: another program's page on this machine is not ours.
    let own = |origin: &str| origin.split_once("://").is_some_and(|(_, host)| header(header::HOST) == Some(host));
    // The provider of a company login sends the browser back from its own page.
    let crosses = header(header::HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site == "cross-site");
    if header(header::ORIGIN).is_some_and(|origin| !own(origin)) || (crosses && request.uri().path() != oidc::CALLBACK)
    {
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

/// Behind a proxy, requests count as encrypted if a listed proxy says so. This machine may speak plainly with itself.
fn travelled_in_the_clear(state: &AppState, peer: IpAddr, headers: &HeaderMap) -> bool {
    let front = &state.front;
    let by_proxy = front.proxies.iter().any(|range| range.contains(peer));
    let said = headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok());
    match (front.tls, by_proxy) {
        (true, _) => false,
        (false, true) => said != Some("https"),
        (false, false) => !peer.to_canonical().is_loopback(),
    }
}
