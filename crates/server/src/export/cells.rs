//! Cells of a batch as text, the same in every form: times as RFC 3339 in UTC, fingerprints in hexadecimal, boxes as
//! `x,y,width,height`, maps as JSON.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, SecondsFormat};

use super::ExportError;

/// What a column holds, as far as the forms tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Fraction,
    Time,
    Boolean,
}

/// The kind of a column of this type.
pub(super) fn kind(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Dictionary(_, values) => kind(values),
        DataType::Float32 | DataType::Float64 => Kind::Fraction,
        DataType::Timestamp(..) => Kind::Time,
        DataType::Boolean => Kind::Boolean,
        found if found.is_integer() => Kind::Integer,
        _ => Kind::Text,
    }
}

/// The position of a column the form cannot do without.
pub(super) fn position(schema: &Schema, name: &'static str) -> Result<usize, ExportError> {
    schema.index_of(name).map_err(|_| ExportError::NoColumn(name))
}

/// The text of a cell; `None` if it is null.
pub(super) fn text(array: &ArrayRef, row: usize) -> Option<Cow<'_, str>> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::Dictionary(key, _) if key.as_ref() == &DataType::Int32 => {
            let dictionary = array.as_dictionary::<Int32Type>();
            return text(dictionary.values(), dictionary.key(row)?);
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            time(array.as_primitive::<TimestampMicrosecondType>().value(row)).into()
        }
        DataType::FixedSizeBinary(_) => hexadecimal(array.as_fixed_size_binary().value(row)).into(),
        DataType::FixedSizeList(..) => numbers(&array.as_fixed_size_list().value(row)).into(),
        DataType::Map(..) => json_map(&array.as_map().value(row).columns()[..2]).into(),
        _ => ArrayFormatter::try_new(array, &FormatOptions::default()).ok()?.value(row).to_string().into(),
    })
}

/// The 64-bit integer in a cell of a key or time column; `None` if it is null or of another type.
pub(super) fn integer(array: &ArrayRef, row: usize) -> Option<i64> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(row)),
        DataType::Int32 => Some(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Some(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        _ => None,
    }
}

/// Microseconds since 1970 as RFC 3339; a time outside the calendar as its number.
pub(super) fn time(time_us: i64) -> String {
    match DateTime::from_timestamp_micros(time_us) {
        Some(time) => time.to_rfc3339_opts(SecondsFormat::Micros, true),
        None => time_us.to_string(),
    }
}

/// All cells of a row that are not null, with the positions of their columns.
pub(super) fn row<'a>(
    batch: &'a RecordBatch,
    row: usize,
    columns: &'a [usize],
) -> impl Iterator<Item = (usize, Cow<'a, str>)> + 'a {
    columns.iter().filter_map(move |&at| Some((at, text(batch.column(at), row)?)))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn numbers(values: &ArrayRef) -> String {
    (0..values.len()).filter_map(|at| text(values, at)).collect::<Vec<_>>().join(",")
}

fn json_map(keys_and_values: &[ArrayRef]) -> String {
    let [keys, values] = keys_and_values else { return String::new() };
    let entry = |at| Some((text(keys, at)?.into_owned(), text(values, at).map(Cow::into_owned).into()));
    let map: serde_json::Map<String, serde_json::Value> = (0..keys.len()).filter_map(entry).collect();
    serde_json::Value::Object(map).to_string()
}
