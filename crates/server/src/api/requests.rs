//! What takes two people: to name a person, to lower the smallest group, to erase a project (promise D4).
//!
//! One account asks with a reason, another one decides; both hold the grant `identities`. Every step is audited, and so is
//! every look at a name.

use super::errors::{ApiError, ApiResult};
use super::invitations::{self, Person};
use super::paging::{Page, time_text};
use super::path::ItemId;
use super::privacy::REASON_CHARS_MAX;
use super::projects;
use super::state::AppState;
use super::words;
use crate::access::{Actor, Permission, ProjectAccess};
use crate::audit;
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::StoreError;
use store::control::requests::{Request, RequestKind};
use uilog::planted;
use utoipa::ToSchema;

/// How long an approved name can be seen: a day, in microseconds.
const SHOWN_US: i64 = 24 * 3_600 * 1_000_000;

/// The smallest group that two people may agree on: one person is no group.
const GROUP_MIN: i64 = 2;

/// Accounts that must hold the right before anything can be asked.
const ELIGIBLE_MIN: usize = 2;

/// Requests of a project.
#[derive(Serialize, ToSchema)]
pub struct RequestList {
    requests: Vec<RequestShown>,
}

/// A request, and what became of it.
#[derive(Serialize, ToSchema)]
pub struct RequestShown {
    id: String,
    #[schema(value_type = words::RequestKind)]
    kind: RequestKind,
    /// The agent, if it is about one.
    subject: Option<String>,
    value: Option<i64>,
    reason: String,
    asked_by: Named,
    asked_at: Option<String>,
    #[schema(value_type = words::RequestState)]
    state: String,
    decided_by: Option<Named>,
    decided_at: Option<String>,
    /// Who is behind the agent: for the two who agreed, for a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    person: Option<Person>,
}

/// An account as others see it.
#[derive(Serialize, ToSchema)]
pub struct Named {
    id: String,
    name: String,
}

/// What is asked for.
#[derive(Deserialize, ToSchema)]
pub struct NewRequest {
    #[schema(value_type = words::RequestKind)]
    kind: RequestKind,
    /// The agent to name.
    subject: Option<String>,
    /// The smallest group that is wanted.
    value: Option<i64>,
    /// Why; it is kept and shown.
    reason: String,
}

/// Requests of the project, newest first.
#[utoipa::path(get, path = "/projects/{project}/requests", params(Page), responses((status = 200, body = RequestList)),
    extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn list(
    State(state): State<AppState>,
    access: ProjectAccess,
    Query(page): Query<Page>,
) -> ApiResult<Json<RequestList>> {
    let found = state.store.control().requests(access.id(), page.limit(), page.offset()).await?;
    let now_us = now_us();
    let mut requests = Vec::with_capacity(found.len());
    for request in found {
        requests.push(shown(&state, request, now_us).await?);
    }
    Ok(Json(RequestList { requests }))
}

/// Asks for something that a second person must approve within seven days. Both need a second factor.
#[utoipa::path(post, path = "/projects/{project}/requests", request_body = NewRequest,
    responses((status = 201, body = RequestShown)), extensions(("x-lode-permission" = json!("identities"))))]
pub async fn ask(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(new): Json<NewRequest>,
) -> ApiResult<(StatusCode, Json<RequestShown>)> {
    actor.second_factor()?;
    let (control, now_us) = (state.store.control(), now_us());
    let reason = new.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        let message = format!("a request needs a reason of 1 to {REASON_CHARS_MAX} characters");
        return Err(ApiError::bad_request(message, "say why; whoever decides reads it"));
    }
    let mut request = Request {
        id: uuid::Uuid::now_v7().to_string(),
        project: access.id().to_owned(),
        kind: new.kind,
        subject: None,
        value: None,
        reason: reason.to_owned(),
        asked_by: actor.account.id.clone(),
        asked_at_us: now_us,
        decision: "open".into(),
        decided_by: None,
        decided_at_us: None,
    };
    match new.kind {
        RequestKind::Reidentify => request.subject = Some(invited(&state, &access, new.subject).await?),
        RequestKind::LowerK => request.value = Some(smaller(new.value, access.project.min_group_size)?),
        RequestKind::EraseProject => {}
    }
    enough_people(&state, &access).await?;
    told(&state, &actor, "ask", &request).await?;
    control.put_request(&request).await?;
    Ok((StatusCode::CREATED, Json(shown(&state, request, now_us).await?)))
}

/// One request. For a day after an approval, the two who agreed see who is behind the agent; each look is audited.
#[utoipa::path(get, path = "/projects/{project}/requests/{request}", responses((status = 200, body = RequestShown)),
    extensions(("x-lode-permission" = json!("identities"))))]
pub async fn show(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<Json<RequestShown>> {
    let (request, now_us) = (state.store.control().request(access.id(), &id).await?, now_us());
    let mut person = None;
    if may_see(&request, &actor.account.id, now_us) && actor.session().is_ok() && actor.second_factor().is_ok() {
        told(&state, &actor, "look", &request).await?;
        person = person_behind(&state, &request).await?;
    }
    Ok(Json(RequestShown { person, ..shown(&state, request, now_us).await? }))
}

/// Approves what another account asked for; it happens at once.
#[utoipa::path(post, path = "/projects/{project}/requests/{request}/approve",
    responses((status = 200, body = RequestShown)), extensions(("x-lode-permission" = json!("identities"))))]
pub async fn approve(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<Json<RequestShown>> {
    let request = decide(&state, &actor, &access, &id, true).await?;
    match request.kind {
        RequestKind::Reidentify => {}
        RequestKind::LowerK => {
            // The group may have grown since; only what was asked for is set.
            let group = request.value.unwrap_or(access.project.min_group_size);
            state.store.control().set_min_group_size(access.id(), group).await?;
        }
        RequestKind::EraseProject => projects::erase(&state, access.id()).await?,
    }
    Ok(Json(shown(&state, request, now_us()).await?))
}

/// Refuses what another account asked for.
#[utoipa::path(post, path = "/projects/{project}/requests/{request}/refuse",
    responses((status = 200, body = RequestShown)), extensions(("x-lode-permission" = json!("identities"))))]
pub async fn refuse(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(id): ItemId,
) -> ApiResult<Json<RequestShown>> {
    let request = decide(&state, &actor, &access, &id, false).await?;
    Ok(Json(shown(&state, request, now_us()).await?))
}

/// The audit entry comes first: what cannot be written down does not happen.
async fn decide(
    state: &AppState,
    actor: &Actor,
    access: &ProjectAccess,
    id: &str,
    approved: bool,
) -> ApiResult<Request> {
    let (control, now_us) = (state.store.control(), now_us());
    let request = control.request(access.id(), id).await?;
    if request.state(now_us) != "open" {
        let message = format!("the request is {} already", request.state(now_us));
        return Err(ApiError::conflict(message, "ask again if it is still needed"));
    }
    // Whoever asked may take the request back, but not approve it.
    if approved && request.asked_by == actor.account.id && !planted::is("one-person-reident") {
        return Err(ApiError::conflict(
            "nobody approves what they asked for themselves",
            "another account must approve",
        ));
    }
    actor.session()?;
    if approved {
        actor.second_factor()?;
    }
    if approved && !still_eligible(state, access, &request.asked_by).await? {
        let message = "whoever asked does not hold the grant identities any more";
        return Err(ApiError::conflict(message, "somebody who holds it must ask again"));
    }
    told(state, actor, if approved { "approve" } else { "refuse" }, &request).await?;
    if !control.decide_request(access.id(), id, &actor.account.id, approved, now_us).await? {
        return Err(ApiError::conflict("somebody else was faster", "look at the request again"));
    }
    Ok(control.request(access.id(), id).await?)
}

/// Accounts that may ask and decide: members with the right who can log in.
async fn eligible(state: &AppState, access: &ProjectAccess) -> ApiResult<Vec<String>> {
    let control = state.store.control();
    let mut eligible = Vec::new();
    for member in control.members(access.id()).await? {
        if Permission::Identities.allows(&member.membership) && !control.account(&member.account).await?.disabled {
            eligible.push(member.account);
        }
    }
    Ok(eligible)
}

async fn still_eligible(state: &AppState, access: &ProjectAccess, account: &str) -> ApiResult<bool> {
    Ok(eligible(state, access).await?.iter().any(|eligible| eligible == account))
}

async fn enough_people(state: &AppState, access: &ProjectAccess) -> ApiResult<()> {
    if eligible(state, access).await?.len() < ELIGIBLE_MIN {
        return Err(ApiError::conflict(
            "this takes two people, and the project has fewer than two members who hold the grant identities",
            "give the grant to a second lead or council member first",
        ));
    }
    Ok(())
}

fn smaller(wanted: Option<i64>, now: i64) -> ApiResult<i64> {
    wanted.filter(|wanted| (GROUP_MIN..now).contains(wanted)).ok_or_else(|| {
        let message = format!("the smallest group can be lowered from {now} to a number from {GROUP_MIN} on");
        ApiError::bad_request(message, "give it as value")
    })
}

async fn invited(state: &AppState, access: &ProjectAccess, subject: Option<String>) -> ApiResult<String> {
    let agent = subject.ok_or_else(|| ApiError::bad_request("which client?", "give its agent_id as subject"))?;
    let client = state.store.ingest().client(access.id(), &agent).await?;
    if client.invitation.is_none() {
        return Err(ApiError::conflict(
            "nobody was invited for this client, so the service knows no name for it",
            "names are known only of people who enrolled with a personal invitation",
        ));
    }
    Ok(agent)
}

fn may_see(request: &Request, account: &str, now_us: i64) -> bool {
    let agreed = request.decided_by.as_deref().zip(request.decided_at_us);
    request.kind == RequestKind::Reidentify
        && request.decision == "approved"
        && agreed.is_some_and(|(decided_by, at_us)| {
            now_us < at_us + SHOWN_US && [decided_by, &request.asked_by].contains(&account)
        })
}

async fn person_behind(state: &AppState, request: &Request) -> ApiResult<Option<Person>> {
    let Some(agent) = &request.subject else { return Ok(None) };
    let client = state.store.ingest().client(&request.project, agent).await?;
    let Some(id) = client.invitation else { return Ok(None) };
    let invitation = state.store.control().invitation(&request.project, &id).await?;
    Ok(Some(invitations::person(&state.identity.sealer, &invitation)?))
}

async fn shown(state: &AppState, request: Request, now_us: i64) -> ApiResult<RequestShown> {
    let asked_by = named(state, request.asked_by.clone()).await?;
    let decided_by = match request.decided_by.clone() {
        Some(account) => Some(named(state, account).await?),
        None => None,
    };
    Ok(RequestShown {
        state: request.state(now_us).to_owned(),
        id: request.id,
        kind: request.kind,
        subject: request.subject,
        value: request.value,
        reason: request.reason,
        asked_by,
        asked_at: time_text(request.asked_at_us),
        decided_by,
        decided_at: request.decided_at_us.and_then(time_text),
        person: None,
    })
}

/// An account outlives what it asked for; one that is gone all the same has no name but its id.
pub async fn named(state: &AppState, id: String) -> ApiResult<Named> {
    match state.store.control().account(&id).await {
        Ok(account) => Ok(Named { id, name: account.name }),
        Err(StoreError::Missing { .. }) => Ok(Named { name: id.clone(), id }),
        Err(error) => Err(error.into()),
    }
}

async fn told(state: &AppState, actor: &Actor, step: &str, request: &Request) -> ApiResult<()> {
    let action = format!("{}.{step}", request.kind.as_str());
    let detail = json!({ "subject": request.subject, "value": request.value });
    let (project, subject) = (Some(request.project.as_str()), Some(("request", request.id.as_str())));
    Ok(audit::record(state.store.control(), actor, &action, project, subject, detail, now_us()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approved() -> Request {
        Request {
            id: "r".into(),
            project: "p".into(),
            kind: RequestKind::Reidentify,
            subject: Some("a".into()),
            value: None,
            reason: "theft".into(),
            asked_by: "ann".into(),
            asked_at_us: 0,
            decision: "approved".into(),
            decided_by: Some("bob".into()),
            decided_at_us: Some(1_000),
        }
    }

    #[test]
    fn d4_the_two_who_agreed_see_the_name_for_a_day_and_nobody_else_ever() {
        assert!(may_see(&approved(), "ann", 1_001) && may_see(&approved(), "bob", 1_000 + SHOWN_US - 1));
        assert!(!may_see(&approved(), "eve", 1_001));
        assert!(!may_see(&approved(), "ann", 1_000 + SHOWN_US));
        assert!(!may_see(&Request { decision: "refused".into(), ..approved() }, "ann", 1_001));
        assert!(!may_see(&Request { kind: RequestKind::LowerK, ..approved() }, "ann", 1_001));
    }

    #[test]
    fn d4_a_request_that_nobody_decided_is_over_after_seven_days() {
        let open = Request { decision: "open".into(), decided_by: None, decided_at_us: None, ..approved() };
        assert_eq!(open.state(store::control::requests::OPEN_US - 1), "open");
        assert_eq!(open.state(store::control::requests::OPEN_US), "expired");
    }
}
