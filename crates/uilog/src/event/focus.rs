//! Keyboard focus and selection.

use super::{Declaration, EventType};

pub(super) const TYPES: &[Declaration] = &[Declaration {
    event_type: EventType::ElementFocused,
    name: "element_focused",
    description: "An element received the keyboard focus, or a cell or range was selected.",
    attributes: &[],
    since: 1,
    deprecated: None,
}];
