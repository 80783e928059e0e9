//! The client for Windows under Wine, with Wine's own programs and two of ours, driven by a program that presses keys and buttons.
//!
//! They need Wine with a prefix that is ready, an X server, `xdotool`, and the programs that [`desk`] names, so they are ignored in
//! an ordinary run; `cargo xtask test windows` prepares all that and runs them. What Wine shows is not proof of what Windows does:
//! `docs/platforms.md` says which is which.

mod desk;
mod doctor;
mod packages;
mod relay;

use crate::hands::{click, corner, in_front, xdotool};
use crate::service::Service;
use crate::support::{configuration, kept, until};
use desk::{Desk, FIELDS, WORDPAD, named};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Whether a text is in any file of a folder, in UTF-8 or as Windows writes it.
fn is_in_files(folder: &Path, text: &str) -> Option<PathBuf> {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let has =
        |bytes: &[u8]| [text.as_bytes(), &wide].iter().any(|part| bytes.windows(part.len()).any(|at| at == *part));
    std::fs::read_dir(folder).unwrap().flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() { is_in_files(&path, text) } else { has(&std::fs::read(&path).ok()?).then_some(path) }
    })
}

#[test]
#[ignore = "needs Wine: cargo xtask test windows"]
fn notepad_gives_titles_text_lengths_a_pair_of_copy_and_paste_and_pictures() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Notepad");
    let extra = r#"<screenshots enabled="true" maskText="page"/>"#;
    study.publish(&configuration(&study.id, "notepad.exe", extra, "all value_fingerprint"));
    let mut desk = Desk::record(&folder.path().join("client"), &service, &study);
    desk.open("notepad", &[], "Notepad");
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'window_activated'", |rows| !rows.is_empty());
    xdotool(&["type", "order 4711"]);
    xdotool(&["key", "ctrl+a"]);
    xdotool(&["key", "ctrl+c"]);
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'copy'", |rows| !rows.is_empty());
    xdotool(&["key", "ctrl+v"]);
    let pair = "SELECT event_type, value_fingerprint IS NOT NULL FROM events \
        WHERE event_type IN ('copy', 'paste') ORDER BY seq";
    study.rows_until(pair, |rows| rows == [json!(["copy", true]), json!(["paste", true])]);
    let one = "SELECT count(DISTINCT value_fingerprint) FROM events WHERE event_type IN ('copy', 'paste')";
    assert_eq!(study.rows(one), [json!([1])], "what was pasted is what was copied");
    let typed = "SELECT process_name, element_role, text_length, text, window_title LIKE '%Notepad%' FROM events \
        WHERE event_type = 'text_entered'";
    study.rows_until(typed, |rows| rows == [json!(["notepad.exe", "textbox", 10, null, true])]);
    let pictures = "SELECT screenshot_id FROM events WHERE screenshot_id IS NOT NULL";
    let rows = study.rows_until(pictures, |rows| !rows.is_empty());
    let id = rows[0][0].as_str().unwrap();
    until("the picture arrives", || study.screenshot(id));
    assert_eq!(study.balance()["lost"], 0);
}

#[test]
#[ignore = "needs Wine: cargo xtask test windows"]
fn wordpad_gives_its_text_where_a_rule_asks() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Wordpad");
    study.publish(&configuration(&study.id, "wordpad.exe", "", "all text"));
    let mut desk = Desk::record(&folder.path().join("client"), &service, &study);
    desk.open(WORDPAD, &[], "Document - Wine Wordpad");
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'window_activated'", |rows| !rows.is_empty());
    xdotool(&["type", "Order: four"]);
    xdotool(&["key", "Tab"]);
    study.rows_until("SELECT text, text_length FROM events WHERE event_type = 'text_entered'", |rows| {
        rows == [json!(["Order: four", 11])]
    });
}

#[test]
#[ignore = "needs Wine: cargo xtask test windows"]
fn d1_a_program_that_is_not_allowed_leaves_no_canary_anywhere() {
    const CANARY: &str = "CANARY-7731";
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Canary");
    let extra = r#"<screenshots enabled="true" maskText="page"/>"#;
    study.publish(&configuration(&study.id, "notepad.exe", extra, "all text value_fingerprint"));
    let data = folder.path().join("client");
    let mut desk = Desk::record(&data, &service, &study);
    desk.open("notepad", &[], "Notepad");
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'window_activated'", |rows| !rows.is_empty());
    let fields = desk.open(&named(FIELDS), &[CANARY], CANARY);
    let (x, y) = corner(&fields);
    click(x + 100, y + 34);
    xdotool(&["type", CANARY]);
    xdotool(&["key", "ctrl+a"]);
    xdotool(&["key", "ctrl+c"]);
    click(x + 80, y + 136);
    desk.until("counts what is not allowed", |status| status["counters"]["filtered"]["gate.app"].as_u64() > Some(0));
    in_front("Notepad");
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'window_activated'", |rows| rows.len() >= 2);
    let left = desk.everything();
    assert!(!left.contains("CANARY") && !left.contains("fields.exe"), "{left}");
    assert_eq!(is_in_files(&data, CANARY), None);
    let sent = serde_json::to_string(&study.rows("SELECT * FROM events")).unwrap();
    assert!(sent.contains("notepad.exe") && !sent.contains("CANARY") && !sent.contains("fields.exe"), "{sent}");
    assert_eq!(is_in_files(service.folder(), CANARY), None);
}

#[test]
#[ignore = "needs Wine: cargo xtask test windows"]
fn d2_a_password_field_gives_neither_text_nor_length_nor_picture_a_button_its_name_and_a_new_title_an_event() {
    const SECRET: &str = "hunter2hunter2";
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Password");
    let extra = r#"<screenshots enabled="true" maskText="page"/>"#;
    study.publish(&configuration(&study.id, "fields.exe", extra, "all text value_fingerprint"));
    let data = folder.path().join("client");
    let mut desk = Desk::record(&data, &service, &study);
    let window = desk.open(&named(FIELDS), &["Log in"], "Log in");
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'window_activated'", |rows| !rows.is_empty());
    let (x, y) = corner(&window);
    click(x + 100, y + 34);
    xdotool(&["type", "muster"]);
    click(x + 100, y + 84);
    xdotool(&["type", SECRET]);
    click(x + 80, y + 136);
    let clicks = "SELECT element_role, element_name, element_id, screenshot_id IS NULL FROM events \
        WHERE event_type = 'left_click' ORDER BY seq";
    study.rows_until(clicks, |rows| {
        let words = rows.iter().map(|row| (row[0].as_str(), row[1].as_str(), row[2].as_str())).collect::<Vec<_>>();
        words.len() == 3
            && words[0].0 == Some("textbox")
            && words[1].0 == Some("password")
            && rows[1][3] == true
            && words[2] == (Some("button"), Some("Save order"), Some("103"))
    });
    let typed = "SELECT element_role, text, text_length, screenshot_id IS NULL FROM events \
        WHERE event_type = 'text_entered' ORDER BY seq";
    study.rows_until(typed, |rows| {
        rows.len() == 2 && rows[0][1] == "muster" && rows[0][2] == 6 && rows[1] == json!(["password", null, null, true])
    });
    study.rows_until("SELECT window_title FROM events WHERE event_type = 'window_title_changed'", |rows| {
        rows == [json!(["Order is saved"])]
    });
    let left = desk.everything();
    assert!(!left.contains(SECRET), "{left}");
    assert_eq!(is_in_files(&data, SECRET), None);
    assert_eq!(is_in_files(service.folder(), SECRET), None);
}

#[test]
#[ignore = "needs Wine: cargo xtask test windows"]
fn p1_p2_a_client_that_is_killed_and_started_again_loses_nothing_and_repeats_nothing() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Killed");
    study.publish(&configuration(&study.id, "notepad.exe", "", "all"));
    let mut desk = Desk::record(&folder.path().join("client"), &service, &study);
    desk.open("notepad", &[], "Notepad");
    for (times, word) in ["one", "three", "fifteen"].into_iter().enumerate() {
        // Keys are listened to from the moment on at which the window is known to be in front.
        let came = "SELECT 1 FROM events WHERE event_type = 'window_activated'";
        study.rows_until(came, |rows| rows.len() > times);
        let before = kept(&desk.status().unwrap());
        xdotool(&["type", word]);
        xdotool(&["key", "Tab"]);
        desk.until("the word is on the disk", |status| kept(status) > before);
        desk.kill();
        desk.start();
        desk.until("records again", |status| status["state"] == "recording");
        in_front("Notepad");
    }
    let lengths = "SELECT text_length FROM events WHERE event_type = 'text_entered' ORDER BY seq";
    study.rows_until(lengths, |rows| rows == [json!([3]), json!([5]), json!([7])]);
    assert_eq!(study.rows("SELECT count(*) - count(DISTINCT seq) FROM events"), [json!([0])]);
    assert_eq!(study.balance()["lost"], 0);
}
