//! The doors: first account, login, logout, and links to choose a password.
//!
//! Whoever is refused learns nothing: an address without an account, a wrong password and a disabled account get the same
//! answer after the same time.

use super::accounts::AccountShown;
use super::errors::{ApiError, ApiResult};
use super::path::ItemId;
use super::state::AppState;
use crate::access::{Actor, By, MaybeActor};
use crate::audit;
use crate::client_address::Peer;
use crate::identity::password::NewPassword;
use crate::identity::secret_text::{hash, typed};
use crate::identity::{session, totp};
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::IpAddr;
use store::control::accounts::{Account, NewAccount};
use store::control::audit::AuditActor;
use uilog::planted;
use utoipa::ToSchema;

/// The first account.
#[derive(Deserialize, ToSchema)]
pub struct Setup {
    /// What `lode serve` printed.
    token: String,
    email: String,
    name: String,
    #[serde(deserialize_with = "typed")]
    #[schema(value_type = String)]
    password: SecretString,
}

/// Makes the first account, an admin, and logs it in. It leads the projects that were there before.
#[utoipa::path(post, path = "/setup", request_body = Setup, responses((status = 201, body = AccountShown)),
    extensions(("x-lode-permission" = json!("public"))))]
pub async fn setup(
    State(state): State<AppState>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(setup): Json<Setup>,
) -> ApiResult<Response> {
    let control = state.store.control();
    let address = state.client_address(peer, &headers);
    state.identity.throttle.try_from(address)?;
    let gone = || ApiError::not_found("there is nothing to set up", "log in, or ask an admin for an account");
    if state.identity.open || control.account_count().await? > 0 || !state.identity.setup.is(&setup.token) {
        return Err(gone());
    }
    let password_hash = state.identity.passwords.hash(NewPassword::new(setup.password)?).await?;
    let (email, name) = (setup.email.as_str(), setup.name.as_str());
    let new = NewAccount { email, name, admin: true, password_hash: Some(&password_hash) };
    let account = control.create_first_account(&new, now_us()).await?.ok_or_else(gone)?;
    state.identity.setup.is_done();
    let subject = Some(("account", account.id.as_str()));
    audit::record(control, of(&account), "setup.done", None, subject, json!({}), now_us()).await?;
    logged_in(&state, &account, address, &headers, StatusCode::CREATED).await
}

/// A login.
#[derive(Deserialize, ToSchema)]
pub struct Login {
    email: String,
    #[serde(deserialize_with = "typed")]
    #[schema(value_type = String)]
    password: SecretString,
    /// The code of the second factor, or a recovery code.
    code: Option<String>,
}

/// Logs in.
#[utoipa::path(post, path = "/login", request_body = Login, responses((status = 200, body = AccountShown)),
    extensions(("x-lode-permission" = json!("public"))))]
pub async fn login(
    State(state): State<AppState>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(login): Json<Login>,
) -> ApiResult<Response> {
    let control = state.store.control();
    let address = state.client_address(peer, &headers);
    state.identity.throttle.try_login(&login.email, address)?;
    let account = control.account_by_email(&login.email).await?;
    let hash = account.as_ref().and_then(|account| account.password_hash.clone());
    if account.is_none() && planted::is("user-enumeration") {
        return Err(ApiError::unauthenticated("there is no such account", "ask an admin for one"));
    }
    let right = state.identity.passwords.is_right(login.password, hash).await?;
    let Some(account) = account.filter(|account| right && !account.disabled) else {
        audit::record(control, audit::nobody(), "login.failed", None, None, json!({}), now_us()).await?;
        return Err(ApiError::unauthenticated(
            "mail address or password is wrong",
            "try again, or ask an admin for a link to choose a new password",
        ));
    };
    if account.totp_active {
        second_factor(&state, &account, login.code.as_deref()).await?;
    }
    logged_in(&state, &account, address, &headers, StatusCode::OK).await
}

/// Checks the second factor of an account that has one; each code works once.
async fn second_factor(state: &AppState, account: &Account, code: Option<&str>) -> ApiResult<()> {
    let control = state.store.control();
    let Some(code) = code.filter(|code| !code.trim().is_empty()) else { return Err(ApiError::second_factor()) };
    state.identity.throttle.try_second_factor(&account.id)?;
    if fits(state, account, code).await? {
        return Ok(());
    }
    let subject = Some(("account", account.id.as_str()));
    audit::record(control, audit::nobody(), "login.second_factor_failed", None, subject, json!({}), now_us()).await?;
    Err(ApiError::second_factor())
}

/// Whether a code of the phone, or a recovery code, is right now and was not used before; it is used up by asking.
pub async fn fits(state: &AppState, account: &Account, code: &str) -> ApiResult<bool> {
    let control = state.store.control();
    if let Some(hash) = totp::recovery_hash(code) {
        return Ok(control.use_recovery_code(&account.id, &hash).await?);
    }
    let Some(sealed) = &account.totp_secret else { return Ok(false) };
    let secret = state.identity.sealer.unseal(&totp_purpose(&account.id), sealed)?;
    match totp::step_of(&secret, code, now_us()) {
        Some(step) => Ok(control.use_totp_step(&account.id, step).await?),
        None => Ok(false),
    }
}

/// What the secret of a second factor is sealed for.
pub fn totp_purpose(account: &str) -> String {
    format!("totp/{account}")
}

/// Ends the login session, if there is one; the cookie is worth nothing afterwards, whoever kept a copy.
#[utoipa::path(post, path = "/logout", responses((status = 204)), extensions(("x-lode-permission" = json!("public"))))]
pub async fn logout(State(state): State<AppState>, actor: MaybeActor) -> ApiResult<Response> {
    if let Some(actor) = actor.0
        && let By::Session(session) = &actor.by
    {
        let control = state.store.control();
        if !planted::is("session-survives-logout") {
            control.end_login_session(&actor.account.id, &session.id).await?;
        }
        audit::record(control, &actor, "logout", None, None, json!({}), now_us()).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, session::gone())]).into_response())
}

/// Whose link it is.
#[derive(Serialize, ToSchema)]
pub struct LinkOwner {
    email: String,
    name: String,
}

/// Whose link this is.
#[utoipa::path(get, path = "/password-links/{token}", responses((status = 200, body = LinkOwner)),
    extensions(("x-lode-permission" = json!("public"))))]
pub async fn link_owner(
    State(state): State<AppState>,
    Peer(peer): Peer,
    headers: HeaderMap,
    ItemId(token): ItemId,
) -> ApiResult<Json<LinkOwner>> {
    state.identity.throttle.try_from(state.client_address(peer, &headers))?;
    let account = by_link(&state, &token).await?;
    Ok(Json(LinkOwner { email: account.email, name: account.name }))
}

/// A password to be chosen.
#[derive(Deserialize, ToSchema)]
pub struct PasswordChosen {
    #[serde(deserialize_with = "typed")]
    #[schema(value_type = String)]
    password: SecretString,
}

/// Chooses a password with a link, and logs in. The link works once; every other login session of the account ends.
#[utoipa::path(post, path = "/password-links/{token}", request_body = PasswordChosen,
    responses((status = 200, body = AccountShown)), extensions(("x-lode-permission" = json!("public"))))]
pub async fn choose_password(
    State(state): State<AppState>,
    Peer(peer): Peer,
    headers: HeaderMap,
    ItemId(token): ItemId,
    Json(chosen): Json<PasswordChosen>,
) -> ApiResult<Response> {
    let control = state.store.control();
    let address = state.client_address(peer, &headers);
    state.identity.throttle.try_from(address)?;
    let account = by_link(&state, &token).await?;
    let password_hash = state.identity.passwords.hash(NewPassword::new(chosen.password)?).await?;
    if !control.use_password_link(&hash(&token)).await? {
        return Err(no_link());
    }
    control.set_password(&account.id, &password_hash, None).await?;
    let subject = Some(("account", account.id.as_str()));
    audit::record(control, of(&account), "password.chosen", None, subject, json!({}), now_us()).await?;
    let account = control.account(&account.id).await?;
    logged_in(&state, &account, address, &headers, StatusCode::OK).await
}

async fn by_link(state: &AppState, token: &str) -> ApiResult<Account> {
    state.store.control().account_by_link(&hash(token), now_us()).await?.ok_or_else(no_link)
}

fn no_link() -> ApiError {
    ApiError::not_found("this link does not hold (any more)", "ask an admin for a new one")
}

/// Begins a login session and answers with the account and the cookie.
async fn logged_in(
    state: &AppState,
    account: &Account,
    address: IpAddr,
    headers: &HeaderMap,
    status: StatusCode,
) -> ApiResult<Response> {
    let cookie = session::begin(state.store.control(), &account.id, address, headers, now_us()).await?;
    audit::record(state.store.control(), of(account), "login.ok", None, None, json!({}), now_us()).await?;
    Ok((status, [(header::SET_COOKIE, cookie)], Json(AccountShown::from(account))).into_response())
}

/// An account that has just shown who it is.
fn of(account: &Account) -> AuditActor {
    AuditActor { kind: "account".into(), id: account.id.clone(), name: account.name.clone() }
}

/// Who asks, unless it is everybody of open mode, who has no row to change.
pub fn own_row(actor: &Actor) -> ApiResult<&Account> {
    actor.session().map(|_| &actor.account)
}
