//! The company's login, as the browser sees it: two redirects, the only ones of the service.
//!
//! An account is known by issuer and subject. At its first company login an account is found by its address, if the
//! provider says that it checked the address, and only if the account has no other way in yet: an admin made it and nobody
//! has used it. Nobody gets an account just by having one at the provider.

use super::errors::{ApiError, ApiResult};
use super::settings;
use super::state::AppState;
use crate::audit;
use crate::client_address::Peer;
use crate::identity::oidc::{CompanyLogin, Returned, Subject};
use crate::identity::session;
use crate::jobs::runner::now_us;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use store::control::accounts::Account;
use store::control::audit::AuditActor;
use utoipa::IntoParams;

/// The cookie that ties a login under way to its browser.
const COOKIE: &str = "__Host-lode-company-login";

/// Path to which the provider sends the browser back.
pub const CALLBACK: &str = "/api/v1/oidc/callback";

/// Sends the browser to the company's login.
#[utoipa::path(get, path = "/oidc/start", responses((status = 303)), extensions(("x-lode-permission" = json!("public"))))]
pub async fn start(State(state): State<AppState>, Peer(peer): Peer, headers: HeaderMap) -> ApiResult<Response> {
    state.identity.throttle.try_from(state.client_address(peer, &headers))?;
    let (login, secret) = company_login(&state).await?;
    let logins = &state.identity.company_logins;
    let started = logins.start(&login, secret.as_ref(), &redirect(&state), now_us()).await?;
    let cookie =
        format!("{COOKIE}={}; Secure; HttpOnly; SameSite=Lax; Path=/; Max-Age=600", started.browser.expose_secret());
    let cookie = HeaderValue::from_str(&cookie).map_err(|error| ApiError::internal(error.to_string()))?;
    let to = HeaderValue::from_str(&started.url).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to), (header::SET_COOKIE, cookie)]).into_response())
}

/// What the provider sends the browser back with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Callback {
    code: Option<String>,
    state: Option<String>,
}

/// Takes the browser back from the company's login: into the service, or to the login page with the reason.
#[utoipa::path(get, path = "/oidc/callback", params(Callback), responses((status = 303)),
    extensions(("x-lode-permission" = json!("public"))))]
pub async fn callback(
    State(state): State<AppState>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Query(callback): Query<Callback>,
) -> ApiResult<Response> {
    let control = state.store.control();
    let address = state.client_address(peer, &headers);
    state.identity.throttle.try_from(address)?;
    let (login, secret) = company_login(&state).await?;
    let returned = Returned {
        state: callback.state.as_deref().unwrap_or(""),
        code: callback.code.as_deref().unwrap_or(""),
        browser: session::cookie_named(&headers, COOKIE).unwrap_or(""),
    };
    let logins = &state.identity.company_logins;
    let subject = match logins.finish(&login, secret.as_ref(), &redirect(&state), returned, now_us()).await {
        Ok(subject) => subject,
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "a company login failed");
            return refused(&state, "company_login_failed").await;
        }
    };
    let Some(account) = account_of(&state, &subject).await? else {
        return refused(&state, "company_login_unknown").await;
    };
    let cookie = session::begin(control, &account.id, address, &headers, now_us()).await?;
    let actor = AuditActor { kind: "account".into(), id: account.id.clone(), name: account.name };
    audit::record(control, actor, "login.ok", None, None, json!({ "company_login": true }), now_us()).await?;
    let to = HeaderValue::from_static("/");
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to), (header::SET_COOKIE, cookie)]).into_response())
}

/// The account of a subject; `None` if there is none, or it is disabled.
async fn account_of(state: &AppState, subject: &Subject) -> ApiResult<Option<Account>> {
    let control = state.store.control();
    if let Some(account) = control.account_by_subject(&subject.issuer, &subject.subject).await? {
        return Ok(Some(account).filter(|account| !account.disabled));
    }
    let Some(email) = &subject.verified_email else { return Ok(None) };
    let unused = |account: &Account| !account.disabled && account.password_hash.is_none() && account.oidc.is_none();
    let Some(account) = control.account_by_email(email).await?.filter(unused) else { return Ok(None) };
    control.set_subject(&account.id, &subject.issuer, &subject.subject).await?;
    Ok(Some(account))
}

async fn refused(state: &AppState, why: &'static str) -> ApiResult<Response> {
    audit::record(
        state.store.control(),
        audit::nobody(),
        "login.failed",
        None,
        None,
        json!({ "company_login": true }),
        now_us(),
    )
    .await?;
    let to =
        HeaderValue::from_str(&format!("/login?error={why}")).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
}

async fn company_login(state: &AppState) -> ApiResult<(CompanyLogin, Option<SecretString>)> {
    let control = state.store.control();
    let login = settings::company_login(control).await?;
    let login = login.ok_or_else(|| ApiError::not_found("there is no company login", "log in with a password"))?;
    Ok((login, settings::company_login_secret(control, &state.identity.sealer).await?))
}

fn redirect(state: &AppState) -> String {
    format!("{}{CALLBACK}", state.url())
}
