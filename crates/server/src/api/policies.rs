//! What `uilog` says of a configuration, in the shapes of the OpenAPI document: what is wrong with it, what it changes, and
//! what its rules do to events. Nothing is decided here; a member that `uilog` gains or loses does not compile until it is
//! said here too.

use super::words;
use serde::Serialize;
use uilog::EventType;
use uilog::policy::preview::{self, Decided, Fate, RuleKind};
use uilog::policy::words::Scope;
use uilog::policy::{self, Severity};
use utoipa::ToSchema;

/// A problem of a configuration.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    #[schema(value_type = words::Severity)]
    severity: Severity,
    /// Its kind; one of `problems` of the vocabulary.
    code: &'static str,
    /// The line, from 1.
    line: u32,
    /// The character in the line, from 1.
    column: u32,
    /// What is wrong, and in which rule, pattern or test.
    message: String,
    /// What may be meant, or what to do.
    hint: Option<String>,
}

impl From<policy::Problem> for Problem {
    fn from(problem: policy::Problem) -> Self {
        let policy::Problem { severity, code, line, column, message, hint } = problem;
        Self { severity, code, line, column, message, hint }
    }
}

/// A change from one configuration to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyChange {
    /// Its kind; never changes its meaning.
    code: &'static str,
    /// What changes, in one sentence.
    text: String,
    /// Whether more may be captured, kept or shown than before.
    widens: bool,
}

impl From<policy::Change> for PolicyChange {
    fn from(change: policy::Change) -> Self {
        let policy::Change { code, text, widens } = change;
        Self { code, text, widens }
    }
}

/// How a test of a configuration came out.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleTest {
    name: String,
    /// The line of the test in the text.
    line: u32,
    /// Whether everything is as it says.
    passed: bool,
    /// What is not as it says, one sentence each.
    messages: Vec<String>,
    /// The columns that are not as it says.
    columns: Vec<TestedColumn>,
}

/// A column that is not what a test says.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestedColumn {
    column: &'static str,
    /// What the test says.
    expected: String,
    /// What is left.
    got: String,
}

impl From<policy::TestResult> for RuleTest {
    fn from(test: policy::TestResult) -> Self {
        let policy::TestResult { name, line, passed, messages, columns } = test;
        let columns = columns.into_iter().map(|column| {
            let policy::ColumnResult { column, expected, got } = column;
            TestedColumn { column, expected, got }
        });
        Self { name, line, passed, messages, columns: columns.collect() }
    }
}

/// What a configuration would do to a sample of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    /// How many events were looked at.
    events: u64,
    /// From how many people they are, at least 1.
    users: u64,
    /// On how many days they happened, in UTC, at least 1.
    days: u64,
    /// The gate, then the rules in order, then what holds otherwise; last what is about the recording, if there is any.
    rules: Vec<PreviewRule>,
    /// The columns that any event had.
    columns: Vec<PreviewColumn>,
    /// The rules that decided about no event.
    never_matched: Vec<String>,
    /// The first events, one by one; none of one's own without the grant `raw`.
    events_shown: Vec<PreviewEvent>,
}

impl Preview {
    /// The same in numbers alone.
    pub fn without_events(self) -> Self {
        Self { events_shown: Vec::new(), ..self }
    }
}

impl From<policy::Preview> for Preview {
    fn from(preview: policy::Preview) -> Self {
        let policy::Preview { events, users, days, rules, columns, never_matched, events_shown } = preview;
        Self {
            events,
            users,
            days,
            rules: rules.into_iter().map(PreviewRule::from).collect(),
            columns: columns.into_iter().map(PreviewColumn::from).collect(),
            never_matched,
            events_shown: events_shown.into_iter().map(PreviewEvent::from).collect(),
        }
    }
}

/// What one rule would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewRule {
    rule: String,
    #[schema(value_type = words::RuleKind)]
    kind: RuleKind,
    /// Its line in the text; null for what stands in none.
    line: Option<u32>,
    /// How many events it records.
    admitted: u64,
    /// How many columns are sent of them, in any form.
    columns: u64,
    /// How many of these are hashed.
    hashed: u64,
    /// How many of these are replaced.
    replaced: u64,
    /// How many events it drops or refuses.
    dropped: u64,
    /// How many pictures it would take.
    screenshots: u64,
    /// Bytes for a person and day, pictures included.
    bytes_per_day_user: u64,
}

impl From<preview::RulePreview> for PreviewRule {
    fn from(rule: preview::RulePreview) -> Self {
        let preview::RulePreview {
            rule,
            kind,
            line,
            admitted,
            columns,
            hashed,
            replaced,
            dropped,
            screenshots,
            bytes_per_day_user,
        } = rule;
        Self { rule, kind, line, admitted, columns, hashed, replaced, dropped, screenshots, bytes_per_day_user }
    }
}

/// What happens to one column, in numbers of events that are recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewColumn {
    column: &'static str,
    /// Sent as it is.
    sent: u64,
    /// Sent as a hash.
    hashed: u64,
    /// Replaced by a text of the rule.
    replaced: u64,
    /// Sent in part, or nothing was left of it by redaction.
    redacted: u64,
    /// Not sent.
    dropped: u64,
}

impl From<preview::ColumnPreview> for PreviewColumn {
    fn from(column: preview::ColumnPreview) -> Self {
        let preview::ColumnPreview { column, sent, hashed, replaced, redacted, dropped } = column;
        Self { column, sent, hashed, replaced, redacted, dropped }
    }
}

/// What becomes of one event, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewEvent {
    /// Its number.
    seq: u64,
    #[schema(value_type = words::EventType)]
    event_type: EventType,
    decision: PreviewDecision,
    /// What happens to each column that the event has; none is told of an event that the gate refuses.
    columns: Vec<PreviewFate>,
}

/// What was decided about an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewDecision {
    #[schema(value_type = words::Outcome)]
    outcome: &'static str,
    /// The rule that decided; for what is refused, the part of the gate that did.
    rule: Option<String>,
    /// The picture that belongs to it.
    #[schema(value_type = words::Scope)]
    screenshot: Scope,
}

/// What happens to one column of one event.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewFate {
    column: &'static str,
    /// The value before; null for what is derived from other columns.
    before: Option<String>,
    /// The value after; `#hash` for a hash, null for what is not sent.
    after: Option<String>,
    #[schema(value_type = words::Fate)]
    what: Fate,
}

impl From<policy::Explanation> for PreviewEvent {
    fn from(explanation: policy::Explanation) -> Self {
        let policy::Explanation { seq, event_type, decision, columns } = explanation;
        let Decided { outcome, rule, screenshot } = decision;
        let columns = columns.into_iter().map(|fate| {
            let preview::ColumnFate { column, before, after, what } = fate;
            PreviewFate { column, before, after, what }
        });
        Self { seq, event_type, decision: PreviewDecision { outcome, rule, screenshot }, columns: columns.collect() }
    }
}
