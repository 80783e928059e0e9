//! Splits delimited text into rows and fields, after RFC 4180 and more patiently than it.
//!
//! The `csv` crate reads a quote that is never closed as one field up to the end of the file; with logs from the field
//! that would silently cost every row after it. Here a row has at most [`ROW_BYTES_MAX`] bytes and exactly as many
//! fields as the header; one that does not fit gives up its first line only, and reading goes on at the next.
//!
//! This module does not know what a field means.

use std::io::{self, Read};
use std::ops::Range;

use super::rejects::Reject;

/// The most bytes of one row, 4 MiB, line breaks inside quotes included. A longer one is rejected.
pub(super) const ROW_BYTES_MAX: usize = 4 << 20;

/// The most fields of one row. A longer one is rejected.
const FIELDS_MAX: usize = 4_096;

/// How many bytes are asked for at once.
const CHUNK_BYTES: usize = 256 << 10;

/// The fields of one row, unquoted.
#[derive(Default)]
pub(super) struct Record {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Record {
    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All fields as one text, to be cut with [`range`](Self::range); an error names the first field that is not UTF-8.
    pub(super) fn text(&self) -> Result<&str, usize> {
        std::str::from_utf8(&self.text)
            .map_err(|error| self.ends.partition_point(|end| *end <= error.valid_up_to()).min(self.ends.len()))
    }

    /// Where in the text a field stands.
    #[inline]
    pub(super) fn range(&self, field: usize) -> Range<usize> {
        let start = if field == 0 { 0 } else { self.ends[field - 1] };
        start..self.ends[field]
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
}

/// What was found where a row was expected.
pub(super) enum Found {
    /// A row; its first line has this number.
    Row(u64),
    /// A row that cannot be split.
    Broken(Reject),
    /// The end.
    End,
}

/// Splits an input into rows.
pub(super) struct Splitter<R> {
    input: R,
    delimiter: u8,
    /// How many fields each row must have; any number while it is `None`.
    fields: Option<usize>,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that were read and not yet used.
    held: Range<usize>,
    at_end: bool,
    line: u64,
}

/// How an attempt to split one row ended.
enum Attempt {
    /// It takes this many bytes and lines.
    Row { bytes: usize, lines: u64 },
    /// Its end is not in the bytes.
    Open { in_quotes: bool },
    /// It has more fields than it may.
    TooManyFields,
}

impl<R: Read> Splitter<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        Splitter { input, delimiter, fields: None, buffer: Vec::new(), held: 0..0, at_end: false, line: 1 }
    }

    /// From now on, rows with another number of fields are broken.
    pub(super) fn expect_fields(&mut self, fields: usize) {
        self.fields = Some(fields);
    }

    /// The line at which the next row begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The bytes of the row that was read last, if nothing was read since; for a reject.
    pub(super) fn last_row(&self, bytes: usize) -> &[u8] {
        &self.buffer[self.held.start.saturating_sub(bytes)..self.held.start]
    }

    /// Reads the next row that is not empty into `record`, and how many bytes it took into `bytes`.
    ///
    /// Errors: what the input says.
    pub(super) fn next(&mut self, record: &mut Record, bytes: &mut usize) -> io::Result<Found> {
        self.skip_empty_lines()?;
        loop {
            let held = &self.buffer[self.held.clone()];
            if held.is_empty() && self.at_end {
                return Ok(Found::End);
            }
            let fields_max = self.fields.unwrap_or(FIELDS_MAX);
            match split(held, self.delimiter, self.at_end, fields_max, record) {
                Attempt::Row { bytes: used, lines } => {
                    if self.fields.is_some_and(|fields| record.len() != fields) {
                        let reason = self.wrong_number(record.len());
                        return self.give_up(reason).map(Found::Broken);
                    }
                    let first_line = self.line;
                    self.held.start += used;
                    self.line += lines;
                    *bytes = used;
                    return Ok(Found::Row(first_line));
                }
                Attempt::TooManyFields => {
                    let reason = format!("has more fields than {fields_max}");
                    return self.give_up(reason).map(Found::Broken);
                }
                Attempt::Open { .. } if held.len() > ROW_BYTES_MAX => {
                    let reason = format!("is longer than {ROW_BYTES_MAX} bytes");
                    return self.give_up(reason).map(Found::Broken);
                }
                Attempt::Open { in_quotes: true } if self.at_end => {
                    return self.give_up("a quote is not closed".to_owned()).map(Found::Broken);
                }
                Attempt::Open { .. } => self.fill()?,
            }
        }
    }

    fn wrong_number(&self, found: usize) -> String {
        format!("has {found} fields, the header {}", self.fields.unwrap_or_default())
    }

    /// Rejects the line at which the reader stands and goes on with the next one.
    fn give_up(&mut self, reason: String) -> io::Result<Reject> {
        let line = self.line;
        let held = &self.buffer[self.held.clone()];
        let length = held.iter().position(|byte| *byte == b'\n').unwrap_or(held.len());
        let reject = Reject::new(line, reason, &held[..length]);
        self.skip_line()?;
        Ok(reject)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let held = &self.buffer[self.held.clone()];
            if let Some(length) = held.iter().position(|byte| *byte == b'\n') {
                self.held.start += length + 1;
                self.line += 1;
                return Ok(());
            }
            self.held.start = self.held.end;
            if self.at_end {
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn skip_empty_lines(&mut self) -> io::Result<()> {
        loop {
            match self.buffer[self.held.clone()] {
                [b'\n', ..] => {
                    self.held.start += 1;
                    self.line += 1;
                }
                [b'\r', b'\n', ..] => {
                    self.held.start += 2;
                    self.line += 1;
                }
                [] | [b'\r'] if !self.at_end => self.fill()?,
                _ => return Ok(()),
            }
        }
    }

    /// Reads one further chunk behind the bytes that are held.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.held.clone(), 0);
        self.held = 0..self.held.len();
        // Doubling keeps the attempts at one long row few.
        let wanted = CHUNK_BYTES.max(2 * self.held.len());
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let read = loop {
            match self.input.read(&mut self.buffer[self.held.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.held.end += read;
        self.at_end = read == 0;
        Ok(())
    }
}

/// Splits the row at the beginning of `bytes`.
///
/// A field that begins with a quote goes on to its closing quote, a doubled one standing for itself; what follows the
/// closing quote up to the delimiter is taken literally. In other fields a quote is a character like any other.
fn split(bytes: &[u8], delimiter: u8, at_end: bool, fields_max: usize, record: &mut Record) -> Attempt {
    record.clear();
    let mut place = 0;
    let mut lines = 0;
    loop {
        if record.ends.len() == fields_max {
            return Attempt::TooManyFields;
        }
        if bytes.get(place) == Some(&b'"') {
            place += 1;
            loop {
                let Some(length) = bytes[place..].iter().position(|byte| *byte == b'"') else {
                    return Attempt::Open { in_quotes: true };
                };
                let quoted = &bytes[place..place + length];
                if length > 0 {
                    lines += count_lines(quoted);
                    record.text.extend_from_slice(quoted);
                }
                place += length + 1;
                match bytes.get(place) {
                    Some(b'"') => {
                        record.text.push(b'"');
                        place += 1;
                    }
                    None if !at_end => return Attempt::Open { in_quotes: true },
                    _ => break,
                }
            }
        }
        // Most fields are empty or end with their quote.
        if bytes.get(place) == Some(&delimiter) {
            record.ends.push(record.text.len());
            place += 1;
            continue;
        }
        let length = bytes[place..].iter().position(|byte| *byte == delimiter || *byte == b'\n');
        match length {
            Some(length) if bytes[place + length] == delimiter => {
                record.text.extend_from_slice(&bytes[place..place + length]);
                record.ends.push(record.text.len());
                place += length + 1;
            }
            None if !at_end => return Attempt::Open { in_quotes: false },
            end => {
                let rest = &bytes[place..place + end.unwrap_or(bytes.len() - place)];
                record.text.extend_from_slice(rest.strip_suffix(b"\r").unwrap_or(rest));
                record.ends.push(record.text.len());
                let line_break = usize::from(end.is_some());
                return Attempt::Row { bytes: place + rest.len() + line_break, lines: lines + line_break as u64 };
            }
        }
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as `line:field|field`, broken ones as `line!reason`.
    fn check(text: &str, fields: Option<usize>, expected: &[&str]) {
        // Every way to cut the input into two reads must give the same rows.
        for cut in 0..=text.len() {
            let input = text.as_bytes()[..cut].chain(&text.as_bytes()[cut..]);
            let mut splitter = Splitter::new(input, b',');
            splitter.fields = fields;
            let mut record = Record::default();
            let mut told = Vec::new();
            loop {
                match splitter.next(&mut record, &mut 0).unwrap() {
                    Found::Row(line) => {
                        let text = record.text().unwrap();
                        let fields: Vec<_> = (0..record.len()).map(|field| &text[record.range(field)]).collect();
                        told.push(format!("{line}:{}", fields.join("|")));
                    }
                    Found::Broken(reject) => told.push(format!("{}!{}", reject.line, reject.reason)),
                    Found::End => break,
                }
            }
            assert_eq!(told, expected, "cut at {cut}");
        }
    }

    #[test]
    fn rows_end_at_line_breaks_and_at_the_end() {
        check("a,b\nc,d", None, &["1:a|b", "2:c|d"]);
        check("a,b\r\nc,d\r\n", None, &["1:a|b", "2:c|d"]);
        check("\n\na\n\r\n,\n", None, &["3:a", "5:|"]);
        check("", None, &[]);
    }

    #[test]
    fn quotes_hold_delimiters_line_breaks_and_quotes() {
        check("\"a,\n\"\"b\"\"\",c\nd,\"\"", None, &["1:a,\n\"b\"|c", "3:d|"]);
        check("a\"b\",\"c\"d\n", None, &["1:a\"b\"|cd"]);
    }

    #[test]
    fn an_open_quote_costs_one_line() {
        check("1,\"a\n2,b\n3,c\n", Some(2), &["1!a quote is not closed", "2:2|b", "3:3|c"]);
    }

    #[test]
    fn an_open_quote_that_finds_another_one_costs_one_line() {
        check(
            "1,\"a,x\n2,b\n3,\"c\",d\n4,\"e\"\n",
            Some(2),
            &["1!has more fields than 2", "2:2|b", "3!has more fields than 2", "4:4|e"],
        );
    }

    #[test]
    fn a_row_with_too_few_fields_is_named() {
        check("1,a\n2\n3,c", Some(2), &["1:1|a", "2!has 1 fields, the header 2", "3:3|c"]);
    }

    #[test]
    fn a_row_that_is_too_long_costs_one_line() {
        let text = format!("1,\"{}\n2,b\n", "x".repeat(ROW_BYTES_MAX + 1));
        let mut splitter = Splitter::new(text.as_bytes(), b',');
        let mut record = Record::default();
        let Found::Broken(reject) = splitter.next(&mut record, &mut 0).unwrap() else { panic!("the row was read") };
        assert_eq!(reject.reason, "is longer than 4194304 bytes");
        assert!(matches!(splitter.next(&mut record, &mut 0).unwrap(), Found::Row(2)));
    }
}
