//! A question that leaves the process: what goes along, and how it is answered where it arrives.
//!
//! Text that a person wrote is treated like a program of theirs. It is answered in a process that can read the files of
//! its snapshot and nothing else; which process that is, and what keeps it from the rest, is for whoever implements
//! [`Outside`]. Here stands only what both sides share: the [`Order`].

use crate::control::manifest::FileEntry;
use crate::control::projects::Project;
use crate::engine::{Answer, Engine, Question};
use crate::files::Files;
use crate::operator::{Operator, RowFunction, RowFunctions};
use crate::snapshot::{Snapshot, TableFiles, View, read_schema};
use crate::{Settings, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Answers questions of people, away from this process.
#[async_trait::async_trait]
pub trait Outside: Send + Sync + Debug {
    /// Starts the question of an order; `leases` keeps its files readable and goes when the answer does.
    async fn ask(&self, order: Order, leases: Snapshot) -> Result<Answer, StoreError>;
}

/// A question and everything that is needed to answer it elsewhere on this machine. Both sides are the same program, so
/// its form is not versioned.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    /// The question.
    pub question: Question,
    /// From which the functions of the project are made.
    pub functions_source: String,
    /// The folder below which the files are.
    folder: PathBuf,
    project: Project,
    tables: BTreeMap<String, Vec<FileEntry>>,
    views: Vec<View>,
    persons_min: Option<i64>,
    hidden_columns: Vec<String>,
}

/// What a process may take to answer an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Means {
    /// A folder of its own, for what does not fit into memory.
    pub scratch: PathBuf,
    /// Memory for the engine, in bytes; it undercounts.
    pub memory_bytes: usize,
    /// Cores.
    pub cores: usize,
}

impl Order {
    pub(crate) fn new(snapshot: &Snapshot, question: Question, functions: &RowFunctions, folder: &Path) -> Self {
        let files = |table: &TableFiles| table.files.iter().map(|file| file.as_ref().clone()).collect();
        Self {
            question,
            functions_source: functions.source.clone(),
            folder: folder.to_owned(),
            project: snapshot.project.clone(),
            tables: snapshot.tables.iter().map(|(name, table)| (name.clone(), files(table))).collect(),
            views: snapshot.views.clone(),
            persons_min: snapshot.persons_min,
            hidden_columns: snapshot.hidden_columns.clone(),
        }
    }

    /// Id of the project that is asked about.
    pub fn project(&self) -> &str {
        &self.project.id
    }

    /// Every file that answering reads, and no other.
    pub fn files(&self) -> BTreeSet<PathBuf> {
        self.tables.values().flatten().map(|file| self.folder.join(&file.path)).collect()
    }

    /// Answers with an engine made for it, in this process.
    ///
    /// Errors: those of the question; [`StoreError::Damaged`] for a file that cannot be read.
    pub async fn answer(
        self,
        means: Means,
        operators: Vec<Operator>,
        row_functions: &[RowFunction],
    ) -> Result<(Engine, Answer), StoreError> {
        let files = Files::to_read(&self.folder)?;
        let settings = Settings {
            query_memory_bytes: means.memory_bytes,
            cores: means.cores,
            ..Settings::for_folder(&means.scratch)
        };
        let engine = Engine::new(&settings, &means.scratch, files.object_store(), None)?;
        engine.register(operators);
        let mut tables = BTreeMap::new();
        for (name, entries) in self.tables {
            let Some(first) = entries.first() else { continue };
            let schema = read_schema(&files, first).await?;
            tables.insert(name, TableFiles { schema, files: entries.into_iter().map(Arc::new).collect() });
        }
        let snapshot = Snapshot {
            project: self.project,
            tables,
            views: self.views,
            persons_min: self.persons_min,
            hidden_columns: self.hidden_columns,
        };
        let answer = engine.ask_here(&snapshot, self.question, row_functions).await?;
        Ok((engine, answer))
    }
}
