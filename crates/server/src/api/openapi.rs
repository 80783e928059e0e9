//! The OpenAPI document of the service, made from the handlers: served, checked in as `schemas/openapi.json`, and the
//! source of the permissions.
//!
//! What follows from the path is added here once, so that no handler repeats it: parameters, ids, tags, and the one form
//! of an error.

use super::clients::ClientSpool;
use super::errors::{ErrorAnswer, ErrorDetail};
use super::{BASE, operations};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use utoipa::openapi::OpenApi;
use utoipa::{PartialSchema, ToSchema};

/// The document as text, the way it is checked in.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&operations().split().1).unwrap_or_default();
    text.push('\n');
    text
}

/// Adds what follows from the paths.
pub fn completed(document: OpenApi) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["info"] = json!({
        "title": "Lode", "version": env!("CARGO_PKG_VERSION"), "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        "description": "The HTTP interface of Lode. x-lode-permission says what an operation asks of whoever calls it.",
    });
    for (path, methods) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            complete(path, method, operation);
        }
    }
    let schemas = &mut document["components"]["schemas"];
    for (name, schema) in [(ErrorAnswer::name(), ErrorAnswer::schema()), (ErrorDetail::name(), ErrorDetail::schema())] {
        schemas[name.as_ref()] = serde_json::to_value(schema).unwrap_or_default();
    }
    nothing_is_left_out(&mut document);
    document["components"]["securitySchemes"] = json!({
        "session": { "type": "apiKey", "in": "cookie", "name": crate::identity::session::COOKIE },
        "token": { "type": "http", "scheme": "bearer" },
    });
    document
}

fn complete(path: &str, method: &str, operation: &mut Value) {
    let words: Vec<&str> = path[BASE.len()..].split(['/', '{', '}', '.']).filter(|word| !word.is_empty()).collect();
    let parameters: Vec<&str> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    operation["operationId"] = format!("{method}_{}", words.join("_").replace('-', "_")).into();
    operation["tags"] = json!([subject(&words)]);
    let declared = operation["parameters"].as_array().cloned().unwrap_or_default();
    let in_query = declared.into_iter().filter(|parameter| parameter["in"] == "query");
    let in_path = parameters
        .iter()
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let all: Vec<Value> = in_path.chain(in_query).collect();
    if !all.is_empty() {
        operation["parameters"] = all.into();
    }
    if operation["x-lode-permission"] != "public" {
        operation["security"] = json!([{ "session": [] }, { "token": [] }]);
    }
    bytes_are_no_numbers(operation);
    operation["responses"]["default"] = json!({
        "description": "What went wrong, and what to do.",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/ErrorAnswer" } } },
    });
}

/// A file or a picture is bytes, not a list of numbers.
fn bytes_are_no_numbers(operation: &mut Value) {
    let body = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
    body.into_iter().for_each(as_binary);
    for (_, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let content = response.pointer_mut("/content").and_then(Value::as_object_mut);
        content.into_iter().for_each(as_binary);
    }
}

/// Says `binary` where the content is bytes.
fn as_binary(content: &mut Map<String, Value>) {
    const BINARY: [&str; 2] = ["application/octet-stream", "image/png"];
    for (_, file) in content.iter_mut().filter(|(content_type, _)| BINARY.contains(&content_type.as_str())) {
        *file = json!({ "schema": { "type": "string", "format": "binary" } });
    }
}

/// An answer writes every member, one without a value as null, so it requires those too; a member that is left out says
/// `nullable = false` where it is declared. Whoever sends a body may leave out what can be null, and what a client says of
/// itself is passed on as it came.
fn nothing_is_left_out(document: &mut Value) {
    let mut sent = BTreeSet::from([ClientSpool::name().into_owned()]);
    let operations = document["paths"].as_object().into_iter().flatten();
    for (_, operation) in operations.flat_map(|(_, methods)| methods.as_object().into_iter().flatten()) {
        names_of(&operation["requestBody"], &document["components"]["schemas"], &mut sent);
    }
    for (name, schema) in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        if !sent.contains(name) {
            require_nullable(schema);
        }
    }
}

/// Collects the names of all schemas that `value` refers to, however far away.
fn names_of(value: &Value, schemas: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            let name = reference.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
            if let Some(name) = name
                && names.insert(name.to_owned())
            {
                names_of(&schemas[name], schemas, names);
            }
            members.values().for_each(|member| names_of(member, schemas, names));
        }
        Value::Array(items) => items.iter().for_each(|item| names_of(item, schemas, names)),
        _ => {}
    }
}

/// Adds the members that can be null to those that are required, in every part of a schema.
fn require_nullable(schema: &mut Value) {
    let parts = schema.get_mut("allOf").and_then(Value::as_array_mut);
    parts.into_iter().flatten().for_each(require_nullable);
    let members = schema["properties"].as_object().into_iter().flatten();
    let nullable: Vec<Value> =
        members.filter(|(_, member)| can_be_null(member)).map(|(name, _)| name.as_str().into()).collect();
    if nullable.is_empty() {
        return;
    }
    let mut required = schema["required"].as_array().cloned().unwrap_or_default();
    required.extend(nullable);
    schema["required"] = required.into();
}

fn can_be_null(schema: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    let kinds = schema["type"].as_array().into_iter().flatten();
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    kinds.chain(choices.map(|choice| &choice["type"])).any(is_null)
}

/// The part of the interface that an operation belongs to: what comes after the project, or the first word.
fn subject<'w>(words: &[&'w str]) -> &'w str {
    match words {
        ["projects", "project", part, ..] => part,
        [first, ..] => first,
        [] => "service",
    }
}
