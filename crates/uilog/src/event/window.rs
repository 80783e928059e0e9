//! Windows of the desktop: which one is in front, and what it calls itself.

use super::{Declaration, EventType};

pub(super) const TYPES: &[Declaration] = &[
    Declaration {
        event_type: EventType::WindowActivated,
        name: "window_activated",
        description: "A window came to the front, or a document, workbook or sheet inside it was opened or chosen.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::WindowTitleChanged,
        name: "window_title_changed",
        description: "The window in front changed its title and kept it.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
];
