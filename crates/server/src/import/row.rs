//! Makes events of the rows of a CSV, whichever tool wrote it.
//!
//! A format says what the columns of its header mean, as [`Role`]s; everything else is here, once: times, streams, the
//! type of the event, the element, and where contents may go. Content stands in `text` and nowhere else. What has no
//! role is kept in `attributes` under the name of its column.

use uilog::column::ColumnId;
use uilog::event::EventType;
use uilog::{Event, notation};

use super::delimited::{Found, Record, Splitter};
use super::fingerprint::Fingerprints;
use super::input::Input;
use super::rejects::Reject;
use super::streams::Streams;
use super::url::Urls;
use super::words::Words;
use super::{Format, ImportError, Options, Source, Step, Written, detect, mapped, time};

/// The most columns without a role that are kept as attributes; further ones are read over.
const EXTRA_COLUMNS_MAX: usize = 128;

/// What a column of a CSV means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// When it happened.
    Time,
    /// Who did it; empty continues the stream of the row before.
    User,
    /// The tool's word for what was done.
    Word,
    /// The application.
    Application,
    /// The URL of the page.
    Url,
    /// What went through the clipboard.
    Content,
    /// What stands in the field.
    Value,
    /// What is written on or in the element.
    InnerText,
    /// Workbook, document or window.
    Workbook,
    /// Sheet of the workbook.
    Sheet,
    /// Id of the element, or address of a cell or range.
    ElementId,
    /// Class of the element.
    ElementClass,
    /// HTML tag of the element.
    Tag,
    /// Type of an HTML input.
    TagType,
    /// Name or label of the element.
    ElementName,
    /// Path to the element.
    ElementPath,
    /// Row of the cell.
    Row,
    /// Column of the cell.
    Column,
    /// The case.
    Case,
    /// The pressed shortcut.
    Hotkey,
    /// Pointer, from the left.
    X,
    /// Pointer, from the top.
    Y,
    /// Pointer as `x,y` with or without brackets.
    Position,
    /// Title of the window or page.
    Title,
    /// Read over: it says nothing, or repeats contents.
    Ignored,
}

const ROLE_COUNT: usize = Role::Ignored as usize + 1;

/// What a column of a CSV fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Something that takes part in the mapping.
    Role(Role),
    /// A column of ours, as it is.
    Column(ColumnId),
    /// An attribute of this name.
    Attribute(&'static str),
}

/// A CSV log that is being read.
pub(super) struct Table {
    splitter: Splitter<Input>,
    record: Record,
    header: Header,
    streams: Streams,
    words: Words,
    urls: Urls,
    fingerprints: Fingerprints,
    /// `Some` if the log has no times: how many rows were given one.
    synthetic_seconds: Option<i64>,
}

/// Which column of the CSV fills what.
struct Header {
    /// Up to two columns for a role: the second speaks where the first is empty.
    roles: [[Option<usize>; 2]; ROLE_COUNT],
    columns: Vec<(usize, ColumnId)>,
    attributes: Vec<(usize, String)>,
}

/// Opens a CSV whose header is read with `target`; a name for which it answers `None` becomes an attribute.
///
/// Errors: no header, or none of its columns has the role `Word`.
pub(super) fn open(
    mut input: Input,
    options: &Options,
    format: Format,
    target: impl Fn(&str) -> Option<Target>,
) -> Result<Table, ImportError> {
    let at_start = |source| ImportError::Read { place: "byte 0".to_owned(), source };
    let prefix = input.peek(detect::PREFIX_BYTES).map_err(at_start)?.to_vec();
    let delimiter = detect::delimiter(&prefix);
    let mut splitter = Splitter::new(input, delimiter);
    let mut record = Record::default();
    let names = match splitter.next(&mut record, &mut 0).map_err(at_start)? {
        Found::Row(_) => names(&record),
        Found::Broken(reject) => return Err(ImportError::Unknown { beginning: reject.row }),
        Found::End => return Err(ImportError::Empty),
    };
    splitter.expect_fields(names.len());
    let header = Header::new(&names, target);
    if header.roles[Role::Word as usize][0].is_none() {
        return Err(ImportError::MissingColumn { format, column: "event type".to_owned(), present: names.join(", ") });
    }
    let first = Preview::of(&prefix, delimiter, &header);
    Ok(Table {
        splitter,
        record,
        streams: Streams::new(options.source, &first.user),
        words: Words::default(),
        urls: Urls::default(),
        fingerprints: Fingerprints::new(options.source),
        synthetic_seconds: (!first.has_times).then_some(0),
        header,
    })
}

fn names(record: &Record) -> Vec<String> {
    let text = record.text().unwrap_or_default();
    (0..record.len()).map(|field| text.get(record.range(field)).unwrap_or_default().trim().to_owned()).collect()
}

impl Header {
    fn new(names: &[String], target: impl Fn(&str) -> Option<Target>) -> Self {
        let mut header = Header { roles: [[None; 2]; ROLE_COUNT], columns: Vec::new(), attributes: Vec::new() };
        for (position, name) in names.iter().enumerate() {
            let extra = match target(name) {
                Some(Target::Role(role)) => {
                    let places = &mut header.roles[role as usize];
                    match places.iter_mut().find(|place| place.is_none()) {
                        Some(place) => {
                            *place = Some(position);
                            continue;
                        }
                        None => name.as_str(),
                    }
                }
                Some(Target::Column(column)) => {
                    header.columns.push((position, column));
                    continue;
                }
                Some(Target::Attribute(key)) => key,
                None => name.as_str(),
            };
            if header.attributes.len() < EXTRA_COLUMNS_MAX && !extra.is_empty() {
                header.attributes.push((position, extra.to_owned()));
            }
        }
        header
    }
}

/// What the first rows tell about the whole log.
struct Preview {
    /// The first user that is named; rows before belong to them.
    user: String,
    /// Whether any row has a time.
    has_times: bool,
}

impl Preview {
    fn of(prefix: &[u8], delimiter: u8, header: &Header) -> Self {
        let mut preview = Preview { user: String::new(), has_times: false };
        let mut splitter = Splitter::new(prefix, delimiter);
        let mut record = Record::default();
        let mut is_header = true;
        // Reading a slice cannot fail, and the last row may be cut off.
        while let Ok(Found::Row(_)) = splitter.next(&mut record, &mut 0) {
            let Ok(text) = record.text() else { continue };
            let fields = Fields { text, record: &record, header };
            if !is_header {
                preview.has_times |= !fields.get(Role::Time).is_empty();
                if preview.user.is_empty() {
                    fields.get(Role::User).clone_into(&mut preview.user);
                }
            }
            if preview.has_times && !preview.user.is_empty() {
                break;
            }
            is_header = false;
        }
        preview
    }
}

/// One row, by role.
#[derive(Clone, Copy)]
struct Fields<'a> {
    text: &'a str,
    record: &'a Record,
    header: &'a Header,
}

impl<'a> Fields<'a> {
    /// The field of that role; empty if the log has none.
    #[inline]
    fn get(&self, role: Role) -> &'a str {
        match self.header.roles[role as usize] {
            [None, _] => "",
            [Some(position), None] => self.at(position),
            [Some(position), Some(second)] => match self.at(position) {
                "" => self.at(second),
                field => field,
            },
        }
    }

    #[inline]
    fn at(&self, position: usize) -> &'a str {
        if position >= self.record.len() {
            return "";
        }
        self.text.get(self.record.range(position)).unwrap_or_default()
    }
}

impl Source for Table {
    fn read(&mut self, event: &mut Event) -> Result<Step, ImportError> {
        let mut bytes = 0;
        let found = self
            .splitter
            .next(&mut self.record, &mut bytes)
            .map_err(|source| ImportError::Read { place: format!("line {}", self.splitter.line() - 1), source })?;
        let line = match found {
            Found::Row(line) => line,
            Found::Broken(reject) => return Ok(Step::Reject(reject)),
            Found::End => return Ok(Step::End),
        };
        match self.fill(event) {
            Ok(()) => Ok(Step::Event),
            Err(reason) => Ok(Step::Reject(Reject::new(line, reason, self.splitter.last_row(bytes)))),
        }
    }

    /// Where one column holds the content; a log with several decides by element which of them speaks.
    fn written(&self) -> Option<Written<'_>> {
        let several = [Role::Content, Role::InnerText, Role::Tag, Role::TagType];
        if several.iter().any(|role| self.header.roles[*role as usize][0].is_some()) {
            return None;
        }
        let fields = Fields { text: self.record.text().ok()?, record: &self.record, header: &self.header };
        let [element, label, value] = [Role::ElementId, Role::ElementName, Role::Value].map(|role| fields.get(role));
        Some(Written { element, label, value })
    }
}

impl Table {
    /// Fills every column that a CSV can fill; an error is the reason for a reject.
    fn fill(&mut self, event: &mut Event) -> Result<(), String> {
        let text = self.record.text().map_err(|field| format!("field {} is not utf-8", field + 1))?;
        let fields = Fields { text, record: &self.record, header: &self.header };
        let word = fields.get(Role::Word);
        if word.is_empty() {
            return Err("has no event type".to_owned());
        }
        let instant = match (self.synthetic_seconds, fields.get(Role::Time)) {
            (Some(seconds), "") => time::Instant { time_us: seconds * 1_000_000, tz_offset_min: None },
            (None, "") => return Err("has no time".to_owned()),
            (_, written) => time::parse(written).ok_or_else(|| format!("'{}' is not a time", shorten(written)))?,
        };
        event.time_us = instant.time_us;
        event.tz_offset_min = instant.tz_offset_min;

        let application = fields.get(Role::Application);
        let url = fields.get(Role::Url);
        let in_browser = if application.is_empty() { !url.is_empty() } else { self.words.is_browser(application) };
        event.event_type = self.words.event_type(word, in_browser);
        put(&mut event.application, application);
        put(&mut event.process_name, application);
        if let Some(name) = &mut event.process_name {
            name.make_ascii_lowercase();
        }
        put(&mut event.case_id, fields.get(Role::Case));
        put(&mut event.url, url);
        if url.is_empty() {
            (event.url_host, event.url_template) = (None, None);
        } else {
            let parts = self.urls.parts(url);
            put(&mut event.url_host, &parts.host);
            put(&mut event.url_template, &parts.template);
        }
        fill_window(event, fields, in_browser);
        fill_element(event, fields, word, in_browser);
        fill_content(event, fields, &mut self.fingerprints);
        fill_pointer(event, fields);
        put_keys(&mut event.key_command, fields.get(Role::Hotkey));
        let mut attributes = Vec::with_capacity(4 + self.header.attributes.len());
        attributes.push(("source_event", word));
        attributes.push(("workbook", fields.get(Role::Workbook)));
        attributes.push(("sheet", fields.get(Role::Sheet)));
        if self.synthetic_seconds.is_some() {
            attributes.push(("time", "synthetic"));
        }
        let others = self.header.attributes.iter();
        attributes.extend(others.map(|(position, key)| (key.as_str(), fields.at(*position))));
        attributes.retain(|(_, value)| !value.is_empty());
        fill_attributes(event, &attributes);
        for (position, column) in &self.header.columns {
            mapped::set(event, *column, fields.at(*position))?;
        }

        let user = fields.get(Role::User);
        if !user.is_empty() {
            self.streams.enter(user)?;
        }
        put(&mut event.user_name, self.streams.name());
        self.streams.identify(event);
        if let Some(seconds) = &mut self.synthetic_seconds {
            *seconds += 1;
        }
        Ok(())
    }
}

/// The window: a workbook with its sheet, or a title.
fn fill_window(event: &mut Event, fields: Fields<'_>, in_browser: bool) {
    let title = fields.get(Role::Title);
    put(&mut event.page_title, if in_browser { title } else { "" });
    match (fields.get(Role::Workbook), fields.get(Role::Sheet)) {
        ("", _) => put(&mut event.window_title, title),
        (workbook, "") => put(&mut event.window_title, workbook),
        (workbook, sheet) => {
            put(&mut event.window_title, workbook);
            if let Some(window) = &mut event.window_title {
                window.push_str(" — ");
                window.push_str(sheet);
            }
        }
    }
}

/// The element: a cell, a tab of the browser, or something with a tag, an id or a name.
fn fill_element(event: &mut Event, fields: Fields<'_>, word: &str, in_browser: bool) {
    let (tag, id) = (fields.get(Role::Tag), fields.get(Role::ElementId));
    let is_tab =
        in_browser && tag.is_empty() && matches!(event.event_type, EventType::TabActivated | EventType::TabClosed);
    put(&mut event.tab_id, if is_tab { id } else { "" });
    put(&mut event.element_id, if is_tab { "" } else { id });
    put(&mut event.element_class, fields.get(Role::ElementClass));
    put(&mut event.element_path, fields.get(Role::ElementPath));
    put(&mut event.row_label, fields.get(Role::Row));
    put(&mut event.column_label, fields.get(Role::Column));
    let is_cell = match (&event.column_label, &event.row_label) {
        (Some(column), Some(row)) if id.is_empty() => {
            event.element_id = Some(format!("{column}{row}"));
            true
        }
        _ => !in_browser && label_cell(event, id),
    };
    let role = if is_cell {
        "gridcell"
    } else {
        role_of(tag, fields.get(Role::TagType)).or_else(|| role_of_word(word)).unwrap_or("")
    };
    put(&mut event.element_role, role);
    let named = fields.get(Role::ElementName);
    if shows_its_name(role) {
        let shown = [fields.get(Role::InnerText), named, fields.get(Role::Value)];
        put_folded(&mut event.element_name, shown.into_iter().find(|text| !text.trim().is_empty()).unwrap_or(""));
    } else {
        put_folded(&mut event.element_name, named);
    }
}

/// Whether the text of an element of this role is its name rather than its content.
fn shows_its_name(role: &str) -> bool {
    matches!(role, "button" | "link" | "tab" | "menuitem")
}

/// Labels row and column from the address of a cell, `B2`, or a range, `C2:F2`; tells whether it is one.
fn label_cell(event: &mut Event, address: &str) -> bool {
    let (first, last) = address.split_once(':').unwrap_or((address, address));
    let (Some((left, top)), Some((right, bottom))) = (notation::cell_address(first), notation::cell_address(last))
    else {
        return false;
    };
    put_range(&mut event.column_label, left, right);
    put_range(&mut event.row_label, top, bottom);
    true
}

fn put_range(slot: &mut Option<String>, first: &str, last: &str) {
    put(slot, first);
    if let Some(label) = slot.as_mut().filter(|_| first != last) {
        label.push(':');
        label.push_str(last);
    }
}

/// The ARIA role of an HTML element, as far as tag and type decide it.
///
/// Source: W3C, *HTML Accessibility API Mappings 1.0*, section 3.5.
fn role_of(tag: &str, tag_type: &str) -> Option<&'static str> {
    let mut upper = [0; 8];
    let tag = upper.get_mut(..tag.len()).map(|upper| {
        upper.copy_from_slice(tag.as_bytes());
        upper.make_ascii_uppercase();
        &*upper
    })?;
    Some(match (tag, tag_type) {
        (b"INPUT", "checkbox") => "checkbox",
        (b"INPUT", "radio") => "radio",
        (b"INPUT", "button" | "submit" | "reset" | "image") => "button",
        (b"INPUT", "number") => "spinbutton",
        (b"INPUT", "range") => "slider",
        (b"INPUT", "search") => "searchbox",
        (b"INPUT" | b"TEXTAREA", _) => "textbox",
        (b"BUTTON", _) => "button",
        (b"A" | b"AREA", _) => "link",
        (b"SELECT", "select-multiple") => "listbox",
        (b"SELECT", _) => "combobox",
        (b"OPTION", _) => "option",
        (b"IMG", _) => "img",
        (b"TD", _) => "cell",
        (b"TH", _) => "columnheader",
        (b"TR", _) => "row",
        (b"TABLE", _) => "table",
        (b"LI", _) => "listitem",
        (b"FORM", _) => "form",
        (b"H1" | b"H2" | b"H3" | b"H4" | b"H5" | b"H6", _) => "heading",
        ([], _) => return None,
        _ => "generic",
    })
}

/// The role that the tool's word implies, where there is no tag.
fn role_of_word(word: &str) -> Option<&'static str> {
    let ending = |end: &str| {
        word.len() >= end.len()
            && word.is_char_boundary(word.len() - end.len())
            && word[word.len() - end.len()..].eq_ignore_ascii_case(end)
    };
    [
        ("button", "button"),
        ("link", "link"),
        ("textfield", "textbox"),
        ("checkbox", "checkbox"),
        ("editfield", "textbox"),
        ("worksheet", "tab"),
    ]
    .into_iter()
    .find_map(|(end, role)| ending(end).then_some(role))
}

/// Content into `text`, its length and its fingerprint; nothing at all from a password field.
fn fill_content(event: &mut Event, fields: Fields<'_>, fingerprints: &mut Fingerprints) {
    let role = event.element_role.as_deref().unwrap_or_default();
    let [content, value, inner] = [Role::Content, Role::Value, Role::InnerText].map(|role| fields.get(role));
    let text = match content {
        _ if fields.get(Role::TagType).eq_ignore_ascii_case("password") => "",
        "" if shows_its_name(role) => "",
        "" if value.is_empty() => inner,
        "" => value,
        content => content,
    };
    put(&mut event.text, text);
    let carries_a_value = matches!(
        event.event_type,
        EventType::Copy
            | EventType::Cut
            | EventType::Paste
            | EventType::TextEntered
            | EventType::ElementChanged
            | EventType::TextSelected
    );
    (event.text_length, event.value_fingerprint) = (None, None);
    if carries_a_value && !text.is_empty() {
        event.text_length = u32::try_from(text.chars().count()).ok();
        event.value_fingerprint = fingerprints.of(text);
    }
}

fn fill_pointer(event: &mut Event, fields: Fields<'_>) {
    (event.mouse_x, event.mouse_y) = (None, None);
    let written = [Role::Position, Role::X, Role::Y].map(|role| fields.get(role));
    if written == [""; 3] {
        return;
    }
    let position = fields.get(Role::Position).trim_matches(['(', ')', '[', ']', ' ']);
    let (x, y) = position.split_once(',').unwrap_or_default();
    let first = |field, part: &str| pixels(fields.get(field)).or_else(|| pixels(part));
    event.mouse_x = first(Role::X, x);
    event.mouse_y = first(Role::Y, y);
}

fn pixels(text: &str) -> Option<i32> {
    let number = text.trim().parse::<f64>().ok()?;
    (number.abs() < f64::from(i32::MAX)).then_some(number.round() as i32)
}

/// Replaces the attributes by those whose values are not empty, reusing what the map already holds.
pub(super) fn fill_attributes(event: &mut Event, attributes: &[(&str, &str)]) {
    let kept = |key: &str| attributes.iter().any(|(name, value)| *name == key && !value.is_empty());
    if !event.attributes.keys().all(|key| kept(key)) {
        event.attributes.retain(|key, _| kept(key));
    }
    for (key, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
        match event.attributes.get_mut(*key) {
            Some(held) => (*value).clone_into(held),
            None => {
                event.attributes.insert((*key).to_owned(), (*value).to_owned());
            }
        }
    }
}

/// Writes a text where the event keeps one, reusing its memory; an empty text is none.
#[inline]
pub(super) fn put(slot: &mut Option<String>, text: &str) {
    match slot {
        _ if text.is_empty() => *slot = None,
        Some(held) => text.clone_into(held),
        None => *slot = Some(text.to_owned()),
    }
}

/// Like [`put`], with runs of white space folded into one space; the Action Logger writes a line break as `\\n`.
fn put_folded(slot: &mut Option<String>, text: &str) {
    if !text.contains(['\n', '\t', '\r', '\\']) && text.trim() == text {
        return put(slot, text);
    }
    put(slot, &text.replace("\\n", " ").split_whitespace().collect::<Vec<_>>().join(" "));
}

/// Writes a shortcut as we do: modifiers in the order ctrl, alt, shift, meta, then the key, all in lower case.
fn put_keys(slot: &mut Option<String>, keys: &str) {
    if keys.is_empty() {
        *slot = None;
        return;
    }
    const MODIFIERS: [&str; 4] = ["ctrl", "alt", "shift", "meta"];
    let mut parts: Vec<String> = keys
        .split('+')
        .map(|part| match part.trim().to_lowercase().as_str() {
            "control" => "ctrl".to_owned(),
            "win" | "windows" | "cmd" | "command" | "super" => "meta".to_owned(),
            other => other.to_owned(),
        })
        .filter(|part| !part.is_empty())
        .collect();
    parts.sort_by_key(|part| MODIFIERS.iter().position(|known| known == part).unwrap_or(MODIFIERS.len()));
    put(slot, &parts.join("+"));
}

/// The beginning of a field, for a reason.
fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}
