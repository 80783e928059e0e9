//! The text of one column of one event, in both directions: what conditions compare, what tests say, what previews show.

use std::borrow::Cow;

use crate::column::{ColumnId, ColumnType};
use crate::event::{Actor, Event, Value};

/// The value of a column as text; nothing if the event has none. Boxes and maps are as in JSON, fingerprints hexadecimal.
pub(super) fn text(event: &Event, column: ColumnId) -> Option<Cow<'_, str>> {
    Some(match event.value(column as usize) {
        Value::Null => return None,
        Value::Text(text) => Cow::Borrowed(text),
        Value::Enum(name) => Cow::Borrowed(name),
        Value::Uuid(id) => Cow::Owned(id.to_string()),
        Value::U64(number) => Cow::Owned(number.to_string()),
        Value::U32(number) => Cow::Owned(number.to_string()),
        Value::U16(number) => Cow::Owned(number.to_string()),
        Value::U8(number) => Cow::Owned(number.to_string()),
        Value::I16(number) => Cow::Owned(number.to_string()),
        Value::I32(number) => Cow::Owned(number.to_string()),
        Value::TimestampUs(time) => Cow::Owned(time.to_string()),
        Value::Box4(pixels) => Cow::Owned(format!("{pixels:?}")),
        Value::Fingerprint(bytes) => Cow::Owned(format!("{:032x}", u128::from_be_bytes(bytes))),
        Value::TextMap(map) => Cow::Owned(serde_json::to_string(map).unwrap_or_default()),
    })
}

/// Whether the text can be a value of the column, as tests of a configuration write it.
pub(super) fn fits(column: ColumnId, text: &str) -> bool {
    set(&mut Event::default(), column, text)
}

/// Puts a value into a column that a test can name; `false` if the text is no value of it.
pub(super) fn set(event: &mut Event, column: ColumnId, text: &str) -> bool {
    if let Some(field) = event.text_mut(column) {
        *field = Some(text.to_owned());
        return true;
    }
    match column {
        ColumnId::Snippet => number(&mut event.snippet, text),
        ColumnId::TextLength => number(&mut event.text_length, text),
        ColumnId::MouseX => number(&mut event.mouse_x, text),
        ColumnId::MouseY => number(&mut event.mouse_y, text),
        ColumnId::WheelUnits => number(&mut event.wheel_units, text),
        ColumnId::Monitor => number(&mut event.monitor, text),
        ColumnId::Dpi => number(&mut event.dpi, text),
        ColumnId::Actor => {
            event.actor = Actor::ALL.into_iter().find(|actor| actor.name() == text);
            event.actor.is_some()
        }
        _ => false,
    }
}

fn number<T: std::str::FromStr>(field: &mut Option<T>, text: &str) -> bool {
    *field = text.parse().ok();
    field.is_some()
}

/// Whether the value of the column is there as a hash.
pub(super) fn is_hashed(event: &Event, column: ColumnId) -> bool {
    column.column().column_type == ColumnType::Text
        && !event.hashed.is_empty()
        && event.hashed.contains_key(column.column().name)
}
