//! One explicit list of files, kept readable as long as somebody reads it.
//!
//! Taking a snapshot leases its files. A file that dropped out of every table is deleted only when its last lease is
//! gone, so a long question never loses the ground under its feet.

use crate::StoreError;
use crate::control::manifest::FileEntry;
use crate::control::projects::Project;
use crate::engine::Author;
use crate::files::Files;
use arrow::datatypes::SchemaRef;
use object_store::ObjectStoreExt;
use object_store::path::Path as ObjectPath;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::file::FOOTER_SIZE;
use parquet::file::metadata::{FooterTail, ParquetMetaDataReader};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use tokio::sync::Mutex;

/// The tables of one project as they were at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The project.
    pub project: Project,
    /// SQL name → files. A table with no file is not there.
    pub tables: BTreeMap<String, TableFiles>,
    /// Views over them, each after those it reads; whoever asks puts them here.
    pub views: Vec<View>,
    /// The least number of people that a row must be about. Rows that count fewer in [`PERSONS`] are not there, and neither
    /// are tables that count nobody; nothing that reads the snapshot gets around it.
    pub persons_min: Option<i64>,
    /// Columns that no table has for whoever asks, whatever the files hold.
    pub hidden_columns: Vec<String>,
}

/// The column in which a table counts the people that a row is about.
pub const PERSONS: &str = "users";

/// A table that is computed whenever it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// SQL name.
    pub name: String,
    /// Who wrote its question.
    pub author: Author,
    /// Its question; a `$name` in it takes the value it has in the question that reads the view.
    pub sql: String,
}

/// The files of one table.
#[derive(Debug, Clone)]
pub struct TableFiles {
    /// Columns of every file.
    pub schema: SchemaRef,
    /// Files in the order of their agents.
    pub files: Vec<Arc<FileEntry>>,
}

impl TableFiles {
    /// Rows of all files.
    pub fn rows(&self) -> i64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}

/// Who reads which file, and what the files' columns are.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    files: HashMap<String, Weak<FileEntry>>,
    schemas: HashMap<String, SchemaRef>,
}

impl Leases {
    /// Leases what `load` lists; nothing is deleted in between.
    pub async fn take(
        &self,
        files: &Files,
        load: impl Future<Output = Result<Vec<(String, FileEntry)>, StoreError>>,
    ) -> Result<BTreeMap<String, TableFiles>, StoreError> {
        let mut inner = self.inner.lock().await;
        let mut tables: BTreeMap<String, TableFiles> = BTreeMap::new();
        for (table, entry) in load.await? {
            let schema = match inner.schemas.get(&entry.path) {
                Some(schema) => schema.clone(),
                None => {
                    let schema = read_schema(files, &entry).await?;
                    inner.schemas.insert(entry.path.clone(), schema.clone());
                    schema
                }
            };
            let lease = match inner.files.get(&entry.path).and_then(Weak::upgrade) {
                Some(lease) => lease,
                None => {
                    let lease = Arc::new(entry);
                    inner.files.insert(lease.path.clone(), Arc::downgrade(&lease));
                    lease
                }
            };
            tables.entry(table).or_insert_with(|| TableFiles { schema, files: Vec::new() }).files.push(lease);
        }
        Ok(tables)
    }

    /// Deletes those of `dropped` that nobody reads, by `delete`; returns how many.
    pub async fn delete_unread<F: Future<Output = Result<(), StoreError>>>(
        &self,
        dropped: Vec<String>,
        delete: impl Fn(String) -> F,
    ) -> Result<u64, StoreError> {
        let mut inner = self.inner.lock().await;
        let mut deleted = 0;
        for path in dropped {
            if inner.files.get(&path).and_then(Weak::upgrade).is_none() {
                inner.files.remove(&path);
                inner.schemas.remove(&path);
                delete(path).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }
}

/// Reads the columns of a file from its footer, in two small reads.
pub(crate) async fn read_schema(files: &Files, entry: &FileEntry) -> Result<SchemaRef, StoreError> {
    let damaged = |reason: String| StoreError::Damaged { path: entry.path.clone(), reason };
    let (store, path, size) = (files.object_store(), ObjectPath::from(entry.path.as_str()), entry.bytes as u64);
    let tail_start = size.saturating_sub(FOOTER_SIZE as u64);
    let tail = store.get_range(&path, tail_start..size).await.map_err(|error| damaged(error.to_string()))?;
    let tail: [u8; FOOTER_SIZE] = tail.as_ref().try_into().map_err(|_| damaged("it is too short".into()))?;
    let footer = FooterTail::try_new(&tail).map_err(|error| damaged(error.to_string()))?;
    let start = tail_start.saturating_sub(footer.metadata_length() as u64);
    let bytes = store.get_range(&path, start..tail_start).await.map_err(|error| damaged(error.to_string()))?;
    let metadata = ParquetMetaDataReader::decode_metadata(&bytes).map_err(|error| damaged(error.to_string()))?;
    let metadata = metadata.file_metadata();
    let schema = parquet_to_arrow_schema(metadata.schema_descr(), metadata.key_value_metadata())?;
    // Metadata of the file would make equal schemas unequal.
    Ok(Arc::new(schema.with_metadata(HashMap::new())))
}
