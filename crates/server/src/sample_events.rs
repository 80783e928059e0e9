//! Events to run a configuration on before it is published: made-up ones, or the project's own of the last days.
//!
//! The project's own were recorded under an earlier configuration, so what that one held back they cannot show.

use crate::jobs::runner::Workshop;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use serde_json::{Map, Value, json};
use store::engine::{Parameter, Question};
use store::operator::RowFunctions;
use store::{Store, StoreError};
use uilog::column::ColumnId;
use uilog::{Event, EventType};

/// A made-up day of two clerks: orders, invoices, a mail with an address in its title, a password field, a foreign site.
const DAY: &str = include_str!("../../../fixtures/configuration/sample-day.jsonl");

/// Made-up events that touch what configurations are about.
pub fn made_up() -> Vec<Event> {
    let lines = DAY.lines().zip(1..);
    lines.filter_map(|(line, seq)| event_of(serde_json::from_str(line).ok()?, seq).ok()).collect()
}

/// An event of some columns: what every event has and these do not name is filled in.
///
/// Errors: the parser's sentence about a member that is no column, or no value of its column.
pub fn event_of(mut members: Map<String, Value>, seq: u64) -> Result<Event, String> {
    let nil = json!(uuid::Uuid::nil());
    let filled = [
        ("agent_id", nil.clone()),
        ("epoch", nil.clone()),
        ("session_id", nil),
        ("seq", json!(seq)),
        ("time", json!(0)),
    ];
    for (name, value) in filled {
        members.entry(name).or_insert(value);
    }
    serde_json::from_value(Value::Object(members)).map_err(|error| error.to_string())
}

/// Columns that are read of a project's own events.
const READ: [ColumnId; 18] = [
    ColumnId::UserName,
    ColumnId::MachineName,
    ColumnId::ProcessName,
    ColumnId::Application,
    ColumnId::WindowTitle,
    ColumnId::Url,
    ColumnId::UrlHost,
    ColumnId::UrlTemplate,
    ColumnId::PageTitle,
    ColumnId::ElementRole,
    ColumnId::ElementName,
    ColumnId::ElementId,
    ColumnId::ElementClass,
    ColumnId::ElementPath,
    ColumnId::RowLabel,
    ColumnId::ColumnLabel,
    ColumnId::KeyCommand,
    ColumnId::Comment,
];

/// The project's own events since a moment, newest stretch first bounded by `events_max`.
pub async fn own(store: &Store, project: &str, since_us: i64, events_max: usize) -> Result<Vec<Event>, StoreError> {
    let workshop = Workshop::open(store, project).await.map_err(|error| StoreError::Invalid(error.to_string()))?;
    let snapshot = workshop.snapshot(store).await?;
    if !snapshot.tables.contains_key(store::columns::EVENTS) {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = READ.iter().map(|column| column.column().name).collect();
    let sql = format!(
        "SELECT event_type, seq, CAST(time AS BIGINT) AS time_us, {} FROM events WHERE time >= $since LIMIT {events_max}",
        names.join(", ")
    );
    let parameters = [("since".to_owned(), Parameter::TimeUs(Some(since_us)))].into();
    let question = Question { parameters, ..Question::of_lode(sql) };
    let (batches, _, _) =
        store.engine().ask(&snapshot, question, &RowFunctions::default()).await?.collect(events_max).await?;
    Ok(batches.iter().flat_map(events_of).collect())
}

fn events_of(batch: &RecordBatch) -> Vec<Event> {
    let text = |name: &str, row: usize| -> Option<String> {
        let column = batch.column_by_name(name)?.as_dictionary_opt::<Int32Type>()?;
        let key = (!column.is_null(row)).then(|| column.keys().value(row))?;
        Some(column.values().as_string_opt::<i32>()?.value(usize::try_from(key).ok()?).to_owned())
    };
    let number = |name: &str, row: usize| -> Option<i64> {
        Some(batch.column_by_name(name)?.as_primitive_opt::<arrow::datatypes::Int64Type>()?.value(row))
    };
    let event = |row: usize| {
        let mut event = Event {
            event_type: text("event_type", row).and_then(|name| EventType::from_name(&name)).unwrap_or_default(),
            seq: number("seq", row).and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0),
            time_us: number("time_us", row).unwrap_or(0),
            ..Event::default()
        };
        for column in READ {
            if let Some(field) = event.text_mut(column) {
                *field = text(column.column().name, row);
            }
        }
        event
    };
    (0..batch.num_rows()).map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_made_up_day_touches_what_configurations_are_about() {
        let events = made_up();
        assert!(events.len() >= 30, "{} events", events.len());
        assert!(events.iter().any(|event| event.window_title.as_deref().is_some_and(|title| title.contains('@'))));
        assert!(events.iter().any(|event| event.url.is_some()));
        assert_eq!(events.len(), DAY.lines().count(), "every line is an event");
    }
}
