//! Statements with their values, and rows of one table that are written many at a time.
//!
//! Each statement is a way to the database's thread and back, so a group of batches goes into a few of them. Rows are cut
//! into pieces of a few sizes, because the database prepares each text once and then knows it.

use crate::StoreError;
use sqlx::AnyConnection;

/// Rows of one statement. The least is one, so that every number can be made of them.
const PIECES: [usize; 4] = [64, 16, 4, 1];

/// A value bound to a statement.
#[derive(Debug, Clone)]
pub(super) enum Bound {
    Text(String),
    MaybeText(Option<String>),
    Number(i64),
    MaybeNumber(Option<i64>),
    Bytes(Vec<u8>),
}

impl From<&str> for Bound {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Bound {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<Option<String>> for Bound {
    fn from(text: Option<String>) -> Self {
        Self::MaybeText(text)
    }
}
impl From<i64> for Bound {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}
impl From<Option<i64>> for Bound {
    fn from(number: Option<i64>) -> Self {
        Self::MaybeNumber(number)
    }
}

/// A statement with its values.
pub(super) type Statement = (String, Vec<Bound>);

/// Executes one statement; answers with how many rows it touched.
///
/// Errors: the database's, in its words.
pub(super) async fn execute(
    connection: &mut AnyConnection,
    statement: String,
    values: Vec<Bound>,
) -> Result<u64, String> {
    let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
    for value in values {
        query = match value {
            Bound::Text(text) => query.bind(text),
            Bound::MaybeText(text) => query.bind(text),
            Bound::Number(number) => query.bind(number),
            Bound::MaybeNumber(number) => query.bind(number),
            Bound::Bytes(bytes) => query.bind(bytes),
        };
    }
    Ok(query.execute(connection).await.map_err(|error| error.to_string())?.rows_affected())
}

/// Rows of one table that wait to be written.
#[derive(Debug)]
pub(super) struct Rows {
    /// `INSERT INTO table (column, …)`.
    head: &'static str,
    /// What comes after the rows.
    tail: &'static str,
    rows: Vec<Vec<Bound>>,
}

impl Rows {
    pub fn of(head: &'static str, tail: &'static str) -> Self {
        Self { head, tail, rows: Vec::new() }
    }

    /// Puts one in; it has a value for each column.
    pub fn put(&mut self, row: Vec<Bound>) {
        self.rows.push(row);
    }

    /// Writes all, in their order, and forgets them.
    ///
    /// Errors: the database's; some may have been written then.
    pub async fn write(&mut self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let (head, tail) = (self.head, self.tail);
        let mut rows = std::mem::take(&mut self.rows).into_iter();
        for piece in pieces(rows.len()) {
            let values: Vec<Vec<Bound>> = rows.by_ref().take(piece).collect();
            let columns = values.first().map_or(0, Vec::len);
            let text = format!("{head} VALUES {} {tail}", places(piece, columns));
            execute(connection, text, values.into_iter().flatten().collect()).await.map_err(StoreError::Unavailable)?;
        }
        Ok(())
    }
}

/// How many rows go into each statement, the large ones first.
fn pieces(mut rows: usize) -> Vec<usize> {
    let mut cut = Vec::new();
    for piece in PIECES {
        cut.extend(std::iter::repeat_n(piece, rows / piece));
        rows %= piece;
    }
    cut
}

/// `($1, $2), ($3, $4)`.
fn places(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_rows_is_made_of_a_few_sizes() {
        assert_eq!(pieces(3), [1, 1, 1]);
        assert_eq!(pieces(149), [64, 64, 16, 4, 1]);
        for rows in 0..300 {
            assert_eq!(pieces(rows).into_iter().sum::<usize>(), rows);
        }
        assert_eq!(places(2, 3), "($1, $2, $3), ($4, $5, $6)");
    }
}
