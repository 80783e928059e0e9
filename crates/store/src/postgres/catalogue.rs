//! The tables of one project with their columns, asked in the words of PostgreSQL's catalogue.

use super::functions;
use super::information_schema::{self, INFORMATION_SCHEMA};
use super::statement::{SCHEMA, Statement, Value};
use super::{Kind, rewriting, system_schema};
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
const SWELLING: [&str; 3] = ["repeat", "lpad", "rpad"];

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
    tables: Vec<CatalogueTable>,
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
    pub async fn new(
        database: &str,
        user: &str,
        tables: Vec<CatalogueTable>,
        aggregates: Vec<AggregateUDF>,
        scalars: Vec<ScalarUDF>,
    ) -> std::result::Result<Self, StoreError> {
        let built = Self::build(database, user, &tables, aggregates, scalars).await;
        let context = built.map_err(|error| plain(&error))?;
        let compatibility = PostgresCompatibilityParser::new();
        Ok(Self { context, compatibility, database: database.to_owned(), tables })
    }

    /// Whether it tells of exactly these tables. While it does it is to be kept: the numbers by which clients refer to tables
    /// from one statement to the next are its own.
    pub fn is_of(&self, tables: &[CatalogueTable]) -> bool {
        self.tables == tables
    }

    async fn build(
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
        // A question that feeds itself has no bound.
        options.execution.enable_recursive_ctes = false;
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
        system_schema::register(&context, database, tables).await?;
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
        // Values that differ, because the engine takes two columns that look the same for one.
        let examples: Vec<Value> = (0..parameters.len())
            .map(|place| {
                let inferred = parameters[place].as_ref().and_then(sql_type);
                let text = (place + 1).to_string();
                match known.get(place).copied().flatten().or(inferred) {
                    Some(sql_type) => Value::Typed { text, sql_type },
                    None => Value::Text(text),
                }
            })
            .collect();
        let plan = self.plan(statement, &statement.text(&self.database, &examples)).await.map_err(explained)?;
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
            Kind::Catalogue => {
                let mut parsed = self.compatibility.parse(text)?;
                if parsed.len() != 1 {
                    return Err(DataFusionError::Plan("one statement at a time".into()));
                }
                let mut parsed = parsed.remove(0);
                rewriting::answerable(&mut parsed);
                parser::Statement::Statement(Box::new(parsed))
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

    async fn catalogue() -> Catalogue {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let schema = Schema::new(vec![
            Field::new("activity", DataType::Utf8, true),
            Field::new("cases", DataType::Int64, true),
            Field::new("first_event", time, true),
        ]);
        let table = CatalogueTable { name: "case_variants".into(), schema: Arc::new(schema), is_view: false };
        Catalogue::new("accounts", "ann", vec![table], vec![], vec![]).await.unwrap()
    }

    async fn answer(text: &str) -> std::result::Result<String, String> {
        let statements = read(text);
        let answer = catalogue().await.answer(&statements[0], &[]).await;
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
    async fn a_table_is_found_by_the_number_it_has_there() {
        let catalogue = catalogue().await;
        let ask = async |text: String| {
            let (_, rows) = catalogue.answer(&read(&text)[0], &[]).await.unwrap();
            pretty_format_batches(&rows).unwrap().to_string()
        };
        let table =
            "relname = 'case_variants' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'public')";
        let number = ask(format!("SELECT oid FROM pg_class WHERE {table}")).await;
        let number: String = number.chars().filter(char::is_ascii_digit).collect();
        let columns =
            ask(format!("SELECT attname FROM pg_attribute WHERE attrelid = {number} AND attnum > 0 ORDER BY attnum"));
        let columns = columns.await;
        assert!(columns.contains("activity") && columns.contains("first_event"), "{number}: {columns}");
        let names = ask("SELECT relname FROM pg_class".into()).await;
        assert!(!names.contains("key_column_usage"), "{names}");
    }

    /// What SQLAlchemy's `inspect` asks about the columns of a table, shortened.
    #[tokio::test]
    async fn questions_about_what_no_table_has_are_answered() {
        let columns = answer(
            "SELECT pg_catalog.pg_attribute.attname AS name,
             CASE WHEN (pg_catalog.pg_attribute.attidentity != '') THEN (SELECT json_build_object('always',
               pg_catalog.pg_sequence.seqstart) FROM pg_catalog.pg_sequence WHERE pg_catalog.pg_sequence.seqrelid =
               CAST(CAST(pg_catalog.pg_get_serial_sequence(CAST(CAST(pg_catalog.pg_attribute.attrelid AS REGCLASS) AS TEXT),
               pg_catalog.pg_attribute.attname) AS REGCLASS) AS OID)) ELSE NULL END AS identity_options
             FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute
             ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attribute.attnum > 0
             WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'v']) AND pg_catalog.pg_class.relname IN ('case_variants')
             ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_attribute.attnum",
        );
        let columns = columns.await.unwrap();
        assert!(columns.contains("first_event"), "{columns}");
        let keys = "SELECT unnest(pg_catalog.pg_index.indkey) AS attnum,
             generate_subscripts(pg_catalog.pg_index.indkey, 1) AS ord
             FROM pg_catalog.pg_constraint JOIN pg_catalog.pg_index
             ON pg_catalog.pg_constraint.conindid = pg_catalog.pg_index.indexrelid";
        answer(keys).await.unwrap();
        let keys = "SELECT (information_schema._pg_expandarray(i.indkey)).n AS key_seq FROM pg_catalog.pg_index i";
        answer(keys).await.unwrap();
        answer("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg/_' || '%' ESCAPE '/'")
            .await
            .unwrap();
        answer("SELECT pg_catalog.pg_class.reloptions FROM pg_catalog.pg_class").await.unwrap();
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
            "WITH RECURSIVE t AS (SELECT version() AS v UNION ALL SELECT v || v FROM t) SELECT v FROM t, pg_am",
        ] {
            assert!(answer(text).await.is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_question_is_described_before_it_is_asked() {
        let statements =
            read("SELECT activity, cases * 2 AS twice FROM case_variants WHERE cases > $1 AND activity = $2");
        let described = catalogue().await.describe(&statements[0], &[]).await.unwrap();
        assert_eq!(described.parameters, [Some(DataType::Int64), Some(DataType::Utf8)]);
        let names: Vec<_> = described.schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["activity", "twice"]);
    }
}
