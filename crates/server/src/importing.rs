//! Takes one file into a project: hash, recognise, read, write, commit; then the jobs.
//!
//! The file's bytes are its identity: the same bytes are stored once. Bad rows are counted and written to a rejects file;
//! they never stop an import. Everything else that goes wrong leaves the project as it was.

use crate::import::{self, Options, Reader, Reject};
use crate::jobs::runner::now_us;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use store::control::imports::{ImportRecord, ImportState};
use store::files::hex;
use store::import::ImportWriter;
use store::{Store, StoreError};
use uuid::Uuid;

/// Events read at once.
const CHUNK_EVENTS: usize = 8_192;

/// Chunks that may wait between reader and writer.
const CHUNK_QUEUE: usize = 4;

/// Rejects kept for the report; all of them are in the rejects file.
const REJECTS_SHOWN: usize = 20;

/// How far an import is; shared with whoever shows it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of the file.
    pub bytes_total: AtomicI64,
    /// Bytes read so far.
    pub bytes_read: AtomicI64,
    /// Rows seen so far, good and bad.
    pub rows_read: AtomicI64,
    /// Rows that could not be read.
    pub rows_rejected: AtomicI64,
    /// Set when reading is over and the commit begins.
    pub storing: std::sync::atomic::AtomicBool,
    /// The first rejects.
    pub first_rejects: Mutex<Vec<Reject>>,
}

/// What to import.
#[derive(Debug, Clone)]
pub struct Request {
    /// Id of the import, so that it can be followed.
    pub id: String,
    /// Project.
    pub project: String,
    /// Name of the file as the person knows it.
    pub name: String,
    /// Where the bytes are.
    pub path: PathBuf,
    /// `column=name` pairs for CSV files of no known form.
    pub map: Vec<(String, String)>,
}

/// Where the rejects of an import are written, if there are any.
pub fn rejects_path(store: &Store, import: &str) -> PathBuf {
    store.settings().folder.join("rejects").join(format!("{import}.csv"))
}

/// Removes the rejected rows of a project: nobody can tell whom they are about, so they go with the first who goes.
pub async fn forget_rejects(store: &Store, project: &str) -> Result<()> {
    for record in store.control().imports(project, i64::MAX, 0).await?.0 {
        let path = rejects_path(store, &record.id);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove '{}'", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Imports one file.
///
/// Errors: what could not be read or stored, with the file's name; the project is as it was, and the record says so.
pub async fn import_file(store: &Store, request: &Request, progress: &Arc<Progress>) -> Result<ImportRecord> {
    let project = store.control().project(&request.project).await?;
    let (bytes, content_hash) = {
        let path = request.path.clone();
        tokio::task::spawn_blocking(move || digest(&path)).await??
    };
    progress.bytes_total.store(bytes, Ordering::Relaxed);
    let mut record = ImportRecord {
        id: request.id.clone(),
        project: project.id.clone(),
        file: request.name.clone(),
        content_hash,
        format: None,
        state: ImportState::Running,
        bytes_total: bytes,
        rows_read: 0,
        rows_rejected: 0,
        rows_stored: 0,
        message: None,
        started_at_us: now_us(),
        finished_at_us: None,
    };
    store.control().insert_import(&record).await?;
    if is_duplicate(store, &mut record).await? {
        return Ok(record);
    }
    match read_and_store(store, request, &mut record, progress).await {
        Ok(done) => Ok(done),
        Err(error) => {
            record.state = ImportState::Failed;
            record.finished_at_us = Some(now_us());
            record.message = Some(format!("{error:#}"));
            store.control().finish_import(&record).await?;
            let _ = std::fs::remove_file(rejects_path(store, &record.id));
            Err(error)
        }
    }
}

/// Ends the record if the same bytes are in the project already.
async fn is_duplicate(store: &Store, record: &mut ImportRecord) -> Result<bool> {
    let Some(before) = store.control().import_by_hash(&record.project, &record.content_hash).await? else {
        return Ok(false);
    };
    record.state = ImportState::Duplicate;
    record.format = before.format;
    record.finished_at_us = Some(now_us());
    record.message =
        Some(format!("the same bytes were imported before as '{}'; nothing was stored twice", before.file));
    store.control().finish_import(record).await?;
    Ok(true)
}

async fn read_and_store(
    store: &Store,
    request: &Request,
    record: &mut ImportRecord,
    progress: &Arc<Progress>,
) -> Result<ImportRecord> {
    let writer = store.begin_import(&record.project).await?;
    // They may have come in while this import waited for its turn.
    if is_duplicate(store, record).await? {
        return Ok(record.clone());
    }
    let source = Uuid::new_v5(&Uuid::NAMESPACE_OID, record.content_hash.as_bytes());
    let reading = Reading {
        path: request.path.clone(),
        options: Options { source, map: request.map.clone(), ..Options::default() },
        rejects: rejects_path(store, &record.id),
        progress: progress.clone(),
    };
    let (writer, format) = tokio::task::spawn_blocking(move || reading.into_writer(writer)).await??;
    record.format = Some(format.to_owned());
    record.rows_read = progress.rows_read.load(Ordering::Relaxed);
    record.rows_rejected = progress.rows_rejected.load(Ordering::Relaxed);
    progress.storing.store(true, Ordering::Relaxed);
    match store.commit_import(writer, record.clone(), now_us()).await {
        Ok(done) => Ok(done),
        Err(StoreError::Exists { kind, name }) => Err(StoreError::Exists { kind, name }.into()),
        Err(error) => Err(anyhow::Error::new(error).context(format!("cannot store '{}'", request.name))),
    }
}

/// One file on its way into a writer; runs on a thread that may block.
struct Reading {
    path: PathBuf,
    options: Options,
    rejects: PathBuf,
    progress: Arc<Progress>,
}

impl Reading {
    fn into_writer(self, mut writer: ImportWriter) -> Result<(ImportWriter, &'static str)> {
        let file = File::open(&self.path).with_context(|| format!("cannot open '{}'", self.path.display()))?;
        let mut rejects = Rejects { path: self.rejects.clone(), file: None, progress: self.progress.clone() };
        let reader = import::open_file(file, &self.options)?;
        let format = reader.format().name();
        match reader {
            Reader::Rows(rows) => writer = through_queue(rows, writer, &mut rejects, &self.progress)?,
            Reader::Batches(mut batches) => {
                while let Some(batch) = batches.next() {
                    let batch = batch?;
                    self.progress.bytes_read.store(batches.bytes_read() as i64, Ordering::Relaxed);
                    self.progress.rows_read.fetch_add(batch.num_rows() as i64, Ordering::Relaxed);
                    writer.append_batch(&batch)?;
                }
            }
        }
        rejects.finish()?;
        Ok((writer, format))
    }
}

/// Reads on this thread and writes on another, so that both cores work.
fn through_queue(
    mut rows: import::Rows,
    mut writer: ImportWriter,
    rejects: &mut Rejects,
    progress: &Progress,
) -> Result<ImportWriter> {
    let (chunks, queue) = std::sync::mpsc::sync_channel::<Vec<uilog::Event>>(CHUNK_QUEUE);
    let writing = std::thread::spawn(move || -> Result<ImportWriter, StoreError> {
        for chunk in queue {
            writer.append(&chunk)?;
        }
        Ok(writer)
    });
    let mut bad = Vec::new();
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_EVENTS);
        let read = rows.next(&mut chunk, &mut bad, CHUNK_EVENTS)?;
        progress.rows_read.fetch_add(read as i64, Ordering::Relaxed);
        progress.bytes_read.store(rows.bytes_read() as i64, Ordering::Relaxed);
        rejects.write(bad.drain(..))?;
        if read == 0 || chunks.send(chunk).is_err() {
            break;
        }
    }
    drop(chunks);
    let written = writing.join().map_err(|_| anyhow::anyhow!("the thread that writes events stopped unexpectedly"))?;
    Ok(written?)
}

/// The rejects file: made with the first bad row.
struct Rejects {
    path: PathBuf,
    file: Option<csv::Writer<File>>,
    progress: Arc<Progress>,
}

impl Rejects {
    fn write(&mut self, rejects: impl Iterator<Item = Reject>) -> Result<()> {
        for reject in rejects {
            let file = match &mut self.file {
                Some(file) => file,
                None => {
                    if let Some(folder) = self.path.parent() {
                        std::fs::create_dir_all(folder)
                            .with_context(|| format!("cannot make '{}'", folder.display()))?;
                    }
                    let mut file = csv::Writer::from_path(&self.path)?;
                    file.write_record(["line", "reason", "row"])?;
                    self.file.insert(file)
                }
            };
            file.write_record([&reject.line.to_string(), &reject.reason, &reject.row])?;
            self.progress.rows_rejected.fetch_add(1, Ordering::Relaxed);
            if let Ok(mut first) = self.progress.first_rejects.lock()
                && first.len() < REJECTS_SHOWN
            {
                first.push(reject);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        if let Some(mut file) = self.file {
            file.flush().with_context(|| format!("cannot write '{}'", self.path.display()))?;
        }
        Ok(())
    }
}

fn digest(path: &Path) -> Result<(i64, String)> {
    let mut file = File::open(path).with_context(|| format!("cannot open '{}'", path.display()))?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer).with_context(|| format!("cannot read '{}'", path.display()))?;
        if read == 0 {
            return Ok((bytes, hex(&hash.finalize())));
        }
        hash.update(&buffer[..read]);
        bytes += read as i64;
    }
}

/// Reads `column=name,column=name`.
///
/// Errors: the pair that is none.
pub fn parse_map(text: &str) -> Result<Vec<(String, String)>, String> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.split_once('=') {
            Some((column, name)) if !column.trim().is_empty() && !name.trim().is_empty() => {
                Ok((column.trim().to_owned(), name.trim().to_owned()))
            }
            _ => Err(format!("'{pair}' is no pair of a column and the name of a field")),
        })
        .collect()
}

/// The first rows of a rejects file: line and reason.
pub fn read_first_rejects(path: &Path) -> Vec<(u64, String)> {
    let Ok(mut file) = csv::Reader::from_path(path) else { return Vec::new() };
    let rows = file.records().flatten().take(REJECTS_SHOWN);
    rows.filter_map(|row| Some((row.get(0)?.parse().ok()?, row.get(1)?.to_owned()))).collect()
}
