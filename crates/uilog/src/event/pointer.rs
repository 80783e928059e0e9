//! Mouse, pen and touch on the desktop. A click that the browser extension reports too is one event, of the family `browser`.

use super::{Declaration, EventType};

pub(super) const TYPES: &[Declaration] = &[
    Declaration {
        event_type: EventType::LeftClick,
        name: "left_click",
        description: "The primary button was pressed and released on an element.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::DoubleClick,
        name: "double_click",
        description: "The primary button was clicked twice on an element, within the system's double-click time.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::RightClick,
        name: "right_click",
        description: "The secondary button was clicked on an element.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::MiddleClick,
        name: "middle_click",
        description: "The middle button was clicked on an element.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::Scroll,
        name: "scroll",
        description: "Content was scrolled; turns of the wheel in one direction are one event, `wheel_units` their sum.",
        attributes: &[("direction", "`up`, `down`, `left` or `right`")],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::DragDrop,
        name: "drag_drop",
        description: "Something was dragged from one element and dropped on another; the element columns describe where it was dropped.",
        attributes: &[
            ("from_element_role", "role of the element where the drag began"),
            ("from_element_name", "name of that element"),
            ("from_element_id", "id of that element"),
        ],
        since: 1,
        deprecated: None,
    },
];
