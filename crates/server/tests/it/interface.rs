//! The OpenAPI document: fresh, whole, and open to whoever asks.

use crate::people::house;
use serde_json::Value;
use std::collections::HashSet;

/// `UPDATE_EXPECT=1` writes it, as `cargo xtask codegen` does.
#[test]
fn the_checked_in_document_is_fresh() {
    expect_test::expect_file!["../../../../schemas/openapi.json"].assert_eq(&server::api::openapi::text());
}

#[test]
fn the_document_is_whole() {
    let document = house().nobody().get("/openapi.json").expect(200);
    assert_eq!(document, serde_json::from_str::<Value>(&server::api::openapi::text()).unwrap());
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let operations: Vec<&Value> =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values()).collect();
    let ids: HashSet<&str> = operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len(), "an id comes twice");
    for operation in &operations {
        assert!(operation["summary"].is_string(), "{operation}");
    }
    let mut missing = Vec::new();
    references(&document, &mut |reference| {
        if document.pointer(reference.strip_prefix('#').unwrap()).is_none() {
            missing.push(reference.to_owned());
        }
    });
    assert!(missing.is_empty(), "{missing:?}");
}

fn references(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found(reference);
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
