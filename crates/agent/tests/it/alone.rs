//! A client that reaches no service: what it says, and when it stops.

use crate::support::{Client, enrolled, lode_agent, printed};
use agent::browser::{EXTENSION_ID, FIREFOX_EXTENSION_ID};
use agent::capture::{Element, Reading};
use agent::clock::{Clock, SystemClock, VirtualClock};
use agent::control::{connect, read_message, write_message};
use agent::home::{Choice, Consent, Home};
use agent::spool::Spool;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use uilog::Event;

/// The state that `status --json` tells, which must succeed, and the exit code of `status` in words.
fn status(data: &Path) -> (String, Option<i32>) {
    let told: Value = serde_json::from_str(&printed(&lode_agent(data, &["status", "--json"]))).unwrap();
    (told["state"].as_str().unwrap().to_owned(), lode_agent(data, &["status"]).status.code())
}

#[test]
fn status_as_json_succeeds_whatever_it_tells_and_in_words_the_exit_code_tells_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    assert_eq!(status(data), ("needs_enrolment".into(), Some(3)));
    enrolled(data, "excel.exe");
    assert_eq!(status(data), ("stopped".into(), Some(0)), "it does not run");
    let client = Client::run(data);
    client.until("asks for consent", |status| status["state"] == "needs_consent");
    assert_eq!(status(data), ("needs_consent".into(), Some(4)));
    printed(&lode_agent(data, &["consent", "accept"]));
    client.until("records", |status| status["state"] == "recording");
    assert_eq!(status(data), ("recording".into(), Some(0)));
    assert_eq!(lode_agent(data, &["consent", "decline"]).status.code(), Some(4));
    client.until("does not record", |status| status["state"] == "declined");
    assert_eq!(status(data), ("declined".into(), Some(4)));
}

#[cfg(unix)]
#[test]
fn a_client_that_does_not_answer_is_an_error_and_not_one_that_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("run")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(folder.path().join("run/agent.sock")).unwrap();
    let mute =
        std::thread::spawn(move || socket.accept().map(|(mut stream, _)| agent::control::read_message(&mut stream)));
    let output = lode_agent(folder.path(), &["status", "--json"]);
    mute.join().unwrap().unwrap().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("does not answer"));
    // Nobody listens at the socket any more: it was left by a client that was killed.
    assert_eq!(status(folder.path()), ("needs_enrolment".into(), Some(3)));
}

/// The events that are on the disk, after the client ended.
fn kept(data: &Path) -> Vec<Event> {
    let (spool, _) = Spool::open(&data.join("spool"), SystemClock::default().now()).unwrap();
    assert_eq!(spool.counters().difference(), 0);
    spool.latest(u64::MAX, usize::MAX).unwrap().into_iter().map(|(event, _)| event).collect()
}

/// The clock stands still but for what the story lets pass, so nothing comes by waiting.
#[test]
fn d7_a_word_on_the_disk_that_nobody_told_the_client_holds_after_half_a_second_and_a_command_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (data, home) = (folder.path(), Home::of(folder.path()));
    enrolled(data, "excel.exe");
    let yes = Consent { version: 1, accepted: true, ..Consent::default() };
    home.set_consent(&yes).unwrap();
    let clock = VirtualClock::at(SystemClock::default().now());
    let client = Client::run_by(data, Arc::new(clock.clone()));
    client.until("records", |status| status["state"] == "recording");
    let excel = client.script.window("excel.exe", "Orders");
    let act = |key: &str| {
        client.script.focus(client.now(), excel);
        client.script.press(client.now(), key);
    };
    let no = Consent { accepted: false, ..yes.clone() };
    let paused = Choice { paused_until_us: Some(i64::MAX), ..Choice::default() };
    let stopped = Choice { stopped: true, ..Choice::default() };
    let words: [(&str, &dyn Fn()); 4] = [
        ("declined", &|| home.set_consent(&no).unwrap()),
        ("paused", &|| home.set_choice(&paused).unwrap()),
        ("stopped", &|| home.set_choice(&stopped).unwrap()),
        ("paused", &|| drop(client.ask(&json!({ "call": "pause" })))),
    ];
    for (round, (state, say)) in words.into_iter().enumerate() {
        let is_told = round == 3;
        say();
        clock.pass_us(if is_told { 0 } else { 500_000 });
        let left_out = |status: &Value| status["counters"]["filtered"]["gate.state"].as_u64().unwrap_or(0);
        let before = client.until(state, |status| status["state"] == state);
        act("f5");
        client.until("both are left out", |status| left_out(status) == left_out(&before) + 2);
        home.set_consent(&yes).unwrap();
        home.set_choice(&Choice::default()).unwrap();
        clock.pass_us(500_000);
        client.until("records again", |status| status["state"] == "recording");
    }
    act("f9");
    client.quit();
    let keys: Vec<_> = kept(data).into_iter().filter_map(|event| event.key_command).collect();
    assert_eq!(keys, ["f9"]);
}

/// A client that records in Excel, with a field that has the focus.
fn recording(data: &Path) -> Client {
    enrolled(data, "excel.exe");
    Home::of(data).set_consent(&Consent { version: 1, accepted: true, ..Consent::default() }).unwrap();
    let client = Client::run(data);
    client.until("records", |status| status["state"] == "recording");
    let excel = client.script.window("excel.exe", "Orders");
    client.script.focus_element(Element { role: Reading::Known("textbox".into()), ..Element::default() });
    client.script.focus(client.now(), excel);
    client.until("the window is kept", |status| status["counters"]["waiting"].as_u64() >= Some(2));
    client
}

/// Letters wait a moment for each other; what follows them does not overtake them.
#[test]
fn p5_d7_what_was_typed_just_before_the_end_is_kept_and_just_before_a_deletion_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let client = recording(folder.path());
    client.script.type_text(client.now(), "o");
    client.until("the first letter is taken", |_| client.script.asked().elements > 0);
    client.script.type_text(client.now(), "rder");
    let deleted = client.ask(&json!({ "call": "forget", "us": 3_600_000_000_u64 }));
    assert_eq!(deleted["ok"], true, "{deleted}");
    client.script.type_text(client.now(), "a");
    client.until("the first letter is taken", |_| client.script.asked().elements > 1);
    client.script.type_text(client.now(), "bc");
    client.quit();
    let lengths: Vec<_> = kept(folder.path()).into_iter().filter_map(|event| event.text_length).collect();
    assert_eq!(lengths, [3]);
}

#[test]
fn d12_a_floor_that_cannot_be_opened_stops_recording() {
    let folder = tempfile::tempdir().unwrap();
    enrolled(folder.path(), "excel.exe");
    Home::of(folder.path()).set_consent(&Consent { version: 1, accepted: true, ..Consent::default() }).unwrap();
    std::fs::create_dir(folder.path().join("floor.xml")).unwrap();
    let client = Client::run(folder.path());
    let status =
        client.until("knows what holds", |status| status["state"] == "blocked" || status["state"] == "recording");
    assert!(status["why"].as_str().is_some_and(|why| why.contains("floor.xml")), "{status}");
}

#[test]
fn s13_only_our_extension_is_heard_and_only_from_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::run(folder.path());
    client.until("answers", |_| true);
    let said = |origin: &str| {
        let (mut from, mut to) = connect(&folder.path().join("run")).unwrap();
        write_message(&mut to, &json!({ "call": "browser", "origin": origin })).unwrap();
        // Who is refused may have been left alone by now.
        let _ = write_message(&mut to, &json!({ "type": "hello", "proto": 1, "browser": "x", "version": "1" }));
        read_message(&mut from).unwrap()["why"].clone()
    };
    let ours = format!("chrome-extension://{EXTENSION_ID}/");
    for foreign in ["", "chrome-extension://", &ours.replace("mfd", "mfe"), "lode@lode.org.example"] {
        assert_eq!(said(foreign), "foreign_extension", "{foreign}");
    }
    for ours in [ours.as_str(), FIREFOX_EXTENSION_ID] {
        assert_eq!(said(ours), "no_browser", "{ours}");
    }
}
