//! What goes through the clipboard: how much, in which format, and a fingerprint that pairs a copy with its pastes.

use super::{Declaration, EventType};

/// Attributes of all three types.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("format", "format of the content, such as `text`, `html`, `image`, `files`"),
    ("size_bucket", "size of the content, rounded up to a power of four bytes"),
];

pub(super) const TYPES: &[Declaration] = &[
    Declaration {
        event_type: EventType::Copy,
        name: "copy",
        description: "Something was copied to the clipboard.",
        attributes: ATTRIBUTES,
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::Cut,
        name: "cut",
        description: "Something was cut to the clipboard.",
        attributes: ATTRIBUTES,
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::Paste,
        name: "paste",
        description: "The content of the clipboard was pasted into an element.",
        attributes: ATTRIBUTES,
        since: 1,
        deprecated: None,
    },
];
