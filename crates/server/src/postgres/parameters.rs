//! Values that a client binds to `$1`, `$2` …, as SQL.
//!
//! A value becomes part of the text that is run, so each is read as its type first: what stands in the text is written here
//! and nothing a client wrote, but for texts, which stand between quotation marks.

use super::errors::{BAD_VALUE, NOT_SUPPORTED, PROTOCOL, error};
use super::session::Prepared;
use chrono::{DateTime, NaiveDate, TimeDelta};
use pgwire::api::Type;
use pgwire::api::portal::{Format, Portal};
use pgwire::error::{PgWireError, PgWireResult};
use std::sync::Arc;
use store::postgres::Value;

/// Days from 1970 to PostgreSQL's year zero, 2000.
const EPOCH_DAYS: i64 = 10_957;

/// The same in microseconds.
const EPOCH_US: i64 = EPOCH_DAYS * 24 * 60 * 60 * 1_000_000;

/// The values of a portal, for parameters of these types.
///
/// Errors: a value that is none of its type, or of a type that is not known here.
pub(super) fn values(portal: &Portal<Arc<Prepared>>, types: &[Type]) -> PgWireResult<Vec<Value>> {
    let given = portal.parameters.len();
    if given != types.len() {
        return Err(error(PROTOCOL, format!("{given} values for {} parameters", types.len()), ""));
    }
    if let Format::Individual(formats) = &portal.parameter_format
        && formats.len() != given
    {
        return Err(error(PROTOCOL, format!("{} formats for {given} values", formats.len()), ""));
    }
    types.iter().enumerate().map(|(place, kind)| value(portal, place, kind)).collect()
}

/// How a type is written in SQL; `None` for one that says nothing.
pub(super) fn sql_type(kind: &Type) -> Option<&'static str> {
    Some(match *kind {
        Type::BOOL => "BOOLEAN",
        Type::INT2 => "SMALLINT",
        Type::INT4 | Type::OID => "INT",
        Type::INT8 => "BIGINT",
        Type::FLOAT4 => "REAL",
        Type::FLOAT8 => "DOUBLE",
        Type::NUMERIC => "DECIMAL(38, 10)",
        Type::DATE => "DATE",
        Type::TIMESTAMP => "TIMESTAMP",
        Type::TIMESTAMPTZ => "TIMESTAMP WITH TIME ZONE",
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => "VARCHAR",
        _ => return None,
    })
}

fn value(portal: &Portal<Arc<Prepared>>, place: usize, kind: &Type) -> PgWireResult<Value> {
    let Some(bytes) = &portal.parameters[place] else { return Ok(Value::Null(sql_type(kind))) };
    let binary = portal.parameter_format.is_binary(place);
    let wrong = || error(BAD_VALUE, format!("the value of ${} is no {}", place + 1, kind.name()), "");
    let text = || std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| wrong());
    let typed = |text: String| Value::Typed { text, sql_type: sql_type(kind).unwrap_or("VARCHAR") };
    Ok(match *kind {
        Type::BOOL => literal(portal.parameter::<bool>(place, kind)?),
        Type::INT2 => literal(portal.parameter::<i16>(place, kind)?),
        Type::INT4 => literal(portal.parameter::<i32>(place, kind)?),
        Type::INT8 => literal(portal.parameter::<i64>(place, kind)?),
        Type::OID => literal(portal.parameter::<u32>(place, kind)?),
        Type::FLOAT4 => typed(portal.parameter::<f32>(place, kind)?.unwrap_or_default().to_string()),
        Type::FLOAT8 => typed(portal.parameter::<f64>(place, kind)?.unwrap_or_default().to_string()),
        Type::NUMERIC if binary => typed(numeric(bytes).ok_or_else(wrong)?),
        Type::DATE if binary => typed(date(bytes).ok_or_else(wrong)?),
        Type::TIMESTAMP | Type::TIMESTAMPTZ if binary => {
            typed(time(bytes, *kind == Type::TIMESTAMPTZ).ok_or_else(wrong)?)
        }
        Type::NUMERIC | Type::DATE | Type::TIMESTAMP | Type::TIMESTAMPTZ => typed(text()?),
        Type::UUID if binary => Value::Text(uuid::Uuid::from_slice(bytes).map_err(|_| wrong())?.to_string()),
        Type::INT2_ARRAY => list(portal.parameter::<Vec<Option<i16>>>(place, kind)?, literal),
        Type::INT4_ARRAY => list(portal.parameter::<Vec<Option<i32>>>(place, kind)?, literal),
        Type::INT8_ARRAY => list(portal.parameter::<Vec<Option<i64>>>(place, kind)?, literal),
        Type::FLOAT8_ARRAY => list(portal.parameter::<Vec<Option<f64>>>(place, kind)?, |value| Value::Typed {
            text: value.unwrap_or_default().to_string(),
            sql_type: "DOUBLE",
        }),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY => list(portal.parameter::<Vec<Option<String>>>(place, kind)?, words),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::CHAR | Type::JSON => {
            Value::Text(text()?)
        }
        _ if !binary => Value::Text(text()?),
        _ => return Err(unknown(place, kind)),
    })
}

/// A number or a truth value; in brackets, so that `5 -$1` does not become a comment.
fn literal<T: std::fmt::Display>(value: Option<T>) -> Value {
    value.map_or(Value::Null(None), |value| Value::Literal(format!("({value})")))
}

fn words(value: Option<String>) -> Value {
    value.map_or(Value::Null(None), Value::Text)
}

fn list<T>(values: Option<Vec<Option<T>>>, one: fn(Option<T>) -> Value) -> Value {
    Value::List(
        values
            .unwrap_or_default()
            .into_iter()
            .map(|value| if value.is_none() { Value::Null(None) } else { one(value) })
            .collect(),
    )
}

fn unknown(place: usize, kind: &Type) -> PgWireError {
    let message = format!("a value of type {} cannot be bound to ${} in binary form", kind.name(), place + 1);
    error(NOT_SUPPORTED, message, "bind it as text")
}

/// Days since 2000.
fn date(bytes: &[u8]) -> Option<String> {
    let days = i64::from(i32::from_be_bytes(bytes.try_into().ok()?));
    let day = NaiveDate::default().checked_add_signed(TimeDelta::try_days(EPOCH_DAYS + days)?)?;
    Some(day.to_string())
}

/// Microseconds since 2000.
fn time(bytes: &[u8], zoned: bool) -> Option<String> {
    let since_us = i64::from_be_bytes(bytes.try_into().ok()?).checked_add(EPOCH_US)?;
    let time = DateTime::from_timestamp_micros(since_us)?;
    Some(time.format(if zoned { "%Y-%m-%dT%H:%M:%S%.6f+00:00" } else { "%Y-%m-%dT%H:%M:%S%.6f" }).to_string())
}

/// A decimal number: digits to the base 10,000, the first one worth 10,000^weight.
fn numeric(bytes: &[u8]) -> Option<String> {
    const NEGATIVE: u16 = 0x4000;
    let word = |place: usize| Some(u16::from_be_bytes(bytes.get(place * 2..place * 2 + 2)?.try_into().ok()?));
    let (count, weight, sign) = (usize::from(word(0)?), word(1)?.cast_signed(), word(2)?);
    if sign & !NEGATIVE != 0
        || bytes.len() != 8 + count * 2
        || count > DIGITS_MAX
        || !(-DIGITS_I16..DIGITS_I16).contains(&weight)
    {
        return None;
    }
    let digit = |position: i16| -> Option<u16> {
        match usize::try_from(weight - position) {
            Ok(place) if place < count => word(4 + place),
            _ => Some(0),
        }
    };
    let last = weight - i16::try_from(count).ok()? + 1;
    let mut text = if sign == NEGATIVE { "-".to_owned() } else { String::new() };
    text.push_str(&digit(weight.max(0))?.to_string());
    for position in (0..weight.max(0)).rev() {
        text.push_str(&format!("{:04}", digit(position)?));
    }
    if last < 0 {
        text.push('.');
        for position in (last..0).rev() {
            text.push_str(&format!("{:04}", digit(position)?));
        }
    }
    Some(text)
}

/// Digits to the base 10,000 of a decimal number: more than 38 decimal places are in no column.
const DIGITS_MAX: usize = 20;
const DIGITS_I16: i16 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn decimals_are_read_digit_by_digit() {
        let read = |words: &[u16]| numeric(&bytes(words));
        assert_eq!(read(&[2, 0, 0, 2, 12, 3400]).as_deref(), Some("12.3400"));
        assert_eq!(read(&[3, 1, 0x4000, 2, 1, 2345, 6000]).as_deref(), Some("-12345.6000"));
        assert_eq!(read(&[1, 1, 0, 0, 5]).as_deref(), Some("50000"));
        assert_eq!(read(&[1, 0xffff, 0, 4, 7]).as_deref(), Some("0.0007"));
        assert_eq!(read(&[0, 0, 0, 0]).as_deref(), Some("0"));
        // Not a number, one word short, and a weight that would fill the memory with zeros.
        assert_eq!((read(&[0, 0, 0xc000, 0]), read(&[2, 0, 0, 0, 1]), read(&[1, 30_000, 0, 0, 1])), (None, None, None));
    }

    #[test]
    fn days_and_times_are_counted_from_2000() {
        assert_eq!(date(&(-1_i32).to_be_bytes()).as_deref(), Some("1999-12-31"));
        assert_eq!(time(&1_500_000_i64.to_be_bytes(), false).as_deref(), Some("2000-01-01T00:00:01.500000"));
        assert_eq!((date(&i32::MAX.to_be_bytes()), time(&i64::MAX.to_be_bytes(), true)), (None, None));
    }
}
