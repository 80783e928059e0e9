//! An event to what may be recorded of it: gate, rules, and the work on columns.
//!
//! ```text
//! event ── gate ── rules ── omit ── replace ── redact ── hash ──> Scrubbed<Event>
//!            │       │
//!         refused  dropped      (counted, and forgotten)
//! ```
//!
//! Nothing gets onto a disk or wire but a [`Scrubbed`] event, and only [`Policy::scrub`] makes one. The service repeats the
//! work with [`Policy::scrub_again`], without the conditions, whose columns may be gone. Scrubbing twice equals once.
//!
//! Two kinds of events are no action in a window and need no entry in the allow-list: those about the recording itself
//! (family `session`) and the participant's own comments. They pass without a rule, but stripped to what they are about: no
//! window, page, element or text, and names of user and machine hashed, and only where a rule keeps them.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use super::address;
use super::cell;
use super::columns::{ColumnSet, HASHED_UNLESS_NAMED, may_be_logged};
use super::gate::{Gate, GateDecision, Refusal, Seen};
use super::model::{Action, Configuration, Log};
use super::pattern::{Budget, Variables};
use super::problem::{Problem, Severity};
use super::redact::{self, Redactor};
use super::rules::{self, Compiled, Facts, Truth, Types};
use super::words::Scope;
use crate::column::{COLUMNS, ColumnId};
use crate::event::{Event, EventType, Family, Fingerprint, Value};
use crate::planted;

/// The name by which `<otherwise>` goes where rules are named.
pub const OTHERWISE: &str = "otherwise";

/// Turns a value into the 16 bytes that stand for it: HMAC-SHA-256 under a key of the project on the client, the name of the
/// column mixed in. Equal values of one column give equal hashes.
pub trait KeyedHash {
    /// The hash of a value of that column.
    fn hash(&self, column: &str, value: &str) -> [u8; 16];
}

/// An event as it was captured, and which columns apply but could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The event.
    pub event: Event,
    /// The columns that apply and are unknown.
    pub unknown: ColumnSet,
}

impl From<Event> for Captured {
    /// An event of which everything is known.
    fn from(event: Event) -> Self {
        Captured { event, unknown: ColumnSet::EMPTY }
    }
}

/// A thing of which everything was removed that must not be recorded. It can be made here only, and not be read from
/// anywhere: whoever holds one knows that a policy was at work.
///
/// ```compile_fail
/// let event: uilog::policy::Scrubbed<uilog::Event> = serde_json::from_str("{}").unwrap();
/// ```
///
/// ```compile_fail
/// let event = uilog::policy::Scrubbed(uilog::Event::default());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Scrubbed<T>(T);

impl<T> Scrubbed<T> {
    /// The thing itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> std::ops::Deref for Scrubbed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// What is decided about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'p> {
    /// It is recorded as that rule says, with that picture.
    Log {
        /// The name of the rule, or [`OTHERWISE`].
        rule: &'p str,
        /// The picture that belongs to it.
        screenshot: Scope,
    },
    /// It is about the recording itself, or the participant's comment, and passes without a rule.
    Recording,
    /// It is counted and forgotten.
    Drop(DroppedBy<'p>),
    /// The gate lets nothing through.
    Refused(Refusal),
}

/// What dropped an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DroppedBy<'p> {
    /// The rule of that name.
    Rule(&'p str),
    /// No rule matched.
    Otherwise,
    /// A setting outside the rules: comments, idle times or signs of life are switched off.
    Setting(&'static str),
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may be recorded; that picture belongs to it.
    Logged(Box<Scrubbed<Event>>, Scope),
    /// It was dropped; this is the name of the counter.
    Dropped(String),
    /// The gate refused it.
    Refused(Refusal),
}

impl Outcome {
    /// The counter that the event belongs to, as heartbeats name it; none if it is recorded. `gate.app`, `rule:NAME`,
    /// `otherwise`, `setting:NAME`.
    pub fn counter(&self) -> Option<String> {
        match self {
            Outcome::Logged(..) => None,
            Outcome::Dropped(counter) => Some(counter.clone()),
            Outcome::Refused(refusal) => Some(format!("gate.{}", refusal.name())),
        }
    }
}

/// Why the service does not take an event that a client scrubbed. Texts name rules and columns, never contents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecondScrub {
    /// The event names no rule.
    #[error("the event names no rule")]
    NoRule,
    /// The configuration has no such rule.
    #[error("revision {revision} has no rule of the name that the event gives")]
    UnknownRule {
        /// The revision.
        revision: u32,
    },
    /// The event belongs to another revision.
    #[error("the event was recorded under another revision than {revision}")]
    OtherRevision {
        /// The revision of this policy.
        revision: u32,
    },
    /// The rule drops; it cannot have let the event in.
    #[error("rule \"{rule}\" records nothing")]
    RuleDrops {
        /// The rule.
        rule: String,
    },
    /// The rule does not look at such events.
    #[error("rule \"{rule}\" does not record {} events", event_type.name())]
    WrongType {
        /// The rule.
        rule: String,
        /// The type of the event.
        event_type: EventType,
    },
    /// The gate would not have let it in.
    #[error("the gate of revision {revision} does not admit the event: {}", refusal.name())]
    Refused {
        /// The revision.
        revision: u32,
        /// Why.
        refusal: Refusal,
    },
    /// A value is there in clear that must be hashed on the client.
    #[error("column {column} must be hashed before it is sent")]
    NotHashed {
        /// The column.
        column: &'static str,
    },
    /// Such events are switched off.
    #[error("{setting} are switched off")]
    SwitchedOff {
        /// What is switched off.
        setting: &'static str,
    },
}

/// A configuration, compiled for one machine: what clients and service ask for every event.
///
/// ```
/// use uilog::policy::{Outcome, Policy, StandInHash, Variables, parse};
/// let configuration = parse(r#"
///     <lodeConfig schema="1" project="0b6f2d0e-5c1f-4c53-9b1e-6f6f2f3a7c11" revision="1" validUntil="2027-02-28T23:59:59Z">
///       <consent version="1"><text lang="en">We record what is copied in Excel.</text></consent>
///       <allow><app process="excel"/></allow>
///       <rules><rule name="copies"><on events="copy"/><log columns="@app row_label"/></rule></rules>
///     </lodeConfig>"#).unwrap();
/// let policy = Policy::compile(&configuration, &Variables::none()).unwrap();
/// let mut events = uilog::notation::log("09:00 excel copy B2 =Jane Doe | 09:01 crm paste").into_iter();
/// let Outcome::Logged(event, _) = policy.scrub(events.next().unwrap(), &StandInHash) else { panic!("copies are logged") };
/// assert_eq!((event.row_label.as_deref(), &event.text), (Some("2"), &None));
/// assert_eq!(policy.scrub(events.next().unwrap(), &StandInHash).counter().as_deref(), Some("gate.app"));
/// ```
pub struct Policy {
    revision: u32,
    gate: Gate,
    rules: Vec<CompiledRule>,
    /// The last one stands for `<otherwise>`.
    by_name: HashMap<String, usize>,
    redactor: Redactor,
    recording: Work,
    skipped: Vec<Problem>,
    comments: bool,
    idle: bool,
    alive: bool,
    picture_gap: Duration,
    pictures_per_hour: u32,
}

struct CompiledRule {
    name: String,
    /// The line in the file.
    line: u32,
    types: Types,
    condition: Option<Compiled>,
    /// Nothing: the rule drops.
    work: Option<Work>,
}

/// What a rule does with columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    /// Columns whose value, hash or replacement stays.
    pub(super) kept: ColumnSet,
    /// Columns of which a hash stays.
    pub(super) hashed: ColumnSet,
    /// Texts that stand in place of values.
    pub(super) replace: Vec<(ColumnSet, String)>,
    /// The columns of all of them.
    pub(super) replaced: ColumnSet,
    pub(super) screenshot: Scope,
}

impl Work {
    /// What `<log>` says, as sets of columns.
    pub(super) fn of(log: &Log, screenshots: bool) -> Self {
        let replaced = log.replace.iter().fold(ColumnSet::EMPTY, |set, replace| set.or(replace.columns.texts()));
        let kept = log.columns.logged().or(log.hash.texts()).or(replaced).without(log.omit.logged());
        let is_named = |column: ColumnId| log.columns.names(column);
        let pseudonymous = ColumnSet::of(|column| HASHED_UNLESS_NAMED.contains(&column) && !is_named(column));
        Work {
            kept,
            hashed: log.hash.texts().or(pseudonymous).and(kept).without(replaced),
            replace: log.replace.iter().map(|replace| (replace.columns.texts(), replace.with.clone())).collect(),
            replaced: replaced.and(kept),
            screenshot: if screenshots { log.screenshot } else { Scope::None },
        }
    }

    /// What stays of events about the recording itself and of comments. Names of user and machine stay as hashes, and only
    /// where a rule keeps them: where none does, a person would be two, the desktop and a hash.
    fn of_recording(rules: &[CompiledRule]) -> Self {
        use ColumnId::{Actor, Attributes, ClientVersion, Comment, Os, Snippet};
        let ruled = rules.iter().filter_map(|rule| rule.work.as_ref());
        let ruled = ruled.fold(ColumnSet::EMPTY, |all, work| all.or(work.kept));
        let names: ColumnSet = HASHED_UNLESS_NAMED.into_iter().collect();
        let kept: ColumnSet = [Snippet, Actor, Comment, Os, ClientVersion, Attributes].into_iter().collect();
        Work { kept: kept.or(names.and(ruled)), hashed: names.and(ruled), ..Work::default() }
    }
}

impl Policy {
    /// Compiles a configuration for a machine on which these variables hold. With a floor, [`narrow`](super::narrow()) it
    /// first.
    ///
    /// Errors: patterns that cannot be used, or take too much memory together. Of patterns that only lack a variable,
    /// [`skipped`](Self::skipped) tells.
    pub fn compile(configuration: &Configuration, variables: &Variables) -> Result<Policy, Vec<Problem>> {
        let (mut budget, mut problems) = (Budget::new(), Vec::new());
        let gate = Gate::compile(&configuration.allow, &mut budget, &mut problems);
        let screenshots = configuration.screenshots.enabled;
        let work = |action: &Action| action.log().map(|log| Work::of(log, screenshots));
        let mut compiled: Vec<CompiledRule> = Vec::new();
        for rule in &configuration.rules {
            let before = problems.len();
            let condition = rule.when.as_ref().map(|when| rules::compile(when, &mut budget, &mut problems));
            for problem in &mut problems[before..] {
                problem.message = format!("rule \"{}\": {}", rule.name, problem.message);
            }
            compiled.push(CompiledRule {
                name: rule.name.clone(),
                line: rule.at.line,
                types: Types::of(&rule.on),
                condition,
                work: work(&rule.action),
            });
        }
        let otherwise = work(&configuration.otherwise);
        compiled.push(CompiledRule {
            name: OTHERWISE.to_owned(),
            line: 0,
            types: Types::all(),
            condition: None,
            work: otherwise,
        });
        let redactor = Redactor::compile(&configuration.redaction, variables, &mut budget, &mut problems);
        let (skipped, errors): (Vec<_>, Vec<_>) =
            problems.into_iter().partition(|problem| problem.severity == Severity::Warning);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Policy {
            revision: configuration.revision,
            gate,
            by_name: compiled.iter().enumerate().map(|(position, rule)| (rule.name.clone(), position)).collect(),
            recording: Work::of_recording(&compiled),
            rules: compiled,
            redactor,
            skipped,
            comments: configuration.client.comments,
            idle: !configuration.capture.idle_after.is_zero(),
            alive: !configuration.capture.alive.is_zero(),
            picture_gap: configuration.screenshots.min_gap,
            pictures_per_hour: configuration.screenshots.max_per_hour,
        })
    }

    /// The revision of the configuration.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// Patterns that were left out on this machine, because a variable in them is unknown or too short.
    pub fn skipped(&self) -> &[Problem] {
        &self.skipped
    }

    /// Whether the window's program may be looked at, before its title or URL is read.
    pub fn gate_program(&self, seen: &Seen<'_>) -> GateDecision {
        self.gate.program(seen)
    }

    /// Whether a window may be looked at; see [`Seen`]. What must be known and is not, counts against it.
    pub fn gate(&self, seen: &Seen<'_>) -> GateDecision {
        self.gate.window(seen)
    }

    /// What is decided about an event. The gate is asked again with what the event tells; application ids and paths are no
    /// columns, so [`gate`](Self::gate) must have been asked before with the window.
    pub fn decide(&self, captured: &Captured) -> Decision<'_> {
        if captured.event.url.is_some() && captured.event.url_template.is_none() {
            let mut captured = captured.clone();
            address::fill(&mut captured.event);
            return self.decide_filled(&captured).1;
        }
        self.decide_filled(captured).1
    }

    /// The decision, and the rule that made it, for an event whose URL has host and template.
    fn decide_filled(&self, captured: &Captured) -> (Option<&CompiledRule>, Decision<'_>) {
        let event = &captured.event;
        if is_about_recording(event.event_type) {
            let decision = self
                .switched_off(event.event_type)
                .map_or(Decision::Recording, |setting| Decision::Drop(DroppedBy::Setting(setting)));
            return (None, decision);
        }
        if let GateDecision::Refused(refusal) = self.gate.event(event, captured.unknown) {
            return (None, Decision::Refused(refusal));
        }
        let facts = Facts::new(event, captured.unknown);
        let deciding = self.rules.iter().find(|rule| rule.matches(&facts, event.event_type));
        let decision = match deciding {
            Some(CompiledRule { name, work: Some(work), .. }) => {
                Decision::Log { rule: name, screenshot: screenshot(work, captured) }
            }
            Some(rule) if rule.name != OTHERWISE => Decision::Drop(DroppedBy::Rule(&rule.name)),
            _ => Decision::Drop(DroppedBy::Otherwise),
        };
        (deciding, decision)
    }

    /// Which setting switches such events off, if one does.
    fn switched_off(&self, event_type: EventType) -> Option<&'static str> {
        match event_type {
            EventType::UserComment if !self.comments => Some("comments"),
            EventType::IdleStarted | EventType::IdleEnded if !self.idle => Some("idle times"),
            EventType::Alive if !self.alive => Some("signs of life"),
            _ => None,
        }
    }

    /// Decides about an event and takes out of it what must not be recorded.
    pub fn scrub(&self, captured: impl Into<Captured>, hash: &dyn KeyedHash) -> Outcome {
        let mut captured = captured.into();
        address::fill(&mut captured.event);
        let (deciding, decision) = self.decide_filled(&captured);
        let (work, rule, screenshot) = match (decision, deciding) {
            (Decision::Refused(refusal), _) => return Outcome::Refused(refusal),
            (Decision::Drop(by), _) => return Outcome::Dropped(by.counter()),
            (Decision::Log { rule, screenshot }, Some(CompiledRule { work: Some(work), .. })) => {
                (work, Some(rule), screenshot)
            }
            _ => (&self.recording, None, Scope::None),
        };
        let secret = Secret::of(&captured.event, captured.unknown);
        let secret = if planted::is("secret-field-told") { Secret::default() } else { secret };
        let mut event = captured.event;
        self.work_on(&mut event, work, secret);
        hash_columns(&mut event, work.hashed, hash);
        event.rule = rule.map(str::to_owned);
        event.config_revision = Some(self.revision.to_string());
        event.screenshot_id = event.screenshot_id.filter(|_| screenshot != Scope::None);
        Outcome::Logged(Box::new(Scrubbed(event)), screenshot)
    }

    /// Repeats the work on the columns of an event that a client scrubbed under this revision. Conditions are not asked
    /// again. What the rule does not keep is removed; hashes stay as they are.
    ///
    /// Errors: [`SecondScrub`] for an event that no honest client can have sent.
    pub fn scrub_again(&self, mut event: Event) -> Result<Event, SecondScrub> {
        let revision = self.revision;
        if event.config_revision.as_deref() != Some(&revision.to_string()) {
            return Err(SecondScrub::OtherRevision { revision });
        }
        let (work, rule) = if is_about_recording(event.event_type) {
            if let Some(setting) = self.switched_off(event.event_type) {
                return Err(SecondScrub::SwitchedOff { setting });
            }
            (&self.recording, None)
        } else {
            let rule = self.admitting(&event)?;
            let Some(work) = &rule.work else { return Err(SecondScrub::RuleDrops { rule: rule.name.clone() }) };
            if let GateDecision::Refused(refusal) = self.gate.again(&event, work.replaced.or(self.redactor.cut())) {
                return Err(SecondScrub::Refused { revision, refusal });
            }
            (work, Some(rule.name.clone()))
        };
        if let Some(column) = work.hashed.iter().find(|column| event.value(*column as usize) != Value::Null) {
            return Err(SecondScrub::NotHashed { column: column.column().name });
        }
        let secret = Secret::of(&event, ColumnSet::EMPTY);
        self.work_on(&mut event, work, secret);
        event.rule = rule;
        event.screenshot_id =
            event.screenshot_id.filter(|_| work.screenshot != Scope::None && !secret.forbids_pictures());
        Ok(event)
    }

    /// The rule that an event names, if it can have let the event in.
    fn admitting(&self, event: &Event) -> Result<&CompiledRule, SecondScrub> {
        let name = event.rule.as_deref().ok_or(SecondScrub::NoRule)?;
        let rule = self.by_name.get(name).map(|position| &self.rules[*position]);
        let rule = rule.ok_or(SecondScrub::UnknownRule { revision: self.revision })?;
        if rule.work.is_some() && !rule.types.contain(event.event_type) {
            return Err(SecondScrub::WrongType { rule: rule.name.clone(), event_type: event.event_type });
        }
        Ok(rule)
    }

    /// Omit, replace, redact: everything but hashing, which needs a key.
    fn work_on(&self, event: &mut Event, work: &Work, secret: Secret) {
        secret.remove_from(event, work.kept.contains(ColumnId::Text));
        omit(event, work.kept);
        if is_about_recording(event.event_type) {
            keep_declared_attributes(event);
        }
        for (columns, with) in &work.replace {
            replace(event, columns.and(work.kept), with);
        }
        self.redactor.work(event, work.kept.without(work.replaced));
    }

    /// What a rule does with columns; for previews.
    pub(super) fn work_of(&self, rule: Option<&str>) -> &Work {
        rule.and_then(|rule| self.by_name.get(rule))
            .and_then(|&rule| self.rules[rule].work.as_ref())
            .unwrap_or(&self.recording)
    }

    /// Name and line of the rules, in order, with [`OTHERWISE`] as the last one.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&str, u32)> {
        self.rules.iter().map(|rule| (rule.name.as_str(), rule.line))
    }

    /// The redaction, for lints.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The limits on pictures; for previews.
    pub(super) fn picture_limits(&self) -> (Duration, u32) {
        (self.picture_gap, self.pictures_per_hour)
    }
}

impl DroppedBy<'_> {
    /// The name of the counter.
    pub fn counter(self) -> String {
        match self {
            DroppedBy::Rule(rule) => format!("rule:{rule}"),
            DroppedBy::Otherwise => OTHERWISE.to_owned(),
            DroppedBy::Setting(setting) => format!("setting:{setting}"),
        }
    }
}

impl CompiledRule {
    /// Whether the rule decides: to log it must be certain, to drop a doubt is enough.
    fn matches(&self, facts: &Facts<'_>, event_type: EventType) -> bool {
        let least = if self.work.is_some() { Truth::True } else { Truth::Unknown };
        self.types.contain(event_type)
            && self.condition.as_ref().map_or(Truth::True, |condition| condition.holds(facts)) >= least
    }
}

/// Whether events of that type are about the recording, or the participant's own words, and not about a window.
pub(super) fn is_about_recording(event_type: EventType) -> bool {
    matches!(event_type.family(), Family::Session | Family::User)
}

/// The picture that belongs to an event of a rule: none where a secret is near, or may be.
fn screenshot(work: &Work, captured: &Captured) -> Scope {
    let is_secret = Secret::of(&captured.event, captured.unknown).forbids_pictures();
    if is_secret && !planted::is("picture-beside-secret") { Scope::None } else { work.screenshot }
}

/// What of an event must be removed whatever a rule says (promise D2).
#[derive(Clone, Copy, Debug, Default)]
struct Secret {
    /// The element is a secret field, or may be one.
    element: bool,
    /// The text is a payment card number, or has one in it.
    card: bool,
    /// The name of the element is its content.
    name: bool,
    /// The key is a character, not a command.
    key: bool,
}

/// Roles of fields whose content is a secret, in all spellings of the platforms.
const SECRET_ROLES: [&str; 4] = ["password", "password text", "password_text", "passwordbox"];

/// The attribute that tells how large a content is: roughly its length.
const SIZE: &str = "size_bucket";

/// Roles of elements whose name is their content.
const CONTENT_ROLES: [&str; 11] = [
    "cell",
    "document",
    "gridcell",
    "listitem",
    "option",
    "row",
    "statictext",
    "table_cell",
    "text",
    "treeitem",
    "list_item",
];

/// Whether an element of that role is a field whose content is a secret.
pub fn is_secret_role(role: &str) -> bool {
    SECRET_ROLES.iter().any(|secret| role.eq_ignore_ascii_case(secret))
}

impl Secret {
    fn of(event: &Event, unknown: ColumnSet) -> Self {
        let role = event.element_role.as_deref().unwrap_or_default();
        Secret {
            element: unknown.contains(ColumnId::ElementRole) || is_secret_role(role),
            card: event.text.as_deref().is_some_and(|text| !redact::cards(text).is_empty()),
            name: CONTENT_ROLES.iter().any(|content| role.eq_ignore_ascii_case(content)),
            key: event.key_command.as_deref().is_some_and(|key| !is_command(key)),
        }
    }

    fn forbids_pictures(self) -> bool {
        self.element || self.card
    }

    fn remove_from(self, event: &mut Event, keeps_text: bool) {
        if self.element || self.card {
            event.forget(ColumnId::Text);
            event.text_length = None;
            event.value_fingerprint = None;
            if !planted::is("secret-size-told") {
                event.attributes.remove(SIZE);
            }
        }
        if self.name && !keeps_text {
            event.forget(ColumnId::ElementName);
        }
        if self.key {
            event.key_command = None;
        }
    }
}

/// Whether a key command is one, and not a character that was typed: a named key, or a character with a modifier that
/// makes no character. AltGr comes as ctrl+alt on some systems, so with both only letters and digits of ASCII are commands.
fn is_command(key_command: &str) -> bool {
    // The key itself may be the plus sign.
    let (modifiers, key) = match key_command.strip_suffix('+') {
        Some(modifiers) => (modifiers, "+"),
        None => key_command.rsplit_once('+').unwrap_or(("", key_command)),
    };
    let has = |modifier: &str| modifiers.split('+').any(|each| each.eq_ignore_ascii_case(modifier));
    let (ctrl, alt, meta) = (has("ctrl"), has("alt"), has("meta"));
    if key.chars().count() > 1 {
        return true;
    }
    match (ctrl, alt) {
        (true, true) => meta || key.chars().all(|character| character.is_ascii_alphanumeric()),
        _ => ctrl || alt || meta,
    }
}

fn omit(event: &mut Event, kept: ColumnSet) {
    for column in COLUMNS.iter().map(|column| column.id) {
        if may_be_logged(column) && !kept.contains(column) {
            event.forget(column);
        }
    }
    event.hashed.retain(|name, _| crate::column::find(name).is_some_and(|column| kept.contains(column.id)));
}

/// Of events about the recording, only the attributes that their type declares.
fn keep_declared_attributes(event: &mut Event) {
    let declared = event.event_type.declaration().attributes;
    event.attributes.retain(|key, _| declared.iter().any(|(name, _)| name == key));
}

fn replace(event: &mut Event, columns: ColumnSet, with: &str) {
    for column in columns.iter() {
        let was_hashed = cell::is_hashed(event, column);
        if event.value(column as usize) != Value::Null || was_hashed {
            event.hashed.remove(column.column().name);
            if let Some(field) = event.text_mut(column) {
                *field = Some(with.to_owned());
            }
        }
    }
}

fn hash_columns(event: &mut Event, columns: ColumnSet, hash: &dyn KeyedHash) {
    for column in columns.iter() {
        let name = column.column().name;
        if let Some(value) = event.text_mut(column).and_then(Option::take) {
            event.hashed.insert(name.to_owned(), Fingerprint(hash.hash(name, &value)));
        }
    }
}

/// A hash for tests and previews: it keeps nothing secret.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandInHash;

impl KeyedHash for StandInHash {
    fn hash(&self, column: &str, value: &str) -> [u8; 16] {
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{column}\0{value}").as_bytes()).into_bytes()
    }
}
