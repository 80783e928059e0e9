//! XES (IEEE 1849-2023): one trace per case, for ProM, Disco, Apromore and PM4Py.
//!
//! Standard attributes carry what every tool reads: `concept:name`, `time:timestamp`, `org:resource`. All other columns
//! of the UI log follow under their own names, typed. Nulls are left out.

use std::borrow::Cow;
use std::io::Write;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::Schema;

use super::cells::{self, Kind};
use super::{ExportError, Exported};

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2023" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<global scope="trace"><string key="concept:name" value=""/></global>
<global scope="event"><string key="concept:name" value=""/><date key="time:timestamp" value="1970-01-01T00:00:00.000Z"/></global>
<classifier name="Activity" keys="concept:name"/>
"#;

/// The columns with a standard attribute; they are not repeated under their own names.
struct Columns {
    case_key: usize,
    activity: usize,
    time: usize,
    resource: Option<usize>,
    others: Vec<usize>,
}

/// Writes the log with one trace per case.
///
/// Shape: columns `case_key`, `activity`, `time`; `case_id` (else the key) names the trace, `user_name` (else `user_key`)
/// is the resource. Rows ordered by `case_key`, then event; rows without case or activity are left out and counted.
///
/// Errors: [`ExportError::NoColumn`], and [`ExportError::CaseOrder`] with the first case that is out of order.
/// Source: IEEE 1849-2023; attribute names after Abb & Rehse, arXiv 2207.12054, as `uilog` has them.
pub fn write_xes(log: impl RecordBatchReader, mut to: impl Write) -> Result<Exported, ExportError> {
    let schema = log.schema();
    let columns = Columns::of(&schema)?;
    let mut exported = Exported::default();
    let mut open: Option<i64> = None;
    to.write_all(HEAD.as_bytes())?;
    for batch in log {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let case = cells::integer(batch.column(columns.case_key), row);
            let Some((case, activity)) = case.zip(cells::text(batch.column(columns.activity), row)) else {
                exported.left_out += 1;
                continue;
            };
            if open != Some(case) {
                if let Some(before) = open.replace(case) {
                    if before > case {
                        return Err(ExportError::CaseOrder { case, before });
                    }
                    to.write_all(b"</trace>\n")?;
                }
                exported.cases += 1;
                begin_trace(&mut to, &batch, row, case)?;
            }
            write_event(&mut to, &columns, &batch, row, &activity)?;
            exported.events += 1;
        }
    }
    to.write_all(if open.is_some() { b"</trace>\n</log>\n" } else { b"</log>\n" })?;
    to.flush()?;
    Ok(exported)
}

impl Columns {
    fn of(schema: &Schema) -> Result<Columns, ExportError> {
        let case_key = cells::position(schema, "case_key")?;
        let activity = cells::position(schema, "activity")?;
        let time = cells::position(schema, "time")?;
        let resource = schema.index_of("user_name").or_else(|_| schema.index_of("user_key")).ok();
        let is_other = |at: &usize| ![Some(case_key), Some(activity), Some(time), resource].contains(&Some(*at));
        let others = (0..schema.fields().len()).filter(is_other).collect();
        Ok(Columns { case_key, activity, time, resource, others })
    }
}

fn begin_trace(to: &mut impl Write, batch: &RecordBatch, row: usize, case: i64) -> Result<(), ExportError> {
    let named = batch.column_by_name("case_id").and_then(|names| cells::text(names, row));
    to.write_all(b"<trace>")?;
    attribute(to, "string", "concept:name", &named.unwrap_or_else(|| case.to_string().into()))?;
    Ok(to.write_all(b"\n")?)
}

fn write_event(
    to: &mut impl Write,
    columns: &Columns,
    batch: &RecordBatch,
    row: usize,
    activity: &str,
) -> Result<(), ExportError> {
    to.write_all(b"<event>")?;
    attribute(to, "string", "concept:name", activity)?;
    if let Some(time) = cells::text(batch.column(columns.time), row) {
        attribute(to, "date", "time:timestamp", &time)?;
    }
    if let Some(resource) = columns.resource.and_then(|at| cells::text(batch.column(at), row)) {
        attribute(to, "string", "org:resource", &resource)?;
    }
    for (at, text) in cells::row(batch, row, &columns.others) {
        let field = batch.schema_ref().field(at);
        attribute(to, element(cells::kind(field.data_type())), field.name(), &text)?;
    }
    Ok(to.write_all(b"</event>\n")?)
}

/// The XES element for a kind of column.
fn element(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "string",
        Kind::Integer => "int",
        Kind::Fraction => "float",
        Kind::Time => "date",
        Kind::Boolean => "boolean",
    }
}

fn attribute(to: &mut impl Write, element: &str, key: &str, value: &str) -> Result<(), ExportError> {
    Ok(write!(to, r#"<{element} key="{}" value="{}"/>"#, escape(key), escape(value))?)
}

/// Text as the value of an XML attribute. Line breaks stay themselves; characters that XML 1.0 cannot hold become U+FFFD.
fn escape(text: &str) -> Cow<'_, str> {
    let is_plain =
        |character: char| !matches!(character, '<' | '>' | '&' | '"' | '\0'..='\x1F' | '\u{FFFE}' | '\u{FFFF}');
    if text.chars().all(is_plain) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            plain if is_plain(plain) => escaped.push(plain),
            _ => escaped.push('\u{FFFD}'),
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use quick_xml::events::Event;

    use super::super::tests::log;
    use super::*;

    fn xes(rows: &[(Option<i64>, Option<&str>)]) -> (Exported, String) {
        let mut bytes = Vec::new();
        let exported = write_xes(log(rows), &mut bytes).unwrap();
        (exported, String::from_utf8(bytes).unwrap())
    }

    /// How often each element begins, and every value of `window_title`.
    fn read(xes: &str) -> (usize, usize, Vec<String>) {
        let mut reader = quick_xml::Reader::from_str(xes);
        let (mut traces, mut events, mut titles) = (0, 0, Vec::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(element) if element.name().as_ref() == "trace" => traces += 1,
                Event::Start(element) if element.name().as_ref() == "event" => events += 1,
                Event::Empty(element) => {
                    let attributes: Vec<_> = element.attributes().map(|attribute| attribute.unwrap()).collect();
                    if attributes[0].value.as_ref() == "window_title" {
                        titles.push(
                            attributes[1].normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned(),
                        );
                    }
                }
                Event::Eof => return (traces, events, titles),
                _ => {}
            }
        }
    }

    #[test]
    fn there_is_one_trace_per_case_and_rows_without_case_are_counted() {
        let (exported, xes) = xes(&[(Some(1), None), (None, None), (Some(1), None), (Some(2), None)]);
        assert_eq!(exported, Exported { events: 3, cases: 2, left_out: 1 });
        assert_eq!(read(&xes), (2, 3, vec![]));
        assert!(xes.contains(r#"<int key="mouse_x" value="-5"/>"#), "{xes}");
    }

    #[test]
    fn any_text_survives_the_way_through_xml() {
        let title = "\"A\" < 'B' & C > D\tE\nF Ü 💡";
        assert_eq!(read(&xes(&[(Some(1), Some(title))]).1).2, [title]);
        assert_eq!(read(&xes(&[(Some(1), Some("a\0b\u{1}c"))]).1).2, ["a\u{FFFD}b\u{FFFD}c"]);
    }

    #[test]
    fn an_empty_log_is_still_a_log() {
        assert_eq!(read(&xes(&[]).1), (0, 0, vec![]));
    }

    #[test]
    fn cases_out_of_order_are_refused() {
        let error = write_xes(log(&[(Some(2), None), (Some(1), None)]), Vec::new()).unwrap_err();
        assert!(matches!(error, ExportError::CaseOrder { case: 1, before: 2 }), "{error}");
    }
}
