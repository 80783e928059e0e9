//! Rows that could not be read: where, why, and the beginning of what stood there.
//!
//! Rejects go to the person who imports, into a file beside the report; writing it is the caller's part. A row may hold
//! personal data, so no reject is ever logged.

/// The most characters of a row that a reject keeps.
const ROW_CHARACTERS_MAX: usize = 500;

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Its first line in the unpacked file, from 1; for XES and ActivityWatch the number of the event in the file.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
    /// The beginning of it.
    pub row: String,
}

impl Reject {
    /// A reject that keeps the beginning of `row`, whatever bytes it consists of.
    pub(super) fn new(line: u64, reason: impl Into<String>, row: &[u8]) -> Self {
        // A character has at most four bytes, so the rest can be left alone.
        let beginning = &row[..row.len().min(4 * ROW_CHARACTERS_MAX)];
        let row = String::from_utf8_lossy(beginning).trim_end().chars().take(ROW_CHARACTERS_MAX).collect();
        Reject { line, reason: reason.into(), row }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_row_is_cut() {
        assert_eq!(Reject::new(1, "", "ß".repeat(9_999).as_bytes()).row.chars().count(), 500);
    }
}
