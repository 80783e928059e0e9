//! The configuration of a project's clients: draft, check, preview, publish, roll out, roll back, look back.
//!
//! The XML is the only form; checks answer while a person types.

use super::errors::{ApiError, ApiResult};
use super::paging::{Page, time_text};
use super::path::ItemId;
use super::policies::{PolicyChange, Preview, PreviewEvent, Problem, RuleTest};
use super::state::AppState;
use super::words;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::configuring::{self, Facts, Publication, PublishError, check, published};
use crate::jobs::runner::now_us;
use crate::sample_events;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use chrono::{DateTime, Months, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::control::configurations::{Draft, Revision, RevisionState};
use store::control::members::Grant;
use store::control::project_settings::Preset;
use store::files::hex;
use uilog::policy::{self, Policy, TemplateInput, Variables};
use utoipa::{IntoParams, ToSchema};

/// Bytes of a configuration.
const XML_BYTES_MAX: usize = policy::FILE_BYTES_MAX;

/// Characters of a note.
const NOTE_CHARS_MAX: usize = 500;

/// Months that a template holds.
const TEMPLATE_MONTHS: u32 = 6;

/// A text of a configuration.
#[derive(Deserialize, ToSchema)]
pub struct Text {
    xml: String,
}

/// The configuration as it stands.
#[derive(Serialize, ToSchema)]
pub struct ConfigurationShown {
    draft: Option<DraftShown>,
    published: Option<RevisionShown>,
    rollout: Option<Rollout>,
    #[schema(value_type = words::Preset)]
    preset: Preset,
}

/// The draft of the next revision; it need not be valid.
#[derive(Serialize, ToSchema)]
pub struct DraftShown {
    xml: String,
    saved_at: Option<String>,
    saved_by: String,
}

/// How far a revision has been rolled out.
#[derive(Serialize, ToSchema)]
pub struct Rollout {
    revision: i64,
    percent: i64,
    /// The revision that the other clients obey.
    previous: Option<i64>,
    /// Clients that say they obey it.
    clients_on_new: i64,
    clients: i64,
}

/// A published revision.
#[derive(Serialize, ToSchema)]
pub struct RevisionShown {
    revision: i64,
    published_at: Option<String>,
    published_by: Author,
    note: String,
    percent: i64,
    #[schema(value_type = words::RevisionState)]
    state: RevisionState,
    /// Of the signed text, in hex.
    sha256: String,
    #[serde(flatten)]
    facts: Facts,
    /// The text; only where one revision was asked for, like what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    xml: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    signature: Option<String>,
    /// The public key that checks the signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<String>,
    /// Against the revision before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    changes: Option<Vec<PolicyChange>>,
}

/// Who published it.
#[derive(Serialize, ToSchema)]
pub struct Author {
    id: String,
    name: String,
}

/// The draft, what is published, and how far it is rolled out.
#[utoipa::path(get, path = "/projects/{project}/configuration", responses((status = 200, body = ConfigurationShown)),
    extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn show(State(state): State<AppState>, access: ProjectAccess) -> ApiResult<Json<ConfigurationShown>> {
    let control = state.store.control();
    let draft = control.draft(access.id()).await?;
    let (active, rolling) = control.current_revisions(access.id()).await?;
    let rollout = match &rolling {
        Some(rolling) => Some(rollout_of(&state, access.id(), rolling, active.as_ref()).await?),
        None => None,
    };
    let shown = match active.or(rolling) {
        Some(revision) => Some(shown(&state, revision).await?),
        None => None,
    };
    Ok(Json(ConfigurationShown {
        draft: draft.map(|draft| DraftShown {
            xml: draft.xml,
            saved_at: time_text(draft.saved_at_us),
            saved_by: draft.saved_by,
        }),
        published: shown,
        rollout,
        preset: control.project_settings(access.id()).await?.preset,
    }))
}

/// When something was kept.
#[derive(Serialize, ToSchema)]
pub struct Saved {
    saved_at: Option<String>,
}

/// Keeps the draft.
#[utoipa::path(put, path = "/projects/{project}/configuration/draft", request_body = Text,
    responses((status = 200, body = Saved)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn put_draft(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(text): Json<Text>,
) -> ApiResult<Json<Saved>> {
    bounded(&text.xml)?;
    let saved_at_us = now_us();
    let draft = Draft { xml: text.xml, saved_at_us, saved_by: actor.account.name.clone() };
    state.store.control().put_draft(access.id(), Some(&draft)).await?;
    Ok(Json(Saved { saved_at: time_text(saved_at_us) }))
}

/// What can be said of a text.
#[derive(Serialize, ToSchema)]
pub struct CheckAnswer {
    valid: bool,
    problems: Vec<Problem>,
    tests: Vec<RuleTest>,
    /// Against what is published.
    changes: Vec<PolicyChange>,
    affected: Affected,
    consent_must_rise: bool,
}

/// Whom a publication reaches.
#[derive(Serialize, ToSchema)]
pub struct Affected {
    people: i64,
    clients: i64,
}

/// Checks a text: problems with line and column, its tests, what it changes.
#[utoipa::path(post, path = "/projects/{project}/configuration/check", request_body = Text,
    responses((status = 200, body = CheckAnswer)),
    extensions(("x-lode-permission" = json!("oversight")), ("x-lode-reads-only" = json!(true))))]
pub async fn check_text(
    State(state): State<AppState>,
    access: ProjectAccess,
    Json(text): Json<Text>,
) -> ApiResult<Json<CheckAnswer>> {
    bounded(&text.xml)?;
    let published = published(&state.store, access.id()).await?;
    // What cannot be stamped cannot be parsed either; the parser says why.
    let (_, stamped) = configuring::next(&state.store, access.id(), &text.xml).await?;
    let checked = check(stamped.as_deref().unwrap_or(&text.xml), published.as_ref(), now_us());
    let clients: i64 = state.store.ingest().client_counts(access.id(), 0).await?.values().sum();
    Ok(Json(CheckAnswer {
        valid: checked.valid(),
        consent_must_rise: checked.consent_must_rise(published.as_ref()),
        problems: checked.problems.into_iter().map(Problem::from).collect(),
        tests: checked.tests.into_iter().map(RuleTest::from).collect(),
        changes: checked.changes.into_iter().map(PolicyChange::from).collect(),
        affected: Affected { people: state.store.ingest().people(access.id()).await?, clients },
    }))
}

/// A text, and events to run through it.
#[derive(Deserialize, ToSchema)]
pub struct PreviewAsked {
    xml: String,
    source: PreviewSource,
    /// Days back, for `own`; 7 unless asked otherwise.
    days: Option<u32>,
}

/// Where the events of a preview come from; `own`: the project's own last days, as they were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreviewSource {
    /// Made up.
    Sample,
    /// The project's own last days, as they were recorded.
    Own,
}

/// Events of a preview at most.
const PREVIEW_EVENTS_MAX: usize = 50_000;

/// What a configuration would do to events: per rule, per column, and some of them one by one.
#[utoipa::path(post, path = "/projects/{project}/configuration/preview", request_body = PreviewAsked,
    responses((status = 200, body = Preview)),
    extensions(("x-lode-permission" = json!("lead")), ("x-lode-reads-only" = json!(true))))]
pub async fn preview(
    State(state): State<AppState>,
    access: ProjectAccess,
    Json(asked): Json<PreviewAsked>,
) -> ApiResult<Json<Preview>> {
    let policy = compiled(&asked.xml)?;
    let events = match asked.source {
        PreviewSource::Sample => sample_events::made_up(),
        PreviewSource::Own => {
            let days = asked.days.unwrap_or(7).clamp(1, 31);
            let since_us = now_us() - i64::from(days) * super::app_keys::DAY_US;
            sample_events::own(&state.store, access.id(), since_us, PREVIEW_EVENTS_MAX).await?
        }
    };
    let preview = tokio::task::spawn_blocking(move || policy::preview(&policy, events)).await;
    let preview = Preview::from(preview.map_err(|error| ApiError::internal(error.to_string()))?);
    let told = asked.source == PreviewSource::Sample || access.grants.contains(&Grant::Raw);
    Ok(Json(if told { preview } else { preview.without_events() }))
}

/// A text, and one event.
#[derive(Deserialize, ToSchema)]
pub struct ExplainAsked {
    xml: String,
    /// Columns of the event with their values.
    #[schema(value_type = Object)]
    event: serde_json::Map<String, Value>,
}

/// What a configuration would do to one event, column by column.
#[utoipa::path(post, path = "/projects/{project}/configuration/explain", request_body = ExplainAsked,
    responses((status = 200, body = PreviewEvent)),
    extensions(("x-lode-permission" = json!("oversight")), ("x-lode-reads-only" = json!(true))))]
pub async fn explain(_access: ProjectAccess, Json(asked): Json<ExplainAsked>) -> ApiResult<Json<PreviewEvent>> {
    let policy = compiled(&asked.xml)?;
    let event = sample_events::event_of(asked.event, 1)
        .map_err(|error| ApiError::bad_request(format!("this is no event: {error}"), "name columns of the UI log"))?;
    Ok(Json(policy::explain(&policy, event).into()))
}

/// A text to publish.
#[derive(Deserialize, ToSchema)]
pub struct PublishAsked {
    xml: String,
    #[serde(default)]
    note: String,
    /// Share of the clients that obey it from now on; 100: all.
    percent: i64,
}

/// Publishes a text: signed, with the next number, for a share of the clients or for all.
#[utoipa::path(post, path = "/projects/{project}/configuration/publish", request_body = PublishAsked,
    responses((status = 201, body = RevisionShown)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn publish(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(asked): Json<PublishAsked>,
) -> ApiResult<(StatusCode, Json<RevisionShown>)> {
    bounded(&asked.xml)?;
    if !(1..=100).contains(&asked.percent) {
        return Err(ApiError::bad_request("a roll-out reaches 1 to 100 percent of the clients", "begin with 5"));
    }
    let note: String = asked.note.chars().take(NOTE_CHARS_MAX).collect();
    let publication = Publication {
        project: access.id(),
        xml: &asked.xml,
        note: &note,
        author: &actor.account.id,
        percent: asked.percent,
    };
    let revision = configuring::publish(&state.store, &state.fleet.keyring, publication, now_us()).await?;
    told(&state, &actor, &access, "configuration.publish", &revision).await?;
    Ok((StatusCode::CREATED, Json(shown(&state, revision).await?)))
}

/// How far to roll out.
#[derive(Deserialize, ToSchema)]
pub struct RolloutAsked {
    percent: i64,
}

/// Widens or narrows the share of the clients that obey the newest revision.
#[utoipa::path(post, path = "/projects/{project}/configuration/rollout", request_body = RolloutAsked,
    responses((status = 200, body = RevisionShown)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn rollout(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(asked): Json<RolloutAsked>,
) -> ApiResult<Json<RevisionShown>> {
    if !(0..=100).contains(&asked.percent) {
        return Err(ApiError::bad_request("a roll-out reaches 0 to 100 percent of the clients", "choose a share"));
    }
    let revision = state.store.control().set_rollout(access.id(), asked.percent).await?;
    told(&state, &actor, &access, "configuration.rollout", &revision).await?;
    Ok(Json(shown(&state, revision).await?))
}

/// Which revision to go back to.
#[derive(Deserialize, ToSchema)]
pub struct RollbackAsked {
    revision: i64,
    #[serde(default)]
    note: String,
}

/// Publishes the text of an earlier revision again, for every client at once.
#[utoipa::path(post, path = "/projects/{project}/configuration/rollback", request_body = RollbackAsked,
    responses((status = 201, body = RevisionShown)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn rollback(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(asked): Json<RollbackAsked>,
) -> ApiResult<(StatusCode, Json<RevisionShown>)> {
    let note: String = asked.note.chars().take(NOTE_CHARS_MAX).collect();
    let publication =
        Publication { project: access.id(), xml: "", note: &note, author: &actor.account.id, percent: 100 };
    let keyring = &state.fleet.keyring;
    let revision = configuring::roll_back(&state.store, keyring, publication, asked.revision, now_us()).await?;
    told(&state, &actor, &access, "configuration.rollback", &revision).await?;
    Ok((StatusCode::CREATED, Json(shown(&state, revision).await?)))
}

/// Revisions of a project.
#[derive(Serialize, ToSchema)]
pub struct RevisionList {
    revisions: Vec<RevisionShown>,
    total: i64,
}

/// Every revision that was published, newest first.
#[utoipa::path(get, path = "/projects/{project}/configuration/revisions", params(Page),
    responses((status = 200, body = RevisionList)), extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn revisions(
    State(state): State<AppState>,
    access: ProjectAccess,
    Query(page): Query<Page>,
) -> ApiResult<Json<RevisionList>> {
    let (found, total) = state.store.control().revisions(access.id(), page.limit(), page.offset()).await?;
    let mut revisions = Vec::with_capacity(found.len());
    for revision in found {
        revisions.push(shown(&state, revision).await?);
    }
    Ok(Json(RevisionList { revisions, total }))
}

/// One revision: its text, its signature, what it changed.
#[utoipa::path(get, path = "/projects/{project}/configuration/revisions/{revision}",
    responses((status = 200, body = RevisionShown)), extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn revision(
    State(state): State<AppState>,
    access: ProjectAccess,
    ItemId(number): ItemId,
) -> ApiResult<Json<RevisionShown>> {
    let number =
        number.parse().map_err(|_| ApiError::not_found(format!("there is no revision '{number}'"), "see the list"))?;
    Ok(Json(with_text(&state, access.id(), number).await?))
}

/// A revision with its text, its signature, and what it changed against the one before.
pub async fn with_text(state: &AppState, project: &str, number: i64) -> ApiResult<RevisionShown> {
    let control = state.store.control();
    let found = control.revision(project, number).await?;
    let before = match control.revision(project, number - 1).await {
        Ok(before) => policy::parse(&before.xml).ok(),
        Err(_) => None,
    };
    let changes = policy::parse(&found.xml).ok().zip(before).map(|(new, old)| policy::diff(&old, &new));
    let keys = state.fleet.keyring.of_project(project, now_us()).await?;
    let (xml, header, signature) = (found.xml.clone(), found.header.clone(), found.signature.clone());
    Ok(RevisionShown {
        xml: Some(xml),
        header: Some(header),
        signature: Some(signature),
        key: Some(keys.configuration_public.clone()),
        changes: Some(changes.unwrap_or_default().into_iter().map(PolicyChange::from).collect()),
        ..shown(state, found).await?
    })
}

/// What a template is filled with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TemplateAsked {
    /// `standard` unless asked otherwise.
    #[param(value_type = Option<words::Preset>, inline)]
    preset: Option<policy::Preset>,
    /// Executables, apart by spaces.
    apps: Option<String>,
    /// Hosts, apart by spaces.
    sites: Option<String>,
}

/// A configuration to begin with.
#[derive(Serialize, ToSchema)]
pub struct TemplateAnswer {
    xml: String,
}

/// A configuration to begin with, filled in.
#[utoipa::path(get, path = "/projects/{project}/configuration/template", params(TemplateAsked),
    responses((status = 200, body = TemplateAnswer)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn template(
    State(state): State<AppState>,
    access: ProjectAccess,
    Query(asked): Query<TemplateAsked>,
) -> ApiResult<Json<TemplateAnswer>> {
    let words = |text: &Option<String>| -> Vec<String> {
        text.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()
    };
    let project = state.store.control().project(access.id()).await?;
    let until = Utc::now().checked_add_months(Months::new(TEMPLATE_MONTHS)).unwrap_or_else(Utc::now);
    let (apps, sites) = (words(&asked.apps), words(&asked.sites));
    let input = TemplateInput {
        project: project.id.parse().unwrap_or_default(),
        texts: vec![("en".into(), consent_text(&project.name, &apps, &sites, until))],
        applications: apps,
        sites,
        valid_until_s: until.timestamp(),
    };
    let configuration = policy::template(asked.preset.unwrap_or_default(), &input)
        .map_err(|problems| ApiError::policy("the template cannot be filled with this", json!(problems)))?;
    Ok(Json(TemplateAnswer { xml: policy::write(&configuration) }))
}

fn consent_text(project: &str, apps: &[String], sites: &[String], until: DateTime<Utc>) -> String {
    let places: Vec<&str> = apps.iter().chain(sites).map(String::as_str).collect();
    let places = if places.is_empty() { "the applications named below".into() } else { places.join(", ") };
    format!(
        "For the project \"{project}\" we record clicks, shortcuts and window changes in {places}, until {}.",
        until.format("%e %B %Y").to_string().trim()
    )
}

fn bounded(xml: &str) -> ApiResult<()> {
    if xml.len() > XML_BYTES_MAX {
        let message = format!("a configuration has at most {XML_BYTES_MAX} bytes, not {}", xml.len());
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, "split the project in two"));
    }
    Ok(())
}

fn compiled(xml: &str) -> ApiResult<Policy> {
    bounded(xml)?;
    let policy = policy::parse(xml).and_then(|configuration| Policy::compile(&configuration, &Variables::default()));
    policy.map_err(|problems| ApiError::policy("the configuration has errors", json!(problems)))
}

async fn rollout_of(
    state: &AppState,
    project: &str,
    rolling: &Revision,
    active: Option<&Revision>,
) -> ApiResult<Rollout> {
    let (clients_on_new, clients) = state.store.ingest().clients_on(project, rolling.revision).await?;
    Ok(Rollout {
        revision: rolling.revision,
        percent: rolling.percent,
        previous: active.map(|active| active.revision),
        clients_on_new,
        clients,
    })
}

async fn shown(state: &AppState, revision: Revision) -> ApiResult<RevisionShown> {
    let author = state.store.control().account(&revision.author).await.ok();
    let facts = policy::parse(&revision.xml).map(|configuration| Facts::of(&configuration)).unwrap_or_default();
    Ok(RevisionShown {
        revision: revision.revision,
        published_at: time_text(revision.published_at_us),
        published_by: Author {
            name: author.map_or_else(|| revision.author.clone(), |author| author.name),
            id: revision.author,
        },
        note: revision.note,
        percent: revision.percent,
        state: revision.state,
        sha256: hex(&Sha256::digest(revision.xml.as_bytes())),
        facts,
        xml: None,
        header: None,
        signature: None,
        key: None,
        changes: None,
    })
}

async fn told(
    state: &AppState,
    actor: &Actor,
    access: &ProjectAccess,
    action: &str,
    revision: &Revision,
) -> ApiResult<()> {
    let number = revision.revision.to_string();
    let detail = json!({ "percent": revision.percent, "sha256": hex(&Sha256::digest(revision.xml.as_bytes())) });
    let subject = Some(("revision", number.as_str()));
    Ok(audit::record(state.store.control(), actor, action, Some(access.id()), subject, detail, now_us()).await?)
}

impl From<PublishError> for ApiError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Store(error) => error.into(),
            PublishError::Invalid(problems, tests) => {
                let failed: Vec<_> = tests.into_iter().filter(|test| !test.passed).collect();
                let message = match failed.first() {
                    Some(test) => {
                        format!("the test \"{}\" in the configuration fails; nothing was published", test.name)
                    }
                    None => "the configuration has errors; nothing was published".to_owned(),
                };
                Self::policy(message, json!(problems))
            }
        }
    }
}
