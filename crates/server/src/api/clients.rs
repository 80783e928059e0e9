//! The clients of a project: in what state they are, whether anything was lost, what went wrong.
//!
//! Nobody is named here: a client has a short code. What it has captured is not here either, only how much.

use super::errors::{ApiError, ApiResult};
use super::paging::{Page, time_text};
use super::path::ItemId;
use super::state::AppState;
use super::words;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::client_api::configuration::wanted;
use crate::client_api::{HEARTBEAT_S_MAX, STATES};
use crate::jobs::runner::now_us;
use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::control::configurations::Revision;
use store::ingest::clients::{Client, Received, SORTS, Standing, Wanted};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

/// A client not heard for this long counts as offline: three of the longest intervals.
pub const OFFLINE_AFTER_US: i64 = 3 * HEARTBEAT_S_MAX as i64 * 1_000_000;

/// Which clients to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Part of the short code, version, system, team or id.
    search: Option<String>,
    /// One state.
    #[param(value_type = Option<words::ClientState>, inline)]
    state: Option<String>,
    /// One team.
    team: Option<String>,
    /// With a `-` in front from the end; `-last_seen` unless asked otherwise.
    #[param(value_type = Option<words::ClientSort>, inline)]
    sort: Option<String>,
    /// Rows of the page: 100 unless asked otherwise, at most 10,000.
    limit: Option<i64>,
    /// Rows before it.
    offset: Option<i64>,
}

/// Clients of a project.
#[derive(Serialize, ToSchema)]
pub struct ClientList {
    clients: Vec<ClientShown>,
    total: i64,
    /// How many are in which state, whatever was searched for.
    #[schema(value_type = ClientCounts)]
    counts: BTreeMap<String, i64>,
}

/// Every word for the state of a client: what the service decided, what the client says, or that nothing is heard of it.
pub fn client_states() -> Vec<&'static str> {
    ["held", "offline"].into_iter().chain(STATES).collect()
}

/// Every word for the order of a list: what it is sorted by, and the same from the end.
pub fn client_sorts() -> Vec<String> {
    SORTS.iter().flat_map(|sort| [(*sort).to_owned(), format!("-{sort}")]).collect()
}

/// How many clients are in which state; a state in which there is none is left out.
pub enum ClientCounts {}

impl PartialSchema for ClientCounts {
    fn schema() -> RefOr<Schema> {
        let about = "How many clients are in which state; a state in which there is none is left out.";
        let empty = ObjectBuilder::new().schema_type(Type::Object).description(Some(about));
        let number = || ObjectBuilder::new().schema_type(Type::Integer);
        client_states().into_iter().fold(empty, |counts, state| counts.property(state, number())).into()
    }
}

impl ToSchema for ClientCounts {}

/// One client.
#[derive(Serialize, ToSchema)]
pub struct ClientShown {
    agent_id: String,
    /// A short code for people.
    name: String,
    team: Option<String>,
    #[schema(value_type = words::ClientState)]
    state: String,
    why: Option<String>,
    state_since: Option<String>,
    enrolled_at: Option<String>,
    last_seen_at: Option<String>,
    version: String,
    os: String,
    /// The configuration it obeys.
    config_revision: Option<i64>,
    /// The configuration it is to obey.
    revision_wanted: Option<i64>,
    /// What it can observe, as it says: `yes`, or `partial:` or `no:` with the reason.
    #[schema(value_type = BTreeMap<String, String>)]
    capabilities: Value,
    #[schema(value_type = ClientSpool)]
    spool: Value,
    /// Its counters, as it says.
    #[schema(value_type = BTreeMap<String, ClientCounter>)]
    counters: Value,
    balance: Balance,
    last_error: Option<ClientError>,
    clock_offset_ms: i64,
    app_key: String,
    #[serde(rename = "self")]
    #[schema(value_type = ClientOwnUse)]
    own_use: Value,
    /// The last changes of its state; only where one client was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    history: Option<Vec<StateChange>>,
}

/// What waits in the spool of a client, as it says; nothing before it has said anything.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "it describes what clients say")]
pub struct ClientSpool {
    /// Events that wait.
    #[schema(nullable = false)]
    events: Option<u64>,
    #[schema(nullable = false)]
    bytes: Option<u64>,
    /// Pictures that wait.
    #[schema(nullable = false)]
    screenshots: Option<u64>,
    /// Time of the oldest event that waits.
    oldest: Option<String>,
    /// Where the key lies with which the spool is sealed.
    #[schema(nullable = false)]
    sealed_by: Option<String>,
}

/// A counter of a client, or several under one name: by rule, or by reason.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "it describes what clients say")]
pub enum ClientCounter {
    /// One number.
    Number(i64),
    /// Several.
    Parts(BTreeMap<String, i64>),
}

/// What a client itself uses of its machine, as it says; nothing before it has said anything.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "it describes what clients say")]
pub struct ClientOwnUse {
    /// Memory in use.
    #[schema(nullable = false)]
    rss_bytes: Option<u64>,
    /// Processor time since the start.
    #[schema(nullable = false)]
    cpu_ms: Option<u64>,
    /// The same per minute of running.
    #[schema(nullable = false)]
    cpu_ms_per_min: Option<u64>,
}

/// A change of a client's state.
#[derive(Serialize, ToSchema)]
pub struct StateChange {
    at: Option<String>,
    #[schema(value_type = words::ClientState)]
    state: String,
    why: Option<String>,
}

/// Where the events of a client, or of all, are: nothing disappears without a reason.
///
/// `admitted = stored + waiting + removed + refused + lost`; `exact` says that the client's own counters agree.
#[derive(Serialize, ToSchema, Default, Clone, PartialEq, Eq, Debug)]
pub struct Balance {
    /// Events that entered the client's spool.
    admitted: i64,
    /// Events that the service has, or had until they were erased or their time was over.
    stored: i64,
    /// Events that wait in the spool.
    waiting: i64,
    /// Events that the client removed and accounted for: its quota, or the person deleted them.
    removed: i64,
    /// Events that were refused for good.
    refused: i64,
    /// Of the stored ones, those that were erased.
    erased: i64,
    /// Of the stored ones, those whose time was over.
    expired: i64,
    /// Events for which nobody can account.
    lost: i64,
    exact: bool,
}

/// An error of a client.
#[derive(Serialize, ToSchema)]
pub struct ClientError {
    code: String,
    message: String,
    /// What to do about it.
    help: &'static str,
    at: Option<String>,
}

/// The clients of the project.
#[utoipa::path(get, path = "/projects/{project}/clients", params(Asked), responses((status = 200, body = ClientList)),
    extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn list(
    State(state): State<AppState>,
    access: ProjectAccess,
    Query(asked): Query<Asked>,
) -> ApiResult<Json<ClientList>> {
    let asked_state = asked.state.filter(|state| !state.is_empty());
    if let Some(unknown) = asked_state.as_deref().filter(|state| !client_states().contains(state)) {
        return Err(ApiError::unknown_word("state", unknown, &client_states()));
    }
    let sort = asked.sort.unwrap_or_else(|| "-last_seen".into());
    if !client_sorts().contains(&sort) {
        let words = client_sorts();
        return Err(ApiError::unknown_word("sort", &sort, &words.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    let page = Page::of(asked.limit, asked.offset);
    let offline_before_us = now_us() - OFFLINE_AFTER_US;
    let wanted = Wanted {
        search: asked.search,
        state: asked_state,
        team: asked.team.filter(|team| !team.is_empty()),
        descending: sort.starts_with('-'),
        sort: sort.trim_start_matches('-').to_owned(),
        limit: page.limit(),
        offset: page.offset(),
        offline_before_us,
    };
    let ingest = state.store.ingest();
    let (found, total) = ingest.clients(access.id(), &wanted).await?;
    let counts = ingest.client_counts(access.id(), offline_before_us).await?;
    let revisions = state.store.control().current_revisions(access.id()).await?;
    let listed: Vec<&str> = found.iter().map(|client| client.agent_id.as_str()).collect();
    let received = ingest.received_of(access.id(), &listed).await?;
    let received_of = |client: &Client| received.get(&client.agent_id).cloned().unwrap_or_default();
    let clients = found.into_iter().map(|client| shown(received_of(&client), client, &revisions)).collect();
    Ok(Json(ClientList { clients, total, counts }))
}

/// One client, with the history of its state.
#[utoipa::path(get, path = "/projects/{project}/clients/{agent}", responses((status = 200, body = ClientShown)),
    extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn show(
    State(state): State<AppState>,
    access: ProjectAccess,
    ItemId(agent): ItemId,
) -> ApiResult<Json<ClientShown>> {
    Ok(Json(one(&state, access.id(), &agent).await?))
}

/// A client as lists show it, by its id.
pub async fn one(state: &AppState, project: &str, agent: &str) -> ApiResult<ClientShown> {
    let client = state.store.ingest().client(project, agent).await?;
    let history = state.store.ingest().client_history(project, agent).await?;
    let revisions = state.store.control().current_revisions(project).await?;
    let received = state.store.ingest().received_of(project, &[agent]).await?.remove(agent).unwrap_or_default();
    let mut shown = shown(received, client, &revisions);
    let change = |(at_us, state, why)| StateChange { at: time_text(at_us), state, why };
    shown.history = Some(history.into_iter().map(change).collect());
    Ok(shown)
}

/// What may be changed of a client.
#[derive(Deserialize, ToSchema)]
pub struct ClientChange {
    /// Its team; an empty text takes it out of its team.
    team: String,
}

/// Changes a client's team.
#[utoipa::path(patch, path = "/projects/{project}/clients/{agent}", request_body = ClientChange,
    responses((status = 200, body = ClientShown)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn change(
    State(state): State<AppState>,
    access: ProjectAccess,
    ItemId(agent): ItemId,
    Json(change): Json<ClientChange>,
) -> ApiResult<Json<ClientShown>> {
    let team: String = change.team.trim().chars().take(TEAM_CHARS_MAX).collect();
    let found = state.store.ingest().set_team(access.id(), &agent, Some(team).filter(|team| !team.is_empty())).await?;
    if !found {
        return Err(no_client(&agent));
    }
    state.fleet.live.touched(access.id(), &agent);
    Ok(Json(one(&state, access.id(), &agent).await?))
}

/// Characters of a team's name.
pub const TEAM_CHARS_MAX: usize = 60;

/// Lets a client that is held send.
#[utoipa::path(post, path = "/projects/{project}/clients/{agent}/approve", responses((status = 200, body = ClientShown)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn approve(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(agent): ItemId,
) -> ApiResult<Json<ClientShown>> {
    set_standing(&state, &actor, &access, &agent, Standing::Active, "client.approve").await
}

/// Takes a client's right to send away, within five seconds; what it sent stays.
#[utoipa::path(post, path = "/projects/{project}/clients/{agent}/revoke", responses((status = 200, body = ClientShown)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn revoke(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(agent): ItemId,
) -> ApiResult<Json<ClientShown>> {
    set_standing(&state, &actor, &access, &agent, Standing::Revoked, "client.revoke").await
}

async fn set_standing(
    state: &AppState,
    actor: &Actor,
    access: &ProjectAccess,
    agent: &str,
    standing: Standing,
    action: &str,
) -> ApiResult<Json<ClientShown>> {
    if !state.store.ingest().set_standing(access.id(), agent, standing).await? {
        return Err(no_client(agent));
    }
    let control = state.store.control();
    audit::record(control, actor, action, Some(access.id()), Some(("agent", agent)), json!({}), now_us()).await?;
    state.fleet.live.touched(access.id(), agent);
    Ok(Json(one(state, access.id(), agent).await?))
}

/// Which held clients.
#[derive(Deserialize, ToSchema)]
pub struct Held {
    /// Those of one app key; absent: all.
    app_key: Option<String>,
}

/// How many clients were approved.
#[derive(Serialize, ToSchema)]
pub struct Approved {
    approved: u64,
}

/// Lets every held client send.
#[utoipa::path(post, path = "/projects/{project}/clients/approve", request_body = Held,
    responses((status = 200, body = Approved)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn approve_held(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(held): Json<Held>,
) -> ApiResult<Json<Approved>> {
    let approved = state.store.ingest().approve_held(access.id(), held.app_key.as_deref()).await?;
    let (control, detail) = (state.store.control(), json!({ "clients": approved }));
    audit::record(control, &actor, "client.approve_all", Some(access.id()), None, detail, now_us()).await?;
    Ok(Json(Approved { approved }))
}

/// Errors of a project's clients.
#[derive(Serialize, ToSchema)]
pub struct ErrorList {
    errors: Vec<ErrorGroupShown>,
    total: usize,
}

/// Errors with the same code.
#[derive(Serialize, ToSchema)]
pub struct ErrorGroupShown {
    code: String,
    /// What the last one said.
    message: String,
    /// What to do about it.
    help: &'static str,
    count: i64,
    clients: i64,
    first_seen: Option<String>,
    last_seen: Option<String>,
}

/// What goes wrong on the project's clients, by kind.
#[utoipa::path(get, path = "/projects/{project}/client-errors", responses((status = 200, body = ErrorList)),
    extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn errors(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<ErrorList>> {
    let groups = state.store.ingest().client_errors(access.id()).await?;
    let errors: Vec<ErrorGroupShown> = groups
        .into_iter()
        .map(|group| ErrorGroupShown {
            help: help(&group.code),
            code: group.code,
            message: group.message,
            count: group.count,
            clients: group.clients,
            first_seen: time_text(group.first_seen_us),
            last_seen: time_text(group.last_seen_us),
        })
        .collect();
    Ok(Json(ErrorList { total: errors.len(), errors }))
}

/// The balance of all clients of a project.
#[derive(Serialize, ToSchema)]
pub struct ProjectBalance {
    clients: i64,
    #[serde(flatten)]
    balance: Balance,
    /// Events that each rule or gate held back on the desktops, as the clients say.
    by_rule: Vec<Filtered>,
}

/// What one rule or gate held back.
#[derive(Serialize, ToSchema)]
pub struct Filtered {
    rule: String,
    filtered: i64,
}

/// Clients whose counters are added up at most.
const BALANCE_CLIENTS_MAX: i64 = 200_000;

/// Whether anything of the project was lost.
#[utoipa::path(get, path = "/projects/{project}/balance", responses((status = 200, body = ProjectBalance)),
    extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn balance(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<ProjectBalance>> {
    Ok(Json(of_project(&state, access.id()).await?))
}

/// The balance of all clients of a project.
pub async fn of_project(state: &AppState, project: &str) -> ApiResult<ProjectBalance> {
    let wanted = Wanted { limit: BALANCE_CLIENTS_MAX, ..Wanted::default() };
    let (clients, total) = state.store.ingest().clients(project, &wanted).await?;
    let received = state.store.ingest().received(project).await?;
    let mut sums = Counted { exact: true, ..Counted::default() };
    let mut by_rule: BTreeMap<String, i64> = BTreeMap::new();
    for client in &clients {
        let status = status_of(client);
        let counted = Counted::of(&status);
        sums.add(&counted);
        for (rule, filtered) in status.pointer("/counters/filtered").and_then(Value::as_object).into_iter().flatten() {
            *by_rule.entry(rule.clone()).or_default() += filtered.as_i64().unwrap_or(0);
        }
    }
    let by_rule = by_rule.into_iter().map(|(rule, filtered)| Filtered { rule, filtered }).collect();
    Ok(ProjectBalance { clients: total, balance: balanced(&sums, &received), by_rule })
}

/// What a client counts of its own.
#[derive(Debug, Default, Clone)]
struct Counted {
    /// Events it believes to be stored.
    stored: i64,
    waiting: i64,
    refused: i64,
    erased: i64,
    /// Whether captured is the sum of what became of it.
    exact: bool,
}

impl Counted {
    fn of(status: &Value) -> Self {
        let number = |name: &str| status.pointer(&format!("/counters/{name}")).map_or(0, sum);
        let captured = number("captured");
        let (stored, waiting, refused, erased) =
            (number("stored"), number("waiting"), number("refused"), number("erased"));
        let elsewhere = number("filtered") + number("merged") + number("dropped");
        Self { stored, waiting, refused, erased, exact: captured == stored + waiting + refused + erased + elsewhere }
    }

    fn add(&mut self, other: &Self) {
        self.stored += other.stored;
        self.waiting += other.waiting;
        self.refused += other.refused;
        self.erased += other.erased;
        self.exact &= other.exact;
    }
}

/// A number, or the sum of an object of numbers.
fn sum(value: &Value) -> i64 {
    match value {
        Value::Object(members) => members.values().map(sum).sum(),
        other => other.as_i64().unwrap_or(0),
    }
}

/// Puts what a client counts beside what the service has. A heartbeat is older than the events that came since, so only what
/// the client believes to be stored and the service does not have is lost, and numbers that nobody explains.
fn balanced(counted: &Counted, received: &Received) -> Balance {
    let (stored, removed) = (received.stored as i64, received.removed as i64);
    let unexplained = (received.missing as i64 - counted.waiting).max(0);
    let lost = (counted.stored - stored).max(unexplained).max(0);
    Balance {
        admitted: stored + counted.waiting + removed + counted.refused + lost,
        stored,
        waiting: counted.waiting,
        removed,
        refused: counted.refused,
        erased: received.erased,
        expired: received.expired,
        lost,
        exact: counted.exact && lost == 0,
    }
}

fn status_of(client: &Client) -> Value {
    client.status.as_deref().and_then(|status| serde_json::from_str(status).ok()).unwrap_or(Value::Null)
}

fn shown(received: Received, client: Client, (active, rolling): &(Option<Revision>, Option<Revision>)) -> ClientShown {
    let status = status_of(&client);
    let member = |name: &str| status.get(name).cloned().unwrap_or(json!({}));
    let agent_id = client.agent_id.parse().unwrap_or_default();
    let revision = wanted(active.clone(), rolling.clone(), agent_id).map(|revision| revision.revision);
    ClientShown {
        name: client.code.clone(),
        state: client.state(now_us() - OFFLINE_AFTER_US).to_owned(),
        why: client.why.clone(),
        state_since: client.state_since_us.and_then(time_text),
        enrolled_at: time_text(client.enrolled_at_us),
        last_seen_at: client.last_seen_at_us.and_then(time_text),
        config_revision: client.config_revision,
        revision_wanted: revision,
        capabilities: member("capabilities"),
        spool: member("spool"),
        counters: member("counters"),
        own_use: member("self"),
        balance: balanced(&Counted::of(&status), &received),
        last_error: client.error.map(|(code, message, at_us)| ClientError {
            help: help(&code),
            code,
            message,
            at: time_text(at_us),
        }),
        clock_offset_ms: client.clock_offset_us / 1_000,
        agent_id: client.agent_id,
        team: client.team,
        version: client.version,
        os: client.os,
        app_key: client.app_key,
        history: None,
    }
}

fn no_client(agent: &str) -> ApiError {
    ApiError::not_found(format!("there is no client '{agent}'"), "look at the list of clients")
}

/// What to do about an error of a client, by its code.
fn help(code: &str) -> &'static str {
    match code {
        "disk_full" => {
            "Free space on that machine; until then the oldest pictures and unsent events give way, and are counted."
        }
        "clock" => "Set the machine's clock; events keep their order, but encrypted connections may fail.",
        "tls" => {
            "Check the certificate of the service and, behind an inspecting proxy, the extra CA file of the client."
        }
        "proxy" => "Check the proxy setting of the client (system, none or a URL).",
        "unreachable" => "The client cannot reach the service; it keeps its data and tries again.",
        "hook_removed" => "Windows took the input hook away; the client put it back and noted the gap.",
        "elevated_window" => {
            "An administrator's window was in front; it cannot be observed without administrator rights."
        }
        "no_accessibility" => "Element names are missing: switch the accessibility bus of that desktop on.",
        "no_indicator" => "The tray icon cannot be shown, so nothing is recorded; install a tray host on that desktop.",
        "configuration" => "The client refused a configuration and obeys the one before; see its message.",
        "floor" => "The local floor of that machine cannot be read, so nothing is recorded; ask its administrator.",
        "clone_detected" => "The machine was copied or restored; the client began a new epoch and lost nothing.",
        "spool_quarantined" => {
            "The client found damaged data and set it aside; what could be saved was saved and counted."
        }
        "extension_lost" => "The browser extension lost its connection; pages are not recorded until it is back.",
        _ => "Run `lode-agent doctor` on that machine; it says what is wrong and what to do.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(stored: u64, removed: u64, missing: u64) -> Received {
        Received { stored, removed, missing, ..Received::default() }
    }

    #[test]
    fn p5_what_the_client_believes_to_be_stored_and_the_service_does_not_have_is_lost() {
        let counted = Counted { stored: 100, waiting: 5, exact: true, ..Counted::default() };
        let balance = balanced(&counted, &received(98, 0, 0));
        assert_eq!((balance.lost, balance.exact, balance.admitted), (2, false, 105));
    }

    #[test]
    fn p5_a_heartbeat_older_than_the_last_events_is_no_loss() {
        let counted = Counted { stored: 100, waiting: 5, exact: true, ..Counted::default() };
        assert_eq!(balanced(&counted, &received(104, 3, 0)).lost, 0);
    }

    #[test]
    fn p5_numbers_that_wait_in_the_spool_are_not_missing_yet() {
        let counted = Counted { stored: 10, waiting: 4, exact: true, ..Counted::default() };
        assert_eq!(balanced(&counted, &received(10, 0, 4)).lost, 0);
        assert_eq!(balanced(&counted, &received(10, 0, 6)).lost, 2);
    }

    #[test]
    fn p5_a_client_whose_own_sum_does_not_fit_is_not_exact() {
        let status = |captured: i64| {
            json!({"counters": {"captured": captured, "stored": 5, "waiting": 1, "merged": 2, "refused": 0,
                "filtered": {"gate.app": 7, "rule:a": 1}, "dropped": {}, "erased": 0}})
        };
        assert!(Counted::of(&status(16)).exact);
        assert!(!Counted::of(&status(17)).exact);
    }
}
