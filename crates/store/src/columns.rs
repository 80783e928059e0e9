//! The columns of the event table: those of the UI log, and in front of them the integer keys that give rows their place.
//!
//! Files of the event table, and of every table in the order of events, are sorted by (`agent_key`, `event_order`); no
//! agent is in two files. That order is what makes sequence questions one pass without a sort
//! (`docs/decisions/0003-files-are-clustered-by-agent.md`).

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::sync::{Arc, LazyLock};
use uilog::column::{COLUMNS, ColumnId, ColumnType};

/// Name of the table that holds the events as they came in.
pub const EVENTS: &str = "events";

/// Dense number of an agent inside its project (an imported log counts one agent per stream).
pub const AGENT_KEY: &str = "agent_key";
/// Dense number of a person inside its project; 0 where no source named one.
pub const USER_KEY: &str = "user_key";
/// One monotonic order over the project: `agent_key` in the upper 32 bits, the place inside the agent below.
pub const EVENT_ORDER: &str = "event_order";
/// Number of the imported case; absent where the source named none.
pub const CASE_KEY: &str = "case_key";

/// Text columns repeat: they are dictionaries.
pub fn text_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Microseconds since 1970, UTC.
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The UI log's columns that are stored, in order; the project is the table's place and not a column.
pub fn stored_columns() -> impl Iterator<Item = &'static uilog::column::Column> {
    COLUMNS.iter().filter(|column| column.id != ColumnId::ProjectId)
}

/// The Arrow schema of the event table.
pub fn event_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let keys = [
            Field::new(AGENT_KEY, DataType::Int32, false),
            Field::new(USER_KEY, DataType::Int32, false),
            Field::new(EVENT_ORDER, DataType::Int64, false),
            Field::new(CASE_KEY, DataType::Int64, true),
        ];
        let columns =
            stored_columns().map(|column| Field::new(column.name, arrow_type(column.column_type), column.nullable));
        Arc::new(Schema::new(keys.into_iter().chain(columns).collect::<Vec<_>>()))
    });
    SCHEMA.clone()
}

/// How a column of the UI log is stored. Unsigned numbers become the next larger signed type, which every engine knows.
fn arrow_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Uuid | ColumnType::Text | ColumnType::Enum => text_type(),
        ColumnType::U64 | ColumnType::U32 => DataType::Int64,
        ColumnType::U16 | ColumnType::I32 => DataType::Int32,
        ColumnType::U8 | ColumnType::I16 => DataType::Int16,
        ColumnType::TimestampUs => time_type(),
        ColumnType::Box4 => DataType::FixedSizeList(Arc::new(Field::new("item", DataType::Int32, false)), 4),
        ColumnType::Fingerprint => DataType::FixedSizeBinary(16),
        ColumnType::TextMap => map_type(),
    }
}

fn map_type() -> DataType {
    let entries = DataType::Struct(
        vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Utf8, true)].into(),
    );
    DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_first_and_the_project_is_no_column() {
        let schema = event_schema();
        let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names[..5], [AGENT_KEY, USER_KEY, EVENT_ORDER, CASE_KEY, "agent_id"]);
        assert!(!names.contains(&"project_id"));
        assert_eq!(names.len(), 4 + COLUMNS.len() - 1);
    }
}
