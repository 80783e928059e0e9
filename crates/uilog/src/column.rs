//! The columns of the UI log: name, type, and who may see what is in them.
//!
//! One table in this file is the home of every column. The fields of [`Event`](crate::Event), the Parquet tables, the
//! JSON Schema, the TypeScript types and the reference page all follow it; tests hold them together.
//!
//! A column holds personal data unless it is marked [`open`](Column::personal): a mark that was forgotten errs on the
//! side of privacy. This module says nothing about *rules*; it only gives them something to act on.

/// The kind of value that a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// A 128-bit identifier (RFC 9562).
    Uuid,
    /// An unsigned number of 64 bits.
    U64,
    /// An unsigned number of 32 bits.
    U32,
    /// An unsigned number of 16 bits.
    U16,
    /// An unsigned number of 8 bits.
    U8,
    /// A signed number of 16 bits.
    I16,
    /// A signed number of 32 bits.
    I32,
    /// Microseconds since 1970-01-01T00:00:00 UTC, without leap seconds.
    TimestampUs,
    /// Text in UTF-8.
    Text,
    /// One of a closed list of snake_case names.
    Enum,
    /// x, y, width, height in physical pixels.
    Box4,
    /// 16 bytes of a keyed fingerprint.
    Fingerprint,
    /// Text keys with text values, in the order of the keys.
    TextMap,
}

/// What a group of columns tells about an event; the reference page has a table for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Which event this is, in what order, at what time.
    Identity,
    /// Who acted, on which machine, in which stretch of recording.
    Person,
    /// In which application, window or page.
    Place,
    /// On which element.
    Element,
    /// What was done with it: text, keys, pointer.
    Action,
    /// How the event came to be recorded.
    Provenance,
}

impl Group {
    /// All groups, in the order of the columns.
    pub const ALL: [Group; 6] =
        [Group::Identity, Group::Person, Group::Place, Group::Element, Group::Action, Group::Provenance];

    /// The heading under which documents show the group.
    pub const fn title(self) -> &'static str {
        match self {
            Group::Identity => "Identity, order, time",
            Group::Person => "Person and session",
            Group::Place => "Application, window, page",
            Group::Element => "Element",
            Group::Action => "Action",
            Group::Provenance => "Provenance",
        }
    }
}

/// One column of the UI log, as declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The column, for `match`.
    pub id: ColumnId,
    /// snake_case name: in SQL, in Parquet files and in JSON events.
    pub name: &'static str,
    /// The kind of value.
    pub column_type: ColumnType,
    /// What the column tells about an event.
    pub group: Group,
    /// Whether the value may say something about a person; such columns are what privacy rules act on.
    pub personal: bool,
    /// Whether no rule can drop, hash or redact the column.
    pub mandatory: bool,
    /// Whether the value can be absent. A mandatory column can be: an imported log knows no `uptime_us`.
    pub nullable: bool,
    /// The version of the schema that brought the column.
    pub since: u32,
    /// The version of the schema from which on nobody should write it any more.
    pub deprecated: Option<u32>,
    /// Meaning and unit, in one sentence.
    pub description: &'static str,
}

/// How a rule may treat a column and whether it is always there: the third word in each row of the table below.
#[derive(Clone, Copy)]
enum Mark {
    /// Always there, and untouchable.
    Mandatory,
    /// Untouchable, but not every source knows it.
    MandatoryIfKnown,
    /// May be absent; holds nothing personal.
    Open,
    /// May be absent; privacy rules act on it.
    Personal,
}

/// Declares [`ColumnId`] and [`COLUMNS`] from one table, so that the two cannot differ in order or number.
macro_rules! columns {
    ($($group:ident { $($(#[doc = $doc:literal])+ $id:ident $name:literal $column_type:ident $mark:ident $since:literal,)+ })+) => {
        /// The columns as an enum; the discriminant is the position in [`COLUMNS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ColumnId {
            $($($(#[doc = $doc])+ $id,)+)+
        }

        /// Every column of the UI log, in the order in which tables show them.
        pub const COLUMNS: &[Column] = &[
            $($(Column {
                id: ColumnId::$id,
                name: $name,
                column_type: ColumnType::$column_type,
                group: Group::$group,
                personal: matches!(Mark::$mark, Mark::Personal),
                mandatory: matches!(Mark::$mark, Mark::Mandatory | Mark::MandatoryIfKnown),
                nullable: !matches!(Mark::$mark, Mark::Mandatory),
                since: $since,
                deprecated: None,
                description: concat!($($doc,)+).trim_ascii(),
            },)+)+
        ];
    };
}

columns! {
    Identity {
        /// The installed client, or the stream of an imported log; random, made at enrolment.
        AgentId "agent_id" Uuid Mandatory 1,
        /// One life of the client's spool; made anew when a copied or restored spool is detected.
        Epoch "epoch" Uuid Mandatory 1,
        /// 1, 2, 3 … inside one agent and epoch; the order of events.
        Seq "seq" U64 Mandatory 1,
        /// Wall clock at the moment of the action; it never decides the order inside an agent.
        Time "time" TimestampUs Mandatory 1,
        /// Microseconds of monotonic clock since boot; durations come from it wherever it is known.
        UptimeUs "uptime_us" U64 MandatoryIfKnown 1,
        /// When the service received the event.
        ReceivedAt "received_at" TimestampUs MandatoryIfKnown 1,
        /// Minutes by which the user's clock is ahead of UTC.
        TzOffsetMin "tz_offset_min" I16 MandatoryIfKnown 1,
        /// What the user did.
        EventType "event_type" Enum Mandatory 1,
        /// The project; set by the service from the credential, never taken from the body.
        ProjectId "project_id" Uuid Mandatory 1,
        /// One unbroken stretch of recording.
        SessionId "session_id" Uuid Mandatory 1,
    }
    Person {
        /// Grows by one when the gap to the previous event exceeds the snippet split time.
        Snippet "snippet" U32 Open 1,
        /// Operating-system user; pseudonymous unless a rule says otherwise.
        UserName "user_name" Text Personal 1,
        /// Name of the machine; pseudonymous unless a rule says otherwise.
        MachineName "machine_name" Text Personal 1,
        /// Answer to the project's first user attribute.
        Custom1 "custom1" Text Personal 1,
        /// Answer to the project's second user attribute.
        Custom2 "custom2" Text Personal 1,
        /// Answer to the project's third user attribute.
        Custom3 "custom3" Text Personal 1,
        /// Answer to the project's fourth user attribute.
        Custom4 "custom4" Text Personal 1,
        /// Answer to the project's fifth user attribute.
        Custom5 "custom5" Text Personal 1,
        /// Who acted: a human, injected input, or an AI agent.
        Actor "actor" Enum Open 1,
        /// The case as named by the source of an imported log; recordings carry none.
        CaseId "case_id" Text Personal 1,
    }
    Place {
        /// Executable in lower case, as the allow-list names it, such as `excel.exe`.
        ProcessName "process_name" Text Open 1,
        /// Product name of the executable, where known.
        Application "application" Text Open 1,
        /// Title of the window.
        WindowTitle "window_title" Text Personal 1,
        /// The full URL.
        Url "url" Text Personal 1,
        /// Host of the URL.
        UrlHost "url_host" Text Open 1,
        /// Origin and path of the URL; ids replaced by `{id}`, the query dropped.
        UrlTemplate "url_template" Text Open 1,
        /// Title of the page.
        PageTitle "page_title" Text Personal 1,
        /// The browser's tab.
        TabId "tab_id" Text Open 1,
        /// The frame inside the tab.
        FrameId "frame_id" Text Open 1,
        /// The document inside the frame.
        DocumentId "document_id" Text Open 1,
    }
    Element {
        /// Accessibility role in ARIA's vocabulary, on all platforms.
        ElementRole "element_role" Text Open 1,
        /// Accessible name: the label, never the content.
        ElementName "element_name" Text Personal 1,
        /// Automation id, accessible id, DOM id or `data-testid`; for a cell of a spreadsheet its address.
        ElementId "element_id" Text Open 1,
        /// Class name of the control.
        ElementClass "element_class" Text Open 1,
        /// Path from window to element in roles and ids; a CSS path in the browser.
        ElementPath "element_path" Text Open 1,
        /// x, y, width, height in physical pixels of the virtual desktop.
        ElementBox "element_box" Box4 Open 1,
        /// Row of a table or spreadsheet.
        RowLabel "row_label" Text Personal 1,
        /// Column of a table or spreadsheet.
        ColumnLabel "column_label" Text Personal 1,
    }
    Action {
        /// Typed or selected text, field value or clipboard text; null unless a rule names this column.
        Text "text" Text Personal 1,
        /// Characters entered, copied or pasted.
        TextLength "text_length" U32 Open 1,
        /// Keyed fingerprint of a copied, pasted or entered value; equal values are equal inside a project and key epoch.
        ValueFingerprint "value_fingerprint" Fingerprint Open 1,
        /// Normalised key command: ctrl, alt, shift, meta in this order, then the key.
        KeyCommand "key_command" Text Open 1,
        /// Pointer position in physical pixels of the virtual desktop, from the left.
        MouseX "mouse_x" I32 Open 1,
        /// Pointer position in physical pixels of the virtual desktop, from the top.
        MouseY "mouse_y" I32 Open 1,
        /// Units of the wheel: up and right positive, 120 for one notch.
        WheelUnits "wheel_units" I32 Open 1,
        /// What the user wrote in a comment.
        Comment "comment" Text Personal 1,
    }
    Provenance {
        /// Number of the monitor on which the event happened, from 0.
        Monitor "monitor" U8 Open 1,
        /// Pixels per inch of that monitor.
        Dpi "dpi" U16 Open 1,
        /// The screenshot that belongs to the event.
        ScreenshotId "screenshot_id" Uuid Open 1,
        /// Name of the rule that admitted the event.
        Rule "rule" Text Open 1,
        /// Operating system and version.
        Os "os" Text Open 1,
        /// Version of the client that recorded the event.
        ClientVersion "client_version" Text Open 1,
        /// Revision of the configuration under which the event was recorded.
        ConfigRevision "config_revision" Text Open 1,
        /// Anything a source knows beyond these columns.
        Attributes "attributes" TextMap Personal 1,
    }
}

impl ColumnId {
    /// The declaration of this column.
    pub fn column(self) -> &'static Column {
        &COLUMNS[self as usize]
    }

    /// Whether a value of the column can be replaced by its keyed hash, in the member `hashed` of an event: every text
    /// column, but for the ones by which the service finds the configuration that admitted the event.
    ///
    /// ```
    /// use uilog::column::ColumnId;
    /// assert!(ColumnId::UserName.is_hashable());
    /// assert!(!ColumnId::MouseX.is_hashable() && !ColumnId::Rule.is_hashable());
    /// ```
    pub fn is_hashable(self) -> bool {
        self.column().column_type == ColumnType::Text && !matches!(self, ColumnId::Rule | ColumnId::ConfigRevision)
    }
}

/// Finds a column by its name.
///
/// ```
/// use uilog::column::{ColumnType, find};
/// assert_eq!(find("text_length").map(|column| column.column_type), Some(ColumnType::U32));
/// assert!(find("no_such_column").is_none());
/// ```
pub fn find(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_stands_where_its_number_says() {
        for (position, column) in COLUMNS.iter().enumerate() {
            assert_eq!(column.id as usize, position, "{}", column.name);
            assert_eq!(column.id.column(), column);
        }
    }

    #[test]
    fn names_are_unique_and_descriptions_are_sentences() {
        for (position, column) in COLUMNS.iter().enumerate() {
            assert_eq!(COLUMNS.iter().position(|other| other.name == column.name), Some(position));
            assert!(column.description.ends_with('.') && !column.description.starts_with(' '), "{}", column.name);
        }
    }

    #[test]
    fn no_rule_can_touch_identity_and_everything_mandatory_is_open() {
        for column in COLUMNS {
            assert_eq!(column.mandatory, column.group == Group::Identity, "{}", column.name);
            assert!(!(column.mandatory && column.personal), "{}", column.name);
        }
    }

    #[test]
    fn columns_that_may_name_a_person_are_personal() {
        let personal: Vec<_> = COLUMNS.iter().filter(|column| column.personal).map(|column| column.name).collect();
        assert_eq!(
            personal.join(" "),
            "user_name machine_name custom1 custom2 custom3 custom4 custom5 case_id window_title url page_title \
             element_name row_label column_label text comment attributes"
        );
    }
}
