//! A table of one snapshot, as the engine sees it: an explicit list of files and the order of their rows.
//!
//! The list is split into as many partitions as there are cores, at the borders of files, so that no agent is in two
//! partitions; what runs over a partition therefore sees each agent whole and in order.

use crate::columns::{AGENT_KEY, EVENT_ORDER};
use crate::control::manifest::FileEntry;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::Precision;
use datafusion::common::{Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr, conjunction, expressions};
use datafusion::physical_plan::ExecutionPlan;
use std::sync::Arc;

/// The address under which the engine finds the files of the store.
pub(crate) const OBJECTS_URL: &str = "lode://objects";

/// One table of a snapshot.
#[derive(Debug)]
pub struct SnapshotTable {
    schema: SchemaRef,
    files: Vec<FileEntry>,
    ordered: bool,
}

impl SnapshotTable {
    /// A table of these files, which must all have `schema`.
    pub fn new(schema: SchemaRef, files: Vec<FileEntry>) -> Self {
        let ordered = in_event_order(&schema, &files);
        Self { schema, files, ordered }
    }

    /// Whether the rows are declared to be in the order of events.
    pub fn ordered(&self) -> bool {
        self.ordered
    }

    /// Splits the files into at most `partitions` runs of nearly equal numbers of rows, keeping their order.
    fn groups(&self, partitions: usize) -> Vec<FileGroup> {
        let total: i64 = self.files.iter().map(|file| file.rows).sum();
        let share = (total / partitions.max(1) as i64).max(1);
        let mut groups: Vec<FileGroup> = Vec::new();
        let (mut group, mut rows) = (FileGroup::default(), 0);
        for file in &self.files {
            if rows > 0 && rows + file.rows / 2 > share && groups.len() + 1 < partitions {
                groups.push(std::mem::take(&mut group));
                rows = 0;
            }
            rows += file.rows;
            group.push(PartitionedFile::new(file.path.clone(), file.bytes as u64));
        }
        groups.push(group);
        groups
    }

    fn ordering(&self) -> Option<LexOrdering> {
        let column = |name: &str| Some(PhysicalSortExpr::new_default(expressions::col(name, &self.schema).ok()?));
        if !self.ordered {
            return None;
        }
        LexOrdering::new([column(AGENT_KEY)?, column(EVENT_ORDER)?])
    }
}

/// Whether rows are sorted by (`agent_key`, `event_order`) when the files are read one after the other.
fn in_event_order(schema: &SchemaRef, files: &[FileEntry]) -> bool {
    let keys = [AGENT_KEY, EVENT_ORDER].iter().all(|name| schema.column_with_name(name).is_some());
    let apart = files
        .windows(2)
        .all(|pair| matches!((pair[0].agent_max, pair[1].agent_min), (Some(before), Some(after)) if before < after));
    keys && apart
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    fn statistics(&self) -> Option<Statistics> {
        let rows: i64 = self.files.iter().map(|file| file.rows).sum();
        Some(Statistics { num_rows: Precision::Exact(rows as usize), ..Statistics::new_unknown(&self.schema) })
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = datafusion::common::DFSchema::try_from(self.schema.clone())?;
        let predicates = filters
            .iter()
            .map(|filter| session.create_physical_expr(filter.clone(), &schema))
            .collect::<Result<Vec<_>>>()?;
        let options = TableParquetOptions {
            global: session.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        let mut source = ParquetSource::new(self.schema.clone()).with_table_parquet_options(options);
        if !predicates.is_empty() {
            source = source.with_predicate(conjunction(predicates));
        }
        let mut config = FileScanConfigBuilder::new(ObjectStoreUrl::parse(OBJECTS_URL)?, Arc::new(source))
            .with_file_groups(self.groups(session.config().target_partitions()))
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_preserve_order(self.ordered);
        if let Some(ordering) = self.ordering() {
            config = config.with_output_ordering(vec![ordering]);
        }
        Ok(DataSourceExec::from_data_source(config.build()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::event_schema;

    fn file(agents: (i64, i64), rows: i64) -> FileEntry {
        FileEntry {
            path: format!("{}.parquet", agents.0),
            agent_min: Some(agents.0),
            agent_max: Some(agents.1),
            rows,
            bytes: rows,
            time_min_us: None,
            time_max_us: None,
            sha256: String::new(),
            fingerprint: String::new(),
        }
    }

    fn partitions(files: &[((i64, i64), i64)], cores: usize) -> Vec<usize> {
        let files = files.iter().map(|(agents, rows)| file(*agents, *rows)).collect();
        SnapshotTable::new(event_schema(), files).groups(cores).iter().map(FileGroup::len).collect()
    }

    #[test]
    fn files_are_shared_out_in_order_and_by_rows() {
        assert_eq!(partitions(&[((1, 2), 10), ((3, 4), 10), ((5, 6), 10), ((7, 8), 10)], 2), [2, 2]);
        assert_eq!(partitions(&[((1, 2), 30), ((3, 4), 5), ((5, 6), 5)], 2), [1, 2]);
        assert_eq!(partitions(&[((1, 2), 5)], 2), [1]);
    }

    #[test]
    fn an_order_is_declared_only_if_no_agent_is_in_two_files() {
        assert!(SnapshotTable::new(event_schema(), vec![file((1, 2), 1), file((3, 3), 1)]).ordered());
        assert!(!SnapshotTable::new(event_schema(), vec![file((1, 3), 1), file((3, 3), 1)]).ordered());
    }
}
