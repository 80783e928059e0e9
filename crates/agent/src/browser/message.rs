//! What the extension says: one JSON object a message, strict in its members and bounded in its texts.
//!
//! Its twin is `extension/src/messages.ts`; a member that is added here is added there.

use serde::Deserialize;
use std::collections::BTreeMap;
use uilog::EventType;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Characters of a text of a page; an event with a longer one is refused.
const TEXT_CHARS_MAX: usize = 8_192;

/// Rectangles of an event; one with more has no picture.
const MASKS_MAX: usize = 32;

/// Attributes of an event.
const ATTRIBUTES_MAX: usize = 8;

/// A message.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Said {
    /// Who speaks; the first one.
    Hello {
        /// The version of the messages.
        proto: u32,
        /// `chromium`, `chrome`, `edge`.
        browser: String,
        /// The extension's version.
        version: String,
    },
    /// Somebody did something.
    Event(Box<PageEvent>),
    /// Another page is in front; nothing is told of one that must not be seen.
    Tab {
        /// Its address.
        url: Option<String>,
        /// Its title.
        title: Option<String>,
    },
}

/// Names an event of a page for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PageId {
    /// A life of a page, or of the extension itself.
    pub document: Uuid,
    /// 1, 2, 3 … in it.
    pub seq: u64,
}

/// What somebody did in a page.
#[derive(Clone, Debug, Deserialize)]
pub struct PageEvent {
    /// See [`PageId`].
    pub document: Uuid,
    /// See [`PageId`].
    pub seq: u64,
    /// Milliseconds since 1970.
    pub time_ms: f64,
    /// What.
    pub kind: Kind,
    /// The address of the page.
    pub url: String,
    /// The title of the page.
    #[serde(default)]
    pub title: String,
    /// The tab; none for what belongs to none.
    #[serde(default)]
    pub tab: Option<i64>,
    /// The frame inside the tab.
    #[serde(default)]
    pub frame: Option<i64>,
    /// On what.
    #[serde(default)]
    pub element: Option<PageElement>,
    /// Where the pointer was, if a pointer did it.
    #[serde(default)]
    pub pointer: Option<Pointer>,
    /// Characters, as the configuration wants them counted.
    #[serde(default)]
    pub length: Option<u32>,
    /// The value, where a rule asks for it.
    #[serde(default)]
    pub value: Option<Secret>,
    /// Events that the extension lost, with `kind` `lost`.
    #[serde(default)]
    pub lost: u64,
    /// More that is known.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// A value; it is overwritten when it is dropped.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Secret(pub Zeroizing<String>);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret")
    }
}

/// The kinds of events of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Click,
    Change,
    Copy,
    Cut,
    Paste,
    Submit,
    Select,
    Load,
    TabActivated,
    TabClosed,
    Download,
    Print,
    Lost,
}

impl Kind {
    /// What it is in the UI log, where it stands alone.
    pub fn event_type(self) -> EventType {
        match self {
            Kind::Click => EventType::ElementClicked,
            Kind::Change => EventType::ElementChanged,
            Kind::Copy => EventType::Copy,
            Kind::Cut => EventType::Cut,
            Kind::Paste => EventType::Paste,
            Kind::Submit => EventType::FormSubmitted,
            Kind::Select => EventType::TextSelected,
            Kind::Load => EventType::PageLoaded,
            Kind::TabActivated => EventType::TabActivated,
            Kind::TabClosed => EventType::TabClosed,
            Kind::Download => EventType::DownloadStarted,
            Kind::Print => EventType::PrintRequested,
            Kind::Lost => EventType::CoverageGap,
        }
    }
}

/// An element of a page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PageElement {
    /// In ARIA's words.
    pub role: Option<String>,
    /// Its accessible name, never its content.
    pub name: Option<String>,
    /// DOM id or test id.
    pub id: Option<String>,
    /// Tag, and type of an input.
    pub class: Option<String>,
    /// Path of tags and ids, through shadow hosts.
    pub path: Option<String>,
    /// Header of its row.
    pub row: Option<String>,
    /// Header of its column.
    pub column: Option<String>,
}

/// A pointer, and what lies around it, in physical pixels from it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Pointer {
    /// x, y, width, height of the element.
    #[serde(rename = "box")]
    pub bounds: Option<[i32; 4]>,
    /// What must be painted over in a picture; none if that is not known, and then there is no picture.
    #[serde(default)]
    pub masks: Option<Vec<[i32; 4]>>,
}

impl PageEvent {
    /// Its name.
    pub fn id(&self) -> PageId {
        PageId { document: self.document, seq: self.seq }
    }

    /// Whether all of its texts keep their bounds; one that does not is dropped and counted.
    pub fn is_bounded(&self) -> bool {
        let element = self.element.iter().flat_map(|element| {
            let PageElement { role, name, id, class, path, row, column } = element;
            [role, name, id, class, path, row, column].into_iter().flatten()
        });
        let attributes = self.attributes.iter().flat_map(|(key, value)| [key, value]);
        let texts = [&self.url, &self.title].into_iter().chain(element).chain(attributes);
        let value = self.value.as_ref().is_none_or(|value| value.0.chars().count() <= TEXT_CHARS_MAX);
        let masks = self.pointer.as_ref().and_then(|pointer| pointer.masks.as_ref());
        value
            && self.attributes.len() <= ATTRIBUTES_MAX
            && masks.is_none_or(|masks| masks.len() <= MASKS_MAX)
            && texts.into_iter().all(|text| text.chars().count() <= TEXT_CHARS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn s13_an_event_with_a_text_without_end_is_not_bounded() {
        let event = |url: &str| -> PageEvent {
            serde_json::from_value(json!({
                "document": "00112233445566778899aabbccddeeff", "seq": 1, "time_ms": 1.5, "kind": "click", "url": url,
            }))
            .unwrap()
        };
        assert!(event("https://a.example/").is_bounded());
        assert!(!event(&"x".repeat(TEXT_CHARS_MAX + 1)).is_bounded());
        assert!(serde_json::from_value::<Said>(json!({ "type": "tab", "url": null, "title": null })).is_ok());
        assert!(serde_json::from_value::<Said>(json!({ "type": "capture" })).is_err());
    }
}
