//! Writes the table of a job: the old one or the new one, never something between.
//!
//! A table whose rows stay with their agents is made of parts, one per range of agents, each with a fingerprint of what it
//! was made from; a part whose fingerprint still holds is kept and not computed again. Other tables are one part.

use crate::clusters::clusters;
use crate::columns::{AGENT_KEY, EVENT_ORDER};
use crate::control::manifest::{FileEntry, TableEntry};
use crate::engine::{Author, Cost, Parameter, Question};
use crate::files::{Staged, hex};
use crate::import::{SortedWriter, publish_all};
use crate::operator::RowFunctions;
use crate::snapshot::{Snapshot, TableFiles};
use crate::{Store, StoreError};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, SchemaRef};
use futures::StreamExt;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use uilog::planted;

/// A table to be made.
#[derive(Clone)]
pub struct Build {
    /// SQL name of the table.
    pub table: String,
    /// The question whose answer is the table; of a table that is computed elsewhere, the text that does it.
    pub sql: String,
    /// Who wrote it.
    pub author: Author,
    /// Values of its `$name`s.
    pub parameters: HashMap<String, Parameter>,
    /// Functions that only this table needs.
    pub row_functions: RowFunctions,
    /// Tables it reads; the first one decides the parts of a per-agent table.
    pub reads: Vec<String>,
    /// Whether each row depends on rows of the same agent only.
    pub per_agent: bool,
    /// Identity of text, parameters and functions: when it changes, everything is computed again.
    pub revision: String,
    /// Time it may take, per part.
    pub seconds_max: u64,
}

impl Build {
    /// Looks whether everything is there that it reads.
    ///
    /// Errors: [`StoreError::Missing`] for the first table that is not.
    pub fn check_reads(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        match self.reads.iter().find(|name| !snapshot.tables.contains_key(*name)) {
            Some(name) => Err(StoreError::Missing { kind: "table", name: name.clone() }),
            None => Ok(()),
        }
    }
}

/// What building took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Built {
    /// Rows of the tables that were read.
    pub rows_in: i64,
    /// Rows of the table.
    pub rows_out: i64,
    /// Most memory the engine accounted for at one moment.
    pub peak_memory_bytes: usize,
    /// Parts of the table.
    pub parts: usize,
    /// Parts that still held and were kept.
    pub parts_kept: usize,
}

impl Store {
    /// What a table would be made from now; equal to the stored fingerprint if the table is fresh.
    pub fn table_fingerprint(snapshot: &Snapshot, build: &Build) -> String {
        fingerprint(
            build,
            build
                .reads
                .iter()
                .filter_map(|name| snapshot.tables.get(name))
                .flat_map(|table| &table.files)
                .map(|file| file.sha256.as_str()),
        )
    }

    /// Makes a table from `snapshot` and commits it.
    ///
    /// Errors: [`StoreError::Missing`] for a table it reads that is not there; [`StoreError::Sql`] with the place in the text.
    /// The old table stays whatever the error.
    pub async fn build_table(&self, snapshot: &Snapshot, build: &Build, now_us: i64) -> Result<Built, StoreError> {
        build.check_reads(snapshot)?;
        if planted::is("job-writes-in-place") {
            self.control().drop_table(&snapshot.project.id, &build.table).await?;
        }
        let old = snapshot.tables.get(&build.table);
        let mut parts = if build.per_agent { parts(snapshot, build) } else { Vec::new() };
        if parts.is_empty() {
            // The whole is one part; also where there is no agent (left) to make parts of.
            parts.push(Part { agents: None, snapshot: snapshot.clone() });
        }
        let mut built = Built {
            rows_in: build.reads.iter().filter_map(|name| snapshot.tables.get(name)).map(TableFiles::rows).sum(),
            parts: parts.len(),
            ..Built::default()
        };
        let threads = if build.per_agent { 1 } else { self.engine().cores() };
        let wide = if build.per_agent { self.engine().cores() } else { 1 };

        let mut files: Vec<FileEntry> = Vec::new();
        let mut work = Vec::new();
        for part in parts {
            let print = Self::table_fingerprint(&part.snapshot, build);
            let kept: Vec<_> = old
                .iter()
                .flat_map(|table| &table.files)
                .filter(|file| file.fingerprint == print)
                .map(|file| file.as_ref().clone())
                .collect();
            if kept.is_empty() {
                work.push((part, print));
            } else {
                built.parts_kept += 1;
                files.extend(kept);
            }
        }
        let mut results = futures::stream::iter(work.into_iter().map(|(part, print)| async move {
            let made = self.make_part(&part, build, threads).await?;
            Ok::<_, StoreError>((part, print, made))
        }))
        .buffer_unordered(wide);
        let mut made = Vec::new();
        while let Some(result) = results.next().await {
            let (part, print, (staged, columns, cost)) = result?;
            built.peak_memory_bytes = built.peak_memory_bytes.max(cost.peak_memory_bytes);
            made.push((part, print, staged, columns));
        }
        drop(results);
        for (part, print, mut staged, schema) in made {
            // A part without rows is a file without rows, so that the table is there for whoever reads it in parts.
            if staged.is_empty() {
                staged.push(self.files().stage(schema)?.finish()?);
            }
            let mut published = publish_all(self.files(), staged, &snapshot.project.id, &build.table, &print).await?;
            if let Some((low, high)) = part.agents
                && let [only] = published.as_mut_slice()
            {
                (only.agent_min, only.agent_max) = (Some(low), Some(high));
            }
            files.extend(published);
        }
        self.commit_files(snapshot, build, &files, now_us, built).await
    }

    /// Commits rows that were computed elsewhere as the table of `build`, made from `snapshot`.
    ///
    /// Errors: those of the files and of the control database; the old table stays then.
    pub async fn commit_made(
        &self,
        snapshot: &Snapshot,
        build: &Build,
        staged: Staged,
        now_us: i64,
    ) -> Result<Built, StoreError> {
        let rows_in = build.reads.iter().filter_map(|name| snapshot.tables.get(name)).map(TableFiles::rows).sum();
        let print = Self::table_fingerprint(snapshot, build);
        let files = publish_all(self.files(), vec![staged], &snapshot.project.id, &build.table, &print).await?;
        let built = Built { rows_in, parts: 1, ..Built::default() };
        self.commit_files(snapshot, build, &files, now_us, built).await
    }

    async fn commit_files(
        &self,
        snapshot: &Snapshot,
        build: &Build,
        files: &[FileEntry],
        now_us: i64,
        mut built: Built,
    ) -> Result<Built, StoreError> {
        built.rows_out = files.iter().map(|file| file.rows).sum();
        let entry = TableEntry {
            name: build.table.clone(),
            fingerprint: Self::table_fingerprint(snapshot, build),
            rows: built.rows_out,
            bytes: files.iter().map(|file| file.bytes).sum(),
            built_at_us: now_us,
        };
        self.control().commit_table(&snapshot.project.id, &entry, files).await?;
        Ok(built)
    }

    async fn make_part(
        &self,
        part: &Part,
        build: &Build,
        threads: usize,
    ) -> Result<(Vec<Staged>, SchemaRef, Cost), StoreError> {
        let question = Question {
            sql: build.sql.clone(),
            author: build.author,
            parameters: build.parameters.clone(),
            seconds_max: build.seconds_max,
            partitions: Some(threads),
        };
        let mut answer = self.engine().ask(&part.snapshot, question, &build.row_functions).await?;
        let schema = answer.schema.clone();
        let mut order = Order::of(&schema, &build.table);
        let mut writer = SortedWriter::new(self.files().clone(), schema.clone());
        while let Some(batch) = answer.next().await {
            let batch = batch?;
            order.check(&batch)?;
            writer.write(batch)?;
        }
        Ok((writer.finish()?, schema, answer.cost()))
    }
}

/// A range of agents with the files that hold it.
struct Part {
    agents: Option<(i64, i64)>,
    snapshot: Snapshot,
}

/// One part per cluster of files of the first table read, with the files of the others that hold the same agents.
fn parts(snapshot: &Snapshot, build: &Build) -> Vec<Part> {
    let Some(leading) = build.reads.first().and_then(|name| snapshot.tables.get(name)) else { return Vec::new() };
    let ranges: Vec<_> = match clusters(leading.files.iter().map(|file| file.as_ref())) {
        Some(clusters) => clusters.into_iter().map(|cluster| cluster.agents).collect(),
        None => Vec::new(),
    };
    if ranges.is_empty() {
        return vec![Part { agents: None, snapshot: snapshot.clone() }];
    }
    ranges
        .into_iter()
        .map(|(low, high)| {
            let mut part = snapshot.clone();
            for table in part.tables.values_mut() {
                table.files.retain(|file| {
                    file.agent_min.zip(file.agent_max).is_none_or(|(first, last)| first <= high && low <= last)
                });
            }
            part.tables.retain(|_, table| !table.files.is_empty());
            Part { agents: Some((low, high)), snapshot: part }
        })
        .collect()
}

fn fingerprint<'a>(build: &Build, inputs: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new().chain_update(&build.revision);
    for input in inputs {
        hash.update(b"\n");
        hash.update(input);
    }
    hex(&hash.finalize())
}

/// Holds a table that names the order of events to that order.
struct Order {
    column: Option<usize>,
    table: String,
    last: i64,
}

impl Order {
    fn of(schema: &SchemaRef, table: &str) -> Self {
        let keyed = schema.column_with_name(AGENT_KEY).is_some();
        let column = schema.column_with_name(EVENT_ORDER).filter(|_| keyed).map(|(position, _)| position);
        Self { column, table: table.to_owned(), last: i64::MIN }
    }

    fn check(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        let Some(orders) = self.column.and_then(|position| batch.column(position).as_primitive_opt::<Int64Type>())
        else {
            return Ok(());
        };
        let ascending = orders.null_count() == 0
            && orders.values().is_sorted()
            && orders.values().first().is_none_or(|first| *first >= self.last);
        self.last = orders.values().last().copied().unwrap_or(self.last);
        if ascending {
            return Ok(());
        }
        Err(StoreError::Invalid(format!(
            "table '{}' has agent_key and event_order but its rows are not in that order; end the job with ORDER BY agent_key, event_order",
            self.table
        )))
    }
}
