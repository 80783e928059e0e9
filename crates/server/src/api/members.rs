//! The members of a project, as its leads look after them.

use super::accounts::password_link;
use super::errors::{ApiError, ApiResult};
use super::paging::time_text;
use super::path::ItemId;
use super::state::AppState;
use super::words;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::control::accounts::NewAccount;
use store::control::members::{Grant, Grants, Member, Role};
use utoipa::ToSchema;

/// The members of a project.
#[derive(Serialize, ToSchema)]
pub struct MemberList {
    members: Vec<MemberShown>,
}

/// A member and what it may.
#[derive(Serialize, ToSchema)]
pub struct MemberShown {
    account: MemberAccount,
    #[schema(value_type = words::Role)]
    role: Role,
    #[schema(value_type = Vec<words::Grant>)]
    grants: Grants,
    since: Option<String>,
}

/// Who it is.
#[derive(Serialize, ToSchema)]
pub struct MemberAccount {
    id: String,
    email: String,
    name: String,
}

impl From<Member> for MemberShown {
    fn from(member: Member) -> Self {
        Self {
            account: MemberAccount { id: member.account, email: member.email, name: member.name },
            role: member.membership.role,
            grants: member.membership.grants,
            since: time_text(member.membership.since_us),
        }
    }
}

/// The members of the project.
#[utoipa::path(get, path = "/projects/{project}/members", responses((status = 200, body = MemberList)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn list(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<MemberList>> {
    let members = state.store.control().members(access.id()).await?;
    Ok(Json(MemberList { members: members.into_iter().map(MemberShown::from).collect() }))
}

/// Somebody to become a member.
#[derive(Deserialize, ToSchema)]
pub struct NewMember {
    email: String,
    /// Needed if the address has no account yet.
    name: Option<String>,
    #[schema(value_type = words::Role)]
    role: Role,
    #[serde(default)]
    #[schema(value_type = Vec<words::Grant>)]
    grants: Grants,
}

/// A new member, and the link for its owner if the account is new.
#[derive(Serialize, ToSchema)]
pub struct MemberAndLink {
    #[serde(flatten)]
    member: MemberShown,
    /// Path of the page on which the owner chooses a password; works once, 24 h.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    link: Option<String>,
}

/// Makes somebody a member; an address without an account gets one.
#[utoipa::path(post, path = "/projects/{project}/members", request_body = NewMember,
    responses((status = 201, body = MemberAndLink)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn add(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(new): Json<NewMember>,
) -> ApiResult<(StatusCode, Json<MemberAndLink>)> {
    let control = state.store.control();
    let known = control.account_by_email(&new.email).await?;
    let (account, link) = match known {
        Some(account) => (account, None),
        None => {
            let name = new.name.as_deref().unwrap_or(&new.email);
            let made = NewAccount { email: &new.email, name, admin: false, password_hash: None };
            let account = control.create_account(&made, now_us()).await?;
            let subject = Some(("account", account.id.as_str()));
            audit::record(control, &actor, "account.create", None, subject, json!({ "admin": false }), now_us())
                .await?;
            let link = password_link(control, &account.id, now_us()).await?;
            (account, Some(link))
        }
    };
    put_member(&state, &actor, &access, &account.id, new.role, &new.grants).await?;
    let member = member(&state, access.id(), &account.id).await?;
    Ok((StatusCode::CREATED, Json(MemberAndLink { member, link })))
}

/// What a member is to be.
#[derive(Deserialize, ToSchema)]
pub struct MemberChange {
    #[schema(value_type = words::Role)]
    role: Role,
    #[serde(default)]
    #[schema(value_type = Vec<words::Grant>)]
    grants: Grants,
}

/// Changes what a member may, at once. An account that is no member becomes one.
#[utoipa::path(put, path = "/projects/{project}/members/{account}", request_body = MemberChange,
    responses((status = 200, body = MemberShown)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn put(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(account): ItemId,
    Json(change): Json<MemberChange>,
) -> ApiResult<Json<MemberShown>> {
    put_member(&state, &actor, &access, &account, change.role, &change.grants).await?;
    Ok(Json(member(&state, access.id(), &account).await?))
}

/// Takes a member out of the project, at once.
#[utoipa::path(delete, path = "/projects/{project}/members/{account}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn remove(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(account): ItemId,
) -> ApiResult<StatusCode> {
    let control = state.store.control();
    if !control.remove_member(access.id(), &account).await? {
        return Err(no_member(&account));
    }
    let subject = Some(("account", account.as_str()));
    audit::record(control, &actor, "member.remove", Some(access.id()), subject, json!({}), now_us()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn put_member(
    state: &AppState,
    actor: &Actor,
    access: &ProjectAccess,
    account: &str,
    role: Role,
    grants: &Grants,
) -> ApiResult<()> {
    let control = state.store.control();
    control.put_member(access.id(), account, role, grants, now_us()).await?;
    let grants: Vec<Value> = grants.iter().map(|grant: &Grant| grant.as_str().into()).collect();
    let (subject, detail) = (Some(("account", account)), json!({ "role": role.as_str(), "grants": grants }));
    Ok(audit::record(control, actor, "member.put", Some(access.id()), subject, detail, now_us()).await?)
}

async fn member(state: &AppState, project: &str, account: &str) -> ApiResult<MemberShown> {
    let members = state.store.control().members(project).await?.into_iter();
    members.map(MemberShown::from).find(|member| member.account.id == account).ok_or_else(|| no_member(account))
}

fn no_member(account: &str) -> ApiError {
    ApiError::not_found(format!("'{account}' is no member of the project"), "list the members")
}
