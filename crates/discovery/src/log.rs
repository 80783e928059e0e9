//! The UI log as discovery reads it: columns of codes, one row per event, in the order of the input.
//!
//! Each text column holds a code per row and every distinct text once; a column that no row fills takes no memory. Row
//! order is authoritative: within one user it is the order in which things were done, whatever the times say. What is
//! not here is not looked at: no case id, no file name, no truth.
//!
//! ```text
//! row   user  time      application  event type  …  label
//!   0   u1    08:00:35  Web          paste          Area
//!   1   u2    08:00:36  Excel        copy
//!   2   u1    08:00:37  Web          click          OK        u1's order: 0, 2
//! ```

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use crate::columns;
use crate::kernel::KernelError;

/// The time of a row that has none.
pub const NO_TIME: i64 = i64::MIN;

/// Rows of one log at most: row numbers are 32 bits wide.
pub const ROWS_MAX: usize = u32::MAX as usize - 1;

/// What a row says about an event, besides who and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Product or process.
    Application,
    /// What was done, in Lode's word or the source's own.
    EventType,
    /// Window, page or document.
    Screen,
    /// Part of the screen: worksheet, frame, class of the control.
    Area,
    /// Role or kind of the element.
    Role,
    /// Identity of the element; for a cell its address.
    Element,
    /// What the element is called.
    Label,
    /// Address of the page.
    Address,
    /// Row of a table.
    Row,
    /// Column of a table.
    Column,
    /// The value copied, pasted or entered, or its fingerprint.
    Value,
}

impl Field {
    /// All fields, in the order in which a log keeps them.
    pub const ALL: [Field; 11] = [
        Field::Application,
        Field::EventType,
        Field::Screen,
        Field::Area,
        Field::Role,
        Field::Element,
        Field::Label,
        Field::Address,
        Field::Row,
        Field::Column,
        Field::Value,
    ];
}

/// A column of texts: a code per row, each distinct text once. Code 0 is the absent text.
#[derive(Debug, Clone)]
pub struct TextColumn {
    codes: Vec<u32>,
    texts: Vec<Box<str>>,
}

impl Default for TextColumn {
    fn default() -> Self {
        TextColumn { codes: Vec::new(), texts: vec!["".into()] }
    }
}

impl TextColumn {
    /// The code of a row; 0 if it has no text.
    #[inline]
    pub fn code(&self, row: usize) -> u32 {
        self.codes.get(row).copied().unwrap_or(0)
    }

    /// The text of a row, or the empty one.
    pub fn text(&self, row: usize) -> &str {
        &self.texts[self.code(row) as usize]
    }

    /// Every distinct text by its code, the empty one first.
    pub fn texts(&self) -> &[Box<str>] {
        &self.texts
    }

    /// Whether no row has a text.
    pub fn is_absent(&self) -> bool {
        self.codes.is_empty()
    }
}

/// A UI log.
#[derive(Debug, Clone, Default)]
pub struct UiLog {
    rows: usize,
    users: TextColumn,
    times: Vec<i64>,
    fields: [TextColumn; Field::ALL.len()],
}

impl UiLog {
    /// A log of columns that another reader made.
    ///
    /// Shape: `users` and each field are text or dictionaries of text, or of type `Null`; `times` are integers or
    /// timestamps; all have one length. Fields that are not given are absent.
    /// Units: microseconds.
    ///
    /// Errors: [`KernelError::Columns`] if lengths differ or there are more than [`ROWS_MAX`] rows,
    /// [`KernelError::ColumnType`] if a column is of another type.
    pub fn from_arrow(users: &ArrayRef, times: &ArrayRef, fields: &[(Field, ArrayRef)]) -> Result<UiLog, KernelError> {
        let rows = users.len();
        if rows > ROWS_MAX || times.len() != rows || fields.iter().any(|(_, array)| array.len() != rows) {
            return Err(KernelError::Columns { operator: "discover", expected: "columns of one length" });
        }
        let mut log = UiLog { rows, users: text_column(users, "user")?, ..UiLog::default() };
        let read = columns::integers(times, "time")?;
        log.times = (0..rows).map(|row| if read.is_null(row) { NO_TIME } else { read.values[row] }).collect();
        for (field, array) in fields {
            log.fields[*field as usize] = text_column(array, "field")?;
        }
        Ok(log)
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Who acted. Rows without a user belong to one unnamed user.
    pub fn users(&self) -> &TextColumn {
        &self.users
    }

    /// When it was done, in microseconds, or [`NO_TIME`].
    #[inline]
    pub fn time(&self, row: usize) -> i64 {
        self.times.get(row).copied().unwrap_or(NO_TIME)
    }

    /// A field of all rows.
    #[inline]
    pub fn field(&self, field: Field) -> &TextColumn {
        &self.fields[field as usize]
    }

    /// The text of a field in a row, or the empty one.
    pub fn text(&self, row: usize, field: Field) -> &str {
        self.field(field).text(row)
    }

    /// The rows of each user in their order; users in the order in which they appear.
    pub fn streams(&self) -> Vec<Vec<u32>> {
        let mut streams: Vec<Vec<u32>> = vec![Vec::new(); self.users.texts.len()];
        let mut order = Vec::new();
        for row in 0..self.rows {
            let user = self.users.code(row);
            if streams[user as usize].is_empty() {
                order.push(user);
            }
            streams[user as usize].push(row as u32);
        }
        order.into_iter().map(|user| std::mem::take(&mut streams[user as usize])).collect()
    }
}

/// One row on its way into a [`UiLogBuilder`].
#[derive(Debug, Clone, Copy, Default)]
pub struct LogRow<'a> {
    /// Who acted.
    pub user: &'a str,
    /// When, in microseconds; absent if not known.
    pub time_us: Option<i64>,
    /// What is known of the event; fields that are not named are absent.
    pub fields: &'a [(Field, &'a str)],
}

/// Makes a log row by row.
///
/// ```
/// # use discovery::{Field, LogRow, UiLogBuilder};
/// let mut builder = UiLogBuilder::default();
/// builder.push(LogRow { user: "u1", time_us: Some(0), fields: &[(Field::Application, "excel")] });
/// let log = builder.finish();
/// assert_eq!(log.text(0, Field::Application), "excel");
/// ```
#[derive(Debug, Default)]
pub struct UiLogBuilder {
    log: UiLog,
    users: HashMap<Box<str>, u32>,
    fields: [HashMap<Box<str>, u32>; Field::ALL.len()],
}

impl UiLogBuilder {
    /// Adds a row at the end.
    pub fn push(&mut self, row: LogRow) {
        let at = self.log.rows;
        set(&mut self.log.users, &mut self.users, at, row.user);
        self.log.times.push(row.time_us.unwrap_or(NO_TIME));
        for (field, text) in row.fields {
            let field = *field as usize;
            set(&mut self.log.fields[field], &mut self.fields[field], at, text);
        }
        self.log.rows += 1;
    }

    /// The log of all rows added.
    pub fn finish(self) -> UiLog {
        self.log
    }
}

/// Writes the text of a row; rows that were passed over are absent.
fn set(column: &mut TextColumn, known: &mut HashMap<Box<str>, u32>, row: usize, text: &str) {
    if text.is_empty() {
        return;
    }
    let code = known.get(text).copied().unwrap_or_else(|| {
        let code = column.texts.len() as u32;
        column.texts.push(text.into());
        known.insert(text.into(), code);
        code
    });
    column.codes.resize(row, 0);
    column.codes.push(code);
}

/// Reads a text column; its dictionary is kept if it has one.
fn text_column(array: &ArrayRef, column: &'static str) -> Result<TextColumn, KernelError> {
    let wrong = || KernelError::ColumnType { column, expected: "text", found: array.data_type().clone() };
    match array.data_type() {
        DataType::Null => Ok(TextColumn::default()),
        DataType::Dictionary(_, values) if matches!(**values, DataType::Utf8 | DataType::LargeUtf8) => {
            let dictionary = array.as_any_dictionary();
            let values = cast(dictionary.values(), &DataType::Utf8).map_err(|_| wrong())?;
            let keys = cast(dictionary.keys(), &DataType::UInt32).map_err(|_| wrong())?;
            Ok(from_dictionary(keys.as_primitive(), values.as_string::<i32>().iter()))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let values = cast(array, &DataType::Utf8).map_err(|_| wrong())?;
            let (mut result, mut known) = (TextColumn::default(), HashMap::new());
            for (row, text) in values.as_string::<i32>().iter().enumerate() {
                set(&mut result, &mut known, row, text.unwrap_or(""));
            }
            Ok(result)
        }
        _ => Err(wrong()),
    }
}

fn from_dictionary<'a>(keys: &UInt32Array, values: impl Iterator<Item = Option<&'a str>>) -> TextColumn {
    let (mut result, mut known) = (TextColumn::default(), HashMap::new());
    let codes: Vec<u32> = values
        .map(|text| match text {
            None | Some("") => 0,
            Some(text) => *known.entry(text).or_insert_with(|| {
                result.texts.push(text.into());
                result.texts.len() as u32 - 1
            }),
        })
        .collect();
    result.codes = keys.iter().map(|key| key.map_or(0, |key| codes[key as usize])).collect();
    result
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, Int64Array, NullArray, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn rows_and_columns_give_the_same_log() {
        let texts = [Some("excel"), None, Some("web"), Some("excel")];
        let users: ArrayRef = Arc::new(StringArray::from(vec!["u1", "u2", "u1", "u1"]));
        let times: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4)]));
        let applications: ArrayRef = Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>());
        let absent: ArrayRef = Arc::new(NullArray::new(4));
        let fields = [(Field::Application, applications), (Field::Label, absent)];
        let columns = UiLog::from_arrow(&users, &times, &fields).unwrap();
        let mut builder = UiLogBuilder::default();
        for (row, text) in texts.into_iter().enumerate() {
            let fields = [(Field::Application, text.unwrap_or(""))];
            let time_us = [Some(1), None, Some(3), Some(4)][row];
            builder.push(LogRow { user: ["u1", "u2", "u1", "u1"][row], time_us, fields: &fields });
        }
        let rows = builder.finish();
        for row in 0..4 {
            assert_eq!(columns.text(row, Field::Application), rows.text(row, Field::Application));
            assert_eq!((columns.time(row), columns.users().text(row)), (rows.time(row), rows.users().text(row)));
        }
        assert_eq!(columns.time(1), NO_TIME);
        assert_eq!(columns.streams(), [vec![0, 2, 3], vec![1]]);
        assert!(rows.field(Field::Label).is_absent());
    }

    #[test]
    fn columns_of_different_lengths_are_refused() {
        let users: ArrayRef = Arc::new(StringArray::from(vec!["u1", "u2"]));
        let times: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        assert!(UiLog::from_arrow(&users, &times, &[]).is_err());
    }
}
