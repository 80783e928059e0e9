//! XML text to a tree of elements that know where they stand.
//!
//! Nothing here knows what the names mean. What is refused before anybody looks at names: texts over a limit, document
//! types, processing instructions, entities other than XML's own five, and what is no XML. Where the text is broken,
//! reading ends there: what follows cannot be believed.

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::problem::{At, Problem, Severity};

/// The most bytes of a configuration, 1 MiB.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// How deep elements may nest.
pub const DEPTH_MAX: usize = 16;

/// The most elements of a file; far more than all other limits together allow.
const ELEMENTS_MAX: usize = 50_000;

/// An element of the file.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) at: At,
    pub(super) attributes: Vec<Given<'a>>,
    pub(super) children: Vec<Node<'a>>,
    /// The text between its tags, entities resolved; and where its first character that is no space stands.
    pub(super) text: String,
    pub(super) text_at: At,
}

/// An attribute as it was given.
#[derive(Debug)]
pub(super) struct Given<'a> {
    pub(super) name: &'a str,
    pub(super) at: At,
    /// The value, entities resolved and line breaks made spaces.
    pub(super) value: String,
    /// Where the value begins in the text, in bytes.
    pub(super) offset: usize,
    /// The value as it stands in the text.
    pub(super) raw: &'a str,
}

/// The text of a file, with the beginnings of its lines.
#[derive(Debug)]
pub(super) struct Source<'a> {
    text: &'a str,
    lines: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { text, lines }
    }

    /// Line and character of a place in the text.
    pub(super) fn at(&self, offset: usize) -> At {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line.saturating_sub(1)];
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        At { line: line as u32, column: column as u32 + 1 }
    }

    /// Where a piece of the text begins, in bytes; 0 for what is no piece of it.
    fn offset_of(&self, piece: &str) -> usize {
        let offset = (piece.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        if offset <= self.text.len() { offset } else { 0 }
    }
}

/// Reads the tree of a file.
///
/// Errors: what keeps the text from being such a tree; all problems up to the first place after which nothing can be
/// believed.
pub(super) fn read<'a>(source: &Source<'a>) -> Result<Node<'a>, Vec<Problem>> {
    let text = source.text;
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes; at most {FILE_BYTES_MAX} are possible", text.len());
        return Err(vec![source.at(0).problem(Severity::Error, "too_large", message, None)]);
    }
    if let Some(offset) =
        text.find(|character: char| character.is_control() && !matches!(character, '\t' | '\n' | '\r'))
    {
        let message = "a control character stands in the file".to_owned();
        return Err(vec![source.at(offset).problem(Severity::Error, "not_xml", message, None)]);
    }
    let mut tree = Tree { source, open: Vec::new(), root: None, elements: 0 };
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    loop {
        let before = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(|error| {
            let place = reader.error_position() as usize;
            vec![tree.broken(place, &error.to_string())]
        })?;
        if matches!(event, Event::Eof) {
            break;
        }
        tree.take(event, before)?;
    }
    tree.finish()
}

/// The tree while it grows.
struct Tree<'s, 'a> {
    source: &'s Source<'a>,
    open: Vec<Node<'a>>,
    root: Option<Node<'a>>,
    elements: usize,
}

impl<'a> Tree<'_, 'a> {
    fn take(&mut self, event: Event<'a>, offset: usize) -> Result<(), Vec<Problem>> {
        match event {
            Event::Start(start) => {
                let node = self.node(&start, offset)?;
                self.open.push(node);
            }
            Event::Empty(start) => {
                let node = self.node(&start, offset)?;
                self.close(node);
            }
            Event::End(_) => {
                if let Some(node) = self.open.pop() {
                    self.close(node);
                }
            }
            Event::Text(text) => self.text(&text.into_inner(), offset)?,
            Event::CData(data) => self.text(&data.into_inner(), offset)?,
            Event::GeneralRef(reference) => {
                let resolved = resolve(&reference);
                match resolved {
                    Some(character) => self.text(&character.to_string(), offset)?,
                    None => return Err(vec![self.forbidden(offset, "an entity other than XML's own five")]),
                }
            }
            Event::DocType(_) => return Err(vec![self.forbidden(offset, "a document type")]),
            Event::PI(_) => return Err(vec![self.forbidden(offset, "a processing instruction")]),
            Event::Decl(declaration) => {
                let is_utf8 = declaration
                    .encoding()
                    .is_none_or(|encoding| encoding.is_ok_and(|encoding| encoding.eq_ignore_ascii_case("utf-8")));
                if !is_utf8 || offset > '\u{feff}'.len_utf8() {
                    return Err(vec![self.broken(offset, "the XML declaration stands first and says UTF-8")]);
                }
            }
            Event::Comment(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn node(&mut self, start: &BytesStart<'a>, offset: usize) -> Result<Node<'a>, Vec<Problem>> {
        self.elements += 1;
        if self.open.len() >= DEPTH_MAX {
            return Err(vec![self.problem(offset, "too_large", format!("elements nest deeper than {DEPTH_MAX}"))]);
        }
        if self.elements > ELEMENTS_MAX {
            return Err(vec![self.problem(
                offset,
                "too_large",
                format!("there are more than {ELEMENTS_MAX} elements"),
            )]);
        }
        if self.root.is_some() && self.open.is_empty() {
            return Err(vec![self.broken(offset, "a second root element")]);
        }
        let name = self.slice(start.name().as_ref());
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| vec![self.broken(offset, &error.to_string())])?;
            let (key, raw) = (self.slice(attribute.key.as_ref()), self.slice(&attribute.value));
            let value_offset = self.source.offset_of(raw);
            if raw.contains('<') {
                return Err(vec![self.broken(value_offset, "\"<\" stands in the value of an attribute")]);
            }
            let value = unescape(raw)
                .ok_or_else(|| vec![self.forbidden(value_offset, "an entity other than XML's own five")])?;
            let at = self.source.at(self.source.offset_of(key));
            attributes.push(Given { name: key, at, value, offset: value_offset, raw });
        }
        let at = self.source.at(offset);
        Ok(Node { name, at, attributes, children: Vec::new(), text: String::new(), text_at: at })
    }

    /// The same piece, with the life of the text: quick-xml borrows from it, but its types do not say so.
    fn slice(&self, piece: &str) -> &'a str {
        let offset = self.source.offset_of(piece);
        self.source.text.get(offset..offset + piece.len()).filter(|found| *found == piece).unwrap_or_default()
    }

    fn close(&mut self, node: Node<'a>) {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
    }

    fn text(&mut self, text: &str, offset: usize) -> Result<(), Vec<Problem>> {
        let blank = |character: char| character.is_ascii_whitespace() || character == '\u{feff}';
        let leading = text.len() - text.trim_start_matches(blank).len();
        let at = self.source.at(offset + leading);
        match self.open.last_mut() {
            Some(node) => {
                if node.text.trim().is_empty() {
                    node.text_at = at;
                }
                node.text.push_str(text);
                Ok(())
            }
            None if leading == text.len() => Ok(()),
            None => {
                Err(vec![at.problem(Severity::Error, "not_xml", "text stands outside the root element".into(), None)])
            }
        }
    }

    fn finish(mut self) -> Result<Node<'a>, Vec<Problem>> {
        if let Some(node) = self.open.pop() {
            let message = format!("<{}> is never closed", node.name);
            return Err(vec![node.at.problem(Severity::Error, "not_xml", message, None)]);
        }
        self.root.take().ok_or_else(|| vec![self.broken(0, "there is no element")])
    }

    fn problem(&self, offset: usize, code: &'static str, message: String) -> Problem {
        self.source.at(offset).problem(Severity::Error, code, message, None)
    }

    fn broken(&self, offset: usize, why: &str) -> Problem {
        self.problem(offset, "not_xml", format!("not well-formed XML: {why}"))
    }

    fn forbidden(&self, offset: usize, what: &str) -> Problem {
        self.problem(offset, "forbidden_markup", format!("{what} is not possible here"))
    }
}

/// A value with its entities resolved, and each tab or line break a space; `None` if there is an entity that XML does not
/// bring along.
fn unescape(raw: &str) -> Option<String> {
    let raw = raw.replace("\r\n", "\n");
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw.as_str();
    while let Some(start) = rest.find('&') {
        value.extend(rest[..start].chars().map(space));
        let (name, after) = rest[start + 1..].split_once(';')?;
        value.push(resolve(name)?);
        rest = after;
    }
    value.extend(rest.chars().map(space));
    Some(value)
}

fn space(character: char) -> char {
    if matches!(character, '\t' | '\n' | '\r') { ' ' } else { character }
}

/// The character of an entity that XML brings along, or of a number.
fn resolve(name: &str) -> Option<char> {
    let number = name.strip_prefix('#');
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => number
            .and_then(|number| match number.strip_prefix('x') {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
                None => number.parse().ok(),
            })
            .and_then(char::from_u32)
            .filter(|character| !character.is_control() || matches!(character, '\t' | '\n' | '\r')),
    }
}
