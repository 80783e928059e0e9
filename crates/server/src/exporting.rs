//! Takes a project's event log out of the store into one file.
//!
//! The question stands in `jobs/exports`; the writers in [`crate::export`] are handed its rows as they come, on a thread
//! that may block.

use crate::export::{self, EVENT_ATTRIBUTES, Exported, OcelEvent, OcelObject, OcelSink};
use crate::jobs::catalog::export_question;
use crate::jobs::runner::Workshop;
use anyhow::{Context, Result};
use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use store::Store;
use store::engine::{Answer, Question};
use store::ocel::OcelFile;
use tokio::runtime::Handle;
use utoipa::ToSchema;

/// Form of an exported log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Every column, typed; can be imported again.
    Parquet,
    /// Every column as text.
    Csv,
    /// One trace per case.
    Xes,
    /// OCEL 2.0 as JSON.
    #[serde(alias = "ocel")]
    OcelJson,
    /// OCEL 2.0 as SQLite.
    OcelSqlite,
}

impl LogFormat {
    /// Reads the name of a form.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "parquet" => Ok(Self::Parquet),
            "csv" => Ok(Self::Csv),
            "xes" => Ok(Self::Xes),
            "ocel" | "ocel-json" => Ok(Self::OcelJson),
            "ocel-sqlite" => Ok(Self::OcelSqlite),
            _ => Err(format!("'{text}' is none of parquet, csv, xes, ocel-json, ocel-sqlite")),
        }
    }

    /// The name of the form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Xes => "xes",
            Self::OcelJson => "ocel-json",
            Self::OcelSqlite => "ocel-sqlite",
        }
    }

    /// Ending of the file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet | Self::Csv | Self::Xes => self.name(),
            Self::OcelJson => "ocel.json",
            Self::OcelSqlite => "ocel.sqlite",
        }
    }

    fn question(self) -> &'static str {
        match self {
            Self::Parquet | Self::Csv => "events",
            Self::Xes | Self::OcelJson | Self::OcelSqlite => "cases",
        }
    }
}

/// Writes the log of `project` to `path` and returns how many events it holds.
pub async fn export_log(store: &Store, project: &str, format: LogFormat, path: &Path) -> Result<u64> {
    let workshop = Workshop::open(store, project).await?;
    let snapshot = workshop.snapshot(store).await?;
    let sql = export_question(format.question()).context("the export's question is not part of this program")?;
    let answer = store.engine().ask(&snapshot, Question::of_lode(sql), workshop.functions()).await?;
    let (handle, path) = (Handle::current(), path.to_owned());
    tokio::task::spawn_blocking(move || write(format, AnswerReader { answer, handle: handle.clone() }, &path, &handle))
        .await?
}

fn write(format: LogFormat, log: AnswerReader, path: &Path, handle: &Handle) -> Result<u64> {
    let create = || File::create(path).with_context(|| format!("cannot write '{}'", path.display()));
    let exported = match format {
        LogFormat::Parquet => write_parquet(log, create()?)?,
        LogFormat::Csv => to_file(create()?, |to| export::write_csv(log, to))?,
        LogFormat::Xes => to_file(create()?, |to| export::write_xes(log, to))?,
        LogFormat::OcelJson => to_file(create()?, |to| export::write_ocel_json(log, to))?,
        LogFormat::OcelSqlite => {
            let file = handle.block_on(OcelFile::create(path, &EVENT_ATTRIBUTES))?;
            let mut sink = SqliteSink { file: Some(file), handle: handle.clone() };
            export::write_ocel(log, &mut sink)?
        }
    };
    Ok(exported.events)
}

fn to_file<E: std::error::Error + Send + Sync + 'static>(
    file: File,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<Exported, E>,
) -> Result<Exported> {
    let mut to = BufWriter::new(file);
    let exported = write(&mut to)?;
    to.flush()?;
    to.get_ref().sync_all()?;
    Ok(exported)
}

fn write_parquet(log: AnswerReader, file: File) -> Result<Exported> {
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer = ArrowWriter::try_new(file, log.schema(), Some(properties))?;
    let mut exported = Exported::default();
    for batch in log {
        let batch = batch?;
        exported.events += batch.num_rows() as u64;
        writer.write(&batch)?;
    }
    writer.into_inner()?.sync_all()?;
    Ok(exported)
}

/// An answer of the engine as the writers want it: batches, one after the other, waiting for each.
struct AnswerReader {
    answer: Answer,
    handle: Handle,
}

impl Iterator for AnswerReader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.handle.block_on(self.answer.next())?;
        Some(batch.map_err(|error| ArrowError::ExternalError(Box::new(error))))
    }
}

impl RecordBatchReader for AnswerReader {
    fn schema(&self) -> SchemaRef {
        self.answer.schema.clone()
    }
}

/// Hands events and objects to the store's SQLite file.
struct SqliteSink {
    file: Option<OcelFile>,
    handle: Handle,
}

impl SqliteSink {
    fn file(&mut self) -> Result<&mut OcelFile, String> {
        self.file.as_mut().ok_or_else(|| "the file is complete already".to_owned())
    }
}

impl OcelSink for SqliteSink {
    fn event(&mut self, event: OcelEvent) -> Result<(), String> {
        let handle = self.handle.clone();
        let relations: Vec<_> = event.relations.iter().map(|to| (to.object.as_str(), to.qualifier)).collect();
        let work = self.file()?.event(&event.id, &event.activity, &event.time, &event.attributes, &relations);
        handle.block_on(work).map_err(|error| error.to_string())
    }

    fn object(&mut self, object: OcelObject) -> Result<(), String> {
        let handle = self.handle.clone();
        let work = self.file()?.object(&object.id, object.object_type.name(), &object.name);
        handle.block_on(work).map_err(|error| error.to_string())
    }

    fn end(&mut self, _: &BTreeSet<String>) -> Result<(), String> {
        let file = self.file.take().ok_or_else(|| "the file is complete already".to_owned())?;
        self.handle.block_on(file.finish()).map_err(|error| error.to_string())
    }
}
