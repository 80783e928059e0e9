//! A configuration and a floor as typed values, after reading and before compiling.
//!
//! The fields follow the elements of the [vocabulary](super::vocabulary), which says what each one means; here stands only
//! what the type does not tell. Each thing that a message may be about knows [where](At) it stood, which is no part of its
//! value: a configuration that is written and read again is equal to what it was.

use std::time::Duration;

use uuid::Uuid;

use crate::column::ColumnId;
use crate::event::{EventType, Family};

use super::columns::Selection;
use super::problem::At;
pub use super::words::{
    BuiltinPattern, ConsentKind, Expect, Input, LogLevel, MaskText, Mode, Scope, Startup, Update, ValueLength,
};

/// What the clients of a project record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct Configuration {
    pub project: Uuid,
    pub revision: u32,
    /// Seconds since 1970-01-01T00:00:00 UTC.
    pub valid_until_s: i64,
    pub client: Client,
    pub consent: Consent,
    pub user_attributes: Vec<UserAttribute>,
    /// Capture runs inside all of them; never empty.
    pub schedules: Vec<Schedule>,
    pub pause: Pause,
    pub allow: Allow,
    pub capture: Capture,
    pub screenshots: Screenshots,
    pub extension: Extension,
    pub rules: Vec<Rule>,
    pub otherwise: Action,
    pub redaction: Redaction,
    pub storage: Storage,
    pub upload: Upload,
    pub tests: Vec<Test>,
}

impl Configuration {
    /// The rule of that name.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}

/// The client as a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct Client {
    pub startup: Startup,
    pub comments: bool,
    pub update: Update,
    pub log: LogLevel,
    pub log_keep: Duration,
}

/// What participants are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct Consent {
    pub version: u32,
    pub texts: Vec<ConsentText>,
    pub at: At,
}

impl Consent {
    /// Whether there is a text of that kind, in any language.
    pub fn has(&self, kind: ConsentKind) -> bool {
        self.texts.iter().any(|text| text.kind == kind)
    }
}

/// One text of the consent dialog, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct ConsentText {
    pub kind: ConsentKind,
    pub lang: String,
    pub text: String,
    pub at: At,
}

/// A question to participants about themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct UserAttribute {
    pub column: ColumnId,
    pub required: bool,
    /// Empty for any text.
    pub choices: Vec<String>,
    pub labels: Vec<Label>,
    pub at: At,
}

/// A question in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct Label {
    pub lang: String,
    pub text: String,
}

/// When capture may run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct Schedule {
    /// `user`, or an IANA name.
    pub zone: String,
    pub windows: Vec<Window>,
    pub at: At,
}

impl Schedule {
    /// Whether capture may run on that day of the week, 0 for Monday, at that minute of the day, both in the schedule's
    /// zone.
    pub fn contains(&self, day: usize, minute: u16) -> bool {
        self.windows
            .iter()
            .any(|window| window.days.contains(day) && (window.from_min..window.to_min).contains(&minute))
    }
}

/// Hours of some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The days.
    pub days: Days,
    /// The first minute of the day.
    pub from_min: u16,
    /// The first minute of the day that is outside again.
    pub to_min: u16,
    /// Where it stands.
    pub at: At,
}

/// Days of the week; day 0 is Monday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days(u8);

impl Days {
    /// Whether the day is one of them; no day after 6 is.
    pub fn contains(self, day: usize) -> bool {
        day < 7 && self.0 & (1 << day) != 0
    }

    /// Puts in a day from 0 to 6.
    pub(super) fn add(&mut self, day: usize) {
        self.0 |= 1 << day.min(6);
    }
}

/// How participants pause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct Pause {
    pub choices: Vec<Duration>,
    pub until_resume: bool,
    /// Empty for none.
    pub hotkey: String,
    pub remind: Duration,
}

/// The gate's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// What may be seen.
    pub apps: Vec<App>,
    /// What must not, although it is in an application that may be seen.
    pub never: Vec<Never>,
}

/// Applications that may be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct App {
    /// Executables.
    pub processes: Vec<String>,
    /// Application ids; an executable or an id is enough.
    pub app_ids: Vec<String>,
    /// What the full path of the executable must fit too.
    pub path: Option<String>,
    /// Pages; empty for every window of the application.
    pub sites: Vec<Site>,
    /// Where it stands.
    pub at: At,
}

/// Pages that may be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// A host, or `*.` and the end of one.
    pub host: String,
    /// What the path must fit.
    pub path: String,
    /// Where it stands.
    pub at: At,
}

/// What must not be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Never {
    /// The column that is looked at.
    pub column: ColumnId,
    /// What must not be in it.
    pub pattern: NeverPattern,
    /// Where it stands.
    pub at: At,
}

/// What must not be in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NeverPattern {
    /// The whole value fits.
    Glob(String),
    /// The value contains a match.
    Regex(String),
}

/// How the client looks at the desktop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct Capture {
    pub snippet_split: Duration,
    /// Zero: idle times are not recorded.
    pub idle_after: Duration,
    /// Zero: never.
    pub alive: Duration,
    pub input: Input,
    pub injected: bool,
    pub elements: bool,
    pub element_timeout: Duration,
    pub elements_never: Vec<String>,
    pub hover_lookup: bool,
    pub native_url: bool,
    pub clipboard: bool,
    pub name_max: u32,
}

/// Pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct Screenshots {
    pub enabled: bool,
    pub min_gap: Duration,
    pub settle: Duration,
    pub max_per_hour: u32,
    pub max_side: u32,
    pub mask_text: MaskText,
}

/// The browser extension.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct Extension {
    pub enabled: bool,
    pub required: bool,
    pub value_length: ValueLength,
    pub row_labels: bool,
    pub test_ids: Vec<String>,
}

/// A condition, and what to do with the events that meet it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Unique in the configuration.
    pub name: String,
    /// A note for people.
    pub description: String,
    /// The events it looks at.
    pub on: On,
    /// What they must be like; nothing: always.
    pub when: Option<Condition>,
    /// What becomes of them.
    pub action: Action,
    /// Where it stands.
    pub at: At,
}

/// The events that a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// These.
    pub events: Vec<EventWord>,
    /// But not these.
    pub except: Vec<EventWord>,
}

impl On {
    /// Whether the rule looks at events of that type.
    pub fn admits(&self, event_type: EventType) -> bool {
        let in_list = |words: &[EventWord]| words.iter().any(|word| word.means(event_type));
        in_list(&self.events) && !in_list(&self.except)
    }
}

/// One word of a list of event types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventWord {
    /// Every type.
    All,
    /// Every type of a family.
    Family(Family),
    /// One type.
    Type(EventType),
}

impl EventWord {
    /// Whether the type is meant.
    pub fn means(self, event_type: EventType) -> bool {
        match self {
            EventWord::All => true,
            EventWord::Family(family) => event_type.family() == family,
            EventWord::Type(named) => named == event_type,
        }
    }

    /// The word as it is written.
    pub fn word(self) -> &'static str {
        match self {
            EventWord::All => "all",
            EventWord::Family(family) => family.name(),
            EventWord::Type(event_type) => event_type.name(),
        }
    }
}

/// What an event must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All of them hold.
    All(Vec<Condition>),
    /// One of them holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A column compares to a value.
    Compare(Comparison),
    /// A column has a value.
    Present(ColumnId, At),
}

/// A column compared to values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The column.
    pub column: ColumnId,
    /// How.
    pub comparator: Comparator,
    /// To what; one of them must fit.
    pub values: Vec<String>,
    /// Whether capital letters matter. Not looked at by `Regex`, which says so itself.
    pub exact_case: bool,
    /// Where it stands.
    pub at: At,
}

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// The whole value is this.
    Equals,
    /// This stands in the value.
    Contains,
    /// The value begins with this.
    StartsWith,
    /// The whole value fits this glob.
    Glob,
    /// The value contains a match.
    Regex,
}

impl Comparator {
    /// All of them, with the name of their element.
    pub const ALL: [(Comparator, &'static str); 5] = [
        (Comparator::Equals, "equals"),
        (Comparator::Contains, "contains"),
        (Comparator::StartsWith, "startsWith"),
        (Comparator::Glob, "glob"),
        (Comparator::Regex, "regex"),
    ];
}

/// What becomes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is counted and forgotten.
    Drop,
    /// It is recorded.
    Log(Log),
}

impl Action {
    /// What is recorded, if anything is.
    pub fn log(&self) -> Option<&Log> {
        if let Action::Log(log) = self { Some(log) } else { None }
    }

    pub(super) fn log_mut(&mut self) -> Option<&mut Log> {
        if let Action::Log(log) = self { Some(log) } else { None }
    }
}

/// What of an event is recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// These columns.
    pub columns: Selection,
    /// But not these.
    pub omit: Selection,
    /// Of these a keyed hash.
    pub hash: Selection,
    /// Which picture belongs to the event.
    pub screenshot: Scope,
    /// Texts that stand in place of values.
    pub replace: Vec<Replace>,
    /// Where it stands.
    pub at: At,
}

/// A text that stands in place of the values of some columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replace {
    /// The columns.
    pub columns: Selection,
    /// The text.
    pub with: String,
}

/// What is taken out of texts after the rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redaction {
    /// Patterns that Lode brings; empty means `email iban card` in the default columns.
    pub builtins: Vec<Builtin>,
    /// The project's own patterns, in the order of the file.
    pub patterns: Vec<Pattern>,
}

/// Patterns that Lode brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Which of them.
    pub patterns: Vec<BuiltinPattern>,
    /// Where; nothing means the default columns.
    pub columns: Option<Selection>,
}

/// A pattern of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Unique in the configuration.
    pub name: String,
    /// What is done with matches.
    pub mode: Mode,
    /// Where; nothing means the default columns.
    pub columns: Option<Selection>,
    /// The regular expression, with variables.
    pub regex: String,
    /// A note for people.
    pub description: String,
    /// Where it stands.
    pub at: At,
}

/// How much the client keeps on its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct Storage {
    pub events_bytes: u64,
    pub screenshots_bytes: u64,
    pub keep_free_bytes: u64,
    pub keep_free_percent: u8,
    pub keep_sent: Duration,
}

/// When the client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the one home of their meaning is the vocabulary")]
pub struct Upload {
    pub enabled: bool,
    pub every: Duration,
    pub hold: Duration,
    pub batch_events: u32,
    /// 0 for no limit.
    pub max_rate_kib_s: u32,
    pub heartbeat: Duration,
}

/// An example in the configuration that must come out as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Unique in the configuration.
    pub name: String,
    /// What becomes of the event.
    pub expect: Expect,
    /// The rule that must decide.
    pub rule: Option<String>,
    /// The picture that must belong to it.
    pub screenshot: Option<Scope>,
    /// The type of the event.
    pub event_type: EventType,
    /// Its columns, in the order of the file.
    pub columns: Vec<(ColumnId, Cell)>,
    /// What must be left in columns.
    pub result: Vec<(ColumnId, Left)>,
    /// Where it stands.
    pub at: At,
}

/// A column of an event in a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It applies, and could not be read: `?`.
    Unknown,
    /// It has this value.
    Value(String),
}

/// What a test wants to be left in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing: `#null`.
    Nothing,
    /// A hash: `#hash`.
    Hash,
    /// This value.
    Value(String),
}

/// What no configuration can go beyond on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    /// When capture may run at most.
    pub schedule: Option<Schedule>,
    /// What may be seen at most; nothing: the floor does not say.
    pub allow: Option<Allow>,
    /// What must not be seen, besides what `allow` says.
    pub never: Vec<Never>,
    /// Columns that are hashed wherever a rule logs them.
    pub hash: Selection,
    /// Columns that are never recorded.
    pub forbid: Selection,
    /// Whether pictures are forbidden.
    pub forbid_screenshots: bool,
    /// Patterns that come after those of the configuration.
    pub redaction: Redaction,
    /// How long events wait at least.
    pub min_hold: Duration,
}
