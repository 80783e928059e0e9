//! What the participant tells us in words.

use super::{Declaration, EventType};

pub(super) const TYPES: &[Declaration] = &[Declaration {
    event_type: EventType::UserComment,
    name: "user_comment",
    description: "The participant wrote a comment; it stands in `comment`.",
    attributes: &[],
    since: 1,
    deprecated: None,
}];
