//! Accounts as admins look after them: list, make, change, send a link to choose a password.
//!
//! Nobody chooses a password for somebody else: a new account, or one whose password is lost, gets a link that works once.

use super::errors::{ApiError, ApiResult};
use super::paging::{Page, time_text};
use super::path::ItemId;
use super::state::AppState;
use crate::access::Actor;
use crate::audit;
use crate::identity::secret_text::{hash_of, random_secret};
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::StoreError;
use store::control::Control;
use store::control::accounts::{Account, NewAccount};
use utoipa::ToSchema;

/// How long a link to choose a password holds, in microseconds: 24 h.
const LINK_LIFE_US: i64 = 24 * 60 * 60 * 1_000_000;

/// An account as its owner and admins see it.
#[derive(Serialize, ToSchema)]
pub struct AccountShown {
    id: String,
    email: String,
    name: String,
    /// Whether it looks after accounts and settings; it gives no right in a project.
    admin: bool,
    disabled: bool,
    /// Whether a second factor is asked for.
    totp: bool,
    /// Whether a password was chosen.
    password: bool,
    /// Whether the company's login was used.
    oidc: bool,
    created_at: Option<String>,
    last_login_at: Option<String>,
}

impl From<&Account> for AccountShown {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id.clone(),
            email: account.email.clone(),
            name: account.name.clone(),
            admin: account.admin,
            disabled: account.disabled,
            totp: account.totp_active,
            password: account.password_hash.is_some(),
            oidc: account.oidc.is_some(),
            created_at: time_text(account.created_at_us),
            last_login_at: account.last_login_at_us.and_then(time_text),
        }
    }
}

/// Accounts.
#[derive(Serialize, ToSchema)]
pub struct AccountList {
    accounts: Vec<AccountShown>,
    total: i64,
}

/// Every account.
#[utoipa::path(get, path = "/accounts", params(Page), responses((status = 200, body = AccountList)),
    extensions(("x-lode-permission" = json!("admin"))))]
pub async fn list(State(state): State<AppState>, Query(page): Query<Page>) -> ApiResult<Json<AccountList>> {
    let (accounts, total) = state.store.control().accounts(page.limit(), page.offset()).await?;
    Ok(Json(AccountList { accounts: accounts.iter().map(AccountShown::from).collect(), total }))
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
pub struct AccountMade {
    email: String,
    name: String,
    #[serde(default)]
    admin: bool,
}

/// A new account and the link to give to its owner.
#[derive(Serialize, ToSchema)]
pub struct AccountAndLink {
    account: AccountShown,
    /// Path of the page on which the owner chooses a password; works once, 24 h.
    link: String,
}

/// Makes an account without a password.
#[utoipa::path(post, path = "/accounts", request_body = AccountMade, responses((status = 201, body = AccountAndLink)),
    extensions(("x-lode-permission" = json!("admin"))))]
pub async fn create(
    State(state): State<AppState>,
    actor: Actor,
    Json(new): Json<AccountMade>,
) -> ApiResult<(StatusCode, Json<AccountAndLink>)> {
    let control = state.store.control();
    let new = NewAccount { email: &new.email, name: &new.name, admin: new.admin, password_hash: None };
    let account = control.create_account(&new, now_us()).await?;
    let link = password_link(control, &account.id, now_us()).await?;
    let (subject, detail) = (Some(("account", account.id.as_str())), json!({ "admin": account.admin }));
    audit::record(control, &actor, "account.create", None, subject, detail, now_us()).await?;
    Ok((StatusCode::CREATED, Json(AccountAndLink { account: (&account).into(), link })))
}

/// What may be changed of an account; what is absent stays.
#[derive(Deserialize, ToSchema)]
pub struct AccountChange {
    name: Option<String>,
    admin: Option<bool>,
    disabled: Option<bool>,
}

/// Changes an account. One that is disabled is out at once.
#[utoipa::path(patch, path = "/accounts/{account}", request_body = AccountChange,
    responses((status = 200, body = AccountShown)), extensions(("x-lode-permission" = json!("admin"))))]
pub async fn change(
    State(state): State<AppState>,
    actor: Actor,
    ItemId(id): ItemId,
    Json(change): Json<AccountChange>,
) -> ApiResult<Json<AccountShown>> {
    let control = state.store.control();
    let before = control.account(&id).await?;
    let name = change.name.as_deref().unwrap_or(&before.name);
    let (admin, disabled) = (change.admin.unwrap_or(before.admin), change.disabled.unwrap_or(before.disabled));
    let account = control.update_account(&id, name, admin, disabled).await?;
    let (subject, detail) = (Some(("account", id.as_str())), json!({ "admin": admin, "disabled": disabled }));
    audit::record(control, &actor, "account.change", None, subject, detail, now_us()).await?;
    Ok(Json((&account).into()))
}

/// A link to choose a password.
#[derive(Serialize, ToSchema)]
pub struct PasswordLink {
    /// Path of the page; works once, 24 h.
    link: String,
}

/// Makes a link with which the account's owner chooses a new password. The old one holds until then; the second factor
/// goes, for a phone that is lost.
#[utoipa::path(post, path = "/accounts/{account}/reset", responses((status = 200, body = PasswordLink)),
    extensions(("x-lode-permission" = json!("admin"))))]
pub async fn reset(State(state): State<AppState>, actor: Actor, ItemId(id): ItemId) -> ApiResult<Json<PasswordLink>> {
    let control = state.store.control();
    let account = control.account(&id).await?;
    if account.disabled {
        return Err(ApiError::conflict("this account is disabled", "enable it first"));
    }
    let link = password_link(control, &account.id, now_us()).await?;
    control.remove_totp(&account.id).await?;
    let (subject, detail) = (Some(("account", id.as_str())), json!({ "second_factor_removed": account.totp_active }));
    audit::record(control, &actor, "account.reset", None, subject, detail, now_us()).await?;
    Ok(Json(PasswordLink { link }))
}

/// Makes a link for an account; older ones are void.
pub async fn password_link(control: &Control, account: &str, now_us: i64) -> Result<String, StoreError> {
    let secret = random_secret();
    control.put_password_link(account, &hash_of(&secret), now_us + LINK_LIFE_US).await?;
    Ok(format!("/password/{}", secret.expose_secret()))
}
