//! Answers SQL over one snapshot.
//!
//! Questions run on threads of their own, so that pages stay quick while they do; each is bounded in time, memory and
//! scratch space, can be cancelled by dropping its answer, and sees its project's tables and nothing else: no file, no
//! other project, no statement that changes anything.
//!
//! None of that is a wall against a hostile text, so a text that a person wrote is not planned here at all: it goes
//! [`outside`](crate::outside), to a process that has nothing to lose.

use crate::background::give_way;
use crate::operator::{Operator, RowFunction, RowFunctions};
use crate::outside::{Order, Outside};
use crate::postgres::{Catalogue, CatalogueTable};
use crate::snapshot::{PERSONS, Snapshot};
use crate::store::Settings;
use crate::table::{OBJECTS_URL, SnapshotTable};
use crate::{Position, StoreError};
use arrow::array::{ArrayRef, ListArray, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, ParamValues, ScalarValue};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{DataFrame, SQLOptions, SessionConfig, SessionContext, col, lit};
use futures::StreamExt;
use object_store::ObjectStore;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;
use tokio::sync::mpsc;
use uilog::planted;

/// A question may take this long (promises.md, limits).
pub const QUESTION_SECONDS_MAX: u64 = 300;

/// Scratch space of all questions together, in bytes.
pub const SCRATCH_BYTES_MAX: u64 = 10 << 30;

/// Rows of one batch inside the engine.
const BATCH_ROWS: usize = 16 * 1024;

/// Threads that read files; what asks for more waits.
const FILE_THREADS_MAX: usize = 64;

/// Batches that may wait for whoever reads the answer.
const ANSWER_QUEUE: usize = 2;

/// A value for a `$name` in a question.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Parameter {
    /// A text, or null.
    Text(Option<String>),
    /// A whole number, or null.
    Integer(Option<i64>),
    /// A time in microseconds since 1970, UTC, or null.
    TimeUs(Option<i64>),
    /// Several texts, or null.
    Texts(Option<Vec<String>>),
}

/// Who wrote a text of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Author {
    /// It ships with Lode.
    Lode,
    /// Somebody who uses Lode.
    Person,
}

/// What to ask, and how far to go.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Question {
    /// One `SELECT`, `WITH` or `EXPLAIN`.
    pub sql: String,
    /// Who wrote it.
    pub author: Author,
    /// Values of its `$name`s.
    pub parameters: HashMap<String, Parameter>,
    /// Time it may take.
    pub seconds_max: u64,
    /// Threads it may use; `None`: as many as there are cores.
    pub partitions: Option<usize>,
}

impl Question {
    /// A question of a person, without parameters, under the ordinary limits.
    pub fn of_person(sql: impl Into<String>) -> Self {
        Self { author: Author::Person, ..Self::of_lode(sql) }
    }

    /// A question that ships with Lode, without parameters, under the ordinary limits.
    pub fn of_lode(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            author: Author::Lode,
            parameters: HashMap::new(),
            seconds_max: QUESTION_SECONDS_MAX,
            partitions: None,
        }
    }
}

/// What an answer cost; complete when the answer is.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Most memory the engine accounted for at one moment.
    pub peak_memory_bytes: usize,
    /// Bytes read from files.
    pub bytes_scanned: usize,
}

/// The rows of an answer, as they come. Dropping it ends the question.
#[derive(Debug)]
pub struct Answer {
    /// Columns.
    pub schema: SchemaRef,
    batches: mpsc::Receiver<Result<RecordBatch, StoreError>>,
    cost: Arc<Mutex<Cost>>,
    _task: AbortOnDrop,
}

impl Answer {
    /// An answer that `task` puts into `batches`; dropping the answer ends the task.
    pub fn of_task(
        schema: SchemaRef,
        batches: mpsc::Receiver<Result<RecordBatch, StoreError>>,
        cost: Arc<Mutex<Cost>>,
        task: tokio::task::AbortHandle,
    ) -> Self {
        Self { schema, batches, cost, _task: AbortOnDrop(task) }
    }

    /// The next rows; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, StoreError>> {
        self.batches.recv().await
    }

    /// All rows, or the first `rows_max` and whether there were more.
    pub async fn collect(mut self, rows_max: usize) -> Result<(Vec<RecordBatch>, bool, Cost), StoreError> {
        let (mut batches, mut rows) = (Vec::new(), 0);
        while let Some(batch) = self.next().await {
            let batch = batch?;
            let room = rows_max - rows;
            if batch.num_rows() > room {
                batches.push(batch.slice(0, room));
                return Ok((batches, true, self.cost()));
            }
            rows += batch.num_rows();
            batches.push(batch);
        }
        Ok((batches, false, self.cost()))
    }

    /// What it cost so far.
    pub fn cost(&self) -> Cost {
        self.cost.lock().map(|cost| *cost).unwrap_or_default()
    }
}

#[derive(Debug)]
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The engine of one store.
#[derive(Debug)]
pub struct Engine {
    environment: Arc<RuntimeEnv>,
    cores: usize,
    operators: RwLock<Functions>,
    /// Where questions of people go.
    outside: OnceLock<Arc<dyn Outside>>,
    /// The folder of the files; what is outside reads them there.
    folder: Option<PathBuf>,
    /// Threads of the questions; `None` only while it is being dropped.
    threads: Option<tokio::runtime::Runtime>,
}

#[derive(Default, Clone)]
struct Functions {
    operators: Vec<Operator>,
    row_functions: Vec<RowFunction>,
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.operators.iter().map(|operator| operator.name)).finish()
    }
}

impl Engine {
    pub(crate) fn new(
        settings: &Settings,
        scratch: &Path,
        objects: Arc<dyn ObjectStore>,
        folder: Option<&Path>,
    ) -> Result<Self, StoreError> {
        std::fs::create_dir_all(scratch).map_err(StoreError::file("make the folder", scratch))?;
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![scratch.to_owned()]))
            .with_max_temp_directory_size(SCRATCH_BYTES_MAX);
        let environment = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(disk)
            .with_memory_pool(Arc::new(FairSpillPool::new(settings.query_memory_bytes)))
            .build_arc()
            .map_err(|error| plain(&error))?;
        let url = OBJECTS_URL
            .parse()
            .map_err(|error| StoreError::Invalid(format!("address of the object store: {error}")))?;
        environment.register_object_store(&url, objects);
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(settings.cores.max(1))
            .thread_name("lode-question")
            .on_thread_start(give_way)
            .max_blocking_threads(FILE_THREADS_MAX)
            .enable_time()
            .build()
            .map_err(StoreError::file("start threads for", scratch))?;
        Ok(Self {
            environment,
            cores: settings.cores.max(1),
            operators: RwLock::default(),
            outside: OnceLock::new(),
            folder: folder.map(Path::to_owned),
            threads: Some(threads),
        })
    }

    /// Says where questions of people are answered; the first one who says so is obeyed.
    pub fn send_people_outside(&self, outside: Arc<dyn Outside>) {
        let _ = self.outside.set(outside);
    }

    /// Lends the engine functions that stand elsewhere.
    pub fn register(&self, operators: Vec<Operator>) {
        if let Ok(mut functions) = self.operators.write() {
            functions.operators.extend(operators);
        }
    }

    /// Threads for one question.
    pub fn cores(&self) -> usize {
        self.cores
    }

    /// Starts a question over `snapshot`, with functions that only this question has.
    ///
    /// Text of a person, in the question or in a view it could read, is answered outside this process.
    ///
    /// Errors: [`StoreError::Sql`] with the place in the text, as far as the engine knows it; [`StoreError::Invalid`] for
    /// text of a person where there is no outside.
    pub async fn ask(
        &self,
        snapshot: &Snapshot,
        question: Question,
        row_functions: &RowFunctions,
    ) -> Result<Answer, StoreError> {
        let of_person = |author| author == Author::Person;
        if of_person(question.author) || snapshot.views.iter().any(|view| of_person(view.author)) {
            let (Some(outside), Some(folder)) = (self.outside.get(), &self.folder) else {
                return Err(StoreError::Invalid(
                    "SQL that people wrote runs in a process of its own, and none is set up here".into(),
                ));
            };
            return outside.ask(Order::new(snapshot, question, row_functions, folder), snapshot.clone()).await;
        }
        self.ask_here(snapshot, question, &row_functions.functions).await
    }

    /// Starts a question in this process, whoever wrote it.
    pub(crate) async fn ask_here(
        &self,
        snapshot: &Snapshot,
        question: Question,
        row_functions: &[RowFunction],
    ) -> Result<Answer, StoreError> {
        let pool = Arc::new(Metered {
            shared: self.environment.memory_pool.clone(),
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        });
        let context = self.context(snapshot, pool.clone(), &question, row_functions).await?;
        let Some(threads) = &self.threads else {
            return Err(StoreError::Cancelled("the engine is shutting down".into()));
        };
        let (sender, batches) = mpsc::channel(ANSWER_QUEUE);
        let (planned, plan) = tokio::sync::oneshot::channel();
        let cost = Arc::new(Mutex::new(Cost::default()));
        let leases = snapshot.clone();
        let answer_cost = cost.clone();
        let task = threads.spawn(async move {
            let limit = Duration::from_secs(question.seconds_max);
            let work = run(&context, &question, planned, &sender, &pool, &answer_cost);
            if tokio::time::timeout(limit, work).await.is_err() {
                let message = format!(
                    "the question took longer than {} s and was stopped; ask for less at once",
                    question.seconds_max
                );
                let _ = sender.send(Err(StoreError::Cancelled(message))).await;
            }
            drop(leases);
        });
        let task = AbortOnDrop(task.abort_handle());
        match plan.await {
            Ok(schema) => Ok(Answer { schema: schema?, batches, cost, _task: task }),
            Err(_) => Err(StoreError::Cancelled("the question was stopped while it was planned".into())),
        }
    }

    async fn context(
        &self,
        snapshot: &Snapshot,
        pool: Arc<Metered>,
        question: &Question,
        row_functions: &[RowFunction],
    ) -> Result<SessionContext, StoreError> {
        let mut config = SessionConfig::new()
            .with_target_partitions(question.partitions.unwrap_or(self.cores))
            .with_batch_size(BATCH_ROWS)
            .with_information_schema(true);
        let options = config.options_mut();
        options.sql_parser.collect_spans = true;
        options.sql_parser.map_string_types_to_utf8view = false;
        options.execution.parquet.schema_force_view_types = false;
        // Columns that a condition does not name are read only for the rows that meet it.
        options.execution.parquet.pushdown_filters = true;
        // Sequence operators live on the order of the files: nothing may deal batches out at random.
        options.optimizer.enable_round_robin_repartition = false;
        options.optimizer.repartition_file_scans = false;
        options.optimizer.prefer_existing_sort = true;
        let environment = RuntimeEnvBuilder::from_runtime_env(&self.environment)
            .with_memory_pool(pool)
            .build_arc()
            .map_err(|error| plain(&error))?;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(environment)
            .with_default_features()
            .build();
        let context = SessionContext::new_with_state(state);
        let functions = self.operators.read().map(|functions| functions.clone()).unwrap_or_default();
        for operator in &functions.operators {
            context.register_udaf(operator.aggregate());
        }
        for function in functions.row_functions.iter().chain(row_functions) {
            context.register_udf(function.scalar());
        }
        for (name, table) in &snapshot.tables {
            let files = table.files.iter().map(|file| file.as_ref().clone()).collect();
            let provider: Arc<dyn TableProvider> = Arc::new(SnapshotTable::new(table.schema.clone(), files));
            let Some(provider) = enough_people(&context, provider, snapshot.persons_min)? else { continue };
            let provider = without(&context, provider, &snapshot.hidden_columns)?;
            context.register_table(name.as_str(), provider).map_err(|error| plain(&error))?;
        }
        for view in &snapshot.views {
            // A view over a table that is not there yet is not there either.
            if let Ok(frame) = bound(&context, &view.sql, &question.parameters).await {
                context.register_table(view.name.as_str(), frame.into_view()).map_err(|error| plain(&error))?;
            }
        }
        Ok(context)
    }

    /// What PostgreSQL's clients may know of a snapshot: names and columns of the tables that [`Engine::ask`] would answer
    /// about, and no row of them. `before` is given back while it still tells the same.
    ///
    /// Errors: a view that cannot be read is left out; the engine has no other reason to refuse.
    pub async fn catalogue(
        &self,
        snapshot: &Snapshot,
        row_functions: &RowFunctions,
        (database, user): (&str, &str),
        before: Option<Arc<Catalogue>>,
    ) -> Result<Arc<Catalogue>, StoreError> {
        let mut ours = snapshot.clone();
        ours.views.retain(|view| view.author == Author::Lode);
        let pool = Arc::new(Metered {
            shared: self.environment.memory_pool.clone(),
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        });
        let context = self.context(&ours, pool, &Question::of_lode(""), &row_functions.functions).await?;
        let mut tables = Vec::new();
        for name in snapshot.tables.keys().chain(snapshot.views.iter().map(|view| &view.name)) {
            let is_view = !snapshot.tables.contains_key(name);
            // Tables that the smallest group hides are not there; views of people, and over theirs, are planned outside.
            let schema = match context.table_provider(name.as_str()).await {
                Ok(table) => Some(table.schema()),
                Err(_) if is_view => {
                    let columns = Question::of_person(format!("SELECT * FROM \"{name}\" LIMIT 0"));
                    self.ask(snapshot, columns, row_functions).await.ok().map(|answer| answer.schema)
                }
                Err(_) => None,
            };
            tables.extend(schema.map(|schema| CatalogueTable { name: name.clone(), schema, is_view }));
        }
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        if let Some(before) = before.filter(|before| before.is_of(&tables)) {
            return Ok(before);
        }
        let functions = self.operators.read().map(|functions| functions.clone()).unwrap_or_default();
        let aggregates = functions.operators.iter().map(Operator::aggregate).collect();
        let scalars = functions.row_functions.iter().chain(&row_functions.functions).map(RowFunction::scalar).collect();
        Ok(Arc::new(Catalogue::new(database, user, tables, aggregates, scalars).await?))
    }

    /// Names, arguments and meaning of the functions that Lode adds to SQL.
    pub fn operators(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let functions = self.operators.read().map(|functions| functions.clone()).unwrap_or_default();
        functions.operators.iter().map(|operator| (operator.name, operator.signature, operator.description)).collect()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

/// Plans and runs a question; every way out tells somebody.
async fn run(
    context: &SessionContext,
    question: &Question,
    planned: tokio::sync::oneshot::Sender<Result<SchemaRef, StoreError>>,
    sender: &mpsc::Sender<Result<RecordBatch, StoreError>>,
    pool: &Metered,
    cost: &Mutex<Cost>,
) {
    let plan = match plan(context, question).await {
        Ok(plan) => plan,
        Err(error) => {
            let _ = planned.send(Err(explain(&error, &question.sql)));
            return;
        }
    };
    let mut stream = match execute_stream(plan.clone(), context.task_ctx()) {
        Ok(stream) => stream,
        Err(error) => {
            let _ = planned.send(Err(explain(&error, &question.sql)));
            return;
        }
    };
    let _ = planned.send(Ok(stream.schema()));
    loop {
        let next = stream.next().await;
        if let Ok(mut cost) = cost.lock() {
            *cost = Cost { peak_memory_bytes: pool.peak.load(Ordering::Relaxed), bytes_scanned: bytes_scanned(&plan) };
        }
        let Some(batch) = next else { return };
        let failed = batch.is_err();
        if sender.send(batch.map_err(|error| explain(&error, &question.sql))).await.is_err() || failed {
            return;
        }
    }
}

async fn plan(context: &SessionContext, question: &Question) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let plan = bound(context, &question.sql, &question.parameters).await?.create_physical_plan().await?;
    Ok(plan.transform_up(pausing)?.data)
}

/// Makes what turns one batch into very many pause now and then; the engine does so where batches are read only, and
/// a question that never pauses cannot be cancelled.
fn pausing(plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>, DataFusionError> {
    let multiplies = plan.name().contains("Join") || plan.name() == "UnnestExec";
    Ok(if multiplies { Transformed::yes(Arc::new(CooperativeExec::new(plan))) } else { Transformed::no(plan) })
}

/// The table without rows about too few people; `None` for one that counts nobody.
fn enough_people(
    context: &SessionContext,
    table: Arc<dyn TableProvider>,
    persons_min: Option<i64>,
) -> Result<Option<Arc<dyn TableProvider>>, StoreError> {
    let Some(least) = persons_min.filter(|_| !planted::is("k-check-off")) else { return Ok(Some(table)) };
    if table.schema().column_with_name(PERSONS).is_none() {
        return Ok(None);
    }
    let rows = context.read_table(table).and_then(|rows| rows.filter(col(PERSONS).gt_eq(lit(least))));
    Ok(Some(rows.map_err(|error| plain(&error))?.into_view()))
}

/// The table without some columns; one that has none of them as it is.
fn without(
    context: &SessionContext,
    table: Arc<dyn TableProvider>,
    hidden: &[String],
) -> Result<Arc<dyn TableProvider>, StoreError> {
    let schema = table.schema();
    let shown: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let shown: Vec<&str> = shown.into_iter().filter(|name| hidden.iter().all(|one| one != name)).collect();
    if shown.len() == schema.fields().len() {
        return Ok(table);
    }
    let rows = context.read_table(table).and_then(|rows| rows.select_columns(&shown));
    Ok(rows.map_err(|error| plain(&error))?.into_view())
}

/// A text with its `$name`s filled in.
async fn bound(
    context: &SessionContext,
    sql: &str,
    parameters: &HashMap<String, Parameter>,
) -> Result<DataFrame, DataFusionError> {
    let frame = context.sql_with_options(sql, read_only()).await?;
    if frame.logical_plan().exists(|part| Ok(shows_settings(part)))? {
        return Err(DataFusionError::Plan("the settings of the engine are not shown".into()));
    }
    if parameters.is_empty() {
        return Ok(frame);
    }
    let values =
        parameters.iter().map(|(name, value)| (name.clone(), ScalarAndMetadata::from(scalar(value)))).collect();
    frame.with_param_values(ParamValues::Map(values))
}

/// Settings name folders of the machine.
fn shows_settings(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::TableScan(scan) if scan.table_name.table() == "df_settings")
}

/// Nothing that changes anything: no tables made, no rows written, no settings.
pub(crate) fn read_only() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

fn scalar(parameter: &Parameter) -> ScalarValue {
    match parameter {
        Parameter::Text(text) => ScalarValue::Utf8(text.clone()),
        Parameter::Integer(number) => ScalarValue::Int64(*number),
        Parameter::TimeUs(time_us) => ScalarValue::TimestampMicrosecond(*time_us, Some("UTC".into())),
        Parameter::Texts(texts) => {
            let field = Arc::new(Field::new("item", DataType::Utf8, true));
            match texts {
                Some(texts) => {
                    let values: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
                    ScalarValue::List(Arc::new(ListArray::new(
                        field,
                        OffsetBuffer::from_lengths([texts.len()]),
                        values,
                        None,
                    )))
                }
                None => ScalarValue::List(Arc::new(ListArray::new_null(field, 1))),
            }
        }
    }
}

fn bytes_scanned(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own =
        plan.metrics().and_then(|metrics| metrics.sum_by_name("bytes_scanned")).map_or(0, |value| value.as_usize());
    own + plan.children().into_iter().map(bytes_scanned).sum::<usize>()
}

/// An error that no text of a person caused.
pub(crate) fn plain(error: &DataFusionError) -> StoreError {
    StoreError::Sql { message: error.strip_backtrace(), position: None }
}

/// Says where in the text the engine stumbled, and what to do when it ran out of something.
pub(crate) fn explain(error: &DataFusionError, sql: &str) -> StoreError {
    let root = error.find_root();
    let mut message = root.strip_backtrace();
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let position = span
        .map(|span| Position { line: span.start.line, column: span.start.column })
        .or_else(|| spoken_position(&message, sql));
    for noise in [
        "SQL error: ParserError(\"",
        "Error during planning: ",
        "Schema error: ",
        "Execution error: ",
        "This feature is not implemented: ",
    ] {
        if let Some(rest) = message.strip_prefix(noise) {
            message = rest.trim_end_matches("\")").to_owned();
        }
    }
    if matches!(root, DataFusionError::ResourcesExhausted(_)) {
        message = format!(
            "the question needs more memory or scratch space than is allowed; ask for fewer rows or columns at once ({message})"
        );
    }
    StoreError::Sql { message, position }
}

/// The parser tells the place in words: `… at Line: 3, Column: 14`, or `found: EOF` at the end of the text.
fn spoken_position(message: &str, sql: &str) -> Option<Position> {
    if message.contains("found: EOF") {
        let last = sql.trim_end().lines().last()?;
        let line = sql.trim_end().lines().count() as u64;
        return Some(Position { line, column: last.chars().count() as u64 + 1 });
    }
    let (_, place) = message.rsplit_once("Line: ")?;
    let (line, rest) = place.split_once(", Column: ")?;
    let column: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(Position { line: line.parse().ok()?, column: column.parse().ok()? })
}

/// Counts what one question holds of the memory that all share.
#[derive(Debug)]
struct Metered {
    shared: Arc<dyn MemoryPool>,
    used: AtomicUsize,
    peak: AtomicUsize,
}

impl Metered {
    fn add(&self, bytes: usize) {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(used, Ordering::Relaxed);
    }
}

impl std::fmt::Display for Metered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "metered({})", self.shared)
    }
}

impl MemoryPool for Metered {
    fn name(&self) -> &str {
        "metered"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.shared.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.shared.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.shared.grow(reservation, additional);
        self.add(additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.shared.shrink(reservation, shrink);
        self.used.fetch_sub(shrink, Ordering::Relaxed);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> datafusion::common::Result<()> {
        self.shared.try_grow(reservation, additional)?;
        self.add(additional);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.shared.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.shared.memory_limit()
    }
}
