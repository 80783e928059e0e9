//! One explicit list of files, kept readable as long as somebody reads it.
//!
//! Taking a snapshot leases its files. A file that dropped out of every table is deleted only when its last lease is
//! gone, so a long question never loses the ground under its feet.

use crate::control::manifest::FileEntry;
use crate::control::projects::Project;
use crate::files::Files;
use crate::StoreError;
use arrow::datatypes::SchemaRef;
use object_store::path::Path as ObjectPath;
use parquet::arrow::async_reader::{ParquetObjectReader, ParquetRecordBatchStreamBuilder};
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
    pub async fn delete_unread<F: Future<Output = Result<(), StoreError>>>(&self, dropped: Vec<String>, delete: impl Fn(String) -> F) -> Result<u64, StoreError> {
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

async fn read_schema(files: &Files, entry: &FileEntry) -> Result<SchemaRef, StoreError> {
    let reader = ParquetObjectReader::new(files.object_store(), ObjectPath::from(entry.path.as_str())).with_file_size(entry.bytes as u64);
    let builder = ParquetRecordBatchStreamBuilder::new(reader)
        .await
        .map_err(|error| StoreError::Damaged { path: entry.path.clone(), reason: error.to_string() })?;
    // Metadata of the file would make equal schemas unequal.
    Ok(Arc::new(builder.schema().as_ref().clone().with_metadata(HashMap::new())))
}
