//! Parquet files: written aside, synced, then published under their final name; there whole or not at all.
//!
//! In a folder, publishing is a rename with both syncs. In any other object store it is one upload, which such stores
//! make visible only when it is complete. Nothing here knows which table a file belongs to: the manifest does.

use crate::columns::{AGENT_KEY, EVENT_ORDER};
use crate::control::manifest::FileEntry;
use crate::{StoreError, columns};
use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::{DataType, Field, Int32Type, SchemaRef, TimestampMicrosecondType};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Rows of a row group: the unit that is skipped by its minimum and maximum.
pub const ROW_GROUP_ROWS: usize = 256 * 1024;

/// Rows after which a file in the order of events is closed at the next agent; a single agent may exceed it.
pub const FILE_ROWS_TARGET: i64 = 1_000_000;

/// Batches that may wait for the encoder; the reader waits when they do.
const ENCODER_QUEUE: usize = 8;

/// Where the files of a store are.
#[derive(Debug, Clone)]
pub struct Files {
    object_store: Arc<dyn ObjectStore>,
    /// The folder behind `object_store`, if it is one.
    folder: Option<PathBuf>,
    /// Where files are written before they are published; emptied at every start.
    staging: PathBuf,
}

impl Files {
    /// Files in a folder of this machine.
    pub fn in_folder(folder: &Path, staging: &Path) -> Result<Self, StoreError> {
        for path in [folder, staging] {
            std::fs::create_dir_all(path).map_err(StoreError::file("make the folder", path))?;
        }
        let object_store = Arc::new(LocalFileSystem::new_with_prefix(folder)?);
        Ok(Self { object_store, folder: Some(folder.to_owned()), staging: staging.to_owned() })
    }

    /// Files that are only read, in a folder that is there.
    pub(crate) fn to_read(folder: &Path) -> Result<Self, StoreError> {
        let object_store = Arc::new(LocalFileSystem::new_with_prefix(folder)?);
        Ok(Self { object_store, folder: None, staging: PathBuf::new() })
    }

    /// Files in any object store; `staging` is still a folder of this machine.
    pub fn in_object_store(object_store: Arc<dyn ObjectStore>, staging: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(staging).map_err(StoreError::file("make the folder", staging))?;
        Ok(Self { object_store, folder: None, staging: staging.to_owned() })
    }

    /// The object store, for the engine.
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        self.object_store.clone()
    }

    /// The local folder, if the files are in one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Starts a new staged file.
    pub fn stage(&self, schema: SchemaRef) -> Result<StagedWriter, StoreError> {
        StagedWriter::start(self.staging.join(format!("{}.parquet", uuid::Uuid::now_v7())), schema)
    }

    /// Publishes a staged file as `path` and returns its manifest entry.
    pub async fn publish(&self, staged: Staged, path: &str, fingerprint: &str) -> Result<FileEntry, StoreError> {
        let object = ObjectPath::from(path);
        match &self.folder {
            Some(folder) => {
                let target = folder.join(path);
                let parent = target.parent().unwrap_or(folder).to_owned();
                std::fs::create_dir_all(&parent).map_err(StoreError::file("make the folder", &parent))?;
                std::fs::rename(&staged.path, &target).map_err(StoreError::file("publish", &target))?;
                for ancestor in parent.ancestors().take_while(|ancestor| ancestor.starts_with(folder)) {
                    sync_folder(ancestor)?;
                }
            }
            None => {
                let bytes = std::fs::read(&staged.path).map_err(StoreError::file("read", &staged.path))?;
                self.object_store.put(&object, bytes.into()).await?;
                std::fs::remove_file(&staged.path).map_err(StoreError::file("remove", &staged.path))?;
            }
        }
        Ok(FileEntry {
            path: path.to_owned(),
            agent_min: staged.agents.map(|(low, _)| low),
            agent_max: staged.agents.map(|(_, high)| high),
            rows: staged.rows,
            bytes: staged.bytes,
            time_min_us: staged.times.map(|(low, _)| low),
            time_max_us: staged.times.map(|(_, high)| high),
            sha256: staged.sha256.clone(),
            fingerprint: fingerprint.to_owned(),
        })
    }

    /// Deletes a published file; one that is gone already is no error.
    pub async fn delete(&self, path: &str) -> Result<(), StoreError> {
        match self.object_store.delete(&ObjectPath::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes what an interrupted process left in the staging folder.
    pub(crate) fn clear_staging(&self) -> Result<(), StoreError> {
        for entry in
            std::fs::read_dir(&self.staging).map_err(StoreError::file("read the folder", &self.staging))?.flatten()
        {
            let path = entry.path();
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.map_err(StoreError::file("remove", path))?;
        }
        Ok(())
    }
}

/// A complete, synced file that nobody knows yet; gone with the last mention of it, unless it is published.
#[derive(Debug)]
pub struct Staged {
    pub(crate) path: PathBuf,
    /// Rows in it.
    pub rows: i64,
    bytes: i64,
    sha256: String,
    agents: Option<(i64, i64)>,
    times: Option<(i64, i64)>,
}

impl Staged {
    /// Gives the file up.
    pub fn discard(self) {}
}

impl Drop for Staged {
    /// Published, the file is no longer here, and there is nothing to remove.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Encodes record batches into one staged file, on threads of its own.
#[derive(Debug)]
pub struct StagedWriter {
    path: PathBuf,
    batches: Option<std::sync::mpsc::SyncSender<RecordBatch>>,
    encoder: Option<std::thread::JoinHandle<Result<(i64, String), StoreError>>>,
    /// Rows handed over so far.
    pub rows: i64,
    agents: Option<(i64, i64)>,
    times: Option<(i64, i64)>,
}

impl StagedWriter {
    fn start(path: PathBuf, schema: SchemaRef) -> Result<Self, StoreError> {
        let file = File::create(&path).map_err(StoreError::file("create", &path))?;
        let (batches, queue) = std::sync::mpsc::sync_channel::<RecordBatch>(ENCODER_QUEUE);
        let encoder_path = path.clone();
        let encoder = std::thread::spawn(move || {
            let sink = Hashing { inner: BufWriter::with_capacity(1 << 20, file), hash: Sha256::new(), bytes: 0 };
            let mut sink = encode(sink, &schema, &queue)?;
            sink.flush().map_err(StoreError::file("write", &encoder_path))?;
            sink.inner.get_ref().sync_all().map_err(StoreError::file("sync", &encoder_path))?;
            Ok((sink.bytes, hex(&sink.hash.finalize())))
        });
        Ok(Self { path, batches: Some(batches), encoder: Some(encoder), rows: 0, agents: None, times: None })
    }

    /// Hands one batch to the encoder.
    pub fn write(&mut self, batch: RecordBatch) -> Result<(), StoreError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if let Some(agents) = batch.column_by_name(AGENT_KEY).and_then(|column| column.as_primitive_opt::<Int32Type>())
        {
            widen(&mut self.agents, min(agents).map(i64::from), max(agents).map(i64::from));
        }
        if let Some(times) =
            batch.column_by_name("time").and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
        {
            widen(&mut self.times, min(times), max(times));
        }
        self.rows += batch.num_rows() as i64;
        let sent = self.batches.as_ref().is_some_and(|batches| batches.send(batch).is_ok());
        if sent { Ok(()) } else { Err(self.encoder_error()) }
    }

    /// Says that no batch comes any more; the encoder ends its work while others begin theirs.
    pub(crate) fn end(&mut self) {
        self.batches = None;
    }

    /// Completes and syncs the file.
    pub fn finish(mut self) -> Result<Staged, StoreError> {
        self.batches = None;
        let (bytes, sha256) = match self.encoder.take().map(std::thread::JoinHandle::join) {
            Some(Ok(result)) => result?,
            _ => return Err(stopped()),
        };
        Ok(Staged {
            path: std::mem::take(&mut self.path),
            rows: self.rows,
            bytes,
            sha256,
            agents: self.agents,
            times: self.times,
        })
    }

    fn encoder_error(&mut self) -> StoreError {
        self.batches = None;
        match self.encoder.take().map(std::thread::JoinHandle::join) {
            Some(Ok(Err(error))) => error,
            _ => stopped(),
        }
    }
}

impl Drop for StagedWriter {
    /// A writer that was not finished leaves nothing behind.
    fn drop(&mut self) {
        self.batches = None;
        if let Some(encoder) = self.encoder.take() {
            let _ = encoder.join();
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Encodes batches into row groups until the queue ends.
fn encode<W: Write + Send>(
    sink: W,
    schema: &SchemaRef,
    queue: &std::sync::mpsc::Receiver<RecordBatch>,
) -> Result<W, StoreError> {
    let (mut file, columns) =
        ArrowWriter::try_new(sink, schema.clone(), Some(properties(schema)))?.into_serialized_writer()?;
    let (mut waiting, mut rows) = (Vec::new(), 0);
    for mut batch in queue {
        while rows + batch.num_rows() >= ROW_GROUP_ROWS {
            let room = ROW_GROUP_ROWS - rows;
            waiting.push(batch.slice(0, room));
            append_row_group(&mut file, &columns, std::mem::take(&mut waiting))?;
            batch = batch.slice(room, batch.num_rows() - room);
            rows = 0;
        }
        rows += batch.num_rows();
        waiting.push(batch);
    }
    if rows > 0 {
        append_row_group(&mut file, &columns, waiting)?;
    }
    Ok(file.into_inner()?)
}

/// Encodes one row group, columns side by side: each thread takes the next column that nobody has taken.
fn append_row_group<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    factory: &ArrowRowGroupWriterFactory,
    batches: Vec<RecordBatch>,
) -> Result<(), StoreError> {
    let Some(schema) = batches.first().map(RecordBatch::schema) else { return Ok(()) };
    let mut leaves = factory.create_column_writers(file.flushed_row_groups().len())?.into_iter();
    let columns: Vec<Mutex<Column>> = schema
        .fields()
        .iter()
        .map(|field| {
            Mutex::new(Column { writers: leaves.by_ref().take(leaf_count(field)).collect(), chunks: Vec::new() })
        })
        .collect();
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), StoreError> {
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(column) = columns.get(position) else { return Ok(()) };
            let mut column = column.lock().map_err(|_| stopped())?;
            column.encode(schema.field(position), batches.iter().map(|batch| batch.column(position)))?;
        }
    };
    std::thread::scope(|scope| {
        let helper = scope.spawn(work);
        let own = work();
        helper.join().map_err(|_| stopped())?.and(own)
    })?;
    let mut group = file.next_row_group()?;
    for column in columns {
        for chunk in column.into_inner().map_err(|_| stopped())?.chunks {
            chunk.append_to_row_group(&mut group)?;
        }
    }
    group.close()?;
    Ok(())
}

/// One column of a row group; a nested one has several leaves.
struct Column {
    writers: Vec<ArrowColumnWriter>,
    chunks: Vec<ArrowColumnChunk>,
}

impl Column {
    fn encode<'a>(&mut self, field: &Field, arrays: impl Iterator<Item = &'a ArrayRef>) -> Result<(), StoreError> {
        for array in arrays {
            for (writer, leaf) in self.writers.iter_mut().zip(compute_leaves(field, array)?) {
                writer.write(&leaf)?;
            }
        }
        for writer in self.writers.drain(..) {
            self.chunks.push(writer.close()?);
        }
        Ok(())
    }
}

/// Columns in the file that one column of the table becomes.
fn leaf_count(field: &Field) -> usize {
    match field.data_type() {
        DataType::Struct(fields) => fields.iter().map(|field| leaf_count(field)).sum(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => leaf_count(item),
        _ => 1,
    }
}

fn stopped() -> StoreError {
    StoreError::Invalid("the Parquet encoder stopped unexpectedly".into())
}

fn widen(range: &mut Option<(i64, i64)>, low: Option<i64>, high: Option<i64>) {
    if let (Some(low), Some(high)) = (low, high) {
        let (old_low, old_high) = range.unwrap_or((low, high));
        *range = Some((old_low.min(low), old_high.max(high)));
    }
}

/// zstd at its fastest level; growing numbers as deltas; minimum and maximum only where something is skipped by them.
fn properties(schema: &SchemaRef) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for field in schema.fields() {
        let growing = matches!(field.name().as_str(), EVENT_ORDER | "seq" | "time" | "uptime_us" | "session_key");
        if growing && (field.data_type().is_integer() || *field.data_type() == columns::time_type()) {
            let column = ColumnPath::from(field.name().as_str());
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
        if matches!(field.data_type(), DataType::Map(..)) {
            properties = properties
                .set_column_statistics_enabled(ColumnPath::from(field.name().as_str()), EnabledStatistics::None);
        }
    }
    properties.build()
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::file("sync", folder))
}

struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: i64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as i64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
