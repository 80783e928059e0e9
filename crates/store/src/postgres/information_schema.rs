//! The tables of `information_schema`, with PostgreSQL's names for types: BI tools choose by them what a column can do.

use super::catalogue::CatalogueTable;
use super::statement::SCHEMA;
use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::{MemTable, MemorySchemaProvider, SchemaProvider};
use datafusion::common::Result;
use std::sync::Arc;

/// The schema's own name.
pub(super) const INFORMATION_SCHEMA: &str = "information_schema";

/// Tables that clients join to and that are empty: no keys, no constraints, no routines.
const EMPTY: &[(&str, &[&str])] = &[
    (
        "table_constraints",
        &[
            "constraint_catalog",
            "constraint_schema",
            "constraint_name",
            "table_catalog",
            "table_schema",
            "table_name",
            "constraint_type",
            "is_deferrable",
            "initially_deferred",
            "enforced",
        ],
    ),
    (
        "key_column_usage",
        &[
            "constraint_catalog",
            "constraint_schema",
            "constraint_name",
            "table_catalog",
            "table_schema",
            "table_name",
            "column_name",
        ],
    ),
    (
        "constraint_column_usage",
        &[
            "table_catalog",
            "table_schema",
            "table_name",
            "column_name",
            "constraint_catalog",
            "constraint_schema",
            "constraint_name",
        ],
    ),
    (
        "referential_constraints",
        &[
            "constraint_catalog",
            "constraint_schema",
            "constraint_name",
            "unique_constraint_catalog",
            "unique_constraint_schema",
            "unique_constraint_name",
            "match_option",
            "update_rule",
            "delete_rule",
        ],
    ),
    (
        "routines",
        &[
            "specific_catalog",
            "specific_schema",
            "specific_name",
            "routine_catalog",
            "routine_schema",
            "routine_name",
            "routine_type",
            "data_type",
        ],
    ),
    ("parameters", &["specific_catalog", "specific_schema", "specific_name", "parameter_name", "data_type"]),
    ("sequences", &["sequence_catalog", "sequence_schema", "sequence_name", "data_type"]),
    ("triggers", &["trigger_catalog", "trigger_schema", "trigger_name", "event_object_table"]),
    ("role_table_grants", &["grantor", "grantee", "table_catalog", "table_schema", "table_name", "privilege_type"]),
];

/// The schema for these tables of this database.
pub(super) fn schema(database: &str, user: &str, tables: &[CatalogueTable]) -> Result<Arc<dyn SchemaProvider>> {
    let schema = MemorySchemaProvider::new();
    let put = |name: &str, columns: Vec<(&str, ArrayRef)>| -> Result<()> {
        let field = |(name, values): &(&str, ArrayRef)| Field::new(*name, values.data_type().clone(), true);
        let columns_of = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let rows = RecordBatch::try_new(columns_of.clone(), columns.into_iter().map(|(_, values)| values).collect())?;
        schema.register_table(name.into(), Arc::new(MemTable::try_new(columns_of, vec![vec![rows]])?))?;
        Ok(())
    };
    put("schemata", schemata(database, user))?;
    put("tables", tables_shown(database, tables))?;
    put("views", views(database, tables))?;
    put("columns", columns(database, tables))?;
    for (name, names) in EMPTY {
        put(name, names.iter().map(|name| (*name, texts(Vec::<Option<String>>::new()))).collect())?;
    }
    Ok(Arc::new(schema))
}

fn texts<T: Into<Option<String>>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(values.into_iter().map(Into::into).collect::<StringArray>())
}

/// The same text in every row.
fn same(value: impl Into<Option<&'static str>>, rows: usize) -> ArrayRef {
    let value: Option<&str> = value.into();
    Arc::new(std::iter::repeat_n(value, rows).collect::<StringArray>())
}

fn named(value: &str, rows: usize) -> ArrayRef {
    Arc::new(std::iter::repeat_n(Some(value), rows).collect::<StringArray>())
}

fn schemata(database: &str, user: &str) -> Vec<(&'static str, ArrayRef)> {
    let names = [SCHEMA, INFORMATION_SCHEMA, "pg_catalog"].map(|name| Some(name.to_owned()));
    let rows = names.len();
    vec![
        ("catalog_name", named(database, rows)),
        ("schema_name", texts(names)),
        ("schema_owner", named(user, rows)),
        ("default_character_set_catalog", same(None, rows)),
        ("default_character_set_schema", same(None, rows)),
        ("default_character_set_name", same(None, rows)),
        ("sql_path", same(None, rows)),
    ]
}

fn tables_shown(database: &str, tables: &[CatalogueTable]) -> Vec<(&'static str, ArrayRef)> {
    let rows = tables.len();
    let kind = |table: &CatalogueTable| Some(if table.is_view { "VIEW" } else { "BASE TABLE" }.to_owned());
    vec![
        ("table_catalog", named(database, rows)),
        ("table_schema", same(SCHEMA, rows)),
        ("table_name", texts(tables.iter().map(|table| Some(table.name.clone())))),
        ("table_type", texts(tables.iter().map(kind))),
        ("self_referencing_column_name", same(None, rows)),
        ("reference_generation", same(None, rows)),
        ("user_defined_type_catalog", same(None, rows)),
        ("user_defined_type_schema", same(None, rows)),
        ("user_defined_type_name", same(None, rows)),
        ("is_insertable_into", same("NO", rows)),
        ("is_typed", same("NO", rows)),
        ("commit_action", same(None, rows)),
    ]
}

fn views(database: &str, tables: &[CatalogueTable]) -> Vec<(&'static str, ArrayRef)> {
    let views: Vec<_> = tables.iter().filter(|table| table.is_view).map(|table| Some(table.name.clone())).collect();
    let rows = views.len();
    vec![
        ("table_catalog", named(database, rows)),
        ("table_schema", same(SCHEMA, rows)),
        ("table_name", texts(views)),
        ("view_definition", same(None, rows)),
        ("check_option", same("NONE", rows)),
        ("is_updatable", same("NO", rows)),
        ("is_insertable_into", same("NO", rows)),
    ]
}

fn columns(database: &str, tables: &[CatalogueTable]) -> Vec<(&'static str, ArrayRef)> {
    let fields = || {
        tables.iter().flat_map(|table| {
            table.schema.fields().iter().enumerate().map(move |(position, field)| (&table.name, position, field))
        })
    };
    let rows = fields().count();
    let types: Vec<SqlType> = fields().map(|(_, _, field)| sql_type(field.data_type())).collect();
    let numbers = |number: fn(&SqlType) -> Option<i32>| -> ArrayRef {
        Arc::new(types.iter().map(number).collect::<Int32Array>())
    };
    vec![
        ("table_catalog", named(database, rows)),
        ("table_schema", same(SCHEMA, rows)),
        ("table_name", texts(fields().map(|(table, _, _)| Some(table.clone())))),
        ("column_name", texts(fields().map(|(_, _, field)| Some(field.name().clone())))),
        (
            "ordinal_position",
            Arc::new(fields().map(|(_, position, _)| i32::try_from(position + 1).ok()).collect::<Int32Array>()),
        ),
        ("column_default", same(None, rows)),
        (
            "is_nullable",
            texts(fields().map(|(_, _, field)| Some(if field.is_nullable() { "YES" } else { "NO" }.to_owned()))),
        ),
        ("data_type", texts(types.iter().map(|kind| Some(kind.name.to_owned())))),
        ("character_maximum_length", numbers(|_| None)),
        ("character_octet_length", numbers(|_| None)),
        ("numeric_precision", numbers(|kind| kind.precision)),
        ("numeric_precision_radix", numbers(|kind| kind.precision.map(|_| 2))),
        ("numeric_scale", numbers(|kind| kind.scale)),
        ("datetime_precision", numbers(|kind| kind.datetime)),
        ("character_set_name", same(None, rows)),
        ("collation_name", same(None, rows)),
        ("domain_name", same(None, rows)),
        ("udt_catalog", named(database, rows)),
        ("udt_schema", same("pg_catalog", rows)),
        ("udt_name", texts(types.iter().map(|kind| Some(kind.short.to_owned())))),
        ("is_identity", same("NO", rows)),
        ("identity_generation", same(None, rows)),
        ("is_generated", same("NEVER", rows)),
        ("generation_expression", same(None, rows)),
        ("is_updatable", same("NO", rows)),
    ]
}

/// What PostgreSQL calls a type.
struct SqlType {
    name: &'static str,
    short: &'static str,
    precision: Option<i32>,
    scale: Option<i32>,
    datetime: Option<i32>,
}

fn sql_type(data_type: &DataType) -> SqlType {
    let plain = |name, short| SqlType { name, short, precision: None, scale: None, datetime: None };
    let whole = |name, short, bits| SqlType { precision: Some(bits), scale: Some(0), ..plain(name, short) };
    let time = |name, short| SqlType { datetime: Some(6), ..plain(name, short) };
    match data_type {
        DataType::Dictionary(_, value) => sql_type(value),
        DataType::Boolean => plain("boolean", "bool"),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => whole("smallint", "int2", 16),
        DataType::Int32 | DataType::UInt16 => whole("integer", "int4", 32),
        DataType::Int64 | DataType::UInt32 => whole("bigint", "int8", 64),
        DataType::Float16 | DataType::Float32 => SqlType { precision: Some(24), ..plain("real", "float4") },
        DataType::Float64 => SqlType { precision: Some(53), ..plain("double precision", "float8") },
        DataType::UInt64 | DataType::Decimal128(..) | DataType::Decimal256(..) => plain("numeric", "numeric"),
        DataType::Date32 | DataType::Date64 => SqlType { datetime: Some(0), ..plain("date", "date") },
        DataType::Timestamp(_, Some(_)) => time("timestamp with time zone", "timestamptz"),
        DataType::Timestamp(_, None) => time("timestamp without time zone", "timestamp"),
        DataType::Time32(_) | DataType::Time64(_) => time("time without time zone", "time"),
        DataType::Interval(_) | DataType::Duration(_) => time("interval", "interval"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            plain("bytea", "bytea")
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            plain("ARRAY", list_name(item.data_type()))
        }
        DataType::Struct(_) => plain("record", "record"),
        _ => plain("text", "text"),
    }
}

fn list_name(item: &DataType) -> &'static str {
    match sql_type(item).short {
        "bool" => "_bool",
        "int2" => "_int2",
        "int4" => "_int4",
        "int8" => "_int8",
        "float4" => "_float4",
        "float8" => "_float8",
        "timestamptz" => "_timestamptz",
        "timestamp" => "_timestamp",
        "date" => "_date",
        "record" => "_record",
        _ => "_text",
    }
}
