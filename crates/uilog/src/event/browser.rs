//! Pages and tabs. These types need the browser extension, or a source that had one.

use super::{Declaration, EventType};

pub(super) const TYPES: &[Declaration] = &[
    Declaration {
        event_type: EventType::PageLoaded,
        name: "page_loaded",
        description: "A page finished loading, or a single-page application changed its address.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::TabActivated,
        name: "tab_activated",
        description: "A browser tab came to the front or was opened.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::TabClosed,
        name: "tab_closed",
        description: "A browser tab was closed.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::ElementClicked,
        name: "element_clicked",
        description: "An element of a page was clicked.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::ElementChanged,
        name: "element_changed",
        description: "The user changed the value of an element of a page and left it.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::FormSubmitted,
        name: "form_submitted",
        description: "A form was submitted.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::TextSelected,
        name: "text_selected",
        description: "Text in a page was selected; `text_length` counts its characters.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::DownloadStarted,
        name: "download_started",
        description: "A download began.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::PrintRequested,
        name: "print_requested",
        description: "A page was sent to the printer or its preview.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
];
