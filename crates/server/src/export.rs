//! Writes an event log in the forms that other programs read: CSV, XES, OCEL 2.0.
//!
//! Each writer takes batches in the order it names and holds one row, one case or one set of objects at a time,
//! never the log. Which rows and columns there are is decided by the query in front; Parquet needs no writer, the
//! files of a table are it. Privacy is not decided here either: what may not leave must not be in the batches.

mod cells;
mod csv;
mod error;
mod ocel;
mod xes;

pub use csv::write_csv;
pub use error::ExportError;
pub use ocel::{EVENT_ATTRIBUTES, ObjectType, OcelEvent, OcelObject, OcelSink, Relation, write_ocel, write_ocel_json};
pub use xes::write_xes;

/// What an export wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Events written.
    pub events: u64,
    /// Cases written; 0 for forms without cases.
    pub cases: u64,
    /// Events left out because they belong to no case or have no activity.
    pub left_out: u64,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::*;
    use arrow::datatypes::Int32Type;

    /// 2026-01-05, 09:00 UTC.
    const MORNING_US: i64 = 1_767_603_600_000_000;

    /// A log in two batches: case and window title of each event; all are copies in excel by user 1, a second apart.
    pub(super) fn log(rows: &[(Option<i64>, Option<&str>)]) -> impl RecordBatchReader + use<> {
        let count = rows.len();
        let repeated = |text: &str| -> ArrayRef {
            Arc::new(std::iter::repeat_n(Some(text), count).collect::<DictionaryArray<Int32Type>>())
        };
        let times = (0..count as i64).map(|at| MORNING_US + at * 1_000_000);
        let batch = RecordBatch::try_from_iter([
            ("event_order", Arc::new(Int64Array::from_iter_values(0..count as i64)) as ArrayRef),
            ("time", Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
            ("case_key", Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0)))),
            ("activity", repeated("copy")),
            ("user_key", Arc::new(Int32Array::from(vec![1; count]))),
            ("application", repeated("excel")),
            ("window_title", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.1)))),
            ("mouse_x", Arc::new(Int32Array::from(vec![-5; count]))),
        ])
        .unwrap();
        let half = count / 2;
        let batches = [batch.slice(0, half), batch.slice(half, count - half)];
        RecordBatchIterator::new(batches.map(Ok), batch.schema())
    }
}
