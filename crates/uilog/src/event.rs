//! One event: an action of a user on an element, at a time.
//!
//! [`EventType`] says what was done; each family of types has a file below this one, with the words of the reference
//! page and the attributes that a type carries. [`Event`] holds the columns. An event is plain data: nothing here
//! decides whether it may be recorded or kept.

mod browser;
mod clipboard;
mod focus;
mod keyboard;
mod pointer;
mod session;
mod user;
mod window;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::column::{COLUMNS, ColumnId};

/// What the user did, or what happened to the recording. The list is closed: a new type is a new version of the schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// A window came to the front.
    WindowActivated,
    /// The window in front changed its title.
    WindowTitleChanged,
    /// The primary button was pressed and released.
    LeftClick,
    /// The primary button was clicked twice.
    DoubleClick,
    /// The secondary button was clicked.
    RightClick,
    /// The middle button was clicked.
    MiddleClick,
    /// The wheel was turned or the content moved by touch.
    Scroll,
    /// Something was dragged from one element and dropped on another.
    DragDrop,
    /// A shortcut, function key or navigation key.
    KeyCommand,
    /// Text was entered into one field during one stay.
    TextEntered,
    /// Something was copied to the clipboard.
    Copy,
    /// Something was cut to the clipboard.
    Cut,
    /// The clipboard was pasted.
    Paste,
    /// An element received the keyboard focus or the selection.
    ElementFocused,
    /// A page finished loading.
    PageLoaded,
    /// A browser tab came to the front.
    TabActivated,
    /// A browser tab was closed.
    TabClosed,
    /// An element of a page was clicked.
    ElementClicked,
    /// The value of an element of a page changed.
    ElementChanged,
    /// A form was submitted.
    FormSubmitted,
    /// Text in a page was selected.
    TextSelected,
    /// A download began.
    DownloadStarted,
    /// A page was sent to the printer.
    PrintRequested,
    /// The participant wrote a comment.
    UserComment,
    /// Recording began.
    RecordingStarted,
    /// Recording ended.
    RecordingStopped,
    /// The participant or the schedule paused recording.
    RecordingPaused,
    /// Recording went on after a pause.
    RecordingResumed,
    /// No input for longer than the idle limit.
    IdleStarted,
    /// Input came again.
    IdleEnded,
    /// The screen was locked.
    ScreenLocked,
    /// The screen was unlocked.
    ScreenUnlocked,
    /// The client lives; nothing else happened.
    #[default]
    Alive,
    /// Time or events that capture or delivery lost.
    CoverageGap,
}

/// A family of event types: what observes them, and where they are declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Windows of the desktop.
    Window,
    /// Mouse, pen and touch.
    Pointer,
    /// Keys.
    Keyboard,
    /// The clipboard.
    Clipboard,
    /// Keyboard focus and selection.
    Focus,
    /// Pages and tabs; needs the browser extension.
    Browser,
    /// What the participant tells us.
    User,
    /// The recording itself.
    Session,
}

/// What documents and schemas say of an event type.
#[derive(Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The type.
    pub event_type: EventType,
    /// Its snake_case name: in SQL, in Parquet files and in JSON events.
    pub name: &'static str,
    /// When such an event arises, in one sentence or two.
    pub description: &'static str,
    /// Keys in `attributes` that belong to the type, each with its meaning.
    pub attributes: &'static [(&'static str, &'static str)],
    /// The version of the schema that brought the type.
    pub since: u32,
    /// The version of the schema from which on nobody should write it any more.
    pub deprecated: Option<u32>,
}

impl Family {
    /// All families, in the order of their types.
    pub const ALL: [Family; 8] = [
        Family::Window,
        Family::Pointer,
        Family::Keyboard,
        Family::Clipboard,
        Family::Focus,
        Family::Browser,
        Family::User,
        Family::Session,
    ];

    /// The snake_case name, as client configurations write it.
    pub const fn name(self) -> &'static str {
        match self {
            Family::Window => "window",
            Family::Pointer => "pointer",
            Family::Keyboard => "keyboard",
            Family::Clipboard => "clipboard",
            Family::Focus => "focus",
            Family::Browser => "browser",
            Family::User => "user",
            Family::Session => "session",
        }
    }

    /// The event types of the family, as declared in its file.
    pub const fn declarations(self) -> &'static [Declaration] {
        match self {
            Family::Window => window::TYPES,
            Family::Pointer => pointer::TYPES,
            Family::Keyboard => keyboard::TYPES,
            Family::Clipboard => clipboard::TYPES,
            Family::Focus => focus::TYPES,
            Family::Browser => browser::TYPES,
            Family::User => user::TYPES,
            Family::Session => session::TYPES,
        }
    }
}

/// How many event types there are.
const TYPE_COUNT: usize = EventType::CoverageGap as usize + 1;

/// Family and declaration of every type, at the position of its discriminant; the compiler checks that none is missing.
static DECLARED: [(Family, &Declaration); TYPE_COUNT] = declared();

const fn declared() -> [(Family, &'static Declaration); TYPE_COUNT] {
    let mut table = [(Family::Window, &window::TYPES[0]); TYPE_COUNT];
    let (mut family, mut position) = (0, 0);
    while family < Family::ALL.len() {
        let types = Family::ALL[family].declarations();
        let mut index = 0;
        while index < types.len() {
            assert!(types[index].event_type as usize == position, "families declare types in the order of the enum");
            table[position] = (Family::ALL[family], &types[index]);
            position += 1;
            index += 1;
        }
        family += 1;
    }
    assert!(position == TYPE_COUNT, "every event type is declared in the file of its family");
    table
}

impl EventType {
    /// All types, family by family.
    pub fn all() -> impl ExactSizeIterator<Item = EventType> {
        DECLARED.iter().map(|(_, declaration)| declaration.event_type)
    }

    /// The snake_case name.
    ///
    /// ```
    /// assert_eq!(uilog::EventType::KeyCommand.name(), "key_command");
    /// ```
    pub fn name(self) -> &'static str {
        self.declaration().name
    }

    /// The family to which the type belongs.
    pub fn family(self) -> Family {
        DECLARED[self as usize].0
    }

    /// What documents and schemas say of the type.
    pub fn declaration(self) -> &'static Declaration {
        DECLARED[self as usize].1
    }

    /// The type of that name, if there is one.
    ///
    /// ```
    /// use uilog::EventType;
    /// assert_eq!(EventType::from_name("paste"), Some(EventType::Paste));
    /// assert_eq!(EventType::from_name("teleport"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<EventType> {
        EventType::all().find(|event_type| event_type.name() == name)
    }
}

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person at the machine.
    Human,
    /// Injected input, such as that of a software robot.
    Bot,
    /// An AI agent that drives the desktop.
    AiAgent,
}

impl Actor {
    /// All actors.
    pub const ALL: [Actor; 3] = [Actor::Human, Actor::Bot, Actor::AiAgent];

    /// The snake_case name.
    pub const fn name(self) -> &'static str {
        match self {
            Actor::Human => "human",
            Actor::Bot => "bot",
            Actor::AiAgent => "ai_agent",
        }
    }
}

/// 16 bytes that stand for a value without showing it; 32 hexadecimal digits in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(self.0)))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(de::Error::custom("a fingerprint has 32 hexadecimal digits"));
        }
        let number = u128::from_str_radix(&text, 16).map_err(de::Error::custom)?;
        Ok(Fingerprint(number.to_be_bytes()))
    }
}

/// One row of the UI log. Each field is the [column](crate::column::COLUMNS) of its name; what a source does not know
/// is `None`.
///
/// `project_id` is a column but no field: the service knows the project from the credential, and a body that names one
/// is refused. In JSON, members carry the names of the columns, absent ones are left out, unknown ones are an error.
/// One member more, `hashed`, is no column: it holds in place of texts what hashing made of them.
///
/// ```
/// use uilog::{Event, EventType};
/// let event = Event { seq: 1, event_type: EventType::Copy, text_length: Some(4), ..Event::default() };
/// let line = serde_json::to_string(&event).unwrap();
/// assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the one home of their meaning is the table in `column`")]
pub struct Event {
    pub agent_id: Uuid,
    pub epoch: Uuid,
    pub seq: u64,
    /// Column `time`.
    #[serde(rename = "time")]
    pub time_us: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_us: Option<u64>,
    /// Column `received_at`.
    #[serde(rename = "received_at", default, skip_serializing_if = "Option::is_none")]
    pub received_at_us: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tz_offset_min: Option<i16>,
    pub event_type: EventType,
    pub session_id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom1: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom2: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom3: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom4: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom5: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_host: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_template: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tab_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_class: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_box: Option<[i32; 4]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_length: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_fingerprint: Option<Fingerprint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_command: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mouse_x: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mouse_y: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheel_units: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpi: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screenshot_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_revision: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Columns whose value was hashed before it left the machine: name of a [hashable](ColumnId::is_hashable) column →
    /// keyed hash. The field of such a column is `None`, so a hash is never mistaken for a text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hashed: BTreeMap<String, Fingerprint>,
}

/// The value of one column of one event, borrowed from it. The variants mirror [`ColumnType`](crate::column::ColumnType).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// The event does not know.
    Null,
    /// An identifier.
    Uuid(Uuid),
    /// An unsigned number of 64 bits.
    U64(u64),
    /// An unsigned number of 32 bits.
    U32(u32),
    /// An unsigned number of 16 bits.
    U16(u16),
    /// An unsigned number of 8 bits.
    U8(u8),
    /// A signed number of 16 bits.
    I16(i16),
    /// A signed number of 32 bits.
    I32(i32),
    /// Microseconds since 1970-01-01T00:00:00 UTC.
    TimestampUs(i64),
    /// Text.
    Text(&'a str),
    /// A name from a closed list.
    Enum(&'static str),
    /// x, y, width, height.
    Box4([i32; 4]),
    /// A keyed fingerprint.
    Fingerprint([u8; 16]),
    /// Text keys and values.
    TextMap(&'a BTreeMap<String, String>),
}

impl Event {
    /// Forgets everything, so that the next event can be filled in without the last one showing through.
    pub fn clear(&mut self) {
        *self = Event::default();
    }

    /// The value of the column at that position of [`COLUMNS`]; `Null` beyond its end and for `project_id`, which only
    /// the service knows.
    ///
    /// Costs a jump: no allocation, no look-up by name. An empty map of attributes is `Null`.
    ///
    /// ```
    /// use uilog::{Event, column::ColumnId, event::Value};
    /// let event = Event { url_host: Some("crm.example".into()), ..Event::default() };
    /// assert_eq!(event.value(ColumnId::UrlHost as usize), Value::Text("crm.example"));
    /// assert_eq!(event.value(ColumnId::Text as usize), Value::Null);
    /// ```
    #[inline]
    pub fn value(&self, column: usize) -> Value<'_> {
        let Some(column) = COLUMNS.get(column) else {
            return Value::Null;
        };
        match column.id {
            ColumnId::AgentId => Value::Uuid(self.agent_id),
            ColumnId::Epoch => Value::Uuid(self.epoch),
            ColumnId::Seq => Value::U64(self.seq),
            ColumnId::Time => Value::TimestampUs(self.time_us),
            ColumnId::UptimeUs => known(self.uptime_us, Value::U64),
            ColumnId::ReceivedAt => known(self.received_at_us, Value::TimestampUs),
            ColumnId::TzOffsetMin => known(self.tz_offset_min, Value::I16),
            ColumnId::EventType => Value::Enum(self.event_type.name()),
            ColumnId::ProjectId => Value::Null,
            ColumnId::SessionId => Value::Uuid(self.session_id),
            ColumnId::Snippet => known(self.snippet, Value::U32),
            ColumnId::UserName => text(&self.user_name),
            ColumnId::MachineName => text(&self.machine_name),
            ColumnId::Custom1 => text(&self.custom1),
            ColumnId::Custom2 => text(&self.custom2),
            ColumnId::Custom3 => text(&self.custom3),
            ColumnId::Custom4 => text(&self.custom4),
            ColumnId::Custom5 => text(&self.custom5),
            ColumnId::Actor => known(self.actor.map(Actor::name), Value::Enum),
            ColumnId::CaseId => text(&self.case_id),
            ColumnId::ProcessName => text(&self.process_name),
            ColumnId::Application => text(&self.application),
            ColumnId::WindowTitle => text(&self.window_title),
            ColumnId::Url => text(&self.url),
            ColumnId::UrlHost => text(&self.url_host),
            ColumnId::UrlTemplate => text(&self.url_template),
            ColumnId::PageTitle => text(&self.page_title),
            ColumnId::TabId => text(&self.tab_id),
            ColumnId::FrameId => text(&self.frame_id),
            ColumnId::DocumentId => text(&self.document_id),
            ColumnId::ElementRole => text(&self.element_role),
            ColumnId::ElementName => text(&self.element_name),
            ColumnId::ElementId => text(&self.element_id),
            ColumnId::ElementClass => text(&self.element_class),
            ColumnId::ElementPath => text(&self.element_path),
            ColumnId::ElementBox => known(self.element_box, Value::Box4),
            ColumnId::RowLabel => text(&self.row_label),
            ColumnId::ColumnLabel => text(&self.column_label),
            ColumnId::Text => text(&self.text),
            ColumnId::TextLength => known(self.text_length, Value::U32),
            ColumnId::ValueFingerprint => {
                known(self.value_fingerprint.map(|fingerprint| fingerprint.0), Value::Fingerprint)
            }
            ColumnId::KeyCommand => text(&self.key_command),
            ColumnId::MouseX => known(self.mouse_x, Value::I32),
            ColumnId::MouseY => known(self.mouse_y, Value::I32),
            ColumnId::WheelUnits => known(self.wheel_units, Value::I32),
            ColumnId::Comment => text(&self.comment),
            ColumnId::Monitor => known(self.monitor, Value::U8),
            ColumnId::Dpi => known(self.dpi, Value::U16),
            ColumnId::ScreenshotId => known(self.screenshot_id, Value::Uuid),
            ColumnId::Rule => text(&self.rule),
            ColumnId::Os => text(&self.os),
            ColumnId::ClientVersion => text(&self.client_version),
            ColumnId::ConfigRevision => text(&self.config_revision),
            ColumnId::Attributes if self.attributes.is_empty() => Value::Null,
            ColumnId::Attributes => Value::TextMap(&self.attributes),
        }
    }
}

impl Event {
    /// The field of a text column; `None` for columns of other types.
    ///
    /// ```
    /// use uilog::{Event, column::ColumnId};
    /// let mut event = Event::default();
    /// *event.text_mut(ColumnId::PageTitle).unwrap() = Some("Orders".into());
    /// assert_eq!(event.page_title.as_deref(), Some("Orders"));
    /// assert!(event.text_mut(ColumnId::MouseX).is_none());
    /// ```
    pub fn text_mut(&mut self, column: ColumnId) -> Option<&mut Option<String>> {
        Some(match column {
            ColumnId::UserName => &mut self.user_name,
            ColumnId::MachineName => &mut self.machine_name,
            ColumnId::Custom1 => &mut self.custom1,
            ColumnId::Custom2 => &mut self.custom2,
            ColumnId::Custom3 => &mut self.custom3,
            ColumnId::Custom4 => &mut self.custom4,
            ColumnId::Custom5 => &mut self.custom5,
            ColumnId::CaseId => &mut self.case_id,
            ColumnId::ProcessName => &mut self.process_name,
            ColumnId::Application => &mut self.application,
            ColumnId::WindowTitle => &mut self.window_title,
            ColumnId::Url => &mut self.url,
            ColumnId::UrlHost => &mut self.url_host,
            ColumnId::UrlTemplate => &mut self.url_template,
            ColumnId::PageTitle => &mut self.page_title,
            ColumnId::TabId => &mut self.tab_id,
            ColumnId::FrameId => &mut self.frame_id,
            ColumnId::DocumentId => &mut self.document_id,
            ColumnId::ElementRole => &mut self.element_role,
            ColumnId::ElementName => &mut self.element_name,
            ColumnId::ElementId => &mut self.element_id,
            ColumnId::ElementClass => &mut self.element_class,
            ColumnId::ElementPath => &mut self.element_path,
            ColumnId::RowLabel => &mut self.row_label,
            ColumnId::ColumnLabel => &mut self.column_label,
            ColumnId::Text => &mut self.text,
            ColumnId::KeyCommand => &mut self.key_command,
            ColumnId::Comment => &mut self.comment,
            ColumnId::Rule => &mut self.rule,
            ColumnId::Os => &mut self.os,
            ColumnId::ClientVersion => &mut self.client_version,
            ColumnId::ConfigRevision => &mut self.config_revision,
            _ => return None,
        })
    }

    /// Forgets the value of a column, hashed or not. Mandatory columns stay as they are.
    ///
    /// ```
    /// use uilog::{Event, column::ColumnId, event::Value};
    /// let mut event = Event { mouse_x: Some(4), ..Event::default() };
    /// event.forget(ColumnId::MouseX);
    /// assert_eq!(event.value(ColumnId::MouseX as usize), Value::Null);
    /// ```
    pub fn forget(&mut self, column: ColumnId) {
        if !self.hashed.is_empty() {
            self.hashed.remove(column.column().name);
        }
        if let Some(text) = self.text_mut(column) {
            *text = None;
            return;
        }
        match column {
            ColumnId::Snippet => self.snippet = None,
            ColumnId::Actor => self.actor = None,
            ColumnId::ElementBox => self.element_box = None,
            ColumnId::TextLength => self.text_length = None,
            ColumnId::ValueFingerprint => self.value_fingerprint = None,
            ColumnId::MouseX => self.mouse_x = None,
            ColumnId::MouseY => self.mouse_y = None,
            ColumnId::WheelUnits => self.wheel_units = None,
            ColumnId::Monitor => self.monitor = None,
            ColumnId::Dpi => self.dpi = None,
            ColumnId::ScreenshotId => self.screenshot_id = None,
            ColumnId::Attributes => self.attributes.clear(),
            _ => {}
        }
    }
}

fn known<T>(field: Option<T>, value: impl FnOnce(T) -> Value<'static>) -> Value<'static> {
    field.map_or(Value::Null, value)
}

fn text(field: &Option<String>) -> Value<'_> {
    field.as_deref().map_or(Value::Null, Value::Text)
}
