//! Whether answers are what the OpenAPI document says: asked of every answer that any test gets.
//!
//! A member that the document does not know is as wrong as one that is missing, and so is a word that it does not list.

use serde_json::{Map, Value};
use std::sync::OnceLock;

/// Checks the JSON of an answer, if the document says anything of it.
pub fn check(method: &str, path: &str, status: u16, body: &[u8]) {
    let Some(schema) = schema_of(method, path, status) else { return };
    let answer = serde_json::from_slice(body).unwrap();
    let mut misfits = Vec::new();
    compare(schema, &answer, path, &mut misfits);
    assert!(misfits.is_empty(), "{method} {path} is not what the document says:\n{}", misfits.join("\n"));
}

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_str(&server::api::openapi::text()).unwrap())
}

/// The schema of an answer: of the path that has as few places to fill as can be.
fn schema_of(method: &str, path: &str, status: u16) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or(path);
    let fits = |template: &str| {
        let (wanted, found) = (template.split('/'), path.split('/'));
        wanted.clone().count() == found.clone().count()
            && wanted.zip(found).all(|(wanted, found)| wanted.starts_with('{') || wanted == found)
    };
    let paths = document()["paths"].as_object()?;
    let (_, methods) = paths
        .iter()
        .filter(|(template, methods)| fits(template) && methods.get(method.to_lowercase()).is_some())
        .min_by_key(|(template, _)| template.matches('{').count())?;
    methods[method.to_lowercase()]["responses"][status.to_string()]["content"].get("application/json")?.get("schema")
}

fn compare(schema: &'static Value, value: &Value, at: &str, misfits: &mut Vec<String>) {
    let schema = resolved(schema);
    let choices: Vec<&'static Value> = schema["oneOf"].as_array().into_iter().flatten().collect();
    if !choices.is_empty() && !choices.iter().any(|choice| fits(choice, value)) {
        misfits.push(format!("{at} is none of {}: {value}", schema["oneOf"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        misfits.push(format!("{at} is none of {}: {value}", schema["enum"]));
    }
    if !is_of(&schema["type"], value) {
        misfits.push(format!("{at} is no {}: {value}", schema["type"]));
    }
    for (item, number) in value.as_array().into_iter().flatten().zip(0..) {
        compare(&schema["items"], item, &format!("{at}/{number}"), misfits);
    }
    if let Some(members) = value.as_object() {
        compare_members(schema, members, at, misfits);
    }
}

fn compare_members(schema: &'static Value, members: &Map<String, Value>, at: &str, misfits: &mut Vec<String>) {
    let parts = parts_of(schema);
    for required in parts.iter().filter_map(|part| part["required"].as_array()).flatten().filter_map(Value::as_str) {
        if !members.contains_key(required) {
            misfits.push(format!("{at} has no {required}"));
        }
    }
    let open = parts.iter().all(|part| part["properties"].is_null());
    let other = parts.iter().find_map(|part| part.get("additionalProperties").filter(|other| other.is_object()));
    for (name, value) in members {
        let at = format!("{at}/{name}");
        match parts.iter().find_map(|part| part["properties"].get(name)).or(other) {
            Some(schema) => compare(schema, value, &at, misfits),
            None if open => {}
            None => misfits.push(format!("{at} is not in the document")),
        }
    }
}

/// The parts that a schema is made of, itself among them.
fn parts_of(schema: &'static Value) -> Vec<&'static Value> {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    [schema].into_iter().chain(parts.flat_map(|part| parts_of(resolved(part)))).collect()
}

fn fits(schema: &'static Value, value: &Value) -> bool {
    let mut misfits = Vec::new();
    compare(schema, value, "", &mut misfits);
    misfits.is_empty()
}

fn resolved(schema: &'static Value) -> &'static Value {
    let reference = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    reference.map_or(schema, |place| document().pointer(place).unwrap())
}

fn is_of(kinds: &Value, value: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str().unwrap_or_default() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    match kinds {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(is),
        kind => is(kind),
    }
}
