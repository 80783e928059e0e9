//! Writes the events of one log into the event table: all of it or nothing, and never twice.
//!
//! Files are published under final names while the log is read, but no table knows them; the commit is one transaction
//! that adds them to the manifest together with the new keys and the end of the import's record. Whatever an interrupted
//! import published is removed at the next start. The identity of a log is the hash of its bytes.

use crate::batch::{BATCH_ROWS, EventBatch, Keys, keyed};
use crate::columns::{AGENT_KEY, EVENT_ORDER, EVENTS, event_schema};
use crate::control::imports::{ImportRecord, ImportState};
use crate::control::manifest::FileEntry;
use crate::files::{FILE_ROWS_TARGET, Files, Staged, StagedWriter};
use crate::{Store, StoreError};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, SchemaRef};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext, col};
use futures::StreamExt;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;
use uilog::Event;

/// An import that is being written. Dropping it gives it up.
pub struct ImportWriter {
    files: Files,
    keys: Keys,
    pending: EventBatch,
    sorted: SortedWriter,
    rows: i64,
    /// Keys are given from where the project's end, so one log of a project is written at a time.
    _turn: OwnedMutexGuard<()>,
}

impl Store {
    /// Begins to write a log into a project; waits while another log of the project is written.
    pub async fn begin_import(&self, project: &str) -> Result<ImportWriter, StoreError> {
        let turn = self.import_turn(project).await;
        let known = self.control().known_keys(project).await?;
        Ok(ImportWriter {
            files: self.files().clone(),
            keys: Keys::new(known),
            pending: EventBatch::default(),
            sorted: SortedWriter::new(self.files().clone(), event_schema()),
            rows: 0,
            _turn: turn,
        })
    }

    /// Commits what `writer` holds. `record` comes back as it was stored, with its rows and its end.
    ///
    /// Errors: [`StoreError::Exists`] if the same bytes, or an agent of them, are in the project already; nothing is stored then.
    pub async fn commit_import(
        &self,
        mut writer: ImportWriter,
        mut record: ImportRecord,
        now_us: i64,
    ) -> Result<ImportRecord, StoreError> {
        writer.flush()?;
        let mut staged = writer.sorted.finish()?;
        if !writer.keys.contiguous() {
            staged = sort(self, staged).await?;
        }
        if staged.is_empty() {
            staged.push(writer.files.stage(event_schema())?.finish()?);
        }
        record.rows_stored = writer.rows;
        record.state = ImportState::Done;
        record.finished_at_us = Some(now_us);
        let files = publish_all(&writer.files, staged, &record.project, EVENTS, &record.id).await?;
        let committed = self.control().commit_import(&record, EVENTS, &files, &writer.keys.into_new()).await;
        match committed {
            Ok(()) => Ok(record),
            Err(error) => {
                // A database that went away may have committed all the same; its files go at the next start if it has not.
                if matches!(error, StoreError::Exists { .. } | StoreError::Control(sqlx::Error::Database(_))) {
                    for file in files {
                        self.files().delete(&file.path).await?;
                    }
                }
                Err(match error {
                    StoreError::Control(sqlx::Error::Database(database)) if database.is_unique_violation() => {
                        StoreError::Exists {
                            kind: "recording by the same agent (the log was imported before in another form)",
                            name: record.file,
                        }
                    }
                    other => other,
                })
            }
        }
    }
}

impl ImportWriter {
    /// Adds events in the order of their log.
    pub fn append(&mut self, events: &[Event]) -> Result<(), StoreError> {
        for event in events {
            if self.pending.rows() >= BATCH_ROWS {
                self.flush()?;
            }
            self.pending.push(event, &mut self.keys)?;
        }
        self.rows += events.len() as i64;
        Ok(())
    }

    /// Adds events that come as columns.
    pub fn append_batch(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        self.flush()?;
        self.rows += batch.num_rows() as i64;
        let batch = keyed(batch, &mut self.keys)?;
        self.sorted.write(batch)
    }

    /// Events taken so far.
    pub fn rows(&self) -> i64 {
        self.rows
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.pending.rows() == 0 {
            return Ok(());
        }
        let batch = self.pending.take()?;
        self.sorted.write(batch)
    }
}

/// Cuts rows in the order of events into files, between two agents.
pub(crate) struct SortedWriter {
    files: Files,
    schema: SchemaRef,
    current: Option<StagedWriter>,
    last_agent: Option<i32>,
    /// The file before, which is being completed.
    closing: Option<StagedWriter>,
    done: Vec<Staged>,
}

impl SortedWriter {
    pub(crate) fn new(files: Files, schema: SchemaRef) -> Self {
        Self { files, schema, current: None, last_agent: None, closing: None, done: Vec::new() }
    }

    pub(crate) fn write(&mut self, batch: RecordBatch) -> Result<(), StoreError> {
        let agents = batch.column_by_name(AGENT_KEY).map(|column| column.as_primitive::<Int32Type>().clone());
        let mut from = 0;
        if let Some(agents) = agents {
            let agents = agents.values();
            for row in 0..agents.len() {
                let agent = Some(agents[row]);
                let full =
                    self.current.as_ref().is_some_and(|file| file.rows + (row - from) as i64 >= FILE_ROWS_TARGET);
                if full && agent != self.last_agent {
                    self.extend(batch.slice(from, row - from))?;
                    self.close()?;
                    from = row;
                }
                self.last_agent = agent;
            }
        }
        self.extend(batch.slice(from, batch.num_rows() - from))
    }

    fn extend(&mut self, batch: RecordBatch) -> Result<(), StoreError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let writer = match &mut self.current {
            Some(writer) => writer,
            None => self.current.insert(self.files.stage(self.schema.clone())?),
        };
        writer.write(batch)
    }

    fn close(&mut self) -> Result<(), StoreError> {
        if let Some(mut writer) = self.current.take() {
            writer.end();
            self.complete()?;
            self.closing = Some(writer);
        }
        Ok(())
    }

    fn complete(&mut self) -> Result<(), StoreError> {
        if let Some(writer) = self.closing.take() {
            self.done.push(writer.finish()?);
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Vec<Staged>, StoreError> {
        self.close()?;
        self.complete()?;
        Ok(self.done)
    }
}

/// Publishes staged files of one table; the names tell project and table, the rest is unique.
pub(crate) async fn publish_all(
    files: &Files,
    staged: Vec<Staged>,
    project: &str,
    table: &str,
    fingerprint: &str,
) -> Result<Vec<FileEntry>, StoreError> {
    let mut published = Vec::new();
    for file in staged {
        let path = format!("{project}/{table}/{}.parquet", uuid::Uuid::now_v7());
        published.push(files.publish(file, &path, fingerprint).await?);
    }
    Ok(published)
}

/// Brings a log whose users take turns into the order of agents; on disk if it does not fit into memory.
async fn sort(store: &Store, staged: Vec<Staged>) -> Result<Vec<Staged>, StoreError> {
    let scratch = store.settings().folder.join("scratch");
    let wrong = |error: datafusion::common::DataFusionError| {
        StoreError::Invalid(format!("cannot sort the log by agent: {}", error.strip_backtrace()))
    };
    let environment = RuntimeEnvBuilder::new()
        .with_temp_file_path(scratch)
        .with_memory_pool(Arc::new(FairSpillPool::new(store.settings().query_memory_bytes)))
        .build_arc()
        .map_err(wrong)?;
    let mut config = SessionConfig::new().with_target_partitions(store.settings().cores);
    config.options_mut().execution.parquet.schema_force_view_types = false;
    let context = SessionContext::new_with_config_rt(config, environment);
    let paths: Vec<String> = staged.iter().map(|file| file.path.display().to_string()).collect();
    let schema = event_schema();
    let options = ParquetReadOptions::default().schema(&schema);
    let frame = context.read_parquet(paths, options).await.map_err(wrong)?;
    let frame =
        frame.sort(vec![col(AGENT_KEY).sort(true, false), col(EVENT_ORDER).sort(true, false)]).map_err(wrong)?;
    let mut stream = frame.execute_stream().await.map_err(wrong)?;
    let mut sorted = SortedWriter::new(store.files().clone(), schema);
    while let Some(batch) = stream.next().await {
        sorted.write(batch.map_err(wrong)?)?;
    }
    let sorted = sorted.finish()?;
    staged.into_iter().for_each(Staged::discard);
    Ok(sorted)
}
