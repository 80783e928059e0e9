//! A client and a real service: from the app key to rows in a table.

use crate::service::Service;
use crate::support::{Client, configuration, lode_agent, printed};
use agent::capture::{Button, Element, Reading};
use serde_json::{Value, json};

fn button(name: &str) -> Element {
    Element { role: Reading::Known("button".into()), name: Some(name.into()), ..Element::default() }
}

fn field(name: &str) -> Element {
    Element { role: Reading::Known("textbox".into()), name: Some(name.into()), ..Element::default() }
}

/// Events that are on the disk or were sent.
fn kept(status: &Value) -> u64 {
    ["waiting", "stored"].map(|name| status["counters"][name].as_u64().unwrap_or(0)).iter().sum()
}

#[test]
fn from_an_app_key_to_rows_that_everybody_can_ask_for() {
    let service = Service::start();
    let study = service.study("Orders");
    study.publish(&configuration(&study.id, "excel.exe sap.exe", "", "all value_fingerprint"));
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, study.app_key()).unwrap();
    let said = printed(&lode_agent(
        folder.path(),
        &["enroll", "--server", &service.url(), "--key-file", key.to_str().unwrap()],
    ));
    assert!(said.contains("enrolled as"), "{said}");
    let client = Client::run(folder.path());
    client.until("asks for consent", |status| status["state"] == "needs_consent");
    let excel = client.script.window("excel.exe", "Orders.xlsx");
    let sap = client.script.window("sap.exe", "Order 4711");
    let private = client.script.window("private.exe", "Diary");
    client.script.guard(private);
    client.script.focus(client.now(), excel);
    client.script.click(client.now(), excel, Button::Left, button("before consent"));
    printed(&lode_agent(folder.path(), &["consent", "accept"]));
    client.until("records", |status| status["state"] == "recording");
    client.script.click(client.now(), excel, Button::Right, button("Insert"));
    client.script.focus_element(field("B2"));
    client.script.copy(client.now(), "ctrl+c", "ORD-4711", false);
    client.until("the copy is on the disk", |status| kept(status) >= 4);
    client.script.focus(client.now(), private);
    client.script.click(client.now(), private, Button::Left, button("secret"));
    client.script.focus(client.now(), sap);
    client.script.focus_element(field("Order number"));
    client.script.press(client.now(), "ctrl+v");
    client.script.type_text(client.now(), "hello");
    client.script.press(client.now(), "tab");
    client.until("everything waits or was sent", |status| kept(status) >= 8);
    client.ask(&json!({ "call": "send_now" }));
    client.until("everything was sent", |status| {
        status["counters"]["waiting"] == 0 && status["counters"]["stored"].as_u64().unwrap() >= 8
    });
    let rows = study.rows_until(
        "SELECT event_type, element_name, text_length FROM events WHERE process_name IS NOT NULL ORDER BY seq",
        |rows| rows.len() >= 6,
    );
    let text = serde_json::to_string(&rows).unwrap();
    for wanted in [r#"["right_click","Insert",null]"#, r#"["copy","B2",8]"#, r#"["paste","Order number",8]"#, r#"["text_entered","Order number",5]"#] {
        assert!(text.contains(wanted), "{wanted} is not in {text}");
    }
    assert!(!text.contains("secret") && !text.contains("before consent"), "{text}");
    let pair = study.rows("SELECT count(DISTINCT value_fingerprint), count(value_fingerprint) FROM events");
    assert_eq!(pair, [json!([1, 2])], "copy and paste are a pair");
    let balance = study.balance();
    assert_eq!((balance["lost"].as_i64(), balance["waiting"].as_i64()), (Some(0), Some(0)), "{balance}");
    let status = client.status();
    assert!(status["counters"]["filtered"]["gate.app"].as_u64().unwrap() >= 1, "{status}");
    client.quit();
    assert_eq!(lode_agent(folder.path(), &["status"]).status.code(), Some(0));
}
