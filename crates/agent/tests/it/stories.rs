//! A client and a real service: from the app key to rows in a table.

use crate::service::Service;
use crate::support::{Client, command, configuration, files, kept, lode_agent, printed, until};
use agent::capture::{Button, Element, Reading};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn button(name: &str) -> Element {
    Element { role: Reading::Known("button".into()), name: Some(name.into()), ..Element::default() }
}

fn field(name: &str) -> Element {
    Element { role: Reading::Known("textbox".into()), name: Some(name.into()), ..Element::default() }
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
    for wanted in [
        r#"["right_click","Insert",null]"#,
        r#"["copy","B2",8]"#,
        r#"["paste","Order number",8]"#,
        r#"["text_entered","Order number",5]"#,
    ] {
        assert!(text.contains(wanted), "{wanted} is not in {text}");
    }
    assert!(!text.contains("secret") && !text.contains("before consent"), "{text}");
    let pair = study.rows("SELECT count(DISTINCT value_fingerprint), count(value_fingerprint) FROM events");
    assert_eq!(pair, [json!([1, 2])], "copy and paste are a pair");
    let balance = study.balance_until(|balance| balance["waiting"] == 0);
    assert_eq!(balance["lost"], 0, "{balance}");
    let status = client.status();
    assert!(status["counters"]["filtered"]["gate.app"].as_u64().unwrap() >= 1, "{status}");
    client.quit();
    assert_eq!(lode_agent(folder.path(), &["status"]).status.code(), Some(0));
}

/// Where the service is reached, and everything that is sent to it there.
fn listening(service: &Service) -> (String, Arc<Mutex<Vec<u8>>>) {
    let heard = Arc::<Mutex<Vec<u8>>>::default();
    let record = heard.clone();
    (service.behind(move |sent| record.lock().unwrap().extend_from_slice(sent), |_| {}), heard)
}

/// Envelopes in what was heard, unpacked; they are found by the mark that zstd frames begin with.
fn unpacked(heard: &[u8]) -> Vec<u8> {
    let mark = 0xFD2F_B528_u32.to_le_bytes();
    let starts = heard.windows(4).enumerate().filter(|(_, window)| *window == mark).map(|(at, _)| at);
    let frames = starts.filter_map(|at| zstd::stream::read::Decoder::new(&heard[at..]).ok());
    frames
        .flat_map(|frame| {
            let (mut text, mut frame) = (Vec::new(), frame.single_frame());
            let _ = frame.read_to_end(&mut text);
            text
        })
        .collect()
}

/// A client that is enrolled, has said yes, and records.
fn recording(folder: &Path, server: &str, key: &str) -> Client {
    printed(&lode_agent(folder, &["enroll", "--server", server, "--key", key]));
    let client = Client::run(folder);
    client.until("asks for consent", |status| status["state"] == "needs_consent");
    printed(&lode_agent(folder, &["consent", "accept"]));
    client.until("records", |status| status["state"] == "recording");
    client
}

#[test]
fn td1_no_canary_is_on_the_disk_on_the_wire_in_the_status_or_in_the_tables() {
    let service = Service::start();
    let study = service.study("Canaries");
    study.publish(&configuration(&study.id, "excel.exe", "", "all value_fingerprint"));
    let (wire, heard) = listening(&service);
    let folder = tempfile::tempdir().unwrap();
    let client = recording(folder.path(), &wire, &study.app_key());
    let excel = client.script.window("excel.exe", "Budget ONDISKNEVER");
    let diary = client.script.window("diary.exe", "CANARYTITLE");
    for round in 0..5 {
        client.script.focus(client.now(), diary);
        client.script.click(client.now(), diary, Button::Left, button("CANARYBUTTON"));
        client.script.type_text(client.now(), "CANARYTYPED");
        client.script.copy(client.now(), "ctrl+c", "CANARYCLIP", false);
        client.script.focus(client.now(), excel);
        client.script.focus_element(Element { role: Reading::Known("password".into()), ..button("Password") });
        client.script.type_text(client.now(), "CANARYSECRET");
        client.script.press(client.now(), "tab");
        client.script.focus_element(field("Notes"));
        client.script.type_text(client.now(), "CANARYNOTES");
        client.script.copy(client.now(), "ctrl+x", "CANARYCUT", false);
        client.script.copy(client.now(), "ctrl+c", "CANARYHIDDEN", true);
        client.until("the round is kept", |status| kept(status) > round * 5);
    }
    client.ask(&json!({ "call": "send_now" }));
    client.until("all is sent", |status| status["counters"]["waiting"] == 0 && kept(status) > 10);
    let status = client.status().to_string();
    client.quit();
    study.rows_until("SELECT count(*) FROM events WHERE window_title LIKE '%ONDISKNEVER%'", |rows| {
        rows.first().is_some_and(|row| row[0].as_u64() > Some(5))
    });
    let rows = serde_json::to_vec(&study.rows("SELECT * FROM events")).unwrap();
    let heard = heard.lock().unwrap().clone();
    let sent = unpacked(&heard);
    let has = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(has(&sent, "ONDISKNEVER"), "what is allowed was found on the wire, so the search works");
    for word in ["CANARY", "diary.exe"] {
        for (what, bytes) in [("status", status.as_bytes()), ("wire", &heard), ("envelopes", &sent), ("tables", &rows)]
        {
            assert!(!has(bytes, word), "{word} in the {what}");
        }
    }
    for (path, bytes) in files(folder.path()) {
        for word in ["CANARY", "diary.exe", "ONDISKNEVER"] {
            assert!(!has(&bytes, word), "{word} in {}", path.display());
        }
    }
}

#[test]
fn td7_pause_marker_and_consent_each_end_recording_at_once() {
    let service = Service::start();
    let study = service.study("Stops");
    study.publish(&configuration(&study.id, "excel.exe", "", "all"));
    let folder = tempfile::tempdir().unwrap();
    let client = recording(folder.path(), &service.url(), &study.app_key());
    let excel = client.script.window("excel.exe", "Orders");
    let act = || {
        client.script.focus(client.now(), excel);
        client.script.press(client.now(), "f5");
        client.script.click(client.now(), excel, Button::Right, button("Insert"));
    };
    let windows = || client.events().iter().filter(|event| event.process_name.is_some()).count();
    act();
    until("it records", || (windows() >= 3).then_some(()));
    type Turn<'a> = Box<dyn Fn() + 'a>;
    let stops: [(&str, Turn<'_>, Turn<'_>); 4] = [
        (
            "paused",
            Box::new(|| drop(printed(&lode_agent(folder.path(), &["pause", "15m"])))),
            Box::new(|| drop(printed(&lode_agent(folder.path(), &["resume"])))),
        ),
        (
            "stopped",
            Box::new(|| drop(printed(&lode_agent(folder.path(), &["stop"])))),
            Box::new(|| drop(printed(&lode_agent(folder.path(), &["resume"])))),
        ),
        ("blocked", Box::new(|| client.indicator.set(false)), Box::new(|| client.indicator.set(true))),
        (
            "declined",
            Box::new(|| assert_eq!(lode_agent(folder.path(), &["consent", "decline"]).status.code(), Some(4))),
            Box::new(|| drop(printed(&lode_agent(folder.path(), &["consent", "accept"])))),
        ),
    ];
    for (state, stop, start) in stops {
        stop();
        let at = client.until(state, |status| status["state"] == state)["counters"]["filtered"]["gate.state"].as_u64();
        let stopped_us = client.now().time_us;
        act();
        // Counters come to the disk after the events before them, so what was done before the stop is there too by then.
        client.until("it was seen and left out", |status| {
            status["counters"]["filtered"]["gate.state"].as_u64().unwrap_or(0) >= at.unwrap_or(0) + 4
        });
        let is_later = |event: &&uilog::Event| event.process_name.is_some() && event.time_us >= stopped_us;
        assert_eq!(client.events().iter().find(is_later), None, "{state}");
        start();
        client.until("records again", |status| status["state"] == "recording");
    }
    act();
    until("it records again", || (windows() > 3).then_some(()));
    // Nothing of what was done may come in after it is deleted: what settles late ends with the pause, and what is in front
    // afterwards is not recorded.
    printed(&lode_agent(folder.path(), &["pause", "15m"]));
    client.until("paused", |status| status["state"] == "paused");
    client.script.focus(client.now(), client.script.window("private.exe", "Diary"));
    let forgotten = printed(&lode_agent(folder.path(), &["forget", "--last", "1h"]));
    assert!(!forgotten.starts_with('0'), "{forgotten}");
    until("nothing is left", || {
        printed(&lode_agent(folder.path(), &["forget", "--last", "1h"]));
        (windows() == 0).then_some(())
    });
    printed(&lode_agent(folder.path(), &["resume"]));
    let status = client.until("the gap is told", |status| status["gaps"].to_string().contains("deleted_by_user"));
    assert!(status["counters"]["erased"].as_u64() >= Some(3), "{status}");
    client.ask(&json!({ "call": "send_now" }));
    client.until("all is sent", |status| status["counters"]["waiting"] == 0);
    until("no hole without a reason", || (study.balance()["lost"] == 0).then_some(()));
    assert!(study.rows("SELECT 1 FROM events WHERE process_name IS NOT NULL").is_empty());
}

#[test]
fn tc12_a_floor_that_cannot_be_read_stops_capture_and_says_so() {
    let service = Service::start();
    let study = service.study("Floors");
    study.publish(&configuration(&study.id, "excel.exe", "", "all"));
    let folder = tempfile::tempdir().unwrap();
    let client = recording(folder.path(), &service.url(), &study.app_key());
    std::fs::write(folder.path().join("floor.xml"), "<lodeFloor").unwrap();
    client.ask(&json!({ "call": "reload" }));
    let status = client.until("is blocked", |status| status["state"] == "blocked");
    assert!(status["why"].as_str().unwrap().contains("floor.xml"), "{status}");
    let floor = r#"<lodeFloor schema="1"><allow><app process="sap.exe"/></allow></lodeFloor>"#;
    std::fs::write(folder.path().join("floor.xml"), floor).unwrap();
    client.ask(&json!({ "call": "reload" }));
    client
        .until("records under the floor", |status| status["state"] == "recording" && status["floor_hash"].is_string());
    let excel = client.script.window("excel.exe", "Orders");
    client.script.guard(excel);
    client.script.focus(client.now(), excel);
    client.until("the floor forbids it", |status| status["counters"]["filtered"]["gate.app"].as_u64() > Some(0));
}

#[test]
fn a_picture_arrives_after_its_event_with_what_was_painted_over_and_leaves_the_desktop() {
    let service = Service::start();
    let study = service.study("Pictures");
    let pictures = r#"<screenshots enabled="true" maskText="page" minGap="PT0.2S"/>"#;
    study.publish(&configuration(&study.id, "excel.exe", pictures, "all"));
    let folder = tempfile::tempdir().unwrap();
    let client = recording(folder.path(), &service.url(), &study.app_key());
    let excel = client.script.window("excel.exe", "Orders");
    client.script.cover([8, 4, 16, 12]);
    client.script.focus_element(button("Insert"));
    client.script.focus(client.now(), excel);
    client.script.click(client.now(), excel, Button::Right, button("Insert"));
    let id = until("an event names a picture", || client.events().iter().find_map(|event| event.screenshot_id));
    client.ask(&json!({ "call": "send_now" }));
    client.until("the picture was sent", |status| status["counters"]["pictures"]["stored"] == 1);
    let known = study.screenshot(&id.to_string()).expect("the service knows the picture");
    assert_eq!((known["width"].as_u64(), known["height"].as_u64()), (Some(64), Some(48)), "{known}");
    let mask = json!({ "x": 8, "y": 4, "width": 16, "height": 12, "reason": "window" });
    assert_eq!((&known["masks"], &known["place"]), (&json!([mask]), &json!([0, 0, 64, 48])), "{known}");
    let status = client.status();
    assert_eq!((&status["spool"]["screenshots"], &status["agent_id"]), (&json!(0), &known["agent_id"]), "{status}");
    study.rows_until("SELECT DISTINCT screenshot_id FROM events WHERE screenshot_id IS NOT NULL", |rows| {
        rows == [json!([id.to_string()])]
    });
}

/// The program itself, killed again and again while it records: what was on the disk stays, once, and no number is given twice.
#[test]
fn tc1_kill_9_loses_nothing_that_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let log = folder.path().join("log");
    let events: Vec<String> =
        (0..400).map(|n| format!("09:{:02}:{:02} excel right_click n{n}", n / 60, n % 60)).collect();
    std::fs::write(&log, events.join(" | ")).unwrap();
    let mut random = uilog::random::Random::new(11);
    let mut known = 0;
    for kill in 0..30 {
        let arguments = ["replay", log.to_str().unwrap(), "--spool", spool.to_str().unwrap()];
        let mut replay =
            command(folder.path(), &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + Duration::from_millis(5 + random.below(120));
        while Instant::now() < end && replay.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        let _ = replay.kill();
        replay.wait().unwrap();
        let started = Instant::now();
        let now = agent::clock::Moment { uptime_us: u64::MAX / 4, time_us: i64::MAX / 4 };
        let (open, opened) = agent::spool::Spool::open(&spool, now).unwrap();
        assert!(started.elapsed() < Duration::from_secs(1), "kill {kill}");
        assert_eq!(opened.quarantined, None, "kill {kill}");
        assert_eq!(open.counters().difference(), 0, "kill {kill}");
        let waiting = open.counters().waiting;
        let seqs: BTreeSet<u64> =
            open.latest(u64::MAX, usize::MAX).unwrap().into_iter().map(|(event, _)| event.seq).collect();
        assert_eq!(seqs, (1..=waiting).collect(), "kill {kill}: no hole, no number twice");
        assert!(waiting >= known, "kill {kill}: {waiting} after {known}");
        known = waiting;
    }
    assert!(known > 100, "{known}");
}

#[test]
fn p6_a_client_starts_and_works_whatever_lies_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["identity.json", "configuration.json", "consent.json", "choice.json"] {
        agent::paths::write_private(&folder.path().join(name), b"\xff{ broken").unwrap();
    }
    std::fs::create_dir_all(folder.path().join("spool/spool.db/inside")).unwrap();
    let started = Instant::now();
    let client = Client::run(folder.path());
    let status = client.until("answers", |_| true);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(
        (status["state"].as_str(), status["last_error"]["code"].as_str()),
        (Some("needs_enrolment"), Some("spool_quarantined"))
    );
    assert_eq!(lode_agent(folder.path(), &["status"]).status.code(), Some(3));
    let second = lode_agent(folder.path(), &["run", "--backend", "null", "--no-dialog"]);
    assert_eq!(second.status.code(), Some(5), "{}", String::from_utf8_lossy(&second.stderr));
}

#[test]
fn wrong_words_and_addresses_are_invalid_input() {
    let folder = tempfile::tempdir().unwrap();
    let code = |arguments: &[&str]| lode_agent(folder.path(), arguments).status.code();
    let key = "lodek_0123456789ab_0000000000000000000000000000000000000000000_000000";
    assert_eq!(code(&["enroll", "--server", "http://example.org", "--key", key]), Some(2), "S12: not encrypted");
    assert_eq!(code(&["enroll", "--server", "https://127.0.0.1:1", "--key", key]), Some(2), "S2: a typing error");
    assert_eq!(code(&["pause", "soon"]), Some(2));
    assert_eq!(code(&["consent"]), Some(3));
    assert_eq!(code(&["doctor"]), Some(1));
    let log = folder.path().join("log.jsonl");
    std::fs::write(&log, "{\"not\":\"an event\"}\n").unwrap();
    assert_eq!(code(&["replay", log.to_str().unwrap()]), Some(6));
}
