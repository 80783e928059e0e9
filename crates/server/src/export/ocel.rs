//! OCEL 2.0: events that relate to several objects at once, for ProM, PM4Py and OCPM tools.
//!
//! Every event relates to its case, its user, its application, its screen (type `document`) and its element, as far as
//! it has them. Events stream through; objects are gathered, because each is written once. Memory is therefore bounded
//! by the number of distinct objects. JSON is written here; SQLite needs a database driver, which only `store` has, and
//! so goes through [`OcelSink`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use arrow::array::{RecordBatch, RecordBatchReader};
use serde_json::{Value, json};

use super::cells;
use super::{ExportError, Exported};

/// Columns that go along as attributes of an event, where the log has them.
pub const EVENT_ATTRIBUTES: [&str; 5] = ["event_type", "url_host", "key_command", "text_length", "active_us"];

/// What an event can relate to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectType {
    /// The case the event belongs to.
    Case,
    /// Who acted.
    User,
    /// In which application.
    Application,
    /// On which screen, page or document.
    Document,
    /// On which element.
    Element,
}

impl ObjectType {
    /// All types, in the order of relations.
    pub const ALL: [ObjectType; 5] =
        [ObjectType::Case, ObjectType::User, ObjectType::Application, ObjectType::Document, ObjectType::Element];

    /// The name of the type in files.
    pub fn name(self) -> &'static str {
        match self {
            ObjectType::Case => "case",
            ObjectType::User => "user",
            ObjectType::Application => "application",
            ObjectType::Document => "document",
            ObjectType::Element => "element",
        }
    }

    /// What the object is to the event.
    pub fn qualifier(self) -> &'static str {
        match self {
            ObjectType::Case => "belongs to",
            ObjectType::User => "done by",
            ObjectType::Application => "done in",
            ObjectType::Document => "done on",
            ObjectType::Element => "acts on",
        }
    }

    /// Columns that hold the name, the best one first.
    fn columns(self) -> &'static [&'static str] {
        match self {
            ObjectType::Case => &["case_id", "case_key"],
            ObjectType::User => &["user_name", "user_key"],
            ObjectType::Application => &["application_label", "application", "process_name"],
            ObjectType::Document => &["screen_label", "page_title", "window_title"],
            ObjectType::Element => &["element_name", "element_id"],
        }
    }
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OcelObject {
    /// What it is.
    pub object_type: ObjectType,
    /// Its identity in the file: type and names, an element's with its application.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// An event's relation to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The `id` of the object.
    pub object: String,
    /// What the object is to the event.
    pub qualifier: &'static str,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcelEvent {
    /// Its identity in the file: its order in the project.
    pub id: String,
    /// Its type.
    pub activity: String,
    /// When, as RFC 3339 in UTC.
    pub time: String,
    /// Name and text of each attribute it has.
    pub attributes: Vec<(&'static str, String)>,
    /// The objects it relates to, at most one per type.
    pub relations: Vec<Relation>,
}

/// Where events and objects of an OCEL file go: all events first, then each object once, then the end.
pub trait OcelSink {
    /// Takes an event. Errors: a sentence in lower case.
    fn event(&mut self, event: OcelEvent) -> Result<(), String>;
    /// Takes an object. Errors: a sentence in lower case.
    fn object(&mut self, object: OcelObject) -> Result<(), String>;
    /// Completes the file; `activities` are the types of events that came. Errors: a sentence in lower case.
    fn end(&mut self, activities: &BTreeSet<String>) -> Result<(), String>;
}

/// Sends the log to a sink.
///
/// Shape: columns `event_order`, `activity`, `time`, in any order of rows; events without activity are left out and
/// counted. `cases` of the answer counts objects of type case.
///
/// Errors: [`ExportError::NoColumn`] for those three; [`ExportError::Sink`] if the sink refuses.
/// Source: Berti et al., *OCEL 2.0 Specification*, arXiv 2403.01975.
pub fn write_ocel(log: impl RecordBatchReader, sink: &mut impl OcelSink) -> Result<Exported, ExportError> {
    let schema = log.schema();
    let [order, activity, time] = ["event_order", "activity", "time"].map(|name| cells::position(&schema, name));
    let (order, activity, time) = (order?, activity?, time?);
    let mut exported = Exported::default();
    let (mut objects, mut activities) = (BTreeMap::<String, OcelObject>::new(), BTreeSet::new());
    for batch in log {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let Some(activity) = cells::text(batch.column(activity), row) else {
                exported.left_out += 1;
                continue;
            };
            let of_event = related(&batch, row);
            let relation =
                |object: &OcelObject| Relation { object: object.id.clone(), qualifier: object.object_type.qualifier() };
            let relations = of_event.iter().map(relation).collect();
            for object in of_event {
                objects.entry(object.id.clone()).or_insert(object);
            }
            if !activities.contains(activity.as_ref()) {
                activities.insert(activity.to_string());
            }
            let text = |at: usize| cells::text(batch.column(at), row).unwrap_or_default().into_owned();
            let attributes = attributes(&batch, row);
            let event =
                OcelEvent { id: text(order), activity: activity.into(), time: text(time), attributes, relations };
            sink.event(event).map_err(ExportError::Sink)?;
            exported.events += 1;
        }
    }
    for object in objects.into_values() {
        exported.cases += u64::from(object.object_type == ObjectType::Case);
        sink.object(object).map_err(ExportError::Sink)?;
    }
    sink.end(&activities).map_err(ExportError::Sink)?;
    Ok(exported)
}

/// Writes the log as OCEL 2.0 JSON; otherwise as [`write_ocel`].
pub fn write_ocel_json(log: impl RecordBatchReader, to: impl Write) -> Result<Exported, ExportError> {
    write_ocel(log, &mut JsonSink { to, events: 0, objects: 0 })
}

/// The objects of an event.
fn related(batch: &RecordBatch, row: usize) -> Vec<OcelObject> {
    let name_of = |object_type: ObjectType| {
        let names = object_type.columns().iter();
        let texts = names.filter_map(|name| cells::text(batch.column_by_name(name)?, row));
        texts.map(|text| text.into_owned()).find(|text| !text.is_empty())
    };
    let application = name_of(ObjectType::Application).unwrap_or_default();
    let object = |object_type: ObjectType| {
        let name = name_of(object_type)?;
        let id = match object_type {
            // "OK" in one application is not "OK" in another.
            ObjectType::Element | ObjectType::Document => format!("{}:{application}/{name}", object_type.name()),
            _ => format!("{}:{name}", object_type.name()),
        };
        Some(OcelObject { object_type, id, name })
    };
    ObjectType::ALL.into_iter().filter_map(object).collect()
}

fn attributes(batch: &RecordBatch, row: usize) -> Vec<(&'static str, String)> {
    let text = |name: &'static str| Some((name, cells::text(batch.column_by_name(name)?, row)?.into_owned()));
    EVENT_ATTRIBUTES.into_iter().filter_map(text).collect()
}

/// Objects have no history here: their attributes hold from the beginning of time.
const ALWAYS: &str = "1970-01-01T00:00:00Z";

/// Writes JSON as it comes; the order of keys in the file is free.
struct JsonSink<W> {
    to: W,
    events: u64,
    objects: u64,
}

impl<W: Write> JsonSink<W> {
    fn write(&mut self, before: &str, value: &Value) -> Result<(), String> {
        self.to.write_all(before.as_bytes()).map_err(|error| error.to_string())?;
        serde_json::to_writer(&mut self.to, value).map_err(|error| error.to_string())
    }
}

impl<W: Write> OcelSink for JsonSink<W> {
    fn event(&mut self, event: OcelEvent) -> Result<(), String> {
        let attribute = |(name, value): &(&str, String)| json!({"name": name, "value": value});
        let relation = |relation: &Relation| json!({"objectId": relation.object, "qualifier": relation.qualifier});
        let value = json!({
            "id": event.id,
            "type": event.activity,
            "time": event.time,
            "attributes": event.attributes.iter().map(attribute).collect::<Vec<_>>(),
            "relationships": event.relations.iter().map(relation).collect::<Vec<_>>(),
        });
        let before = if self.events == 0 { "{\"events\":[\n" } else { ",\n" };
        self.events += 1;
        self.write(before, &value)
    }

    fn object(&mut self, object: OcelObject) -> Result<(), String> {
        let value = json!({
            "id": object.id,
            "type": object.object_type.name(),
            "attributes": [{"name": "name", "time": ALWAYS, "value": object.name}],
            "relationships": [],
        });
        let before = if self.objects == 0 { "],\n\"objects\":[\n" } else { ",\n" };
        self.objects += 1;
        self.write(before, &value)
    }

    fn end(&mut self, activities: &BTreeSet<String>) -> Result<(), String> {
        let text_attribute = |name: &str| json!({"name": name, "type": "string"});
        let of_events: Vec<Value> = EVENT_ATTRIBUTES.into_iter().map(text_attribute).collect();
        let event_types: Vec<Value> =
            activities.iter().map(|name| json!({"name": name, "attributes": of_events})).collect();
        let object_type = |object: ObjectType| json!({"name": object.name(), "attributes": [text_attribute("name")]});
        let object_types: Vec<Value> = ObjectType::ALL.into_iter().map(object_type).collect();
        let before = match (self.events, self.objects) {
            (0, _) => "{\"events\":[],\n\"objects\":[],\n\"eventTypes\":",
            (_, 0) => "],\n\"objects\":[],\n\"eventTypes\":",
            _ => "],\n\"eventTypes\":",
        };
        self.write(before, &event_types.into())?;
        self.write(",\n\"objectTypes\":", &object_types.into())?;
        self.to.write_all(b"}\n").and_then(|()| self.to.flush()).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::log;
    use super::*;

    fn ocel(rows: &[(Option<i64>, Option<&str>)]) -> (Exported, Value) {
        let mut bytes = Vec::new();
        let exported = write_ocel_json(log(rows), &mut bytes).unwrap();
        (exported, serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn events_relate_to_objects_that_are_written_once() {
        let (exported, ocel) = ocel(&[(Some(1), Some("Invoice \"7\"")), (Some(1), None), (None, None)]);
        assert_eq!(exported, Exported { events: 3, cases: 1, left_out: 0 });
        let ids: Vec<&str> =
            ocel["objects"].as_array().unwrap().iter().map(|object| object["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["application:excel", "case:1", "document:excel/Invoice \"7\"", "user:1"]);
        assert_eq!(ocel["events"][0]["relationships"].as_array().unwrap().len(), 4);
        assert_eq!(ocel["events"][2]["relationships"].as_array().unwrap().len(), 2);
        assert_eq!(ocel["eventTypes"][0]["name"], "copy");
    }

    #[test]
    fn every_relation_names_an_object_of_the_file() {
        let (_, ocel) = ocel(&[(Some(1), Some("a")), (Some(2), Some("b"))]);
        let objects: Vec<&Value> = ocel["objects"].as_array().unwrap().iter().map(|object| &object["id"]).collect();
        let relations =
            ocel["events"].as_array().unwrap().iter().flat_map(|event| event["relationships"].as_array().unwrap());
        assert!(relations.map(|relation| &relation["objectId"]).all(|id| objects.contains(&id)));
    }

    #[test]
    fn an_empty_log_is_still_a_file() {
        let (_, ocel) = ocel(&[]);
        assert_eq!((&ocel["events"], &ocel["objects"], &ocel["eventTypes"]), (&json!([]), &json!([]), &json!([])));
    }
}
