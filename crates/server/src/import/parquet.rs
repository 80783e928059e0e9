//! Lode Parquet: columns that are already ours, handed on without being turned into events.
//!
//! Only the columns that Lode knows are read. Which types they may have, the store decides.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use uilog::column::{self, COLUMNS, ColumnId};

use super::ImportError;
use super::detect::PARQUET_MAGIC;

/// How many rows a batch has.
const BATCH_ROWS: usize = 32 * 1024;

/// The batches of a Parquet file.
pub struct Batches {
    reader: ParquetRecordBatchReader,
    schema: SchemaRef,
    rows_total: u64,
    rows_read: u64,
    bytes_total: u64,
}

impl Batches {
    /// The columns of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many rows the file says it has.
    pub fn rows_total(&self) -> u64 {
        self.rows_total
    }

    /// How far reading has come, in bytes of the file; an estimate from the rows.
    pub fn bytes_read(&self) -> u64 {
        let share = self.rows_read as f64 / self.rows_total.max(1) as f64;
        (self.bytes_total as f64 * share) as u64
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(match batch {
            Ok(batch) => {
                self.rows_read += batch.num_rows() as u64;
                Ok(batch)
            }
            Err(error) => Err(ImportError::Parquet { reason: error.to_string() }),
        })
    }
}

/// Whether a file begins like Parquet; its position is at the beginning again afterwards.
pub(super) fn is_parquet(file: &mut File) -> io::Result<bool> {
    let mut beginning = Vec::new();
    (&mut *file).take(PARQUET_MAGIC.len() as u64).read_to_end(&mut beginning)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(beginning == PARQUET_MAGIC)
}

/// Opens a Parquet file that Lode exported.
///
/// Errors: a damaged file, or one without the columns that every event has.
pub(super) fn open(file: File) -> Result<Batches, ImportError> {
    let wrong = |reason: String| ImportError::Parquet { reason };
    let bytes_total = file.metadata().map_err(|error| wrong(error.to_string()))?.len();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| wrong(error.to_string()))?;
    let present = builder.schema();
    for column in COLUMNS.iter().filter(|column| !column.nullable) {
        // A file carries no project; the one that imports it is known.
        if column.id != ColumnId::ProjectId && present.index_of(column.name).is_err() {
            return Err(wrong(format!("it has no column '{}'", column.name)));
        }
    }
    let known = present
        .fields()
        .iter()
        .enumerate()
        .filter_map(|(position, field)| column::find(field.name()).map(|_| position));
    let mask = ProjectionMask::roots(builder.parquet_schema(), known.collect::<Vec<_>>());
    let rows_total = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let reader =
        builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(|error| wrong(error.to_string()))?;
    let schema = arrow::array::RecordBatchReader::schema(&reader);
    Ok(Batches { reader, schema, rows_total, rows_read: 0, bytes_total })
}
