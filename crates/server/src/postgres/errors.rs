//! Errors of the service in PostgreSQL's words: clients act on the code, people read the sentence.

use crate::api::errors::ApiError;
use pgwire::error::{ErrorInfo, PgWireError};
use store::Position;

/// A statement that changes something.
pub(super) const READ_ONLY: &str = "25006";
/// Something that was never built.
pub(super) const NOT_SUPPORTED: &str = "0A000";
/// More than one statement where one belongs.
pub(super) const SYNTAX: &str = "42601";
/// A value that is none of its type.
pub(super) const BAD_VALUE: &str = "22P02";
/// A setting that is not there.
pub(super) const UNKNOWN_SETTING: &str = "42704";
/// A setting that cannot have this value.
pub(super) const BAD_SETTING: &str = "22023";
/// Too much of something.
pub(super) const TOO_MUCH: &str = "54000";
/// Too many connections.
pub(super) const TOO_MANY_CONNECTIONS: &str = "53300";
/// Not like this: without encryption.
pub(super) const REFUSED_LOGIN: &str = "28000";
/// Somebody stopped it.
pub(super) const CANCELLED: &str = "57014";
/// The messages do not fit together.
pub(super) const PROTOCOL: &str = "08P01";

/// An error that ends a statement.
pub(super) fn error(code: &str, message: impl Into<String>, hint: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(info("ERROR", code, message, hint)))
}

/// An error that ends the connection.
pub(super) fn fatal(code: &str, message: impl Into<String>, hint: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(info("FATAL", code, message, hint)))
}

fn info(severity: &str, code: &str, message: impl Into<String>, hint: impl Into<String>) -> ErrorInfo {
    let mut info = ErrorInfo::new(severity.into(), code.into(), message.into());
    info.severity_nonlocalized = Some(severity.into());
    info.hint = Some(hint.into()).filter(|hint| !hint.is_empty());
    info
}

/// What the service refused at the login.
pub(super) fn at_login(refused: &ApiError) -> PgWireError {
    fatal(code(refused), refused.message(), refused.hint())
}

/// What the service refused in a statement; `text` is what was asked, `offset_chars` where it began in what the client sent.
pub(super) fn in_statement(refused: &ApiError, text: &str, offset_chars: usize) -> PgWireError {
    let hint = if refused.code() == "sql" { "" } else { refused.hint() };
    let mut info = info("ERROR", code(refused), refused.message(), hint);
    info.position = refused.position().map(|place| (offset_chars + place_in(text, place)).to_string());
    PgWireError::UserError(Box::new(info))
}

fn code(refused: &ApiError) -> &'static str {
    match refused.code() {
        "unauthenticated" => "28P01",
        "forbidden" => "42501",
        "not_found" => "3D000",
        "too_many" => TOO_MANY_CONNECTIONS,
        "cancelled" => CANCELLED,
        "sql" => code_of_sql(&refused.message()),
        "bad_request" => BAD_SETTING,
        _ => "XX000",
    }
}

/// The engine tells errors apart by words only.
fn code_of_sql(message: &str) -> &'static str {
    const KNOWN: &[(&str, &str)] = &[
        ("needs more memory", "53200"),
        ("the catalogue has no rows", NOT_SUPPORTED),
        ("longer than", TOO_MUCH),
        ("No field named", "42703"),
        ("Invalid function", "42883"),
        ("ParserError", SYNTAX),
        ("Expected:", SYNTAX),
        ("DDL not supported", READ_ONLY),
        ("DML not supported", READ_ONLY),
        ("Statement not supported", READ_ONLY),
        ("Divide by zero", "22012"),
        ("Cast error", BAD_VALUE),
        ("not found", "42P01"),
    ];
    KNOWN.iter().find(|(words, _)| message.contains(words)).map_or("42000", |(_, code)| code)
}

/// A place in a text as PostgreSQL counts it: characters from 1.
fn place_in(text: &str, place: Position) -> usize {
    let line = usize::try_from(place.line).unwrap_or(1).max(1);
    let before: usize = text.split_inclusive('\n').take(line - 1).map(|line| line.chars().count()).sum();
    before + usize::try_from(place.column).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters_over_all_lines() {
        let place = |line, column| place_in("SELECT 'é'\nFROM nowhere", Position { line, column });
        assert_eq!((place(1, 1), place(1, 8), place(2, 6)), (1, 8, 17));
    }

    #[test]
    fn clients_get_codes_that_they_know() {
        let code = |message: &str| code_of_sql(message);
        assert_eq!(code("table 'datafusion.public.t' not found"), "42P01");
        assert_eq!(code("No field named x. Valid fields are a, b."), "42703");
        assert_eq!(code("Invalid function 'nothing'."), "42883");
        assert_eq!(code("Expected: an expression, found: FROM at Line: 1, Column: 8"), SYNTAX);
        assert_eq!(code("something new"), "42000");
    }
}
