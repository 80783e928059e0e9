//! Recognises the format of a log from its beginning.

use std::fmt;

use super::ImportError;
use super::delimited::{Found, Record, Splitter};

/// How many unpacked bytes are looked at. Enough for the header and hundreds of rows.
pub(super) const PREFIX_BYTES: usize = 256 << 10;

/// What a Parquet file begins with.
pub(super) const PARQUET_MAGIC: &[u8] = b"PAR1";

/// The most characters of the first line that an error shows.
const BEGINNING_CHARACTERS_MAX: usize = 80;

/// The formats that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// CSV of Leno's Action Logger.
    Leno,
    /// CSV of SmartRPA.
    SmartRpa,
    /// JSON export of ActivityWatch.
    ActivityWatch,
    /// XES, IEEE 1849.
    Xes,
    /// CSV in the plain form.
    Plain,
    /// CSV whose columns are named with `--map`.
    Mapped,
    /// Parquet that Lode exported.
    Parquet,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 7] = [
        Format::Leno,
        Format::SmartRpa,
        Format::ActivityWatch,
        Format::Xes,
        Format::Plain,
        Format::Mapped,
        Format::Parquet,
    ];

    /// The name, as options and reports write it.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Leno => "leno",
            Format::SmartRpa => "smartrpa",
            Format::ActivityWatch => "activitywatch",
            Format::Xes => "xes",
            Format::Plain => "plain",
            Format::Mapped => "mapped",
            Format::Parquet => "parquet",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The format of a log that begins with these unpacked bytes.
///
/// Errors: [`ImportError::Empty`], or [`ImportError::Unknown`] with the beginning.
pub(super) fn recognise(prefix: &[u8]) -> Result<Format, ImportError> {
    let text = prefix.trim_ascii_start();
    match text {
        [] => Err(ImportError::Empty),
        _ if text.starts_with(PARQUET_MAGIC) => Ok(Format::Parquet),
        [b'<', ..] if contains(text, b"<log") || contains(text, b":log") => Ok(Format::Xes),
        [b'{', ..] if contains(text, b"\"buckets\"") => Ok(Format::ActivityWatch),
        _ => of_header(&header_names(text)).ok_or_else(|| unknown(text)),
    }
}

/// The delimiter of a CSV: what occurs most often in its first line.
pub(super) fn delimiter(prefix: &[u8]) -> u8 {
    let line = prefix.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
    let mut best = b',';
    for other in [b';', b'\t', b'|'] {
        if count(other) > count(best) {
            best = other;
        }
    }
    best
}

fn header_names(text: &[u8]) -> Vec<String> {
    let mut record = Record::default();
    match Splitter::new(text, delimiter(text)).next(&mut record, &mut 0) {
        Ok(Found::Row(_)) => {
            let fields = record.text().unwrap_or_default();
            (0..record.len())
                .filter_map(|field| fields.get(record.range(field)))
                .map(|name| name.trim().to_lowercase())
                .collect()
        }
        _ => Vec::new(),
    }
}

fn of_header(names: &[String]) -> Option<Format> {
    let has = |name: &str| names.iter().any(|present| present == name);
    if has("eventtype") && (has("timestamp") || has("targetapp")) {
        Some(Format::Leno)
    } else if (has("event_type") || has("concept:name")) && (has("clipboard_content") || has("browser_url")) {
        Some(Format::SmartRpa)
    } else if has("event") && has("app") && (has("ts") || has("row")) {
        Some(Format::Plain)
    } else {
        None
    }
}

fn unknown(text: &[u8]) -> ImportError {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let beginning = String::from_utf8_lossy(&line[..line.len().min(4 * BEGINNING_CHARACTERS_MAX)]);
    let beginning = beginning
        .chars()
        .take(BEGINNING_CHARACTERS_MAX)
        .map(|character| if character.is_control() { '·' } else { character })
        .collect();
    ImportError::Unknown { beginning }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(beginning: &str, expected: &str) {
        let told = match recognise(beginning.as_bytes()) {
            Ok(format) => format.to_string(),
            Err(error) => error.to_string(),
        };
        assert!(told.starts_with(expected), "{beginning}: {told}");
    }

    #[test]
    fn formats_are_known_by_their_beginning() {
        check("timeStamp;userID;targetApp;eventType\n", "leno");
        check("\"caseID\",\"eventType\",\"timeStamp\",\"source\"\n", "leno");
        check("timestamp,user,category,application,event_type,clipboard_content\n", "smartrpa");
        check("row,user,ts,app,event,doc\n", "plain");
        check("<?xml version=\"1.0\"?>\n<!-- made -->\n<log xes.version=\"1.0\">", "xes");
        check("\n { \"buckets\": {", "activitywatch");
        check("PAR1\u{15}", "parquet");
    }

    #[test]
    fn what_is_unknown_is_shown() {
        check("name,age\nJane,44\n", "not a log that lode knows: it begins with 'name,age'");
        check("\0\u{1}binary", "not a log that lode knows: it begins with '··binary'");
        check(" \n", "the log is empty");
    }
}
