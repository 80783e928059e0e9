//! A table that somebody brings along: checked, written anew, and there as the old one or the new one.
//!
//! It stands beside the tables of jobs and has no text that could make it again: an erasure, which takes every table away,
//! takes it away for good. What comes in is not believed before it is bounded; nothing of the file that came is kept.

use crate::columns::{AGENT_KEY, EVENT_ORDER};
use crate::control::manifest::TableEntry;
use crate::files::{Files, Staged};
use crate::import::publish_all;
use crate::{Store, StoreError};
use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of one file that comes in.
pub const UPLOAD_BYTES_MAX: u64 = 256 << 20;

/// Bytes that a Parquet file may say it unpacks to.
const UNPACKED_BYTES_MAX: i64 = 2 << 30;

/// Rows of one table.
const ROWS_MAX: i64 = 10_000_000;

/// Columns of one table.
const COLUMNS_MAX: usize = 500;

/// Tables of this kind in one project.
pub const UPLOADS_MAX: usize = 100;

/// Rows that are read from Parquet at a time.
const BATCH_ROWS: usize = 8 * 1024;

/// With what the fingerprint of such a table begins; no job's does, which are hashes.
const MARK: &str = "uploaded ";

/// Whether somebody brought a table along.
pub fn is_upload(table: &TableEntry) -> bool {
    table.fingerprint.starts_with(MARK)
}

impl Store {
    /// Makes the rows of a file the table `name`: an Arrow IPC stream or Parquet.
    ///
    /// Errors: [`StoreError::Invalid`] for a file that is neither, or holds more than is allowed or what no table can hold;
    /// [`StoreError::Exists`] for a name that a job's table has. The old table stays then.
    pub async fn put_table(
        &self,
        project: &str,
        name: &str,
        file: &Path,
        now_us: i64,
    ) -> Result<TableEntry, StoreError> {
        let tables = self.control().tables(project).await?;
        if tables.iter().any(|table| table.name == name && !is_upload(table)) {
            return Err(StoreError::Exists { kind: "table", name: name.into() });
        }
        let others = tables.iter().filter(|table| is_upload(table) && table.name != name).count();
        if others >= UPLOADS_MAX {
            return Err(StoreError::Invalid(format!(
                "a project has at most {UPLOADS_MAX} tables that were brought along; take one away first"
            )));
        }
        let staged = self.stage_table(file).await?;
        let fingerprint = format!("{MARK}{}", uuid::Uuid::now_v7());
        let published = publish_all(self.files(), vec![staged], project, name, &fingerprint).await?;
        let entry = TableEntry {
            name: name.into(),
            fingerprint,
            rows: published.iter().map(|file| file.rows).sum(),
            bytes: published.iter().map(|file| file.bytes).sum(),
            built_at_us: now_us,
        };
        self.control().commit_table(project, &entry, &published).await?;
        Ok(entry)
    }

    /// Checks the rows of a file, an Arrow IPC stream or Parquet, and writes them anew; nobody reads them yet.
    ///
    /// Errors: [`StoreError::Invalid`] for a file that is neither, or holds more than is allowed or what no table can hold.
    pub async fn stage_table(&self, file: &Path) -> Result<Staged, StoreError> {
        let (files, path) = (self.files().clone(), file.to_owned());
        // Decoders meet bytes that anybody may have made: one that panics takes its thread along and nothing else.
        let staged = tokio::task::spawn_blocking(move || stage(&files, path)).await;
        staged.map_err(|_| broken("it cannot be decoded"))?
    }

    /// Takes away a table that somebody brought along.
    ///
    /// Errors: [`StoreError::Missing`] if there is none of this name.
    pub async fn remove_uploaded(&self, project: &str, name: &str) -> Result<(), StoreError> {
        let tables = self.control().tables(project).await?;
        if !tables.iter().any(|table| table.name == name && is_upload(table)) {
            return Err(StoreError::Missing { kind: "uploaded table", name: name.into() });
        }
        self.control().drop_table(project, name).await?;
        self.leave_no_trace().await?;
        Ok(())
    }
}

/// The first rows of a staged file, and whether there are more.
///
/// Errors: the file's.
pub fn first_rows(staged: &Staged, rows_max: usize) -> Result<(SchemaRef, Vec<RecordBatch>, bool), StoreError> {
    let file = File::open(&staged.path).map_err(StoreError::file("read", &staged.path))?;
    let rows = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let schema = rows.schema().clone();
    let batches = rows.with_limit(rows_max).build()?.collect::<Result<_, _>>()?;
    Ok((schema, batches, staged.rows > rows_max as i64))
}

fn broken(why: impl std::fmt::Display) -> StoreError {
    StoreError::Invalid(format!("this is no table: {why}; send an Arrow IPC stream or a Parquet file"))
}

/// Writes the rows of a file as a staged one.
fn stage(files: &Files, path: PathBuf) -> Result<Staged, StoreError> {
    let open = || File::open(&path).map_err(StoreError::file("read", &path));
    let mut start = [0; 4];
    let read = open()?.read(&mut start).map_err(StoreError::file("read", &path))?;
    match &start[..read] {
        b"PAR1" => {
            let builder = ParquetRecordBatchReaderBuilder::try_new(open()?).map_err(broken)?;
            let unpacked: i64 = builder.metadata().row_groups().iter().map(|group| group.total_byte_size()).sum();
            if unpacked > UNPACKED_BYTES_MAX {
                return Err(too_much(format!("{UNPACKED_BYTES_MAX} bytes when it is unpacked")));
            }
            let schema = builder.schema().clone();
            let batches = builder.with_batch_size(BATCH_ROWS).build().map_err(broken)?;
            write(files, &schema, batches)
        }
        [0xff, 0xff, 0xff, 0xff] => {
            check_lengths(open()?).map_err(broken)?;
            let batches = StreamReader::try_new(BufReader::new(open()?), None).map_err(broken)?;
            let schema = batches.schema();
            write(files, &schema, batches)
        }
        b"ARRO" => Err(broken("this is an Arrow file, not a stream")),
        _ => Err(broken("it begins like neither")),
    }
}

/// Walks over the messages of an IPC stream and compares the lengths they claim with what is there: the decoder makes room
/// for them before it reads.
fn check_lengths(file: File) -> Result<(), String> {
    const UNREADABLE: fn(std::io::Error) -> String = |error| error.to_string();
    let size = file.metadata().map_err(UNREADABLE)?.len();
    let mut reader = BufReader::new(file);
    let mut place = 0_u64;
    loop {
        let mut head = [0; 8];
        match reader.read_exact(&mut head) {
            Ok(()) => place += 8,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
        let [m0, m1, m2, m3, l0, l1, l2, l3] = head;
        if [m0, m1, m2, m3] != [0xff; 4] {
            return Err("a message does not begin like one".into());
        }
        let length = u64::try_from(i32::from_le_bytes([l0, l1, l2, l3])).map_err(|_| "a length is below zero")?;
        if length == 0 {
            return Ok(());
        }
        if length > size - place {
            return Err("a message claims more bytes than there are".into());
        }
        let mut metadata = vec![0; usize::try_from(length).map_err(|error| error.to_string())?];
        reader.read_exact(&mut metadata).map_err(UNREADABLE)?;
        place += length;
        let message = arrow::ipc::root_as_message(&metadata).map_err(|error| error.to_string())?;
        let body = u64::try_from(message.bodyLength()).map_err(|_| "a length is below zero")?;
        if body > size - place {
            return Err("a message claims more bytes than there are".into());
        }
        place += body;
        reader.seek(SeekFrom::Start(place)).map_err(UNREADABLE)?;
    }
}

fn too_much(what: impl std::fmt::Display) -> StoreError {
    StoreError::Invalid(format!("the table has more than {what}; write a smaller one, or several"))
}

fn write<E: std::fmt::Display>(
    files: &Files,
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch, E>>,
) -> Result<Staged, StoreError> {
    let kept = kept_schema(schema)?;
    let mut writer = files.stage(kept.clone())?;
    for batch in batches {
        let batch = batch.map_err(broken)?;
        if writer.rows + batch.num_rows() as i64 > ROWS_MAX {
            return Err(too_much(format!("{ROWS_MAX} rows")));
        }
        let columns = batch.columns().iter().zip(kept.fields()).map(|(column, field)| cast(column, field.data_type()));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(broken)?;
        writer.write(RecordBatch::try_new(kept.clone(), columns).map_err(broken)?)?;
    }
    writer.finish()
}

/// The columns as they are kept.
fn kept_schema(schema: &SchemaRef) -> Result<SchemaRef, StoreError> {
    let fields = schema.fields();
    if fields.is_empty() || fields.len() > COLUMNS_MAX {
        return Err(StoreError::Invalid(format!("a table has 1 to {COLUMNS_MAX} columns, not {}", fields.len())));
    }
    let has = |name: &str| schema.column_with_name(name).is_some();
    if has(AGENT_KEY) && has(EVENT_ORDER) {
        return Err(StoreError::Invalid(format!(
            "columns {AGENT_KEY} and {EVENT_ORDER} together mean the order of events, which only jobs keep; rename one"
        )));
    }
    let mut kept: Vec<Field> = Vec::with_capacity(fields.len());
    for field in fields {
        let name = field.name();
        if name.is_empty() || kept.iter().any(|other| other.name() == name) {
            return Err(StoreError::Invalid(format!("column '{name}' has no name, or the name of another")));
        }
        let data_type = kept_type(field.data_type()).ok_or_else(|| {
            StoreError::Invalid(format!("column '{name}' is of type {}, which no table can hold", field.data_type()))
        })?;
        kept.push(Field::new(name, data_type, true));
    }
    Ok(Arc::new(Schema::new(kept)))
}

fn kept_type(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Dictionary(_, value) => kept_type(value)?,
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.as_ref().map(|_| "UTC".into())),
        DataType::Date32 | DataType::Date64 => DataType::Date32,
        DataType::Float16 | DataType::Float32 => DataType::Float32,
        plain if plain.is_integer() => plain.clone(),
        DataType::Boolean | DataType::Float64 | DataType::Decimal128(..) => data_type.clone(),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            DataType::List(Arc::new(Field::new("item", kept_type(item.data_type())?, true)))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};
    use arrow::ipc::writer::StreamWriter;

    fn stream() -> Vec<u8> {
        let schema =
            Schema::new(vec![Field::new("name", DataType::Utf8, true), Field::new("n", DataType::Int64, true)]);
        let columns: Vec<arrow::array::ArrayRef> =
            vec![Arc::new(StringArray::from(vec!["a", "b"])), Arc::new(Int64Array::from(vec![1, 2]))];
        let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    fn staged(bytes: &[u8]) -> Result<i64, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("upload");
        std::fs::write(&path, bytes).unwrap();
        let files = Files::in_folder(&folder.path().join("data"), &folder.path().join("staging")).unwrap();
        stage(&files, path).map(|staged| staged.rows).map_err(|error| error.to_string())
    }

    #[test]
    fn a_stream_becomes_a_file() {
        assert_eq!(staged(&stream()), Ok(2));
    }

    #[test]
    fn s5_a_length_that_lies_is_refused_before_room_is_made_for_it() {
        let whole = stream();
        for (place, value) in [(4, i32::MAX.to_le_bytes()), (4, (-8_i32).to_le_bytes())] {
            let mut lying = whole.clone();
            lying[place..place + 4].copy_from_slice(&value);
            let refused = staged(&lying).unwrap_err();
            assert!(refused.contains("claims more") || refused.contains("below zero"), "{refused}");
        }
        // The length of a batch's columns stands somewhere in its flatbuffer: a terabyte wherever it fits.
        let body = 32_i64;
        let places = (0..whole.len() - 8).filter(|place| whole[*place..*place + 8] == body.to_le_bytes());
        for place in places {
            let mut lying = whole.clone();
            lying[place..place + 8].copy_from_slice(&(1_i64 << 40).to_le_bytes());
            assert!(staged(&lying).is_err(), "at {place}");
        }
        assert!(staged(&whole[..whole.len() / 2]).is_err());
    }

    #[test]
    fn what_is_no_table_is_refused_with_a_sentence() {
        assert!(staged(b"{}").unwrap_err().contains("send an Arrow IPC stream or a Parquet file"));
        assert!(staged(b"ARROW1\0\0").unwrap_err().contains("not a stream"));
        assert!(staged(b"PAR1 and nothing else PAR1").unwrap_err().contains("this is no table"));
    }

    #[test]
    fn columns_that_promise_an_order_are_refused() {
        let column = |name: &str, data_type| Field::new(name, data_type, true);
        let refusal = |fields: Vec<Field>| kept_schema(&Arc::new(Schema::new(fields))).unwrap_err().to_string();
        let ordered = vec![column(AGENT_KEY, DataType::Utf8), column(EVENT_ORDER, DataType::Utf8)];
        assert!(refusal(ordered).contains("rename one"));
        assert!(refusal(vec![column("a", DataType::Utf8), column("a", DataType::Utf8)]).contains("name of another"));
        let fields = vec![column("s", DataType::Struct(vec![column("x", DataType::Utf8)].into()))];
        assert!(refusal(fields).contains("which no table can hold"));
        assert!(refusal(Vec::new()).contains("1 to 500 columns"));
    }
}
