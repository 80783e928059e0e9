//! Wide CSV: one line per event, one field per column, for spreadsheets, Disco, Celonis and scripts.
//!
//! A spreadsheet takes a cell that begins with `=` for a formula, and window titles come from strangers. Such text gets
//! a leading apostrophe. Numbers and times are no texts and stay as they are.

use std::io::Write;

use arrow::array::RecordBatchReader;

use super::cells::{self, Kind};
use super::{ExportError, Exported};

/// First characters that make a spreadsheet compute or misread a text.
const UNSAFE_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\0'];

/// Writes all columns of all rows, with a header.
///
/// Shape: rows in any order; null is an empty field, and so is empty text.
///
/// Errors: [`ExportError`] if the log cannot be read or `to` written.
pub fn write_csv(log: impl RecordBatchReader, to: impl Write) -> Result<Exported, ExportError> {
    let schema = log.schema();
    let mut writer = ::csv::Writer::from_writer(to);
    writer.write_record(schema.fields().iter().map(|field| field.name())).map_err(std::io::Error::from)?;
    let is_text: Vec<bool> = schema.fields().iter().map(|field| cells::kind(field.data_type()) == Kind::Text).collect();
    let mut exported = Exported::default();
    for batch in log {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            for (column, &is_text) in batch.columns().iter().zip(&is_text) {
                let text = cells::text(column, row).unwrap_or_default();
                let is_unsafe = is_text && text.starts_with(UNSAFE_STARTS);
                if is_unsafe { writer.write_field(format!("'{text}")) } else { writer.write_field(text.as_bytes()) }
                    .map_err(std::io::Error::from)?;
            }
            writer.write_record(None::<&[u8]>).map_err(std::io::Error::from)?;
        }
        exported.events += batch.num_rows() as u64;
    }
    writer.flush()?;
    Ok(exported)
}

#[cfg(test)]
mod tests {
    use super::super::tests::log;
    use super::*;

    fn csv(titles: &[Option<&str>]) -> String {
        let mut bytes = Vec::new();
        write_csv(log(&titles.iter().map(|title| (Some(1), *title)).collect::<Vec<_>>()), &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn every_row_is_a_line_below_the_header() {
        assert_eq!(
            csv(&[Some("Invoice, 7"), None]),
            "event_order,time,case_key,activity,user_key,application,window_title,mouse_x\n\
             0,2026-01-05T09:00:00.000000Z,1,copy,1,excel,\"Invoice, 7\",-5\n\
             1,2026-01-05T09:00:01.000000Z,1,copy,1,excel,,-5\n"
        );
    }

    #[test]
    fn s14_a_text_that_looks_like_a_formula_is_disarmed() {
        for title in ["=1+1", "+1", "-1", "@x", "\t=1", "\0=1"] {
            let line = csv(&[Some(title)]);
            assert!(line.contains(&format!("'{title}")), "{line:?}");
        }
        assert!(csv(&[Some("a=1")]).contains(",a=1,"));
    }
}
