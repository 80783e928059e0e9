//! `lode-agent native-messaging` on Windows: between a program that passes for a browser and the client's pipe.

use super::desk::{AGENT, BROWSER, Desk, named, seen_by_wine, wine};
use crate::service::Service;
use crate::support::configuration;
use agent::browser::EXTENSION_ID;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A relay that a browser started, or that somebody else did.
struct Relay(Child);

impl Relay {
    fn start(mut command: Command, data: &Path) -> Self {
        let command = command.env("LODE_DATA", seen_by_wine(data)).stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(command.stderr(Stdio::null()).spawn().unwrap())
    }

    /// Started by what passes for Chrome.
    fn of_browser(origin: &str, data: &Path) -> Self {
        Self::start(wine(&named(BROWSER), &[&seen_by_wine(Path::new(&named(AGENT))), origin]), data)
    }

    fn say(&mut self, message: &Value) {
        let bytes = message.to_string().into_bytes();
        let input = self.0.stdin.as_mut().unwrap();
        input.write_all(&u32::try_from(bytes.len()).unwrap().to_ne_bytes()).unwrap();
        input.write_all(&bytes).unwrap();
        input.flush().unwrap();
    }

    fn hear(&mut self) -> Value {
        let output = self.0.stdout.as_mut().unwrap();
        let mut length = [0; 4];
        output.read_exact(&mut length).unwrap();
        let mut bytes = vec![0; u32::from_ne_bytes(length) as usize];
        output.read_exact(&mut bytes).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Without input the relay ends, and what started it.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn hello() -> Value {
    json!({ "type": "hello", "proto": 1, "browser": "chrome", "version": "0" })
}

#[test]
#[ignore = "needs Wine: cargo xtask test windows"]
fn s13_p1_the_relay_carries_what_a_page_tells_to_the_service_and_refuses_other_extensions_and_who_is_no_browser() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Pages");
    study.publish(&configuration(&study.id, "chrome.exe", "", "all"));
    let data = folder.path().join("client");
    let desk = Desk::record(&data, &service, &study);
    let ours = format!("chrome-extension://{EXTENSION_ID}/");
    let foreign = format!("chrome-extension://{}/", "a".repeat(32));
    let refused = [
        (Relay::of_browser(&foreign, &data), "foreign_extension"),
        (Relay::start(wine(&named(AGENT), &[&ours]), &data), "no_browser"),
    ];
    for (mut relay, why) in refused {
        // Nobody waits for their first word.
        let said = relay.hear();
        assert_eq!(
            (&said["recording"], &said["why"], &said["policy"]),
            (&json!(false), &json!(why), &Value::Null),
            "{said}"
        );
    }
    let mut relay = Relay::of_browser(&ours, &data);
    relay.say(&hello());
    let said = relay.hear();
    assert_eq!((&said["recording"], &said["policy"]["sites"]), (&json!(true), &json!("all")), "{said}");
    let document = "00112233445566778899aabbccddeeff";
    let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let event = json!({
        "type": "event", "document": document, "seq": 1, "time_ms": now_ms, "kind": "submit",
        "url": "https://orders.example/4711", "title": "Order 4711", "tab": 1, "frame": 0,
        "element": { "role": "button", "name": "Save order" },
    });
    relay.say(&event);
    let taken = json!({ "type": "ack", "acks": [[document, 1]] });
    assert_eq!(relay.hear(), taken);
    // What was acknowledged and comes again is the same event.
    relay.say(&event);
    assert_eq!(relay.hear(), taken);
    let submitted = "SELECT process_name, url_host, page_title, element_name FROM events \
        WHERE event_type = 'form_submitted'";
    study.rows_until(submitted, |rows| rows == [json!(["chrome.exe", "orders.example", "Order 4711", "Save order"])]);
    let status = desk.status().unwrap();
    assert_eq!(status["extension"][0]["browser"], "chrome", "{status}");
}
