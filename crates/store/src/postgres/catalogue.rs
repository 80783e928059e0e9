//! The tables of one project with their columns, asked in the words of PostgreSQL's catalogue.

use super::functions;
use super::information_schema::{self, INFORMATION_SCHEMA};
use super::statement::{SCHEMA, Statement, Value};
use crate::StoreError;
use crate::engine::{explain, plain, read_only};
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{AggregateUDF, Expr, LogicalPlan, ScalarUDF, TableType};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::setup_pg_catalog;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;

/// Memory for one answer about the catalogue, in bytes.
const MEMORY_BYTES_MAX: usize = 64 << 20;

/// Time for one answer about the catalogue.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Rows of one answer about the catalogue; more are refused.
const ROWS_MAX: usize = 200_000;

/// Functions that make much of little; no client asks them about the catalogue.
const SWELLING: [&str; 4] = ["repeat", "lpad", "rpad", "replace"];

/// A table as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueTable {
    /// SQL name.
    pub name: String,
    /// Its columns.
    pub schema: SchemaRef,
    /// Whether it is computed when it is read.
    pub is_view: bool,
}

/// What a statement gives and takes.
#[derive(Debug, Clone)]
pub struct Described {
    /// Types of its parameters, as far as they follow from what they are compared with.
    pub parameters: Vec<Option<DataType>>,
    /// Columns of its answer.
    pub schema: SchemaRef,
}

/// The catalogue of one project.
pub struct Catalogue {
    context: SessionContext,
    compatibility: PostgresCompatibilityParser,
    database: String,
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Catalogue").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Catalogue {
    /// A catalogue of `tables` in `database`, for `user`; the functions are those that questions may call, so that a question
    /// can be described before it is asked.
    ///
    /// Errors: the engine's, which has no reason to refuse.
    pub fn new(
        database: &str,
        user: &str,
        tables: &[CatalogueTable],
        aggregates: Vec<AggregateUDF>,
        scalars: Vec<ScalarUDF>,
    ) -> std::result::Result<Self, StoreError> {
        let built = Self::build(database, user, tables, aggregates, scalars);
        let context = built.map_err(|error| plain(&error))?;
        Ok(Self { context, compatibility: PostgresCompatibilityParser::new(), database: database.to_owned() })
    }

    fn build(
        database: &str,
        user: &str,
        tables: &[CatalogueTable],
        aggregates: Vec<AggregateUDF>,
        scalars: Vec<ScalarUDF>,
    ) -> Result<SessionContext> {
        let mut config = SessionConfig::new()
            .with_target_partitions(1)
            .with_default_catalog_and_schema(database, SCHEMA)
            .with_create_default_catalog_and_schema(true);
        let options = config.options_mut();
        options.sql_parser.collect_spans = true;
        options.sql_parser.map_string_types_to_utf8view = false;
        let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let environment = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(no_disk)
            .with_memory_pool(Arc::new(GreedyMemoryPool::new(MEMORY_BYTES_MAX)))
            .build_arc()?;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(environment)
            .with_default_features()
            .build();
        let context = SessionContext::new_with_state(state);
        setup_pg_catalog(&context, database, EmptyContextProvider).map_err(|error| *error)?;
        for name in SWELLING {
            context.deregister_udf(name);
        }
        for aggregate in aggregates {
            context.register_udaf(aggregate);
        }
        for scalar in scalars.into_iter().chain(functions::all(database, user)) {
            context.register_udf(scalar);
        }
        for table in tables {
            context.register_table(table.name.as_str(), Arc::new(Known(table.clone())))?;
        }
        let catalog = context.catalog(database).ok_or_else(|| DataFusionError::Internal("no catalogue".into()))?;
        catalog.register_schema(INFORMATION_SCHEMA, information_schema::schema(database, user, tables)?)?;
        Ok(context)
    }

    /// What a statement takes and gives, without running it. Parameters of known type are given in `known`, as SQL types.
    ///
    /// Errors: [`StoreError::Sql`] for a statement that cannot be understood, such as one about a table that is not there.
    pub async fn describe(
        &self,
        statement: &Statement,
        known: &[Option<&'static str>],
    ) -> std::result::Result<Described, StoreError> {
        let explained = |error: DataFusionError| explain(&error, &statement.source());
        let mut parameters = vec![None; statement.parameter_count()];
        if !parameters.is_empty()
            && let Ok(plan) = self.plan(statement, &statement.source()).await
            && let Ok(types) = plan.get_parameter_types()
        {
            for (name, data_type) in types {
                let number = name.trim_start_matches('$').parse::<usize>().unwrap_or(0);
                if let Some(parameter) = number.checked_sub(1).and_then(|place| parameters.get_mut(place)) {
                    *parameter = data_type;
                }
            }
        }
        let nulls: Vec<Value> = (0..parameters.len())
            .map(|place| {
                let inferred = parameters[place].as_ref().and_then(sql_type);
                Value::Null(known.get(place).copied().flatten().or(inferred))
            })
            .collect();
        let plan = self.plan(statement, &statement.text(&self.database, &nulls)).await.map_err(explained)?;
        Ok(Described { parameters, schema: Arc::new(plan.schema().as_arrow().clone()) })
    }

    /// Answers a statement about the catalogue.
    ///
    /// Errors: [`StoreError::Sql`] for one that cannot be understood, that reads rows, or whose answer is too large;
    /// [`StoreError::Cancelled`] after ten seconds.
    pub async fn answer(
        &self,
        statement: &Statement,
        values: &[Value],
    ) -> std::result::Result<(SchemaRef, Vec<RecordBatch>), StoreError> {
        let text = statement.text(&self.database, values);
        let answered = tokio::time::timeout(TIME_MAX, self.run(statement, &text)).await;
        let too_long = |_| {
            StoreError::Cancelled(format!("an answer about the catalogue took longer than {} s", TIME_MAX.as_secs()))
        };
        answered.map_err(too_long)?.map_err(|error| explain(&error, &text))
    }

    async fn run(&self, statement: &Statement, text: &str) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let plan = self.plan(statement, text).await?;
        let frame = self.context.execute_logical_plan(plan).await?;
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let mut stream = execute_stream(frame.create_physical_plan().await?, self.context.task_ctx())?;
        let (mut batches, mut rows) = (Vec::new(), 0);
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            rows += batch.num_rows();
            if rows > ROWS_MAX {
                return Err(DataFusionError::Plan(format!(
                    "an answer about the catalogue has at most {ROWS_MAX} rows"
                )));
            }
            batches.push(batch);
        }
        Ok((schema, batches))
    }

    async fn plan(&self, statement: &Statement, text: &str) -> Result<LogicalPlan> {
        let state = self.context.state();
        let parsed = match statement.kind() {
            super::Kind::Catalogue => {
                let mut parsed = self.compatibility.parse(text)?;
                if parsed.len() != 1 {
                    return Err(DataFusionError::Plan("one statement at a time".into()));
                }
                parser::Statement::Statement(Box::new(parsed.remove(0)))
            }
            _ => state.sql_to_statement(text, &state.config().options().sql_parser.dialect)?,
        };
        let plan = state.statement_to_plan(parsed).await?;
        read_only().verify_plan(&plan)?;
        Ok(plan)
    }
}

/// What a type is called where a null of it is written.
fn sql_type(data_type: &DataType) -> Option<&'static str> {
    Some(match data_type {
        DataType::Dictionary(_, value) => return sql_type(value),
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "SMALLINT",
        DataType::Int32 | DataType::UInt16 => "INT",
        DataType::Int64 | DataType::UInt32 => "BIGINT",
        DataType::Float16 | DataType::Float32 => "REAL",
        DataType::Float64 => "DOUBLE",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR",
        DataType::Date32 | DataType::Date64 => "DATE",
        DataType::Timestamp(_, None) => "TIMESTAMP",
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE",
        _ => return None,
    })
}

/// A table of which only the columns are known.
#[derive(Debug)]
struct Known(CatalogueTable);

#[async_trait]
impl TableProvider for Known {
    fn schema(&self) -> SchemaRef {
        self.0.schema.clone()
    }

    fn table_type(&self) -> TableType {
        if self.0.is_view { TableType::View } else { TableType::Base }
    }

    async fn scan(
        &self,
        _: &dyn Session,
        _: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Err(DataFusionError::Plan(format!(
            "the catalogue has no rows: ask about table '{}' and about the catalogue one after the other",
            self.0.name
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use arrow::datatypes::{Field, Schema, TimeUnit};
    use arrow::util::pretty::pretty_format_batches;

    fn catalogue() -> Catalogue {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let schema = Schema::new(vec![
            Field::new("activity", DataType::Utf8, true),
            Field::new("cases", DataType::Int64, true),
            Field::new("first_event", time, true),
        ]);
        let table = CatalogueTable { name: "case_variants".into(), schema: Arc::new(schema), is_view: false };
        Catalogue::new("accounts", "ann", &[table], vec![], vec![]).unwrap()
    }

    async fn answer(text: &str) -> std::result::Result<String, String> {
        let statements = read(text);
        let answer = catalogue().answer(&statements[0], &[]).await;
        answer.map(|(_, rows)| pretty_format_batches(&rows).unwrap().to_string()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn it_says_what_sqlalchemy_and_grafana_ask_first() {
        let version = answer("select pg_catalog.version()").await.unwrap();
        assert!(version.contains("PostgreSQL 16.6 (Lode "), "{version}");
        let named = answer("SELECT current_database(), current_schema(), current_user").await.unwrap();
        assert!(named.contains("accounts") && named.contains("public") && named.contains("ann"), "{named}");
        let columns = answer(
            "SELECT column_name, data_type FROM information_schema.columns
             WHERE table_name = 'case_variants' ORDER BY ordinal_position",
        );
        let columns = columns.await.unwrap();
        assert!(columns.contains("bigint") && columns.contains("timestamp with time zone"), "{columns}");
    }

    #[tokio::test]
    async fn it_has_names_and_no_rows() {
        let refused = answer("SELECT relname FROM pg_class, case_variants").await.unwrap_err();
        assert!(refused.contains("the catalogue has no rows"), "{refused}");
    }

    #[tokio::test]
    async fn s8_it_reads_no_file_and_changes_nothing() {
        for text in [
            "SELECT * FROM pg_class, '/etc/passwd'",
            "SELECT * FROM pg_class, \"/etc/passwd.csv\"",
            "CREATE EXTERNAL TABLE pg_x STORED AS CSV LOCATION '/etc/passwd'",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT pg_ls_dir('/')",
            "SELECT repeat('x', 1000000000), version()",
        ] {
            assert!(answer(text).await.is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_question_is_described_before_it_is_asked() {
        let statements =
            read("SELECT activity, cases * 2 AS twice FROM case_variants WHERE cases > $1 AND activity = $2");
        let described = catalogue().describe(&statements[0], &[]).await.unwrap();
        assert_eq!(described.parameters, [Some(DataType::Int64), Some(DataType::Utf8)]);
        let names: Vec<_> = described.schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["activity", "twice"]);
    }
}
