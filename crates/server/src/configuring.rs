//! From the text of a configuration to a signed revision that clients obey: check, compare, publish, take back.
//!
//! A text that has one error is not published. The number of the revision and the project stand in the text and are set
//! here; what is signed is the exact text that clients get.

use crate::keyring::Keyring;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::json;
use store::control::configurations::{Revision, RevisionState};
use store::{Store, StoreError};
use uilog::policy::model::ConsentKind;
use uilog::policy::words::Scope;
use uilog::policy::{self, Change, Configuration, Policy, Problem, Severity, TestResult, Variables};
use utoipa::ToSchema;
use uuid::Uuid;

/// What can be said of a text without publishing it.
#[derive(Debug, Default)]
pub struct Checked {
    /// Everything that is wrong, or may be.
    pub problems: Vec<Problem>,
    /// Results of the tests in the text.
    pub tests: Vec<TestResult>,
    /// What it changes against the published one.
    pub changes: Vec<Change>,
    /// The configuration, if the text could be read.
    pub configuration: Option<Configuration>,
}

impl Checked {
    /// Whether it may be published.
    pub fn valid(&self) -> bool {
        self.configuration.is_some()
            && self.problems.iter().all(|problem| problem.severity != Severity::Error)
            && self.tests.iter().all(|test| test.passed)
    }

    /// Whether it records more than the published one, and asks nobody again; such a text is not valid.
    pub fn consent_must_rise(&self, published: Option<&Configuration>) -> bool {
        let (Some(published), Some(new)) = (published, &self.configuration) else { return false };
        self.changes.iter().any(|change| change.widens) && new.consent.version <= published.consent.version
    }
}

/// Checks a text against the published configuration.
pub fn check(xml: &str, published: Option<&Configuration>, now_us: i64) -> Checked {
    let configuration = match policy::parse(xml) {
        Ok(configuration) => configuration,
        Err(problems) => return Checked { problems, ..Checked::default() },
    };
    let mut checked = Checked { problems: policy::check(&configuration, published), ..Checked::default() };
    checked.problems.extend(policy::check_validity(&configuration, now_us / 1_000_000));
    match Policy::compile(&configuration, &Variables::default()).and_then(|_| policy::run_tests(&configuration)) {
        Ok(tests) => checked.tests = tests,
        Err(problems) => checked.problems.extend(problems),
    }
    checked.changes = published.map(|published| policy::diff(published, &configuration)).unwrap_or_default();
    checked.configuration = Some(configuration);
    checked
}

/// Who publishes, how far, and why.
#[derive(Debug, Clone)]
pub struct Publication<'a> {
    /// Id of the project.
    pub project: &'a str,
    /// The text; its project and revision are replaced.
    pub xml: &'a str,
    /// What the author says of it.
    pub note: &'a str,
    /// Id of the account.
    pub author: &'a str,
    /// Share of the agents that obey it from now on.
    pub percent: i64,
}

/// Why a text was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The text has errors, or a test in it fails.
    #[error("the configuration has errors; nothing was published")]
    Invalid(Vec<Problem>, Vec<TestResult>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks, signs and publishes a text.
pub async fn publish(
    store: &Store,
    keyring: &Keyring,
    publication: Publication<'_>,
    now_us: i64,
) -> Result<Revision, PublishError> {
    let project = publication.project;
    let invalid = |problems| PublishError::Invalid(problems, Vec::new());
    let (number, stamped) = next(store, project, publication.xml).await?;
    let stamped = stamped.map_err(invalid)?;
    let published = published(store, project).await?;
    let checked = check(&stamped, published.as_ref(), now_us);
    if !checked.valid() {
        return Err(PublishError::Invalid(checked.problems, checked.tests));
    }
    let valid_until_s = checked.configuration.as_ref().map_or(0, |configuration| configuration.valid_until_s);
    let revision = signed(keyring, publication, number, stamped, valid_until_s, now_us).await?;
    store.control().publish_revision(&revision).await?;
    store.control().put_draft(project, None).await?;
    Ok(revision)
}

/// Publishes the text of an earlier revision under a new number, for every agent at once. It asks nobody again: what it
/// records was agreed to under its own consent version, which stays as it was.
pub async fn roll_back(
    store: &Store,
    keyring: &Keyring,
    publication: Publication<'_>,
    to: i64,
    now_us: i64,
) -> Result<Revision, PublishError> {
    let project = publication.project;
    let old = store.control().revision(project, to).await?;
    let invalid = |problems| PublishError::Invalid(problems, Vec::new());
    let (number, stamped) = next(store, project, &old.xml).await?;
    let stamped = stamped.map_err(invalid)?;
    let configuration = policy::parse(&stamped).map_err(invalid)?;
    if let Some(over) = policy::check_validity(&configuration, now_us / 1_000_000) {
        return Err(invalid(vec![over]));
    }
    let valid_until_s = configuration.valid_until_s;
    let publication = Publication { percent: 100, ..publication };
    let revision = signed(keyring, publication, number, stamped, valid_until_s, now_us).await?;
    store.control().publish_revision(&revision).await?;
    store.control().mark_rolled_back(project, to, number).await?;
    Ok(revision)
}

/// The number that the next revision of a project gets, and a text with this number and the project in it; or what keeps
/// the text from being one.
pub async fn next(store: &Store, project: &str, xml: &str) -> Result<(i64, Result<String, Vec<Problem>>), StoreError> {
    let number = store.control().last_revision(project).await? + 1;
    let id: Uuid = project.parse().map_err(|_| StoreError::Invalid(format!("'{project}' is no id of a project")))?;
    Ok((number, policy::stamp(xml, id, u32::try_from(number).unwrap_or(u32::MAX))))
}

async fn signed(
    keyring: &Keyring,
    publication: Publication<'_>,
    number: i64,
    xml: String,
    valid_until_s: i64,
    now_us: i64,
) -> Result<Revision, StoreError> {
    let keys = keyring.of_project(publication.project, now_us).await?;
    let time = |time_s: i64| {
        DateTime::<Utc>::from_timestamp(time_s, 0).map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
    };
    let header = json!({
        "kid": keys.configuration_id,
        "project": publication.project,
        "revision": number,
        "not_before": time(now_us / 1_000_000),
        "not_after": time(valid_until_s),
    })
    .to_string();
    let percent = publication.percent.clamp(0, 100);
    Ok(Revision {
        project: publication.project.to_owned(),
        revision: number,
        signature: keys.sign_configuration(&header, &xml),
        xml,
        header,
        key_id: keys.configuration_id.clone(),
        note: publication.note.to_owned(),
        author: publication.author.to_owned(),
        published_at_us: now_us,
        percent,
        state: if percent >= 100 { RevisionState::Active } else { RevisionState::RollingOut },
    })
}

/// The configuration that agents obey now: the active one, or the one that is rolling out where none is active yet.
pub async fn published(store: &Store, project: &str) -> Result<Option<Configuration>, StoreError> {
    let (active, rolling) = store.control().current_revisions(project).await?;
    Ok(active.or(rolling).and_then(|revision| policy::parse(&revision.xml).ok()))
}

/// What a configuration is about, in three facts.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct Facts {
    /// Version of its consent.
    pub consent_version: u32,
    /// Whether any rule takes pictures.
    pub screenshots: bool,
    /// Whether any rule keeps what is typed.
    pub text: bool,
}

impl Facts {
    /// The facts of a configuration.
    pub fn of(configuration: &Configuration) -> Self {
        let actions = configuration.rules.iter().map(|rule| &rule.action).chain([&configuration.otherwise]);
        let logs: Vec<_> = actions.filter_map(|action| action.log()).collect();
        Self {
            consent_version: configuration.consent.version,
            screenshots: configuration.screenshots.enabled && logs.iter().any(|log| log.screenshot != Scope::None),
            text: logs.iter().any(|log| log.columns.names(uilog::column::ColumnId::Text)),
        }
    }
}

/// The consent texts of a configuration that say what is recorded.
pub fn consent_texts(configuration: &Configuration) -> impl Iterator<Item = (&str, &str)> {
    let texts = configuration.consent.texts.iter().filter(|text| text.kind == ConsentKind::Text);
    texts.map(|text| (text.lang.as_str(), text.text.as_str()))
}
