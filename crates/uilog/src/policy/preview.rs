//! What a configuration would do to events that are there: per rule, per column, and for single events.
//!
//! Nothing is estimated but two figures: what pictures weigh ([`PICTURE_BYTES_TYPICAL`]), and how many there would be, from
//! the limits on pictures and the times of the events. Events are weighed as they travel, packed. What a sample was recorded
//! without it cannot show.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;

use super::cell;
use super::columns::{ColumnSet, may_be_logged};
use super::gate::Refusal;
use super::scrub::{Captured, Decision, DroppedBy, OTHERWISE, Outcome, Policy, StandInHash};
use super::words::Scope;
use crate::column::{COLUMNS, ColumnId};
use crate::event::{Event, EventType};

/// What a picture of a window weighs, about: 100 kB.
pub const PICTURE_BYTES_TYPICAL: u64 = 100_000;

/// The most events that a preview shows one by one.
pub const EVENTS_SHOWN_MAX: usize = 50;

/// As many bytes of events are packed at once, to weigh them: about what one batch has.
const PACKED_AT_ONCE_BYTES: usize = 64 << 10;

/// zstd's level; that of an envelope.
const PACKING_LEVEL: i32 = 3;

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// What a configuration would do to a sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// How many events were looked at.
    pub events: u64,
    /// From how many people they are, at least 1.
    pub users: u64,
    /// On how many days they happened, in UTC, at least 1.
    pub days: u64,
    /// The gate, then the rules in order, then `otherwise`; last what is about the recording, if the sample has such events.
    pub rules: Vec<RulePreview>,
    /// The columns that any event had.
    pub columns: Vec<ColumnPreview>,
    /// The rules that decided about no event.
    pub never_matched: Vec<String>,
    /// The first events, one by one.
    pub events_shown: Vec<Explanation>,
}

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// The gate; the name is that of the [`Refusal`].
    Gate,
    /// A rule.
    Rule,
    /// No rule.
    Otherwise,
    /// Nothing needed to: the events are about the recording itself, or comments.
    Recording,
}

impl RuleKind {
    /// Each of them.
    pub const ALL: [RuleKind; 4] = [RuleKind::Gate, RuleKind::Rule, RuleKind::Otherwise, RuleKind::Recording];
}

/// What one rule would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RulePreview {
    /// Its name.
    pub rule: String,
    /// What it is.
    pub kind: RuleKind,
    /// Its line in the file; none for what stands in none.
    pub line: Option<u32>,
    /// How many events it records.
    pub admitted: u64,
    /// How many columns are sent of them, in any form.
    pub columns: u64,
    /// How many of these are hashed.
    pub hashed: u64,
    /// How many of these are replaced.
    pub replaced: u64,
    /// How many events it drops or refuses.
    pub dropped: u64,
    /// How many pictures it would take.
    pub screenshots: u64,
    /// Bytes for a person and day, pictures included.
    pub bytes_per_day_user: u64,
}

/// What happens to one column, in numbers of events that are recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnPreview {
    /// Its name.
    pub column: &'static str,
    /// Sent as it is.
    pub sent: u64,
    /// Sent as a hash.
    pub hashed: u64,
    /// Replaced by a text of the rule.
    pub replaced: u64,
    /// Sent in part, or nothing was left of it by redaction.
    pub redacted: u64,
    /// Not sent.
    pub dropped: u64,
}

/// What becomes of one event, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Its number.
    pub seq: u64,
    /// Its type.
    pub event_type: EventType,
    /// What was decided.
    pub decision: Decided,
    /// What happens to each column that the event has. Of an event that the gate refuses no column is told: the client
    /// would not have read it.
    pub columns: Vec<ColumnFate>,
}

/// What can be decided about an event.
pub const OUTCOMES: [&str; 4] = ["log", "recording", "drop", "refused"];

/// What was decided about an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// One of [`OUTCOMES`].
    pub outcome: &'static str,
    /// The rule that decided; for what is refused, the part of the gate that did.
    pub rule: Option<String>,
    /// The picture that belongs to it.
    pub screenshot: Scope,
}

/// What happens to one column of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnFate {
    /// Its name.
    pub column: &'static str,
    /// The value before; none for what is derived from other columns.
    pub before: Option<String>,
    /// The value after; `#hash` for a hash, none for what is not sent.
    pub after: Option<String>,
    /// What happened.
    pub what: Fate,
}

/// What happens to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is sent as it is.
    Sent,
    /// A hash of it is sent.
    Hashed,
    /// A text of the rule is sent in its place.
    Replaced,
    /// Parts of it were taken out, or all of it.
    Redacted,
    /// It is not sent.
    Dropped,
}

impl Fate {
    /// Each of them.
    pub const ALL: [Fate; 5] = [Fate::Sent, Fate::Hashed, Fate::Replaced, Fate::Redacted, Fate::Dropped];
}

/// Runs a sample through a policy. Hashes are made with a stand-in key and not shown.
///
/// Shape: any number of events, in the order in which they happened for each person; one pass, memory bounded by the number
/// of rules and people.
pub fn preview(policy: &Policy, events: impl IntoIterator<Item = Event>) -> Preview {
    let mut tally = Tally::default();
    for event in events {
        tally.take(policy, event);
    }
    tally.finish(policy)
}

/// What becomes of one event, column by column; for the editor.
pub fn explain(policy: &Policy, captured: impl Into<Captured>) -> Explanation {
    let captured = captured.into();
    let event = captured.event.clone();
    let outcome = policy.scrub(captured.clone(), &StandInHash);
    explanation(policy, &event, policy.decide(&captured), &outcome)
}

fn explanation(policy: &Policy, event: &Event, decision: Decision<'_>, outcome: &Outcome) -> Explanation {
    let decided =
        |outcome, rule: Option<&str>, screenshot| Decided { outcome, rule: rule.map(str::to_owned), screenshot };
    let decision = match decision {
        Decision::Log { rule, screenshot } => decided("log", Some(rule), screenshot),
        Decision::Recording => decided("recording", None, Scope::None),
        Decision::Drop(DroppedBy::Rule(rule)) => decided("drop", Some(rule), Scope::None),
        Decision::Drop(DroppedBy::Otherwise) => decided("drop", Some(OTHERWISE), Scope::None),
        Decision::Drop(DroppedBy::Setting(setting)) => decided("drop", Some(setting), Scope::None),
        Decision::Refused(refusal) => decided("refused", Some(refusal.name()), Scope::None),
    };
    let columns = match outcome {
        Outcome::Logged(after, _) => {
            let work = policy.work_of(after.rule.as_deref());
            fates(event, after, work.kept, work.replaced)
        }
        Outcome::Dropped(_) => fates(event, &Event::default(), ColumnSet::EMPTY, ColumnSet::EMPTY),
        Outcome::Refused(_) => Vec::new(),
    };
    Explanation { seq: event.seq, event_type: event.event_type, decision, columns }
}

/// What happened to each column that an event had or has.
fn fates(before: &Event, after: &Event, kept: ColumnSet, replaced: ColumnSet) -> Vec<ColumnFate> {
    let shown = |event: &Event, column: ColumnId| match cell::is_hashed(event, column) {
        true => Some("#hash".to_owned()),
        false => cell::text(event, column).map(|text| text.into_owned()),
    };
    let fate = |column: ColumnId| {
        let (old, new) = (shown(before, column), shown(after, column));
        let what = match (&old, &new) {
            (None, None) => return None,
            (_, Some(new)) if new == "#hash" => Fate::Hashed,
            (_, Some(_)) if replaced.contains(column) => Fate::Replaced,
            (Some(old), Some(new)) if old != new => Fate::Redacted,
            (_, Some(_)) => Fate::Sent,
            (Some(_), None) if kept.contains(column) => Fate::Redacted,
            (Some(_), None) => Fate::Dropped,
        };
        Some(ColumnFate { column: column.column().name, before: old, after: new, what })
    };
    COLUMNS.iter().map(|column| column.id).filter(|&column| may_be_logged(column)).filter_map(fate).collect()
}

/// What was counted so far.
#[derive(Default)]
struct Tally {
    events: u64,
    users: BTreeSet<String>,
    days: BTreeSet<i64>,
    rules: BTreeMap<String, RuleTally>,
    refused: BTreeMap<Refusal, u64>,
    columns: BTreeMap<&'static str, [u64; 5]>,
    pictures: BTreeMap<String, Pictures>,
    shown: Vec<Explanation>,
}

/// What was counted of one rule.
#[derive(Default)]
struct RuleTally {
    admitted: u64,
    dropped: u64,
    sent: BTreeSet<&'static str>,
    hashed: BTreeSet<&'static str>,
    replaced: BTreeSet<&'static str>,
    screenshots: u64,
    bytes: u64,
    unpacked: Vec<u8>,
}

/// The name under which events are counted that need no rule.
const RECORDING: &str = "recording";

impl Tally {
    fn take(&mut self, policy: &Policy, event: Event) {
        let user = event.user_name.clone().unwrap_or_else(|| event.agent_id.to_string());
        self.events += 1;
        self.days.insert(event.time_us.div_euclid(DAY_US));
        let captured = Captured::from(event.clone());
        let outcome = policy.scrub(captured.clone(), &StandInHash);
        let explanation = explanation(policy, &event, policy.decide(&captured), &outcome);
        match &outcome {
            Outcome::Refused(refusal) => *self.refused.entry(*refusal).or_default() += 1,
            Outcome::Dropped(_) => self.rule(&explanation).dropped += 1,
            Outcome::Logged(after, scope) => {
                let takes_picture = *scope != Scope::None
                    && self.pictures.entry(user.clone()).or_default().takes(event.time_us, policy.picture_limits());
                self.count_columns(&explanation);
                let rule = self.rule(&explanation);
                rule.admitted += 1;
                rule.screenshots += u64::from(takes_picture);
                rule.weigh(after);
                rule.count_columns(&explanation);
            }
        }
        self.users.insert(user);
        if self.shown.len() < EVENTS_SHOWN_MAX {
            self.shown.push(explanation);
        }
    }

    fn rule(&mut self, explanation: &Explanation) -> &mut RuleTally {
        let is_ruled = !super::scrub::is_about_recording(explanation.event_type);
        let name = explanation.decision.rule.as_deref().filter(|_| is_ruled).unwrap_or(RECORDING);
        self.rules.entry(format!("{is_ruled}:{name}")).or_default()
    }

    fn count_columns(&mut self, explanation: &Explanation) {
        for fate in &explanation.columns {
            self.columns.entry(fate.column).or_default()[fate.what as usize] += 1;
        }
    }

    fn finish(mut self, policy: &Policy) -> Preview {
        let (users, days) = (self.users.len().max(1) as u64, self.days.len().max(1) as u64);
        let mut rules: Vec<RulePreview> = Refusal::ALL
            .into_iter()
            .filter_map(|refusal| Some((refusal, *self.refused.get(&refusal)?)))
            .map(|(refusal, dropped)| {
                RuleTally { dropped, ..RuleTally::default() }.row(refusal.name(), RuleKind::Gate, None, 1)
            })
            .collect();
        let mut never_matched = Vec::new();
        for (name, line) in policy.rules() {
            let tally = self.rules.remove(&format!("true:{name}"));
            let kind = if name == OTHERWISE { RuleKind::Otherwise } else { RuleKind::Rule };
            if tally.is_none() && kind == RuleKind::Rule {
                never_matched.push(name.to_owned());
            }
            let line = (line > 0).then_some(line);
            rules.push(tally.unwrap_or_default().row(name, kind, line, users * days));
        }
        if let Some(tally) = self.rules.remove(&format!("false:{RECORDING}")) {
            rules.push(tally.row(RECORDING, RuleKind::Recording, None, users * days));
        }
        let columns = COLUMNS.iter().filter_map(|column| {
            let [sent, hashed, replaced, redacted, dropped] = *self.columns.get(column.name)?;
            Some(ColumnPreview { column: column.name, sent, hashed, replaced, redacted, dropped })
        });
        let columns = columns.collect();
        Preview { events: self.events, users, days, rules, columns, never_matched, events_shown: self.shown }
    }
}

impl RuleTally {
    fn count_columns(&mut self, explanation: &Explanation) {
        for fate in explanation.columns.iter().filter(|fate| fate.after.is_some()) {
            self.sent.insert(fate.column);
            match fate.what {
                Fate::Hashed => _ = self.hashed.insert(fate.column),
                Fate::Replaced => _ = self.replaced.insert(fate.column),
                _ => {}
            }
        }
    }

    /// Weighs an event, as part of a batch.
    fn weigh(&mut self, event: &Event) {
        // An event is plain data; writing it to memory as JSON cannot fail.
        let _ = serde_json::to_writer(&mut self.unpacked, event);
        self.unpacked.push(b'\n');
        if self.unpacked.len() >= PACKED_AT_ONCE_BYTES {
            self.pack();
        }
    }

    fn pack(&mut self) {
        let packed = zstd::encode_all(self.unpacked.as_slice(), PACKING_LEVEL);
        self.bytes += packed.map_or(self.unpacked.len(), |packed| packed.len()) as u64;
        self.unpacked.clear();
    }

    fn row(mut self, rule: &str, kind: RuleKind, line: Option<u32>, user_days: u64) -> RulePreview {
        if !self.unpacked.is_empty() {
            self.pack();
        }
        RulePreview {
            rule: rule.to_owned(),
            kind,
            line,
            admitted: self.admitted,
            columns: self.sent.len() as u64,
            hashed: self.hashed.len() as u64,
            replaced: self.replaced.len() as u64,
            dropped: self.dropped,
            screenshots: self.screenshots,
            bytes_per_day_user: (self.bytes + self.screenshots * PICTURE_BYTES_TYPICAL) / user_days,
        }
    }
}

/// The pictures of one person in the last hour.
#[derive(Default)]
struct Pictures(VecDeque<i64>);

impl Pictures {
    /// Whether the limits allow a picture at that time; if so, it is counted.
    fn takes(&mut self, time_us: i64, (gap, per_hour): (std::time::Duration, u32)) -> bool {
        while self.0.front().is_some_and(|first| time_us - first >= HOUR_US) {
            self.0.pop_front();
        }
        let gap_us = i64::try_from(gap.as_micros()).unwrap_or(i64::MAX);
        let is_too_soon = self.0.back().is_some_and(|last| time_us - last < gap_us);
        let takes = !is_too_soon && self.0.len() < per_hour as usize;
        if takes {
            self.0.push_back(time_us);
        }
        takes
    }
}
