//! What other languages and readers need of the vocabulary, written from its declarations.
//!
//! JSON Schema for whoever checks events, TypeScript for the extension and the pages, a reference page for people.
//! Everything is text made from [`COLUMNS`] and [`EventType`]; this module writes no file. The build compares the files
//! in the repository with [`generated`] and fails when they differ.

use std::fmt::Write;

use crate::column::{COLUMNS, Column, ColumnId, ColumnType, Group};
use crate::envelope;
use crate::event::{Actor, EventType, Family};

/// Where the schemas will be found once they are published; the `$id` of each begins with it.
const SCHEMA_BASE: &str = "https://lode.example/schemas/";

/// Every generated file: its path from the root of the repository, and its whole text.
///
/// ```
/// let files = uilog::schema::generated();
/// assert!(files.iter().any(|(path, text)| *path == "schemas/event.d.ts" && text.contains("event_type: EventType;")));
/// ```
pub fn generated() -> Vec<(&'static str, String)> {
    vec![
        ("schemas/event.schema.json", event_schema()),
        ("schemas/envelope.schema.json", envelope_schema()),
        ("schemas/event.d.ts", typescript()),
        ("schemas/lode-config-1.xsd", crate::policy::xsd::schema()),
        ("schemas/config-vocabulary.json", crate::policy::reference::vocabulary_json()),
        ("docs/guide/columns.md", reference_page()),
        ("docs/guide/configuration.md", crate::policy::reference::page()),
    ]
}

/// The columns that an event carries in JSON: all but the one that only the service knows.
fn members() -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(|column| column.id != ColumnId::ProjectId)
}

/// The names that an enum column may hold.
fn names(column: ColumnId) -> Vec<&'static str> {
    match column {
        ColumnId::Actor => Actor::ALL.map(Actor::name).to_vec(),
        _ => EventType::all().map(EventType::name).collect(),
    }
}

/// A list of words in double quotes; none of our names needs an escape.
fn quoted<'a>(words: impl IntoIterator<Item = &'a str>, separator: &str) -> String {
    words.into_iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(separator)
}

/// A text as a JSON string.
fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn event_schema() -> String {
    let required = members().filter(|column| !column.nullable).map(|column| column.name);
    let properties: Vec<String> = members().map(property).chain([hashed_property()]).collect();
    format!(
        "{{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"$id\": \"{SCHEMA_BASE}event.schema.json\",\n  \
         \"title\": \"Event\",\n  \"description\": \"One user action on an element, at a time; absent members are unknown.\",\n  \
         \"type\": \"object\",\n  \"required\": [{}],\n  \"additionalProperties\": false,\n  \"properties\": {{\n{}\n  }}\n}}\n",
        quoted(required, ", "),
        properties.join(",\n"),
    )
}

fn property(column: &Column) -> String {
    let deprecated = if column.deprecated.is_some() { ", \"deprecated\": true" } else { "" };
    format!(
        "    \"{}\": {{ {}, \"description\": {}, \"x-lode-personal\": {}, \"x-lode-since\": {}{deprecated} }}",
        column.name,
        constraint(column),
        json_string(column.description),
        column.personal,
        column.since,
    )
}

/// What `hashed` tells, in schemas and on the reference page.
const HASHED: &str =
    "Keyed hashes that stand in place of texts: name of a column, 16 bytes. The column itself is absent then.";

fn hashed_property() -> String {
    let names = members().filter(|column| column.id.is_hashable()).map(|column| column.name);
    format!(
        "    \"hashed\": {{ \"type\": \"object\", \"propertyNames\": {{ \"enum\": [{}] }}, \"additionalProperties\": {{ {} }}, \"description\": {} }}",
        quoted(names, ", "),
        "\"type\": \"string\", \"pattern\": \"^[0-9a-fA-F]{32}$\"",
        json_string(HASHED),
    )
}

fn constraint(column: &Column) -> String {
    let integer = |minimum: &dyn std::fmt::Display, maximum: &dyn std::fmt::Display| {
        format!("\"type\": \"integer\", \"minimum\": {minimum}, \"maximum\": {maximum}")
    };
    match column.column_type {
        ColumnType::Uuid => "\"type\": \"string\", \"format\": \"uuid\"".to_owned(),
        ColumnType::U64 if column.id == ColumnId::Seq => integer(&1, &u64::MAX),
        ColumnType::U64 => integer(&0, &u64::MAX),
        ColumnType::U32 => integer(&0, &u32::MAX),
        ColumnType::U16 => integer(&0, &u16::MAX),
        ColumnType::U8 => integer(&0, &u8::MAX),
        ColumnType::I16 => integer(&i16::MIN, &i16::MAX),
        ColumnType::I32 => integer(&i32::MIN, &i32::MAX),
        ColumnType::TimestampUs => integer(&i64::MIN, &i64::MAX),
        ColumnType::Text => "\"type\": \"string\"".to_owned(),
        ColumnType::Enum => format!("\"enum\": [{}]", quoted(names(column.id), ", ")),
        ColumnType::Box4 => {
            format!(
                "\"type\": \"array\", \"minItems\": 4, \"maxItems\": 4, \"items\": {{ {} }}",
                integer(&i32::MIN, &i32::MAX)
            )
        }
        ColumnType::Fingerprint => "\"type\": \"string\", \"pattern\": \"^[0-9a-fA-F]{32}$\"".to_owned(),
        ColumnType::TextMap => "\"type\": \"object\", \"additionalProperties\": { \"type\": \"string\" }".to_owned(),
    }
}

fn envelope_schema() -> String {
    format!(
        r##"{{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "{SCHEMA_BASE}envelope.schema.json",
  "title": "Line of an envelope",
  "description": "An envelope is a zstd frame around JSON Lines: line 1 is a header, each further line an event. At most {packed} bytes packed and {unpacked} unpacked.",
  "oneOf": [{{ "$ref": "#/$defs/header" }}, {{ "$ref": "event.schema.json" }}],
  "$defs": {{
    "header": {{
      "type": "object",
      "required": ["format", "version", "agent_id", "epoch", "client_version"],
      "properties": {{
        "format": {{ "const": "{format}" }},
        "version": {{ "const": {version} }},
        "agent_id": {{ "type": "string", "format": "uuid", "description": "The agent to which every event belongs." }},
        "epoch": {{ "type": "string", "format": "uuid", "description": "The epoch of its spool to which every event belongs." }},
        "client_version": {{ "type": "string", "description": "Version of the program that packed the envelope." }},
        "config_revision": {{ "type": "string", "description": "Revision of the configuration that the agent obeys." }}
      }}
    }}
  }}
}}
"##,
        packed = envelope::PACKED_BYTES_MAX,
        unpacked = envelope::UNPACKED_BYTES_MAX,
        format = envelope::FORMAT,
        version = envelope::VERSION,
    )
}

fn typescript() -> String {
    let mut text = String::from(
        "// Generated by `cargo xtask codegen` from crates/uilog; do not edit.\n\n/** What the user did, or what happened to the recording. */\nexport type EventType =\n",
    );
    let families: Vec<String> = Family::ALL
        .map(|family| {
            let names = family.declarations().iter().map(|declaration| declaration.name);
            format!("  // {}\n  | {}", family.name(), quoted(names, "\n  | "))
        })
        .to_vec();
    text.push_str(&families.join("\n"));
    text.push_str(";\n\n/** Who acted. */\nexport type Actor = ");
    text.push_str(&quoted(names(ColumnId::Actor), " | "));
    text.push_str(
        ";\n\n/** One user action on an element, at a time; absent members are unknown. */\nexport interface Event {\n",
    );
    for column in members() {
        let optional = if column.nullable { "?" } else { "" };
        let personal = if column.personal { " Personal." } else { "" };
        let deprecated = column
            .deprecated
            .map_or(String::new(), |version| format!("\n   * @deprecated since version {version}\n  "));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  /** {}{personal}{deprecated} */\n  {}{optional}: {};",
            column.description,
            column.name,
            typescript_type(column)
        );
    }
    let _ = writeln!(text, "  /** {HASHED} */\n  hashed?: Record<string, string>;");
    text.push_str("}\n\n/** The first line of an envelope. */\nexport interface EnvelopeHeader {\n");
    let _ = writeln!(
        text,
        "  format: \"{}\";\n  version: {};\n  agent_id: string;\n  epoch: string;\n  client_version: string;\n  config_revision?: string;\n}}",
        envelope::FORMAT,
        envelope::VERSION
    );
    text
}

fn typescript_type(column: &Column) -> &'static str {
    match column.column_type {
        ColumnType::Uuid | ColumnType::Text | ColumnType::Fingerprint => "string",
        ColumnType::Enum if column.id == ColumnId::Actor => "Actor",
        ColumnType::Enum => "EventType",
        ColumnType::Box4 => "[number, number, number, number]",
        ColumnType::TextMap => "Record<string, string>",
        ColumnType::U64
        | ColumnType::U32
        | ColumnType::U16
        | ColumnType::U8
        | ColumnType::I16
        | ColumnType::I32
        | ColumnType::TimestampUs => "number",
    }
}

fn reference_page() -> String {
    let mut page = String::from(
        "<!-- Generated by `cargo xtask codegen` from crates/uilog; do not edit. -->\n\n# Columns and event types\n\n\
         An event is one user action on an element, at a time. Its columns are the same in SQL, in Parquet files and in JSON.\n\n\
         *Personal* columns are what privacy rules act on. *Mandatory* columns cannot be dropped, hashed or redacted by any rule;\n\
         those marked *if known* may still be empty, because not every source knows them. All others may be empty.\n\n## Columns\n",
    );
    for group in Group::ALL {
        let _ = writeln!(
            page,
            "\n### {}\n\n| column | type | personal | mandatory | since | meaning |\n| --- | --- | --- | --- | --- | --- |",
            group.title()
        );
        for column in COLUMNS.iter().filter(|column| column.group == group) {
            let personal = if column.personal { "yes" } else { "no" };
            let mandatory = match (column.mandatory, column.nullable) {
                (true, false) => "yes",
                (true, true) => "if known",
                (false, _) => "no",
            };
            let _ = writeln!(
                page,
                "| `{}` | {} | {personal} | {mandatory} | {} | {} |",
                column.name,
                type_name(column.column_type),
                marks(column.since, column.deprecated),
                column.description
            );
        }
    }
    page.push_str(
        "\n## Hashed values\n\nA rule may have the value of a text column hashed before it leaves the machine. An event then carries the hash in its \
         member\n`hashed`, under the name of the column, as 32 hexadecimal digits, and the column itself is absent: a hash is never a text that looks\n\
         like one. `rule` and `config_revision` cannot be hashed.\n",
    );
    page.push_str("\n## Event types\n");
    for family in Family::ALL {
        let _ = writeln!(page, "\n### {}\n\n| event type | since | meaning |\n| --- | --- | --- |", family.name());
        for declaration in family.declarations() {
            let attributes: String = declaration
                .attributes
                .iter()
                .map(|(key, meaning)| format!("<br>`attributes['{key}']`: {meaning}"))
                .collect();
            let _ = writeln!(
                page,
                "| `{}` | {} | {}{attributes} |",
                declaration.name,
                marks(declaration.since, declaration.deprecated),
                declaration.description
            );
        }
    }
    page
}

fn marks(since: u32, deprecated: Option<u32>) -> String {
    deprecated.map_or(since.to_string(), |version| format!("{since}, deprecated in {version}"))
}

fn type_name(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Uuid => "UUID",
        ColumnType::U64 => "u64",
        ColumnType::U32 => "u32",
        ColumnType::U16 => "u16",
        ColumnType::U8 => "u8",
        ColumnType::I16 => "i16",
        ColumnType::I32 => "i32",
        ColumnType::TimestampUs => "timestamp, µs, UTC",
        ColumnType::Text => "text",
        ColumnType::Enum => "enum",
        ColumnType::Box4 => "4 × i32",
        ColumnType::Fingerprint => "16 bytes",
        ColumnType::TextMap => "map text → text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Value};
    use serde_json::{Map, json};

    /// A member for every column but `project_id`, each with a value that no other column has.
    fn full_json() -> Map<String, serde_json::Value> {
        let member = |(position, column): (usize, &Column)| {
            let value = match column.column_type {
                ColumnType::Uuid => json!(uuid::Uuid::from_u128(position as u128)),
                ColumnType::Text => json!(column.name),
                ColumnType::Enum => json!(names(column.id)[1]),
                ColumnType::Box4 => json!([1, -2, 3, 4]),
                ColumnType::Fingerprint => json!(format!("{position:032x}")),
                ColumnType::TextMap => json!({ "key": "value" }),
                _ => json!(position),
            };
            (column.name.to_owned(), value)
        };
        COLUMNS.iter().enumerate().filter(|(_, column)| column.id != ColumnId::ProjectId).map(member).collect()
    }

    fn full_event() -> Event {
        serde_json::from_value(full_json().into()).unwrap()
    }

    fn as_json(value: Value<'_>) -> serde_json::Value {
        match value {
            Value::Null => json!(null),
            Value::Uuid(id) => json!(id),
            Value::U64(number) => json!(number),
            Value::U32(number) => json!(number),
            Value::U16(number) => json!(number),
            Value::U8(number) => json!(number),
            Value::I16(number) => json!(number),
            Value::I32(number) => json!(number),
            Value::TimestampUs(time) => json!(time),
            Value::Text(text) => json!(text),
            Value::Enum(name) => json!(name),
            Value::Box4(pixels) => json!(pixels),
            Value::Fingerprint(bytes) => json!(crate::event::Fingerprint(bytes)),
            Value::TextMap(map) => json!(map),
        }
    }

    #[test]
    fn every_column_is_a_member_of_the_event_and_no_other() {
        assert_eq!(serde_json::to_value(full_event()).unwrap(), serde_json::Value::from(full_json()));
    }

    #[test]
    fn every_text_column_has_a_field_and_every_other_column_can_be_forgotten() {
        let mut event = full_event();
        for column in COLUMNS {
            assert_eq!(event.text_mut(column.id).is_some(), column.column_type == ColumnType::Text, "{}", column.name);
            if let Some(text) = event.text_mut(column.id) {
                assert_eq!(text.as_deref(), Some(column.name));
            }
            event.hashed.insert(column.name.to_owned(), crate::event::Fingerprint([0; 16]));
            event.forget(column.id);
            let is_gone = event.value(column.id as usize) == Value::Null;
            assert_eq!(is_gone, !column.mandatory || column.id == ColumnId::ProjectId, "{}", column.name);
            assert!(event.hashed.is_empty(), "{}", column.name);
        }
    }

    #[test]
    fn hashed_values_are_hexadecimal_in_every_schema() {
        let schema: serde_json::Value = serde_json::from_str(&event_schema()).unwrap();
        let names = &schema["properties"]["hashed"]["propertyNames"]["enum"];
        assert!(
            names.as_array().unwrap().contains(&json!("user_name"))
                && !names.as_array().unwrap().contains(&json!("dpi"))
        );
        assert!(typescript().contains("hashed?: Record<string, string>;"));
        let event = Event {
            hashed: [("user_name".to_owned(), crate::event::Fingerprint([10; 16]))].into(),
            ..Event::default()
        };
        assert_eq!(serde_json::to_value(event).unwrap()["hashed"]["user_name"], "0a".repeat(16));
    }

    #[test]
    fn the_value_of_a_column_is_that_of_its_member() {
        let (event, json) = (full_event(), full_json());
        for (position, column) in COLUMNS.iter().enumerate() {
            let member = json.get(column.name).cloned().unwrap_or_default();
            assert_eq!(as_json(event.value(position)), member, "{}", column.name);
        }
        assert_eq!(event.value(COLUMNS.len()), Value::Null);
    }

    #[test]
    fn every_column_has_a_value_of_its_type() {
        let event = full_event();
        for (position, column) in COLUMNS.iter().enumerate() {
            let fits = matches!(
                (event.value(position), column.column_type),
                (Value::Uuid(_), ColumnType::Uuid)
                    | (Value::U64(_), ColumnType::U64)
                    | (Value::U32(_), ColumnType::U32)
                    | (Value::U16(_), ColumnType::U16)
                    | (Value::U8(_), ColumnType::U8)
                    | (Value::I16(_), ColumnType::I16)
                    | (Value::I32(_), ColumnType::I32)
                    | (Value::TimestampUs(_), ColumnType::TimestampUs)
                    | (Value::Text(_), ColumnType::Text)
                    | (Value::Enum(_), ColumnType::Enum)
                    | (Value::Box4(_), ColumnType::Box4)
                    | (Value::Fingerprint(_), ColumnType::Fingerprint)
                    | (Value::TextMap(_), ColumnType::TextMap)
            );
            assert!(fits || column.id == ColumnId::ProjectId, "{}", column.name);
        }
    }

    #[test]
    fn a_cleared_event_knows_nothing() {
        let mut event = full_event();
        event.clear();
        let nullable = COLUMNS.iter().enumerate().filter(|(_, column)| column.nullable);
        for (position, column) in nullable {
            assert_eq!(event.value(position), Value::Null, "{}", column.name);
        }
    }

    #[test]
    fn schemas_are_json_and_name_every_type() {
        for (path, text) in generated() {
            if path.ends_with(".json") {
                serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|why| panic!("{path}: {why}"));
            }
            assert!(text.ends_with('\n') && !text.contains(" \n"), "{path}");
        }
        let schema: serde_json::Value = serde_json::from_str(&event_schema()).unwrap();
        assert_eq!(schema["properties"]["event_type"]["enum"].as_array().map(Vec::len), Some(EventType::all().len()));
        assert_eq!(schema["properties"]["text"]["x-lode-personal"], true);
        assert_eq!(
            schema["required"],
            serde_json::json!(["agent_id", "epoch", "seq", "time", "event_type", "session_id"])
        );
        assert!(schema["properties"].get("project_id").is_none());
    }

    #[test]
    fn names_of_types_and_actors_are_those_of_their_json() {
        for event_type in EventType::all() {
            assert_eq!(serde_json::to_value(event_type).unwrap(), event_type.name());
        }
        for actor in Actor::ALL {
            assert_eq!(serde_json::to_value(actor).unwrap(), actor.name());
        }
    }
}
