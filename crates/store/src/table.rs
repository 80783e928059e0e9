//! A table of one snapshot, as the engine sees it: an explicit list of files and the order of their rows.
//!
//! The list is split into as many partitions as there are cores, between clusters of files, so that no agent is in two
//! partitions; what runs over a partition therefore sees each agent whole and in order. Recent files that hold the same
//! agents as a large one are merged with it while they are read ([`crate::clusters`]).

use crate::clusters::{Cluster, clusters};
use crate::columns::{AGENT_KEY, EVENT_ORDER};
use crate::control::manifest::FileEntry;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, Partitioning, PhysicalExpr, PhysicalSortExpr, conjunction, expressions,
};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt, TryStreamExt};
use std::ops::Range;
use std::sync::Arc;

/// The address under which the engine finds the files of the store.
pub(crate) const OBJECTS_URL: &str = "lode://objects";

/// One table of a snapshot.
#[derive(Debug)]
pub struct SnapshotTable {
    schema: SchemaRef,
    files: Vec<FileEntry>,
    /// The files by agents; `None` for a table that is not in the order of events.
    clusters: Option<Vec<Cluster<FileEntry>>>,
}

impl SnapshotTable {
    /// A table of these files, which must all have `schema`.
    pub fn new(schema: SchemaRef, files: Vec<FileEntry>) -> Self {
        let keyed = [AGENT_KEY, EVENT_ORDER].iter().all(|name| schema.column_with_name(name).is_some());
        let clusters = if keyed { clusters(files.iter().cloned()) } else { None };
        Self { schema, files, clusters }
    }

    /// Whether the rows are declared to be in the order of events.
    pub fn ordered(&self) -> bool {
        self.clusters.is_some()
    }

    /// Whether every cluster is one file, so that reading them one after the other keeps the order.
    fn apart(&self) -> bool {
        self.clusters.as_ref().is_none_or(|clusters| clusters.iter().all(|cluster| cluster.files.len() == 1))
    }

    /// Splits the files into at most `partitions` runs of nearly equal numbers of rows, keeping their order.
    fn groups(&self, partitions: usize) -> Vec<FileGroup> {
        let rows: Vec<i64> = self.files.iter().map(|file| file.rows).collect();
        let group = |run: Range<usize>| FileGroup::new(self.files[run].iter().map(partitioned).collect());
        shares(&rows, partitions).into_iter().map(group).collect()
    }

    /// The order of the rows, in terms of `schema`; `None` if it lacks a key.
    fn ordering(schema: &SchemaRef) -> Option<LexOrdering> {
        let column = |name: &str| Some(PhysicalSortExpr::new_default(expressions::col(name, schema).ok()?));
        LexOrdering::new([column(AGENT_KEY)?, column(EVENT_ORDER)?])
    }

    /// Reads the clusters of each partition one after the other, merging the files of each.
    fn merged(
        &self,
        clusters: &[Cluster<FileEntry>],
        scan: &Scan<'_>,
        projection: Option<&Vec<usize>>,
        partitions: usize,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let mut read = wanted.clone();
        read.extend([self.schema.index_of(AGENT_KEY)?, self.schema.index_of(EVENT_ORDER)?]);
        let mut seen = std::collections::HashSet::new();
        read.retain(|column| seen.insert(*column));
        let read_schema = Arc::new(self.schema.project(&read)?);
        let ordering = Self::ordering(&read_schema)
            .ok_or_else(|| DataFusionError::Internal("a table in the order of events has both keys".into()))?;
        let one = |cluster: &Cluster<FileEntry>| -> Result<Arc<dyn ExecutionPlan>> {
            let groups = cluster.files.iter().map(|file| FileGroup::new(vec![partitioned(file)])).collect();
            let mut plan = scan(groups, Some(&read))?;
            if cluster.files.len() > 1 {
                plan = Arc::new(SortPreservingMergeExec::new(ordering.clone(), plan));
            }
            if read.len() > wanted.len() {
                let columns = (0..wanted.len()).map(|position| {
                    let name = read_schema.field(position).name().clone();
                    (Arc::new(expressions::Column::new(&name, position)) as Arc<dyn PhysicalExpr>, name)
                });
                plan = Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), plan)?);
            }
            Ok(plan)
        };
        let rows: Vec<i64> = clusters.iter().map(Cluster::rows).collect();
        let runs = shares(&rows, partitions)
            .into_iter()
            .map(|run| clusters[run].iter().map(one).collect::<Result<Vec<_>>>())
            .collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(ClusteredScan::new(Arc::new(self.schema.project(&wanted)?), runs)))
    }
}

/// Reads groups of files, each a partition, with these columns.
type Scan<'a> = dyn Fn(Vec<FileGroup>, Option<&Vec<usize>>) -> Result<Arc<dyn ExecutionPlan>> + 'a;

fn partitioned(file: &FileEntry) -> PartitionedFile {
    PartitionedFile::new(file.path.clone(), file.bytes as u64)
}

/// Splits things with these numbers of rows into at most `partitions` runs of nearly equal sums; at least one run.
fn shares(rows: &[i64], partitions: usize) -> Vec<Range<usize>> {
    let share = (rows.iter().sum::<i64>() / partitions.max(1) as i64).max(1);
    let mut runs: Vec<Range<usize>> = Vec::new();
    let (mut from, mut sum) = (0, 0);
    for (position, count) in rows.iter().enumerate() {
        if sum > 0 && sum + count / 2 > share && runs.len() + 1 < partitions {
            runs.push(from..position);
            (from, sum) = (position, 0);
        }
        sum += count;
    }
    runs.push(from..rows.len());
    runs
}

/// Partitions that are each a run of scans, read one after the other. To the engine it is a leaf: how the scans inside merge
/// is decided here, and nothing may reorder them.
#[derive(Debug)]
struct ClusteredScan {
    runs: Vec<Vec<Arc<dyn ExecutionPlan>>>,
    properties: Arc<PlanProperties>,
}

impl ClusteredScan {
    fn new(schema: SchemaRef, runs: Vec<Vec<Arc<dyn ExecutionPlan>>>) -> Self {
        let equivalence = match SnapshotTable::ordering(&schema) {
            Some(ordering) => EquivalenceProperties::new_with_orderings(schema, [ordering]),
            None => EquivalenceProperties::new(schema),
        };
        let partitioning = Partitioning::UnknownPartitioning(runs.len());
        let properties =
            PlanProperties::new(equivalence, partitioning, EmissionType::Incremental, Boundedness::Bounded);
        Self { runs, properties: Arc::new(properties) }
    }
}

impl DisplayAs for ClusteredScan {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let clusters: usize = self.runs.iter().map(Vec::len).sum();
        write!(formatter, "ClusteredScan: partitions={}, clusters={clusters}", self.runs.len())
    }
}

impl ExecutionPlan for ClusteredScan {
    fn name(&self) -> &'static str {
        "ClusteredScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let scans = self.runs[partition].clone();
        let streams = futures::stream::iter(scans).map(move |scan| scan.execute(0, context.clone()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), streams.try_flatten())))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        let mut metrics = MetricsSet::new();
        let mut open: Vec<Arc<dyn ExecutionPlan>> = self.runs.iter().flatten().cloned().collect();
        while let Some(scan) = open.pop() {
            scan.metrics().iter().flat_map(MetricsSet::iter).for_each(|metric| metrics.push(metric.clone()));
            open.extend(scan.children().into_iter().cloned());
        }
        Some(metrics)
    }
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
        let source = Arc::new(source);
        let ordering = Self::ordering(&self.schema).filter(|_| self.ordered());
        let scan = |groups: Vec<FileGroup>, columns: Option<&Vec<usize>>| -> Result<Arc<dyn ExecutionPlan>> {
            let mut config = FileScanConfigBuilder::new(ObjectStoreUrl::parse(OBJECTS_URL)?, source.clone())
                .with_file_groups(groups)
                .with_projection_indices(columns.cloned())?
                .with_limit(limit)
                .with_preserve_order(self.ordered());
            if let Some(ordering) = &ordering {
                config = config.with_output_ordering(vec![ordering.clone()]);
            }
            Ok(DataSourceExec::from_data_source(config.build()))
        };
        let partitions = session.config().target_partitions();
        match &self.clusters {
            Some(clusters) if !self.apart() => self.merged(clusters, &scan, projection, partitions),
            _ => scan(self.groups(partitions), projection),
        }
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
    fn files_that_share_an_agent_are_merged() {
        assert!(SnapshotTable::new(event_schema(), vec![file((1, 2), 1), file((3, 3), 1)]).ordered());
        let shared = SnapshotTable::new(event_schema(), vec![file((1, 3), 1), file((3, 3), 1)]);
        assert!(shared.ordered() && !shared.apart());
    }
}
