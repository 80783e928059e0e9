//! Keys: commands by name, text by length. Which characters were typed is nowhere in this family.

use super::{Declaration, EventType};

pub(super) const TYPES: &[Declaration] = &[
    Declaration {
        event_type: EventType::KeyCommand,
        name: "key_command",
        description: "A shortcut, function key or navigation key; `key_command` names it.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::TextEntered,
        name: "text_entered",
        description: "Text was entered: one event per field and stay, with the number of characters in `text_length`.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
];
