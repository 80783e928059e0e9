//! Writes the tables of an OCEL 2.0 file in SQLite; what goes into them is decided elsewhere.
//!
//! The layout is that of the specification: a table per event type and per object type, beside `event`, `object`,
//! `event_object`, `object_object` and the two maps from type to table.

use crate::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::collections::BTreeMap;
use std::path::Path;

/// An OCEL file that is being written.
pub struct OcelFile {
    connection: SqliteConnection,
    /// Event type → its table.
    event_types: BTreeMap<String, String>,
    /// Object type → its table.
    object_types: BTreeMap<String, String>,
    attributes: &'static [&'static str],
}

impl OcelFile {
    /// Makes the file; every event type gets `attributes` as columns.
    pub async fn create(path: &Path, attributes: &'static [&'static str]) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).pragma("journal_mode", "OFF");
        let mut connection = options.connect().await?;
        for statement in [
            "CREATE TABLE event (ocel_id TEXT PRIMARY KEY, ocel_type TEXT)",
            "CREATE TABLE object (ocel_id TEXT PRIMARY KEY, ocel_type TEXT)",
            "CREATE TABLE event_object (ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT)",
            "CREATE TABLE object_object (ocel_source_id TEXT, ocel_target_id TEXT, ocel_qualifier TEXT)",
            "CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT)",
            "CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT)",
            "BEGIN",
        ] {
            connection.execute(statement).await?;
        }
        Ok(Self { connection, event_types: BTreeMap::new(), object_types: BTreeMap::new(), attributes })
    }

    /// Writes one event: identity, type, time (RFC 3339), attributes, and (object, qualifier) pairs.
    pub async fn event(
        &mut self,
        id: &str,
        kind: &str,
        time: &str,
        attributes: &[(&str, String)],
        relations: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        let table = match self.event_types.get(kind) {
            Some(table) => table.clone(),
            None => {
                let table = format!("t{}", self.event_types.len() + 1);
                let columns: String = self.attributes.iter().map(|name| format!(", {name} TEXT")).collect();
                self.run(format!(
                    "CREATE TABLE event_{table} (ocel_id TEXT PRIMARY KEY, ocel_time TIMESTAMP{columns})"
                ))
                .await?;
                self.map("event", kind, &table).await?;
                self.event_types.insert(kind.to_owned(), table.clone());
                table
            }
        };
        sqlx::query("INSERT INTO event VALUES (?, ?)").bind(id).bind(kind).execute(&mut self.connection).await?;
        let places = ", ?".repeat(self.attributes.len());
        let mut insert =
            sqlx::query(AssertSqlSafe(format!("INSERT INTO event_{table} VALUES (?, ?{places})"))).bind(id).bind(time);
        for name in self.attributes {
            insert = insert.bind(attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()));
        }
        insert.execute(&mut self.connection).await?;
        for (object, qualifier) in relations {
            sqlx::query("INSERT INTO event_object VALUES (?, ?, ?)")
                .bind(id)
                .bind(object)
                .bind(qualifier)
                .execute(&mut self.connection)
                .await?;
        }
        Ok(())
    }

    /// Writes one object: identity, type, name.
    pub async fn object(&mut self, id: &str, kind: &str, name: &str) -> Result<(), StoreError> {
        let table = match self.object_types.get(kind) {
            Some(table) => table.clone(),
            None => {
                let table = format!("o{}", self.object_types.len() + 1);
                self.run(format!("CREATE TABLE object_{table} (ocel_id TEXT, ocel_time TIMESTAMP, ocel_changed_field TEXT, name TEXT)")).await?;
                self.map("object", kind, &table).await?;
                self.object_types.insert(kind.to_owned(), table.clone());
                table
            }
        };
        sqlx::query("INSERT INTO object VALUES (?, ?)").bind(id).bind(kind).execute(&mut self.connection).await?;
        let insert = AssertSqlSafe(format!("INSERT INTO object_{table} VALUES (?, '1970-01-01T00:00:00Z', NULL, ?)"));
        sqlx::query(insert).bind(id).bind(name).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Completes the file.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        self.connection.execute("COMMIT").await?;
        self.connection.close().await?;
        Ok(())
    }

    async fn run(&mut self, statement: String) -> Result<(), StoreError> {
        self.connection.execute(AssertSqlSafe(statement)).await?;
        Ok(())
    }

    async fn map(&mut self, what: &str, kind: &str, table: &str) -> Result<(), StoreError> {
        let insert = AssertSqlSafe(format!("INSERT INTO {what}_map_type VALUES (?, ?)"));
        sqlx::query(insert).bind(kind).bind(table).execute(&mut self.connection).await?;
        Ok(())
    }
}
