//! The one table of the configuration's XML: every element, every attribute with type, default, range and meaning.
//!
//! The parser checks against it, the writer leaves out what it gives as default, and XSD, reference page and the visual
//! editor's JSON are printed from it. What an element *does* is in the room of that name; what its values become is in
//! [`model`](super::model).

use super::words::{
    BuiltinPattern, Case, Day, Expect, Input, LogLevel, MaskText, Mode, Scope, Startup, Update, ValueLength,
};

/// An element: what stands in it.
#[derive(Debug)]
pub struct Element {
    /// Unique; differs from `name` where one name means two things.
    pub id: &'static str,
    /// The name of the tag.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub meaning: &'static str,
    /// Its attributes, in the order in which they are written.
    pub attributes: &'static [Attribute],
    /// What may stand between its tags.
    pub content: Content,
}

/// What may stand between the tags of an element.
#[derive(Debug)]
pub enum Content {
    /// Nothing.
    Empty,
    /// Text of at most so many characters.
    Text(usize),
    /// Elements, in this order.
    Elements(&'static [Particle]),
}

/// A place for elements inside another one.
#[derive(Debug)]
pub struct Particle {
    /// Ids of the elements that may stand here, in any mixture.
    pub ids: &'static [&'static str],
    /// How many there must be at least.
    pub min: usize,
    /// How many there may be at most.
    pub max: usize,
}

/// An attribute.
#[derive(Debug)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What its value must look like.
    pub kind: Kind,
    /// What holds if it is not there.
    pub need: Need,
    /// What it does, in one sentence.
    pub meaning: &'static str,
}

/// What holds if an attribute is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// That is an error.
    Required,
    /// Nothing is said.
    Optional,
    /// This value.
    Default(&'static str),
}

/// What the value of an attribute must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number from `min` to `max`.
    Int {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// `true` or `false`.
    Bool,
    /// An identifier (RFC 9562).
    Uuid,
    /// A moment in UTC: `2027-02-28T23:59:59Z`.
    Moment,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words, between spaces.
    Words(&'static [&'static str]),
    /// An ISO 8601 duration from `min_ms` to `max_ms`, without years and months; where `zero`, also `PT0S`.
    Duration {
        /// The shortest, in milliseconds.
        min_ms: u64,
        /// The longest, in milliseconds.
        max_ms: u64,
        /// Whether nothing at all may be said with `PT0S`.
        zero: bool,
    },
    /// Up to `count` durations, between spaces, each in that range.
    Durations {
        /// How many at most.
        count: usize,
        /// The shortest, in milliseconds.
        min_ms: u64,
        /// The longest, in milliseconds.
        max_ms: u64,
    },
    /// Bytes, in `KiB`, `MiB` or `GiB`.
    Size {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// Text of `min` to `max` characters.
    Text {
        /// The fewest characters.
        min: usize,
        /// The most characters.
        max: usize,
    },
    /// Values between `|`: 2 to 100 of at most 60 characters.
    Choices,
    /// Values between `|`, of at most 4 KiB together.
    Values,
    /// Days of the week and ranges of them: `mon-fri`, `sat sun`.
    Days,
    /// A time of day, `08:00` to `24:00`.
    Clock,
    /// A combination of keys such as `ctrl+alt+shift+p`, or nothing.
    Keys,
    /// `user`, or the name of a time zone such as `Europe/Berlin`.
    Zone,
    /// Up to `count` names between spaces; executables are in lower case.
    Names {
        /// How many at most.
        count: usize,
        /// Whether capital letters are refused.
        lower: bool,
    },
    /// A name in which `*`, `**` and `?` stand for characters.
    Glob,
    /// The path of a URL, beginning with `/`; `*` stays within one part of it, `**` does not.
    PathGlob,
    /// The name of a host, or `*.` and the end of its name.
    Host,
    /// A regular expression, in the syntax of the `regex` crate: linear time, no look-around.
    Regex,
    /// A language (BCP 47), such as `en` or `de-AT`.
    Lang,
    /// One column.
    Column(Columns),
    /// Columns and groups, between spaces.
    Columns(Columns),
    /// Event types, families, or `all`, between spaces.
    Events,
}

/// Which columns an attribute accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Those that conditions can compare.
    Comparable,
    /// `custom1` to `custom5`.
    Custom,
    /// Those that the never list can look at: titles and addresses.
    Never,
    /// Those about which a rule decides; `all`, `none`, groups.
    Logged,
    /// As `Logged`, without `all` and `none`.
    Omitted,
    /// Texts; groups.
    Texts,
    /// Texts; groups and `all`.
    AllTexts,
    /// Texts and `attributes`; groups and `all`.
    Redacted,
}

/// The name of the root of a configuration.
pub const ROOT: &str = "lodeConfig";

/// The name of the root of a floor.
pub const FLOOR_ROOT: &str = "lodeFloor";

/// The element with that id. Ids come from the table itself, so every one is there; a test looks at all of them.
pub fn element(id: &str) -> &'static Element {
    ELEMENTS.iter().find(|element| element.id == id).unwrap_or(&ELEMENTS[0])
}

impl Element {
    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Whether every column is an attribute too, as in the events of tests.
    pub fn has_columns(&self) -> bool {
        matches!(self.id, "event" | "result")
    }
}

/// Any number of times, within the limits that the parser knows.
const MANY: usize = usize::MAX;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

const fn one(ids: &'static [&'static str]) -> Particle {
    Particle { ids, min: 1, max: 1 }
}

const fn maybe(ids: &'static [&'static str]) -> Particle {
    Particle { ids, min: 0, max: 1 }
}

const fn any(ids: &'static [&'static str]) -> Particle {
    Particle { ids, min: 0, max: MANY }
}

const fn some(ids: &'static [&'static str]) -> Particle {
    Particle { ids, min: 1, max: MANY }
}

const fn required(name: &'static str, kind: Kind, meaning: &'static str) -> Attribute {
    Attribute { name, kind, need: Need::Required, meaning }
}

const fn optional(name: &'static str, kind: Kind, meaning: &'static str) -> Attribute {
    Attribute { name, kind, need: Need::Optional, meaning }
}

const fn default(name: &'static str, kind: Kind, value: &'static str, meaning: &'static str) -> Attribute {
    Attribute { name, kind, need: Need::Default(value), meaning }
}

const fn duration(min_ms: u64, max_ms: u64) -> Kind {
    Kind::Duration { min_ms, max_ms, zero: false }
}

const fn duration_or_none(min_ms: u64, max_ms: u64) -> Kind {
    Kind::Duration { min_ms, max_ms, zero: true }
}

const fn int(min: u64, max: u64) -> Kind {
    Kind::Int { min, max }
}

const fn text(min: usize, max: usize) -> Kind {
    Kind::Text { min, max }
}

const CONDITIONS: &[&str] = &["all", "any", "not", "equals", "contains", "startsWith", "glob", "regex", "present"];

const COMPARISON: &[Attribute] = &[
    required("column", Kind::Column(Columns::Comparable), "The column that is compared."),
    optional("value", text(0, 4_096), "The value to compare with."),
    optional("values", Kind::Values, "Several values between `|`; one of them must fit."),
    default("case", Kind::Word(Case::WORDS), "ignore", "Whether capital and small letters are equal."),
];

const DESCRIPTION: Attribute = default("description", text(0, 500), "", "A note for people.");
const SCHEMA: Attribute = required("schema", int(1, 1), "The version of this format.");
const LANG: &[Attribute] = &[required("lang", Kind::Lang, "The language of the text (BCP 47).")];

/// Every element, the root first.
pub const ELEMENTS: &[Element] = &[
    Element {
        id: "lodeConfig",
        name: ROOT,
        meaning: "What the clients of a project record, and what must be removed before anything is written.",
        attributes: &[
            SCHEMA,
            required("project", Kind::Uuid, "The project."),
            required("revision", int(1, u32::MAX as u64), "The number of this version; it must rise."),
            required(
                "validUntil",
                Kind::Moment,
                "Afterwards nothing is captured: a study ends by itself. At most 366 days ahead.",
            ),
        ],
        content: Content::Elements(&[
            maybe(&["client"]),
            one(&["consent"]),
            maybe(&["userAttributes"]),
            Particle { ids: &["schedule"], min: 0, max: 2 },
            maybe(&["pause"]),
            maybe(&["allow"]),
            maybe(&["capture"]),
            maybe(&["screenshots"]),
            maybe(&["extension"]),
            maybe(&["rules"]),
            maybe(&["redaction"]),
            maybe(&["storage"]),
            maybe(&["upload"]),
            maybe(&["tests"]),
        ]),
    },
    Element {
        id: "client",
        name: "client",
        meaning: "The client as a program.",
        attributes: &[
            default(
                "startup",
                Kind::Word(Startup::WORDS),
                "login",
                "Whether it starts with the participant's session, once there is consent.",
            ),
            default("comments", Kind::Bool, "true", "Whether participants can write comments."),
            default("update", Kind::Word(Update::WORDS), "off", "Whether it tells of newer versions."),
            default("log", Kind::Word(LogLevel::WORDS), "info", "How much it writes into its own log; never contents."),
            default("logKeep", duration(DAY, 30 * DAY), "P7D", "How long it keeps that log."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "consent",
        name: "consent",
        meaning: "What participants are asked before anything is captured; each text once per language.",
        attributes: &[required(
            "version",
            int(1, u32::MAX as u64),
            "A higher version asks every participant again; it must rise when more is captured.",
        )],
        content: Content::Elements(&[some(&["text", "pictures", "typed"])]),
    },
    Element {
        id: "text",
        name: "text",
        meaning: "What is recorded, why, until when.",
        attributes: LANG,
        content: Content::Text(8_000),
    },
    Element {
        id: "pictures",
        name: "pictures",
        meaning: "Which pictures are taken; required if a rule takes screenshots.",
        attributes: LANG,
        content: Content::Text(8_000),
    },
    Element {
        id: "typed",
        name: "typed",
        meaning: "Which typed text is kept; required if a rule logs `text` or `value_fingerprint`.",
        attributes: LANG,
        content: Content::Text(8_000),
    },
    Element {
        id: "userAttributes",
        name: "userAttributes",
        meaning: "What participants are asked once about themselves.",
        attributes: &[],
        content: Content::Elements(&[Particle { ids: &["attribute"], min: 0, max: 5 }]),
    },
    Element {
        id: "attribute",
        name: "attribute",
        meaning: "One question; the answer goes into a column.",
        attributes: &[
            required("column", Kind::Column(Columns::Custom), "The column of the answer, `custom1` to `custom5`."),
            default("required", Kind::Bool, "false", "Whether there must be an answer before recording starts."),
            optional("choices", Kind::Choices, "The possible answers, between `|`; without it any text."),
        ],
        content: Content::Elements(&[any(&["label"])]),
    },
    Element {
        id: "label",
        name: "label",
        meaning: "The question, once per language.",
        attributes: LANG,
        content: Content::Text(200),
    },
    Element {
        id: "schedule",
        name: "schedule",
        meaning: "When capture may run; with two schedules only when both allow it. Without one: Monday to Friday, 08:00 to 18:00.",
        attributes: &[default(
            "zone",
            Kind::Zone,
            "user",
            "`user` for the time of the participant's machine, or an IANA name.",
        )],
        content: Content::Elements(&[Particle { ids: &["window"], min: 1, max: 21 }]),
    },
    Element {
        id: "window",
        name: "window",
        meaning: "Hours of some days.",
        attributes: &[
            default("days", Kind::Days, "mon-fri", "The days."),
            default("from", Kind::Clock, "08:00", "The first minute."),
            default("to", Kind::Clock, "18:00", "The minute at which it ends; after `from`."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "pause",
        name: "pause",
        meaning: "How participants pause; pausing cannot be forbidden and needs no reason.",
        attributes: &[
            default(
                "choices",
                Kind::Durations { count: 4, min_ms: 5 * MINUTE, max_ms: 8 * HOUR },
                "PT15M PT1H",
                "The durations offered.",
            ),
            default("untilResume", Kind::Bool, "true", "Whether a pause without end is offered."),
            default("hotkey", Kind::Keys, "ctrl+alt+shift+p", "The keys that pause; empty for none."),
            default("remind", duration(10 * MINUTE, 8 * HOUR), "PT1H", "After how long a pause without end reminds."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "allow",
        name: "allow",
        meaning: "The gate: what is not named here does not exist for the client. Absent or empty: nothing is captured.",
        attributes: &[],
        content: Content::Elements(&[any(&["app", "never"])]),
    },
    Element {
        id: "app",
        name: "app",
        meaning: "Applications that may be seen; with sites, only windows that show one of them.",
        attributes: &[
            optional(
                "process",
                Kind::Names { count: 100, lower: true },
                "Executables, in lower case. `process` or `appId` must be there; where both are, either is enough.",
            ),
            optional("appId", Kind::Names { count: 100, lower: false }, "X11 classes or Wayland application ids."),
            optional(
                "path",
                Kind::Glob,
                "The full path of the executable must fit too; `*` stays within one folder, `**` does not.",
            ),
        ],
        content: Content::Elements(&[any(&["site"])]),
    },
    Element {
        id: "site",
        name: "site",
        meaning: "Pages that may be seen, http and https only.",
        attributes: &[
            required("host", Kind::Host, "The host, or `*.` and the end of its name."),
            default("path", Kind::PathGlob, "/**", "The path; `*` stays within one part, `**` does not."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "never",
        name: "never",
        meaning: "What must not be seen although the application is allowed: it beats every allow.",
        attributes: &[
            required("column", Kind::Column(Columns::Never), "`window_title`, `page_title`, `url` or `url_host`."),
            optional(
                "glob",
                Kind::Glob,
                "A glob that the whole value must fit; capital and small letters are equal. `glob` or `regex` must be there.",
            ),
            optional("regex", Kind::Regex, "A regular expression that the value must contain."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "capture",
        name: "capture",
        meaning: "How the client looks at the desktop.",
        attributes: &[
            default("snippetSplit", duration(30 * SECOND, HOUR), "PT5M", "The pause that begins a new snippet."),
            default(
                "idleAfter",
                duration_or_none(MINUTE, 30 * MINUTE),
                "PT3M",
                "After how long without input the participant counts as away; `PT0S` records no idle times.",
            ),
            default(
                "alive",
                duration_or_none(MINUTE, HOUR),
                "PT5M",
                "How often a client without events says that it lives; `PT0S` for never.",
            ),
            default("input", Kind::Word(Input::WORDS), "auto", "By which way keys and buttons are seen on Windows."),
            default("injected", Kind::Bool, "true", "Whether injected input is kept, as that of a bot."),
            default("elements", Kind::Bool, "true", "Whether elements are looked up through accessibility."),
            default("elementTimeout", duration(50, SECOND), "PT0.25S", "How long such a look-up may take."),
            default(
                "elementsNever",
                Kind::Names { count: 100, lower: true },
                "",
                "Executables in which nothing is looked up.",
            ),
            default(
                "hoverLookup",
                Kind::Bool,
                "false",
                "Whether to look up after 150 ms of rest too, for controls that vanish on click.",
            ),
            default(
                "nativeUrl",
                Kind::Bool,
                "false",
                "Whether the URL is read through accessibility where no extension is connected.",
            ),
            default("clipboard", Kind::Bool, "true", "Whether copying, cutting and pasting are events."),
            default("nameMax", int(20, 512), "120", "Names of elements with more characters are left out."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "screenshots",
        name: "screenshots",
        meaning: "Pictures, for rules that ask for them; always masked.",
        attributes: &[
            default("enabled", Kind::Bool, "false", "The switch for all pictures."),
            default("minGap", duration(200, HOUR), "PT1S", "The shortest time between two pictures."),
            default("settle", duration_or_none(0, 2 * SECOND), "PT0.25S", "How long to wait after the event."),
            default("maxPerHour", int(1, 3_600), "120", "The most pictures in an hour."),
            default("maxSide", int(320, 7_680), "1920", "Pixels of the longer side; larger pictures are scaled down."),
            default("maskText", Kind::Word(MaskText::WORDS), "window", "How texts to be masked are found."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "extension",
        name: "extension",
        meaning: "The browser extension.",
        attributes: &[
            default("enabled", Kind::Bool, "true", "Whether it is listened to."),
            default("required", Kind::Bool, "true", "Whether a browser without it is refused."),
            default("valueLength", Kind::Word(ValueLength::WORDS), "bucket", "How the length of values is told."),
            default("rowLabels", Kind::Bool, "true", "Whether headers of tables become labels of their cells."),
            default(
                "testIds",
                Kind::Names { count: 5, lower: true },
                "data-testid",
                "Attributes of pages that are read as `element_id`.",
            ),
        ],
        content: Content::Empty,
    },
    Element {
        id: "rules",
        name: "rules",
        meaning: "What is logged of that which the gate lets through. From top to bottom; the first rule that matches decides.",
        attributes: &[],
        content: Content::Elements(&[any(&["rule"]), maybe(&["otherwise"])]),
    },
    Element {
        id: "rule",
        name: "rule",
        meaning: "A condition, and what to do with the events that meet it.",
        attributes: &[
            required("name", text(1, 80), "Unique; events say which rule let them in. `otherwise` is taken."),
            DESCRIPTION,
        ],
        content: Content::Elements(&[one(&["on"]), maybe(&["when"]), one(&["log", "drop"])]),
    },
    Element {
        id: "otherwise",
        name: "otherwise",
        meaning: "What happens when no rule matches; without it the event is dropped.",
        attributes: &[],
        content: Content::Elements(&[one(&["log", "drop"])]),
    },
    Element {
        id: "on",
        name: "on",
        meaning: "The events that the rule looks at.",
        attributes: &[
            default("events", Kind::Events, "all", "Event types, families, or `all`."),
            default("except", Kind::Events, "", "Event types and families that are taken away again."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "when",
        name: "when",
        meaning: "The condition; without it the rule always matches.",
        attributes: &[],
        content: Content::Elements(&[one(CONDITIONS)]),
    },
    Element {
        id: "all",
        name: "all",
        meaning: "Every condition in it must hold.",
        attributes: &[],
        content: Content::Elements(&[some(CONDITIONS)]),
    },
    Element {
        id: "any",
        name: "any",
        meaning: "One condition in it must hold.",
        attributes: &[],
        content: Content::Elements(&[some(CONDITIONS)]),
    },
    Element {
        id: "not",
        name: "not",
        meaning: "The condition in it must not hold.",
        attributes: &[],
        content: Content::Elements(&[one(CONDITIONS)]),
    },
    Element {
        id: "equals",
        name: "equals",
        meaning: "The whole value is this.",
        attributes: COMPARISON,
        content: Content::Empty,
    },
    Element {
        id: "contains",
        name: "contains",
        meaning: "This stands in the value.",
        attributes: COMPARISON,
        content: Content::Empty,
    },
    Element {
        id: "startsWith",
        name: "startsWith",
        meaning: "The value begins with this.",
        attributes: COMPARISON,
        content: Content::Empty,
    },
    Element {
        id: "glob",
        name: "glob",
        meaning: "The whole value fits; `*` stands for any characters, `?` for one. Three literal characters must be there.",
        attributes: COMPARISON,
        content: Content::Empty,
    },
    Element {
        id: "regex",
        name: "regex",
        meaning: "The value contains a match.",
        attributes: &[
            required("column", Kind::Column(Columns::Comparable), "The column that is compared."),
            required("value", Kind::Regex, "The regular expression; capital letters as it says."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "present",
        name: "present",
        meaning: "The event has a value in the column.",
        attributes: &[required("column", Kind::Column(Columns::Comparable), "The column that must have a value.")],
        content: Content::Empty,
    },
    Element {
        id: "drop",
        name: "drop",
        meaning: "The event is counted and forgotten.",
        attributes: &[],
        content: Content::Empty,
    },
    Element {
        id: "log",
        name: "log",
        meaning: "The event is recorded with these columns.",
        attributes: &[
            required(
                "columns",
                Kind::Columns(Columns::Logged),
                "Columns and groups, `all` or `none`. `all` never means `text`, `value_fingerprint` or `url`.",
            ),
            default("omit", Kind::Columns(Columns::Omitted), "", "Columns and groups that are taken away again."),
            default(
                "hash",
                Kind::Columns(Columns::Texts),
                "",
                "Columns whose value becomes a keyed hash; they count as logged.",
            ),
            default("screenshot", Kind::Word(Scope::WORDS), "none", "Which picture belongs to the event."),
        ],
        content: Content::Elements(&[any(&["replace"])]),
    },
    Element {
        id: "replace",
        name: "replace",
        meaning: "Puts one text in place of every value of these columns; they count as logged.",
        attributes: &[
            required("columns", Kind::Columns(Columns::Texts), "Columns and groups."),
            default("with", text(1, 80), "(removed)", "The text."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "redaction",
        name: "redaction",
        meaning: "What is taken out of texts after the rule, in the order of the file; the patterns that Lode brings come first.",
        attributes: &[],
        content: Content::Elements(&[any(&["builtin", "pattern"])]),
    },
    Element {
        id: "builtin",
        name: "builtin",
        meaning: "Patterns that Lode brings; `email iban card` apply even where nothing is said.",
        attributes: &[
            default("patterns", Kind::Words(BuiltinPattern::WORDS), "email iban card", "Which of them."),
            optional(
                "columns",
                Kind::Columns(Columns::Redacted),
                "Where; by default every personal text and `url_template`, `element_id`, `element_path`.",
            ),
        ],
        content: Content::Empty,
    },
    Element {
        id: "pattern",
        name: "pattern",
        meaning: "A pattern of your own. `{username}`, `{displayname}`, `{machine}`, `{domain}`, `{custom1}` … stand for what the client knows.",
        attributes: &[
            required("name", text(1, 80), "Unique."),
            default("mode", Kind::Word(Mode::WORDS), "mask", "Whether matches are masked, or all else is removed."),
            optional("columns", Kind::Columns(Columns::Redacted), "Where; by default as for `builtin`."),
            required("regex", Kind::Regex, "The regular expression."),
            DESCRIPTION,
        ],
        content: Content::Empty,
    },
    Element {
        id: "storage",
        name: "storage",
        meaning: "How much the client keeps on its disk.",
        attributes: &[
            default("events", Kind::Size { min: 16 * MIB, max: 4 * GIB }, "512MiB", "Room for events."),
            default("screenshots", Kind::Size { min: 0, max: 16 * GIB }, "1GiB", "Room for pictures."),
            default(
                "keepFree",
                Kind::Size { min: 100 * MIB, max: 100 * GIB },
                "1GiB",
                "How much of the disk stays free.",
            ),
            default("keepFreePercent", int(1, 50), "5", "How many percent of the disk stay free; the stricter counts."),
            default(
                "keepSent",
                duration_or_none(0, 30 * DAY),
                "P1D",
                "How long sent events stay for the participant's own page.",
            ),
        ],
        content: Content::Empty,
    },
    Element {
        id: "upload",
        name: "upload",
        meaning: "When the client sends.",
        attributes: &[
            default("enabled", Kind::Bool, "true", "`false` keeps everything on the machine."),
            default("every", duration(5 * SECOND, DAY), "PT1M", "How often."),
            default(
                "hold",
                duration_or_none(0, DAY),
                "PT10M",
                "Younger events wait, so that the participant can delete them.",
            ),
            default("batchEvents", int(1, 2_000), "500", "The most events at once."),
            default("maxRate", int(0, 1_000_000), "0", "KiB in a second; 0 for no limit."),
            default("heartbeat", duration(30 * SECOND, 15 * MINUTE), "PT1M", "How often the client tells its state."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "tests",
        name: "tests",
        meaning: "Examples that must come out as they say; they run whenever the configuration is checked.",
        attributes: &[],
        content: Content::Elements(&[any(&["test"])]),
    },
    Element {
        id: "test",
        name: "test",
        meaning: "One example: an event, and what becomes of it.",
        attributes: &[
            required("name", text(1, 80), "Unique."),
            required(
                "expect",
                Kind::Word(Expect::WORDS),
                "Whether the event is logged, dropped by a rule, or refused by the gate.",
            ),
            optional("rule", text(1, 80), "The rule that must decide; `otherwise` for none of them."),
            optional("screenshot", Kind::Word(Scope::WORDS), "The picture that must belong to it."),
        ],
        content: Content::Elements(&[one(&["event"]), maybe(&["result"])]),
    },
    Element {
        id: "event",
        name: "event",
        meaning: "The event of a test: a value for each column that it has; `?` for one that could not be read.",
        attributes: &[],
        content: Content::Empty,
    },
    Element {
        id: "result",
        name: "result",
        meaning: "What is left of the event: a value for each column to look at, `#hash` for any hash, `#null` for nothing.",
        attributes: &[],
        content: Content::Empty,
    },
    Element {
        id: "lodeFloor",
        name: FLOOR_ROOT,
        meaning: "What no configuration can go beyond on this machine; written by its administrator.",
        attributes: &[SCHEMA],
        content: Content::Elements(&[
            maybe(&["schedule"]),
            maybe(&["allow"]),
            any(&["never"]),
            maybe(&["hash"]),
            maybe(&["forbid"]),
            maybe(&["redaction"]),
            maybe(&["floor.upload"]),
        ]),
    },
    Element {
        id: "hash",
        name: "hash",
        meaning: "Columns that are hashed wherever a rule logs them.",
        attributes: &[required("columns", Kind::Columns(Columns::AllTexts), "Columns and groups, or `all`.")],
        content: Content::Empty,
    },
    Element {
        id: "forbid",
        name: "forbid",
        meaning: "What is never recorded.",
        attributes: &[
            default(
                "columns",
                Kind::Columns(Columns::Logged),
                "",
                "Columns and groups; `all` means `text`, `value_fingerprint` and `url` too.",
            ),
            default("screenshots", Kind::Bool, "false", "Whether pictures are forbidden."),
        ],
        content: Content::Empty,
    },
    Element {
        id: "floor.upload",
        name: "upload",
        meaning: "How soon the client may send.",
        attributes: &[default("minHold", duration_or_none(0, DAY), "PT0S", "Younger events wait at least this long.")],
        content: Content::Empty,
    },
];

/// The days in the order of the week, for `days`.
pub(super) const DAYS: &[&str] = Day::WORDS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_has_an_element_and_every_element_is_referred_to() {
        let mut referred: Vec<&str> = vec![ROOT, FLOOR_ROOT];
        for each in ELEMENTS {
            assert_eq!(element(each.id).id, each.id);
            if let Content::Elements(particles) = &each.content {
                referred.extend(particles.iter().flat_map(|particle| particle.ids));
            }
        }
        for id in &referred {
            assert_eq!(element(id).id, *id);
        }
        for each in ELEMENTS {
            assert!(referred.contains(&each.id), "{}", each.id);
            assert!(each.meaning.ends_with('.'), "{}", each.id);
        }
    }
}
