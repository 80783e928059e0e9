//! Real applications on a real X server, driven by a program that presses keys and buttons.
//!
//! They need `Xvfb`, `openbox`, `dbus-run-session`, `xdotool`, the accessibility bus and the applications, so they are ignored in
//! an ordinary run; `cargo xtask test desktop` starts what they need and runs them.

use crate::desk::Desk;
use crate::hands::{Children, click, corner, in_front, xdotool};
use crate::service::Service;
use crate::support::configuration;
use serde_json::json;

#[test]
#[ignore = "needs a desktop: cargo xtask test desktop"]
fn a_text_editor_gives_text_lengths_titles_a_pair_of_copy_and_paste_and_pictures() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Desktop");
    let extra = r#"<screenshots enabled="true" maskText="page"/>"#;
    study.publish(&configuration(&study.id, "mousepad", extra, "all value_fingerprint"));
    let desk = Desk::record(folder.path(), &service, &study, "x11");
    let mut children = Children::default();
    children.start("mousepad", &["--disable-server"]);
    in_front("Mousepad");
    desk.until_event("the window", |event| event.event_type.name() == "window_activated");
    xdotool(&["type", "order 4711"]);
    xdotool(&["key", "ctrl+a"]);
    xdotool(&["key", "ctrl+c"]);
    let copy = desk.until_event("the copy", |event| event.event_type.name() == "copy");
    xdotool(&["key", "ctrl+v"]);
    let paste = desk.until_event("the paste", |event| event.event_type.name() == "paste");
    let typed = desk.until_event("the text", |event| event.event_type.name() == "text_entered");
    assert_eq!((typed.text_length, typed.text.as_deref()), (Some(10), None));
    assert_eq!(typed.element_role.as_deref(), Some("textbox"));
    assert_eq!(typed.process_name.as_deref(), Some("mousepad"));
    assert!(typed.window_title.is_some_and(|title| title.contains("Mousepad")));
    assert_eq!(typed.actor, Some(uilog::Actor::Bot), "a program pressed the keys");
    assert!(copy.value_fingerprint.is_some() && copy.value_fingerprint == paste.value_fingerprint);
    desk.until_event("a picture", |event| event.screenshot_id.is_some());
    desk.ask(&json!({ "call": "send_now" }));
    study.rows_until("SELECT element_role, text_length FROM events WHERE event_type = 'text_entered'", |rows| {
        rows == [json!(["textbox", 10])]
    });
    assert_eq!(study.balance()["lost"], 0);
}

#[test]
#[ignore = "needs a desktop: cargo xtask test desktop"]
fn a_click_on_a_menu_names_it_and_a_window_that_is_not_allowed_leaves_no_byte() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Menus");
    study.publish(&configuration(&study.id, "mousepad", "", "all"));
    let desk = Desk::record(folder.path(), &service, &study, "x11");
    let mut children = Children::default();
    children.start("mousepad", &["--disable-server"]);
    let editor = in_front("Mousepad");
    desk.until_event("the window", |event| event.event_type.name() == "window_activated");
    let (x, y) = corner(&editor);
    click(x + 20, y + 12);
    let file = desk.until_event("the menu", |event| event.event_type.name() == "left_click");
    assert_eq!((file.element_role.as_deref(), file.element_name.as_deref()), (Some("menu"), Some("File")));
    xdotool(&["key", "Escape"]);
    children.start("gtk3-demo", &[]);
    in_front("Application Class");
    xdotool(&["type", "CANARY"]);
    let other = desk
        .until("counts what is not allowed", |status| status["counters"]["filtered"]["gate.app"].as_u64() > Some(0));
    assert!(!other.to_string().contains("gtk3-demo"), "{other}");
    in_front("Mousepad");
    desk.until_event("back again", |event| event.seq > file.seq && event.event_type.name() == "window_activated");
    let left = serde_json::to_string(&desk.events()).unwrap();
    assert!(!left.contains("gtk3-demo") && !left.contains("Application Class") && !left.contains("CANARY"), "{left}");
}

#[test]
#[ignore = "needs a desktop: cargo xtask test desktop"]
fn d7_when_the_marker_is_taken_from_the_screen_nothing_is_recorded_any_more() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Marker");
    study.publish(&configuration(&study.id, "mousepad", "", "all"));
    let desk = Desk::record(folder.path(), &service, &study, "x11");
    let status = desk
        .until("shows the marker", |status| status["indicator"].as_str().is_some_and(|text| text.contains("marker")));
    assert_eq!(status["state"], "recording");
    let marker = xdotool(&["search", "--name", "^Lode$"]);
    xdotool(&["windowunmap", marker.lines().next().expect("the marker is a window")]);
    let status = desk.until("stops", |status| status["state"] == "blocked");
    assert!(status["why"].as_str().unwrap().contains("nothing on the screen"), "{status}");
}
