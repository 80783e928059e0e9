//! `GET /status`, and projects: list, make, change, remove.

use super::clients::OFFLINE_AFTER_US;
use super::errors::{ApiError, ApiResult};
use super::paging::time_text;
use super::privacy::{self, GROUP_MAX, RetentionShown};
use super::state::AppState;
use super::words;
use crate::access::{Actor, MaybeActor, ProjectAccess};
use crate::jobs::runner::{Freshness, Selection, Workshop, now_us};
use crate::{audit, importing};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Store;
use store::columns::EVENTS;
use store::control::members::{Grant, Grants, Role};
use store::control::project_settings::{Preset, ProjectSettings};
use store::control::projects::{CaseRule, Project, ProjectKind};
use utoipa::ToSchema;

/// What the service is; everybody learns the version and whether it works. The rest is left out for whoever is no admin with a
/// second factor.
#[derive(Serialize, Default, ToSchema)]
pub struct ServiceStatus {
    version: &'static str,
    /// Whether what clients send can be stored; it cannot while the disk is full, say.
    storing: bool,
    /// Whether it listens to its own machine alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    loopback_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    data_folder: Option<String>,
    /// The database behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::ControlKind>, nullable = false)]
    control: Option<&'static str>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    projects: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    started_at: Option<String>,
}

/// What the service is.
#[utoipa::path(get, path = "/status", responses((status = 200, body = ServiceStatus)),
    extensions(("x-lode-permission" = json!("public"))))]
pub async fn status(State(state): State<AppState>, actor: MaybeActor) -> ApiResult<Json<ServiceStatus>> {
    let (version, storing) = (env!("CARGO_PKG_VERSION"), state.fleet.live.is_storing());
    if !actor.0.is_some_and(|actor| actor.account.admin && actor.second_factor().is_ok()) {
        return Ok(Json(ServiceStatus { version, storing, ..ServiceStatus::default() }));
    }
    Ok(Json(ServiceStatus {
        version,
        storing,
        loopback_only: Some(state.address.ip().is_loopback()),
        data_folder: Some(state.store.settings().folder.display().to_string()),
        control: Some(state.store.control().kind()),
        projects: Some(state.store.control().projects().await?.len()),
        started_at: time_text(state.started_at_us),
    }))
}

/// The projects of whoever asks.
#[derive(Serialize, ToSchema)]
pub struct ProjectList {
    projects: Vec<ProjectShown>,
}

/// A project with what is in it.
#[derive(Serialize, ToSchema)]
pub struct ProjectShown {
    id: String,
    slug: String,
    name: String,
    #[schema(value_type = words::ProjectKind)]
    kind: ProjectKind,
    min_group_size: i64,
    created_at: Option<String>,
    events: i64,
    users: usize,
    first_event: Option<String>,
    last_event: Option<String>,
    case_rule: CaseRuleShown,
    jobs: JobsState,
    /// What whoever asks is in the project.
    #[schema(value_type = words::Role)]
    role: Role,
    /// What it may besides.
    #[schema(value_type = Vec<words::Grant>)]
    grants: Grants,
    purposes: Vec<String>,
    retention: RetentionShown,
    clients: ClientNumbers,
    configuration: ConfigurationNumber,
}

/// How many clients a project has.
#[derive(Serialize, ToSchema)]
pub struct ClientNumbers {
    total: i64,
    /// Those that record right now.
    recording: i64,
}

/// What the clients of a project obey.
#[derive(Serialize, ToSchema)]
pub struct ConfigurationNumber {
    /// Absent: nothing was published yet.
    revision: Option<i64>,
}

/// How the tables of a project stand.
#[derive(Serialize, ToSchema)]
pub struct JobsState {
    state: TablesState,
    built_at: Option<String>,
}

/// How the tables of a project stand, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TablesState {
    /// Made from what is there now.
    Fresh,
    /// Jobs run.
    Running,
    /// Made from something older.
    Stale,
    /// The last run of a job failed.
    Failed,
}

/// What a case is: a word, or the activities between which it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "a case rule is `auto`, `session`, `case_id` or {start_activity, end_activity}")]
pub enum CaseRuleShown {
    /// In a word.
    Word(CaseWord),
    /// From a start activity to the next end activity or start.
    Activities(CaseActivities),
}

/// What a case is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseWord {
    /// The imported case id where there is one, else the session.
    Auto,
    /// One unbroken stretch of work.
    Session,
    /// The imported case id only.
    CaseId,
}

/// The activities between which a case runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseActivities {
    /// The activity that opens a case; absent: the event after an end does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    start_activity: Option<String>,
    /// The activity that closes it; absent: the next start does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    end_activity: Option<String>,
}

impl From<CaseRule> for CaseRuleShown {
    fn from(rule: CaseRule) -> Self {
        match rule {
            CaseRule::Auto => Self::Word(CaseWord::Auto),
            CaseRule::Session => Self::Word(CaseWord::Session),
            CaseRule::CaseId => Self::Word(CaseWord::CaseId),
            CaseRule::Activities { start_activity, end_activity } => {
                Self::Activities(CaseActivities { start_activity, end_activity })
            }
        }
    }
}

impl From<CaseRuleShown> for CaseRule {
    fn from(rule: CaseRuleShown) -> Self {
        match rule {
            CaseRuleShown::Word(CaseWord::Auto) => Self::Auto,
            CaseRuleShown::Word(CaseWord::Session) => Self::Session,
            CaseRuleShown::Word(CaseWord::CaseId) => Self::CaseId,
            CaseRuleShown::Activities(CaseActivities { start_activity, end_activity }) => {
                Self::Activities { start_activity, end_activity }
            }
        }
    }
}

/// The projects that whoever asks is a member of.
#[utoipa::path(get, path = "/projects", responses((status = 200, body = ProjectList)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn list(State(state): State<AppState>, actor: Actor) -> ApiResult<Json<ProjectList>> {
    let mut projects = Vec::new();
    for access in accessible(state.store.control(), &actor).await? {
        projects.push(described(&state.store, &access).await?);
    }
    Ok(Json(ProjectList { projects }))
}

/// Every project that an actor is a member of, by name; in open mode every project.
pub async fn accessible(control: &store::control::Control, actor: &Actor) -> ApiResult<Vec<ProjectAccess>> {
    if actor.is_demo() {
        let all = control.projects().await?.into_iter();
        return Ok(all.map(|project| leads(project, Grant::ALL.into())).collect());
    }
    let own = control.projects_of(&actor.account.id).await?.into_iter();
    let own = own.filter(|(project, _)| actor.bound_to().is_none_or(|bound| bound == project.id));
    Ok(own.map(|(project, member)| ProjectAccess { project, role: member.role, grants: member.grants }).collect())
}

fn leads(project: Project, grants: Grants) -> ProjectAccess {
    ProjectAccess { project, role: Role::Lead, grants }
}

/// A project to be made.
#[derive(Deserialize, ToSchema)]
pub struct NewProject {
    name: String,
    /// `imported` unless said otherwise.
    #[schema(value_type = Option<words::ProjectKind>)]
    kind: Option<ProjectKind>,
    /// What recorded data are for.
    #[serde(default)]
    purposes: Vec<String>,
    /// How long they stay; the defaults unless said otherwise.
    retention: Option<RetentionShown>,
    /// The smallest group that pages show; the preset's unless a larger one is wanted.
    min_group_size: Option<i64>,
    /// `standard` unless said otherwise.
    #[serde(default)]
    #[schema(value_type = words::Preset)]
    preset: Preset,
}

impl NewProject {
    /// Settings and smallest group of the project, if they are within bounds.
    fn settings(self, kind: ProjectKind) -> ApiResult<(ProjectSettings, i64)> {
        let least = if kind == ProjectKind::Enrolled { self.preset.min_group_size() } else { kind.min_group_size() };
        let group = self.min_group_size.unwrap_or(least);
        if !(least..=GROUP_MAX).contains(&group) {
            let message = format!("such a project shows groups of {least} to {GROUP_MAX} people, not {group}");
            return Err(ApiError::bad_request(message, "choose within these bounds, or leave min_group_size out"));
        }
        let settings = ProjectSettings {
            purposes: privacy::checked_purposes(self.purposes)?,
            retention: self.retention.map(RetentionShown::checked).transpose()?.unwrap_or_default(),
            preset: self.preset,
            ..ProjectSettings::default()
        };
        Ok((settings, group))
    }
}

/// Makes a project; whoever makes it leads it.
#[utoipa::path(post, path = "/projects", responses((status = 201, body = ProjectShown)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn create(
    State(state): State<AppState>,
    actor: Actor,
    Json(new): Json<NewProject>,
) -> ApiResult<(StatusCode, Json<ProjectShown>)> {
    let control = state.store.control();
    let kind = new.kind.unwrap_or(ProjectKind::Imported);
    let name = new.name.clone();
    let (settings, group) = new.settings(kind)?;
    let mut project = control.create_project(&name, kind, now_us()).await?;
    control.put_project_settings(&project.id, &settings).await?;
    if group != project.min_group_size {
        control.set_min_group_size(&project.id, group).await?;
        project.min_group_size = group;
    }
    let grants = if actor.is_demo() {
        Grant::ALL.into()
    } else {
        control.put_member(&project.id, &actor.account.id, Role::Lead, &Grants::new(), now_us()).await?;
        Grants::new()
    };
    audit::record(control, &actor, "project.create", Some(&project.id), None, json!({}), now_us()).await?;
    Ok((StatusCode::CREATED, Json(described(&state.store, &leads(project, grants)).await?)))
}

/// One project.
#[utoipa::path(get, path = "/projects/{project}", responses((status = 200, body = ProjectShown)),
    extensions(("x-lode-permission" = json!("member"))))]
pub async fn show(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<ProjectShown>> {
    Ok(Json(described(&state.store, &access).await?))
}

/// What may be changed of a project.
#[derive(Deserialize, ToSchema)]
pub struct ProjectChange {
    name: Option<String>,
    case_rule: Option<CaseRuleShown>,
}

/// Changes a project.
#[utoipa::path(patch, path = "/projects/{project}", responses((status = 200, body = ProjectShown)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn change(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(change): Json<ProjectChange>,
) -> ApiResult<Json<ProjectShown>> {
    let control = state.store.control();
    let project = &access.project;
    let name = change.name.unwrap_or_else(|| project.name.clone());
    if name.trim().is_empty() {
        return Err(ApiError::bad_request("a project needs a name", "give one of 1 to 100 characters"));
    }
    let rule = change.case_rule.map_or_else(|| project.case_rule.clone(), CaseRule::from);
    control.update_project(&project.id, name.trim(), &rule).await?;
    if rule != project.case_rule {
        state.run_in_background(project.id.clone(), Selection::Stale);
    }
    let detail = json!({ "case_rule_changed": rule != project.case_rule });
    audit::record(control, &actor, "project.change", Some(&project.id), None, detail, now_us()).await?;
    let changed = ProjectAccess { project: control.project(&project.id).await?, ..access };
    Ok(Json(described(&state.store, &changed).await?))
}

/// Removes a project and all its data. Where desktops were recorded it takes two people: a request of the kind
/// `erase_project`.
#[utoipa::path(delete, path = "/projects/{project}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn remove(State(state): State<AppState>, actor: Actor, access: ProjectAccess) -> ApiResult<StatusCode> {
    let clients: i64 = state.store.ingest().client_counts(access.id(), 0).await?.values().sum();
    if clients > 0 && !actor.is_demo() {
        return Err(ApiError::conflict(
            "desktops were recorded in this project, so erasing it takes two people",
            "ask a second person: POST /projects/{project}/requests with kind erase_project",
        ));
    }
    let control = state.store.control();
    audit::record(control, &actor, "project.delete", Some(access.id()), None, json!({}), now_us()).await?;
    erase(&state, access.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a project and all its data; whoever calls has the right to.
pub async fn erase(state: &AppState, project: &str) -> ApiResult<()> {
    importing::forget_rejects(&state.store, project).await?;
    state.store.delete_project(project).await?;
    state.fleet.keyring.forget(project).await;
    state.store.leave_no_trace().await?;
    Ok(())
}

async fn described(store: &Store, access: &ProjectAccess) -> ApiResult<ProjectShown> {
    let project = &access.project;
    let workshop = Workshop::open(store, &project.id).await?;
    let snapshot = workshop.snapshot(store).await?;
    let events = snapshot.tables.get(EVENTS);
    let first = events.and_then(|table| table.files.iter().filter_map(|file| file.time_min_us).min());
    let last = events.and_then(|table| table.files.iter().filter_map(|file| file.time_max_us).max());
    let freshness = workshop.freshness(store, &snapshot).await?;
    let runs = store.control().last_runs(&project.id).await?;
    let stale = freshness.values().any(|state| *state != Freshness::Fresh);
    let state = if runs.iter().any(|run| run.state == "running") {
        TablesState::Running
    } else if runs.iter().any(|run| run.state == "failed") {
        TablesState::Failed
    } else if stale && events.is_some() {
        TablesState::Stale
    } else {
        TablesState::Fresh
    };
    let tables = store.control().tables(&project.id).await?;
    let built_at = tables.iter().filter(|table| table.name != EVENTS).map(|table| table.built_at_us).max();
    let settings = store.control().project_settings(&project.id).await?;
    let clients = store.ingest().client_counts(&project.id, now_us() - OFFLINE_AFTER_US).await?;
    let (active, rolling) = store.control().current_revisions(&project.id).await?;
    Ok(ProjectShown {
        id: project.id.clone(),
        slug: project.slug.clone(),
        name: project.name.clone(),
        kind: project.kind,
        min_group_size: project.min_group_size,
        created_at: time_text(project.created_at_us),
        events: events.map_or(0, |table| table.rows()),
        users: store.control().known_keys(&project.id).await?.users.len(),
        first_event: first.and_then(time_text),
        last_event: last.and_then(time_text),
        case_rule: project.case_rule.clone().into(),
        jobs: JobsState { state, built_at: built_at.and_then(time_text) },
        role: access.role,
        grants: access.grants.clone(),
        purposes: settings.purposes,
        retention: settings.retention.into(),
        clients: ClientNumbers {
            total: clients.values().sum(),
            recording: clients.get("recording").copied().unwrap_or(0),
        },
        configuration: ConfigurationNumber { revision: active.or(rolling).map(|revision| revision.revision) },
    })
}
