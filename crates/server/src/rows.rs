//! Answers in the forms that leave the service: rows of JSON, CSV, Parquet.
//!
//! Nothing here decides what may be shown; whoever asks has been through the door already.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, SchemaRef, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// The largest whole number that a browser reads exactly; larger ones travel as text.
const EXACT_MAX: i64 = (1 << 53) - 1;

/// What a column holds, as the HTTP interface says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Whole numbers.
    Integer,
    /// Other numbers.
    Number,
    /// Anything that is written out.
    Text,
    /// Moments.
    Time,
    /// Days.
    Date,
    /// Yes or no.
    Boolean,
    /// Several values in one cell.
    List,
}

/// The word for a type in the HTTP interface.
pub fn column_type(data_type: &DataType) -> ColumnType {
    match data_type {
        DataType::Dictionary(_, value) => column_type(value),
        data_type if data_type.is_integer() => ColumnType::Integer,
        data_type if data_type.is_numeric() => ColumnType::Number,
        DataType::Boolean => ColumnType::Boolean,
        DataType::Date32 | DataType::Date64 => ColumnType::Date,
        DataType::Timestamp(..) => ColumnType::Time,
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => ColumnType::List,
        _ => ColumnType::Text,
    }
}

/// A column of an answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ColumnShown {
    name: String,
    #[serde(rename = "type")]
    kind: ColumnType,
}

/// The columns of a schema.
pub fn columns(schema: &SchemaRef) -> Vec<ColumnShown> {
    let shown = |field: &Arc<Field>| ColumnShown { name: field.name().clone(), kind: column_type(field.data_type()) };
    schema.fields().iter().map(shown).collect()
}

/// A cell of an answer, as [`rows`] writes it: a value, a list, or one with named parts.
pub enum Cell {}

impl PartialSchema for Cell {
    fn schema() -> RefOr<Schema> {
        let any = [Type::String, Type::Number, Type::Boolean, Type::Null, Type::Array, Type::Object];
        let about = "A cell of an answer: a value, a list, or one with named parts.";
        ObjectBuilder::new().schema_type(SchemaType::from_iter(any)).description(Some(about)).into()
    }
}

impl ToSchema for Cell {}

/// Rows as arrays in the order of the columns.
pub fn rows(batches: &[RecordBatch]) -> Result<Vec<Value>, ArrowError> {
    let mut rows = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for batch in batches {
        for row in 0..batch.num_rows() {
            rows.push(Value::Array(batch.columns().iter().map(|column| cell(column, row)).collect::<Result<_, _>>()?));
        }
    }
    Ok(rows)
}

fn cell(column: &ArrayRef, row: usize) -> Result<Value, ArrowError> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match column.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Int8 => column.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => whole(column.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => column.as_primitive::<UInt8Type>().value(row).into(),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => i64::try_from(column.as_primitive::<UInt64Type>().value(row)).map_or(Value::Null, whole),
        DataType::Float32 => f64::from(column.as_primitive::<Float32Type>().value(row)).into(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into(),
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => column.as_string::<i64>().value(row).into(),
        DataType::Utf8View => column.as_string_view().value(row).into(),
        DataType::Dictionary(_, value) => cell(&arrow::compute::cast(&column.slice(row, 1), value)?, 0)?,
        DataType::List(_) => list(&column.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(&column.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(..) => list(&column.as_fixed_size_list().value(row))?,
        DataType::Struct(fields) => {
            let columns = column.as_struct();
            let members = fields
                .iter()
                .zip(columns.columns())
                .map(|(field, column)| Ok((field.name().clone(), cell(column, row)?)));
            Value::Object(members.collect::<Result<_, ArrowError>>()?)
        }
        _ => text(column, row)?.into(),
    })
}

fn list(values: &ArrayRef) -> Result<Value, ArrowError> {
    Ok(Value::Array((0..values.len()).map(|row| cell(values, row)).collect::<Result<_, _>>()?))
}

fn whole(number: i64) -> Value {
    if number.abs() > EXACT_MAX { number.to_string().into() } else { number.into() }
}

/// A cell as text: times in RFC 3339, bytes in hexadecimal.
fn text(column: &ArrayRef, row: usize) -> Result<String, ArrowError> {
    let options = FormatOptions::default()
        .with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.fZ"))
        .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.6fZ"));
    Ok(ArrayFormatter::try_new(column.as_ref(), &options)?.value(row).to_string())
}

/// Writes batches as CSV with a header; a cell that a spreadsheet would take for a formula gets a leading quote (promise S14).
pub struct CsvRows<W: std::io::Write> {
    writer: csv::Writer<W>,
    begun: bool,
}

impl<W: std::io::Write> CsvRows<W> {
    /// A writer over `target`.
    pub fn new(target: W) -> Self {
        Self { writer: csv::Writer::from_writer(target), begun: false }
    }

    /// Writes one batch, and the header before the first.
    pub fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        self.header(&batch.schema())?;
        for row in 0..batch.num_rows() {
            for column in batch.columns() {
                let cell = match cell(column, row)? {
                    Value::Null => String::new(),
                    Value::String(text) => harmless(text),
                    other => other.to_string(),
                };
                self.writer.write_field(cell)?;
            }
            self.writer.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    /// Writes the header if it is not there yet: an empty answer is a header.
    pub fn header(&mut self, schema: &SchemaRef) -> anyhow::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            self.writer.write_record(schema.fields().iter().map(|field| field.name()))?;
        }
        Ok(())
    }

    /// Ends the file.
    pub fn finish(self) -> anyhow::Result<W> {
        self.writer.into_inner().map_err(|error| anyhow::anyhow!("cannot end the CSV file: {}", error.error()))
    }
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\0']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray, TimestampMicrosecondArray};
    use arrow::datatypes::{Field, Schema};
    use serde_json::json;
    use std::sync::Arc;

    fn batch() -> RecordBatch {
        let time: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from(vec![Some(1_582_590_976_639_000), None]).with_timezone("UTC"));
        let names: ArrayRef = Arc::new(StringArray::from(vec!["=cmd()", "plain, with comma"]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, i64::MAX]));
        let schema = Schema::new(vec![
            Field::new("time", time.data_type().clone(), true),
            Field::new("name", DataType::Utf8, false),
            Field::new("n", DataType::Int64, false),
        ]);
        RecordBatch::try_new(Arc::new(schema), vec![time, names, numbers]).unwrap()
    }

    #[test]
    fn numbers_that_a_browser_would_round_travel_as_text() {
        let rows = rows(&[batch()]).unwrap();
        assert_eq!(rows[0], json!(["2020-02-25T00:36:16.639000Z", "=cmd()", 1]));
        assert_eq!(rows[1], json!([null, "plain, with comma", "9223372036854775807"]));
    }

    #[test]
    fn s14_no_cell_of_a_csv_file_is_a_formula() {
        let mut csv = CsvRows::new(Vec::new());
        csv.write(&batch()).unwrap();
        let text = String::from_utf8(csv.finish().unwrap()).unwrap();
        assert_eq!(text.lines().nth(1), Some("2020-02-25T00:36:16.639000Z,'=cmd(),1"));
        assert_eq!(text.lines().nth(2), Some(",\"plain, with comma\",9223372036854775807"));
    }
}
