//! The schema `pg_catalog`: the engine's emulation of it, of the project's tables alone, mended where clients need more.

use super::catalogue::CatalogueTable;
use super::information_schema::INFORMATION_SCHEMA;
use super::statement::SCHEMA;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{TableType, lit};
use datafusion::prelude::SessionContext;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::catalog_info::CatalogInfo;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::{PgCatalogSchemaProvider, PgCatalogStaticTables};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// The schema's own name.
pub(super) const SYSTEM_SCHEMA: &str = "pg_catalog";

/// Puts the schema into a context whose catalogue is `database`.
pub(super) async fn register(context: &SessionContext, database: &str, tables: &[CatalogueTable]) -> Result<()> {
    let info = OneDatabase { name: database.to_owned(), tables: tables.into() };
    let emulated = Arc::new(PgCatalogSchemaProvider::try_new(info, static_tables()?, EmptyContextProvider)?);
    let catalog = context.catalog(database).ok_or_else(|| DataFusionError::Internal("no catalogue".into()))?;
    catalog.register_schema(SYSTEM_SCHEMA, emulated.clone())?;
    let classes = context.table(format!("{SYSTEM_SCHEMA}.pg_class")).await?;
    let classes = classes.with_column("reloptions", lit(ScalarValue::Utf8(None)))?.into_view();
    let mended = HashMap::from([("pg_class", classes), ("pg_index", empty(index_columns())?)]);
    catalog.register_schema(SYSTEM_SCHEMA, Arc::new(Mended { emulated, mended }))?;
    Ok(())
}

/// What every database has alike; reading it takes longer than asking it.
fn static_tables() -> Result<Arc<PgCatalogStaticTables>> {
    static TABLES: OnceLock<Arc<PgCatalogStaticTables>> = OnceLock::new();
    if let Some(tables) = TABLES.get() {
        return Ok(tables.clone());
    }
    let tables = Arc::new(PgCatalogStaticTables::try_new()?);
    Ok(TABLES.get_or_init(|| tables).clone())
}

fn empty(columns: Vec<Field>) -> Result<Arc<dyn TableProvider>> {
    let schema = Arc::new(Schema::new(columns));
    Ok(Arc::new(MemTable::try_new(schema.clone(), vec![vec![RecordBatch::new_empty(schema)]])?))
}

/// There are no indexes; what clients would unpack are lists, and not texts as in the emulation.
fn index_columns() -> Vec<Field> {
    let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
    let column = |name, data_type| Field::new(name, data_type, true);
    let mut columns: Vec<Field> =
        ["indexrelid", "indrelid"].into_iter().map(|name| column(name, DataType::Int32)).collect();
    columns.extend(["indnatts", "indnkeyatts"].into_iter().map(|name| column(name, DataType::Int16)));
    let flags = [
        "indisunique",
        "indnullsnotdistinct",
        "indisprimary",
        "indisexclusion",
        "indimmediate",
        "indisclustered",
        "indisvalid",
        "indcheckxmin",
        "indisready",
        "indislive",
        "indisreplident",
    ];
    columns.extend(flags.into_iter().map(|name| column(name, DataType::Boolean)));
    columns.extend(["indkey", "indoption"].into_iter().map(|name| column(name, list(DataType::Int16))));
    columns.extend(["indcollation", "indclass"].into_iter().map(|name| column(name, list(DataType::Int32))));
    columns.extend(["indexprs", "indpred"].into_iter().map(|name| column(name, DataType::Utf8)));
    columns
}

/// The emulation, but for the tables that are mended.
#[derive(Debug)]
struct Mended {
    emulated: Arc<PgCatalogSchemaProvider<OneDatabase, EmptyContextProvider>>,
    mended: HashMap<&'static str, Arc<dyn TableProvider>>,
}

#[async_trait]
impl SchemaProvider for Mended {
    fn table_names(&self) -> Vec<String> {
        self.emulated.table_names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.mended.get(name.to_lowercase().as_str()) {
            Some(table) => Ok(Some(table.clone())),
            None => self.emulated.table(name).await,
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.emulated.table_exist(name)
    }
}

/// One database with one schema that holds anything, in a fixed order, so that it is numbered alike each time.
#[derive(Debug, Clone)]
struct OneDatabase {
    name: String,
    tables: Arc<[CatalogueTable]>,
}

impl OneDatabase {
    fn table(&self, database: &str, schema: &str, name: &str) -> Option<&CatalogueTable> {
        self.tables.iter().find(|table| database == self.name && schema == SCHEMA && table.name == name)
    }
}

#[async_trait]
impl CatalogInfo for OneDatabase {
    async fn catalog_names(&self) -> Result<Vec<String>> {
        Ok(vec![self.name.clone()])
    }

    async fn schema_names(&self, database: &str) -> Result<Option<Vec<String>>> {
        let schemas = [SYSTEM_SCHEMA, INFORMATION_SCHEMA, SCHEMA].map(str::to_owned);
        Ok((database == self.name).then(|| schemas.into()))
    }

    async fn table_names(&self, database: &str, schema: &str) -> Result<Option<Vec<String>>> {
        let tables = if schema == SCHEMA { self.tables.as_ref() } else { &[] };
        Ok((database == self.name).then(|| tables.iter().map(|table| table.name.clone()).collect()))
    }

    async fn table_schema(&self, database: &str, schema: &str, name: &str) -> Result<Option<SchemaRef>> {
        Ok(self.table(database, schema, name).map(|table| table.schema.clone()))
    }

    async fn table_type(&self, database: &str, schema: &str, name: &str) -> Result<Option<TableType>> {
        let kind = |table: &CatalogueTable| if table.is_view { TableType::View } else { TableType::Base };
        Ok(self.table(database, schema, name).map(kind))
    }
}
