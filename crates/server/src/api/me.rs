//! What people do with their own account: see it, name, password, second factor, login sessions, API tokens.
//!
//! A token can do none of the changes: they are for whoever is logged in.

use super::accounts::AccountShown;
use super::errors::{ApiError, ApiResult};
use super::login::{fits, own_row, totp_purpose};
use super::paging::time_text;
use super::path::ItemId;
use super::projects::accessible;
use super::settings;
use super::state::AppState;
use super::words;
use crate::access::{Actor, MaybeActor};
use crate::audit;
use crate::client_address::Peer;
use crate::identity::password::NewPassword;
use crate::identity::secret_text::{KeyKind, typed};
use crate::identity::{session, totp};
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::control::api_tokens::{ApiToken, TOKENS_MAX};
use store::control::members::{Grants, Role};
use utoipa::ToSchema;

/// Days that a token may hold at most.
const TOKEN_DAYS_MAX: i64 = 366;

/// Days that it holds unless asked otherwise.
const TOKEN_DAYS_DEFAULT: i64 = 90;

/// Characters of a token's name.
const TOKEN_NAME_CHARS_MAX: usize = 100;

/// Microseconds of a day.
const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Who asks, and where they may go.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// Null without a login.
    account: Option<AccountShown>,
    /// Whether the service runs open, for everybody on its machine.
    open: bool,
    /// Whether the first account is still to be made.
    setup_needed: bool,
    /// The company's login, if there is one.
    oidc: Option<CompanyLoginShown>,
    projects: Vec<MyProject>,
}

/// The company's login.
#[derive(Serialize, ToSchema)]
pub struct CompanyLoginShown {
    name: String,
}

/// A project of whoever asks.
#[derive(Serialize, ToSchema)]
pub struct MyProject {
    id: String,
    slug: String,
    name: String,
    #[schema(value_type = words::Role)]
    role: Role,
    #[schema(value_type = Vec<words::Grant>)]
    grants: Grants,
}

/// Who asks; answers without a login too.
#[utoipa::path(get, path = "/me", responses((status = 200, body = Me)),
    extensions(("x-lode-permission" = json!("public"))))]
pub async fn show(State(state): State<AppState>, actor: MaybeActor) -> ApiResult<Json<Me>> {
    let control = state.store.control();
    let projects = match &actor.0 {
        Some(actor) => accessible(control, actor).await?,
        None => Vec::new(),
    };
    let mine = projects.into_iter().map(|access| MyProject {
        id: access.project.id,
        slug: access.project.slug,
        name: access.project.name,
        role: access.role,
        grants: access.grants,
    });
    let company_login = settings::company_login(control).await?;
    Ok(Json(Me {
        account: actor.0.as_ref().map(|actor| (&actor.account).into()),
        open: state.identity.open,
        setup_needed: !state.identity.open && control.account_count().await? == 0,
        oidc: company_login.map(|login| CompanyLoginShown { name: login.name }),
        projects: mine.collect(),
    }))
}

/// What people may change of their account.
#[derive(Deserialize, ToSchema)]
pub struct MyChange {
    name: String,
}

/// Changes one's name.
#[utoipa::path(patch, path = "/me", request_body = MyChange, responses((status = 200, body = AccountShown)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn change(
    State(state): State<AppState>,
    actor: Actor,
    Json(change): Json<MyChange>,
) -> ApiResult<Json<AccountShown>> {
    let own = own_row(&actor)?;
    let control = state.store.control();
    let changed = control.update_account(&own.id, &change.name, own.admin, own.disabled).await?;
    audit::record(control, &actor, "account.rename", None, Some(("account", &own.id)), json!({}), now_us()).await?;
    Ok(Json((&changed).into()))
}

/// A new password, with the one before it.
#[derive(Deserialize, ToSchema)]
pub struct PasswordChange {
    #[serde(deserialize_with = "typed")]
    #[schema(value_type = String)]
    current: SecretString,
    #[serde(deserialize_with = "typed")]
    #[schema(value_type = String)]
    password: SecretString,
}

/// Changes one's password; every other login session ends.
#[utoipa::path(post, path = "/me/password", request_body = PasswordChange, responses((status = 204)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn password(
    State(state): State<AppState>,
    Peer(peer): Peer,
    headers: HeaderMap,
    actor: Actor,
    Json(change): Json<PasswordChange>,
) -> ApiResult<StatusCode> {
    let (own, session) = (own_row(&actor)?, actor.session()?);
    let (control, identity) = (state.store.control(), &state.identity);
    identity.throttle.try_login(&own.email, state.client_address(peer, &headers))?;
    let new = NewPassword::new(change.password)?;
    if !identity.passwords.is_right(change.current, own.password_hash.clone()).await? {
        return Err(ApiError::bad_request("the current password is wrong", "type the one you logged in with"));
    }
    let password_hash = identity.passwords.hash(new).await?;
    control.set_password(&own.id, &password_hash, Some(&session.id)).await?;
    audit::record(control, &actor, "password.change", None, Some(("account", &own.id)), json!({}), now_us()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The secret for a phone.
#[derive(Serialize, ToSchema)]
pub struct TotpSecret {
    /// Base 32, to be typed.
    secret: String,
    /// `otpauth://…`, to be shown as a picture.
    uri: String,
}

/// Makes the secret of a second factor; it is asked for only once a code of it was shown.
#[utoipa::path(post, path = "/me/totp", responses((status = 200, body = TotpSecret)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn prepare_totp(State(state): State<AppState>, actor: Actor) -> ApiResult<Json<TotpSecret>> {
    let own = own_row(&actor)?;
    let secret = totp::new_secret();
    let sealed = state.identity.sealer.seal(&totp_purpose(&own.id), &secret)?;
    if !state.store.control().prepare_totp(&own.id, &sealed).await? {
        return Err(ApiError::conflict("there is a second factor already", "remove it first"));
    }
    let uri = totp::uri(&secret, &own.email).ok_or_else(|| ApiError::internal("the secret cannot be shown"))?;
    Ok(Json(TotpSecret { secret, uri }))
}

/// A code of the second factor.
#[derive(Deserialize, ToSchema)]
pub struct TotpCode {
    code: String,
}

/// Codes for a lost phone, shown once; each works once.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

/// Switches the second factor on, once a code shows that the phone has the secret.
#[utoipa::path(put, path = "/me/totp", request_body = TotpCode, responses((status = 200, body = RecoveryCodes)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn activate_totp(
    State(state): State<AppState>,
    actor: Actor,
    Json(shown): Json<TotpCode>,
) -> ApiResult<Json<RecoveryCodes>> {
    let own = own_row(&actor)?;
    let control = state.store.control();
    state.identity.throttle.try_second_factor(&own.id)?;
    let Some(sealed) = own.totp_secret.as_ref().filter(|_| !own.totp_active) else {
        return Err(ApiError::conflict("there is no secret that waits", "begin with POST /me/totp"));
    };
    let secret = state.identity.sealer.unseal(&totp_purpose(&own.id), sealed)?;
    let step = totp::step_of(&secret, &shown.code, now_us()).ok_or_else(wrong_code)?;
    let recovery_codes = totp::new_recovery_codes();
    let hashes: Vec<String> = recovery_codes.iter().filter_map(|code| totp::recovery_hash(code)).collect();
    control.activate_totp(&own.id, step, &hashes).await?;
    audit::record(control, &actor, "second_factor.on", None, Some(("account", &own.id)), json!({}), now_us()).await?;
    Ok(Json(RecoveryCodes { recovery_codes }))
}

/// Switches the second factor off; takes a code of it.
#[utoipa::path(delete, path = "/me/totp", request_body = TotpCode, responses((status = 204)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn remove_totp(
    State(state): State<AppState>,
    actor: Actor,
    Json(shown): Json<TotpCode>,
) -> ApiResult<StatusCode> {
    let own = own_row(&actor)?;
    let control = state.store.control();
    state.identity.throttle.try_second_factor(&own.id)?;
    if !own.totp_active || !fits(&state, own, &shown.code).await? {
        return Err(wrong_code());
    }
    control.remove_totp(&own.id).await?;
    audit::record(control, &actor, "second_factor.off", None, Some(("account", &own.id)), json!({}), now_us()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wrong_code() -> ApiError {
    ApiError::bad_request("the code is wrong", "type the one that your phone shows now; each works once")
}

/// One's login sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionList {
    sessions: Vec<SessionShown>,
}

/// A login session.
#[derive(Serialize, ToSchema)]
pub struct SessionShown {
    id: String,
    created_at: Option<String>,
    seen_at: Option<String>,
    address: String,
    user_agent: String,
    /// Whether it is the one that asks.
    current: bool,
}

/// One's login sessions, newest first.
#[utoipa::path(get, path = "/me/sessions", responses((status = 200, body = SessionList)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn sessions(State(state): State<AppState>, actor: Actor) -> ApiResult<Json<SessionList>> {
    let (own, current) = (own_row(&actor)?, actor.session()?);
    let sessions = state.store.control().login_sessions(&own.id, session::ended(now_us())).await?;
    let shown = sessions.into_iter().map(|session| SessionShown {
        current: session.id == current.id,
        id: session.id,
        created_at: time_text(session.created_at_us),
        seen_at: time_text(session.seen_at_us),
        address: session.address,
        user_agent: session.user_agent,
    });
    Ok(Json(SessionList { sessions: shown.collect() }))
}

/// Ends one of one's login sessions.
#[utoipa::path(delete, path = "/me/sessions/{session}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn end_session(State(state): State<AppState>, actor: Actor, ItemId(id): ItemId) -> ApiResult<StatusCode> {
    let own = own_row(&actor)?;
    let control = state.store.control();
    if !control.end_login_session(&own.id, &id).await? {
        return Err(ApiError::not_found("there is no such login session", "it may have ended already"));
    }
    audit::record(control, &actor, "session.end", None, Some(("session", &id)), json!({}), now_us()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's API tokens.
#[derive(Serialize, ToSchema)]
pub struct TokenList {
    tokens: Vec<TokenShown>,
}

/// An API token, without its text.
#[derive(Serialize, ToSchema)]
pub struct TokenShown {
    id: String,
    name: String,
    /// Short name of the one project it works in; null: all of its owner's.
    project: Option<String>,
    read_only: bool,
    created_at: Option<String>,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
pub struct TokenIssued {
    #[serde(flatten)]
    about: TokenShown,
    /// The token itself, shown once.
    token: String,
}

/// One's API tokens, newest first.
#[utoipa::path(get, path = "/me/tokens", responses((status = 200, body = TokenList)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn tokens(State(state): State<AppState>, actor: Actor) -> ApiResult<Json<TokenList>> {
    let own = own_row(&actor)?;
    let control = state.store.control();
    let projects = accessible(control, &actor).await?;
    let slug = |id: &str| projects.iter().find(|access| access.id() == id).map(|access| access.project.slug.clone());
    let tokens = control.api_tokens(&own.id).await?;
    let shown = tokens.into_iter().map(|token| {
        let slug = token.project.as_deref().map(|id| slug(id).unwrap_or_else(|| id.to_owned()));
        token_shown(token, slug)
    });
    Ok(Json(TokenList { tokens: shown.collect() }))
}

/// An API token to be made.
#[derive(Deserialize, ToSchema)]
pub struct NewToken {
    name: String,
    /// The one project it works in; absent: all of its owner's.
    project: Option<String>,
    /// How long it holds: 90 unless asked otherwise, at most 366.
    days: Option<i64>,
    #[serde(default)]
    read_only: bool,
}

/// Makes an API token. It can do no more than its owner, and none of what only a person may do.
#[utoipa::path(post, path = "/me/tokens", request_body = NewToken, responses((status = 201, body = TokenIssued)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn create_token(
    State(state): State<AppState>,
    actor: Actor,
    Json(new): Json<NewToken>,
) -> ApiResult<(StatusCode, Json<TokenIssued>)> {
    let own = own_row(&actor)?;
    let control = state.store.control();
    let days = new.days.unwrap_or(TOKEN_DAYS_DEFAULT);
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > TOKEN_NAME_CHARS_MAX || !(1..=TOKEN_DAYS_MAX).contains(&days) {
        return Err(ApiError::bad_request(
            format!(
                "a token needs a name of 1 to {TOKEN_NAME_CHARS_MAX} characters and holds 1 to {TOKEN_DAYS_MAX} days"
            ),
            "correct the request",
        ));
    }
    if control.api_tokens(&own.id).await?.len() >= TOKENS_MAX {
        return Err(ApiError::conflict(format!("an account has at most {TOKENS_MAX} tokens"), "take one away first"));
    }
    let project = match &new.project {
        Some(handle) => {
            let own = accessible(control, &actor).await?.into_iter();
            let found =
                own.map(|access| access.project).find(|project| project.id == *handle || project.slug == *handle);
            Some(
                found
                    .ok_or_else(|| ApiError::not_found(format!("there is no project '{handle}'"), "check its name"))?,
            )
        }
        None => None,
    };
    let (key, now) = (KeyKind::ApiToken.issue(), now_us());
    let token = ApiToken {
        id: key.id,
        account: own.id.clone(),
        project: project.as_ref().map(|project| project.id.clone()),
        name: name.to_owned(),
        read_only: new.read_only,
        created_at_us: now,
        expires_at_us: now + days * DAY_US,
        last_used_at_us: None,
    };
    control.put_api_token(&token, &key.hash).await?;
    let (subject, detail) = (Some(("token", token.id.as_str())), json!({ "days": days, "read_only": new.read_only }));
    audit::record(control, &actor, "token.create", token.project.as_deref(), subject, detail, now).await?;
    let about = token_shown(token, project.map(|project| project.slug));
    Ok((StatusCode::CREATED, Json(TokenIssued { about, token: key.text.expose_secret().to_owned() })))
}

/// Takes one of one's tokens away; it is worth nothing at once.
#[utoipa::path(delete, path = "/me/tokens/{token}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn delete_token(State(state): State<AppState>, actor: Actor, ItemId(id): ItemId) -> ApiResult<StatusCode> {
    let own = own_row(&actor)?;
    let control = state.store.control();
    if !control.delete_api_token(&own.id, &id).await? {
        return Err(ApiError::not_found("there is no such token", "list your tokens"));
    }
    audit::record(control, &actor, "token.delete", None, Some(("token", &id)), json!({}), now_us()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn token_shown(token: ApiToken, project: Option<String>) -> TokenShown {
    TokenShown {
        id: token.id,
        name: token.name,
        project,
        read_only: token.read_only,
        created_at: time_text(token.created_at_us),
        expires_at: time_text(token.expires_at_us),
        last_used_at: token.last_used_at_us.and_then(time_text),
    }
}
