//! Stories of a browser with the extension: the desktop's click and the page's are one event, and the page alone says what is in it.

use super::*;
use crate::browser::FrontPage;
use serde_json::{Value, json};

const URL: &str = "https://orders.example/list";
const SITES: &str = r#"<app process="chromium"><site host="orders.example"/></app>"#;

/// A browser window in front that shows a page.
fn browser(extra: &str, columns: &str, page: Option<&str>) -> (Stage, WindowId) {
    let xml = xml(1, "chromium", extra)
        .replace(r#"<app process="chromium"/>"#, SITES)
        .replace(r#"columns="all" hash="user_name machine_name""#, columns);
    let configuration = policy::parse(&xml).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut stage = Stage::new(Arc::new(effective(&configuration, None, &Variables::none()).unwrap()));
    let window = stage.script.window("chromium", "Orders - Chromium");
    stage.script.focus(stage.now, window);
    let front = page.map(|title| FrontPage { url: URL.into(), title: title.into() });
    stage.flow.browsers().stand_in(pid(window), front);
    stage.pass_ms(10);
    (stage, window)
}

fn pid(window: WindowId) -> u32 {
    u32::try_from(window.0).unwrap()
}

impl Stage {
    fn page_says(&self, window: WindowId, seq: u64, ago_ms: u64, more: Value) {
        let time_ms = self.now.time_us as f64 / 1_000.0 - ago_ms as f64;
        let mut event = json!({
            "document": Uuid::from_u128(9), "seq": seq, "time_ms": time_ms, "kind": "click", "url": URL, "title": "Orders",
            "element": { "role": "button", "name": "Save", "path": "button#save" },
        });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.flow.browsers().say(pid(window), serde_json::from_value(event).unwrap());
    }

    fn clicks(&self) -> Vec<(&'static str, Option<&str>)> {
        let clicks = self.events.iter().filter(|event| event.event_type.name().contains("click"));
        clicks.map(|event| (event.event_type.name(), event.element_name.as_deref())).collect()
    }
}

fn pointer() -> Value {
    json!({ "pointer": { "box": [-10, -5, 80, 20], "masks": [] } })
}

#[test]
fn a_click_of_the_desktop_and_of_the_page_are_one_event_with_the_pages_element_where_the_pointer_is() {
    let (mut stage, window) = browser("", ALL, Some("Orders"));
    stage.script.click(stage.now, window, Button::Left, element("link", "told by accessibility"));
    stage.pass_ms(40);
    stage.page_says(window, 1, 20, pointer());
    stage.rest();
    assert_eq!(stage.clicks(), [("left_click", Some("Save"))]);
    let click = stage.events.iter().find(|event| event.mouse_x.is_some()).unwrap();
    let (x, y) = (click.mouse_x.unwrap(), click.mouse_y.unwrap());
    assert_eq!(click.element_box, Some([x - 10, y - 5, 80, 20]));
    assert_eq!((click.url_host.as_deref(), click.page_title.as_deref()), (Some("orders.example"), Some("Orders")));
}

#[test]
fn whichever_comes_first_and_however_often_it_is_pressed_it_is_one_event() {
    let (mut stage, window) = browser("", ALL, Some("Orders"));
    stage.page_says(window, 1, 0, pointer());
    stage.pass_ms(30);
    stage.script.click(stage.now, window, Button::Right, element("link", "x"));
    stage.rest();
    assert_eq!(stage.clicks(), [("right_click", Some("Save"))], "the page was first");
    for _ in 0..2 {
        stage.script.button(stage.now, window, Button::Left, 7, 100);
        stage.pass_ms(80);
    }
    stage.page_says(window, 2, 100, pointer());
    stage.page_says(window, 3, 20, pointer());
    stage.rest();
    assert_eq!(stage.clicks()[1..], [("double_click", Some("Save"))]);
}

#[test]
fn a_page_that_says_nothing_in_time_leaves_the_desktops_event_alone_and_its_late_word_makes_no_second_one() {
    let (mut stage, window) = browser("", ALL, Some("Orders"));
    let clicked = stage.now;
    stage.script.click(stage.now, window, Button::Right, element("link", "told by accessibility"));
    stage.pass_ms(240);
    assert_eq!(stage.clicks(), [], "it waits");
    stage.pass_ms(60);
    assert_eq!(stage.clicks(), [("right_click", None)], "and nobody was asked by accessibility");
    stage.pass_ms(2_000);
    stage.page_says(window, 1, stage.now.since_us(clicked) / 1_000, pointer());
    stage.rest();
    assert_eq!(stage.clicks().len(), 1);
}

#[test]
fn of_two_clicks_shortly_after_each_other_the_page_means_the_nearer_one() {
    let (mut stage, window) = browser("", ALL, Some("Orders"));
    stage.script.button(stage.now, window, Button::Left, 7, 100);
    stage.pass_ms(150);
    stage.script.button(stage.now, window, Button::Left, 90, 100);
    stage.pass_ms(20);
    stage.page_says(window, 1, 10, pointer());
    stage.rest();
    assert_eq!(stage.clicks(), [("left_click", None), ("left_click", Some("Save"))], "the first was on a secret");
}

#[test]
fn a_click_without_a_desktop_stands_alone_and_one_by_keyboard_waits_for_nothing() {
    let (mut stage, window) = browser("", ALL, Some("Orders"));
    stage.page_says(window, 1, 0, json!({}));
    stage.pass_ms(1);
    assert_eq!(stage.clicks(), [("element_clicked", Some("Save"))]);
    stage.page_says(window, 2, 0, pointer());
    stage.pass_ms(1);
    assert_eq!(stage.clicks().len(), 1);
    stage.rest();
    assert_eq!(stage.clicks().len(), 2);
}

#[test]
fn what_is_typed_and_copied_in_a_connected_browser_the_page_tells_or_nobody() {
    let (mut stage, window) = browser("", "columns=\"all text value_fingerprint\"", Some("Orders"));
    stage.script.type_text(stage.now, "CANARY");
    stage.script.copy(stage.now, "ctrl+c", "CANARY", false);
    stage.script.press(stage.now, "ctrl+s");
    stage.page_says(window, 1, 0, json!({ "kind": "copy", "length": 6, "value": "invoice 4711" }));
    stage.rest();
    let kinds: Vec<_> = stage.events.iter().map(|event| event.event_type.name()).collect();
    assert_eq!(kinds, ["recording_started", "window_activated", "key_command", "copy"]);
    let copy = stage.events.iter().find(|event| event.event_type == EventType::Copy).unwrap();
    assert_eq!((copy.text.as_deref(), copy.value_fingerprint.is_some()), (Some("invoice 4711"), true));
    assert_eq!(stage.counters.filtered["browser.page"], 8);
    assert!(!serde_json::to_string(&stage.events).unwrap().contains("CANARY"));
}

#[test]
fn d1_a_browser_whose_page_is_hidden_foreign_or_already_another_is_not_looked_at() {
    for (page, title) in [(None, "Orders - Chromium"), (Some("News"), "Orders - Chromium")] {
        let (mut stage, window) = browser("", ALL, page);
        stage.script.retitle(stage.now, window, title);
        stage.script.click(stage.now, window, Button::Left, element("button", "CANARY"));
        stage.rest();
        assert_eq!(stage.clicks(), [], "{page:?}");
        assert!(stage.counters.filtered["gate.site"] > 0);
        assert!(!stage.script.want().input, "nothing is listened to");
    }
}

#[test]
fn d1_a_page_that_says_what_it_may_not_is_asked_again_here() {
    let (mut stage, window) = browser("", ALL, Some("Orders"));
    stage.page_says(window, 1, 0, json!({ "url": "https://bank.example/CANARY" }));
    stage.rest();
    assert_eq!(stage.counters.filtered["gate.site"], 1);
    assert!(!serde_json::to_string(&stage.events).unwrap().contains("CANARY"));
}

#[test]
fn a_window_that_shows_the_pages_title_a_moment_later_is_looked_at_then() {
    let (mut stage, window) = browser("", ALL, Some("Invoices"));
    assert_eq!((stage.script.want().input, stage.script.want().titles_of), (false, Some(window)));
    stage.script.retitle(stage.now, window, "Invoices - Chromium");
    stage.rest();
    assert!(stage.script.want().input);
    let activated = stage.events.iter().filter(|event| event.event_type == EventType::WindowActivated);
    assert_eq!(activated.map(|event| event.page_title.as_deref()).collect::<Vec<_>>(), [Some("Invoices")]);
}

/// How bright a picture of the scripted desktop is at a point.
fn shade(picture: &Png, x: usize, y: usize) -> u8 {
    screens::shades(picture)[y * 64 + x]
}

#[test]
fn d3_a_page_gives_a_picture_only_if_it_says_what_must_not_be_on_it() {
    let pictures = r#"<screenshots enabled="true" maskText="page" minGap="PT0.2S"/>"#;
    let asks = r#"columns="all" screenshot="window""#;
    for (masks, taken, painted) in [(json!([[5, 5, 10, 10]]), 1, 1), (json!([]), 1, 0), (Value::Null, 0, 0)] {
        let (mut stage, window) = browser(pictures, asks, Some("Orders"));
        stage.script.button(stage.now, window, Button::Right, 20, 20);
        stage.page_says(window, 1, 0, json!({ "pointer": { "box": [0, 0, 9, 9], "masks": masks } }));
        stage.rest();
        let found: Vec<_> = stage.admissions.iter().filter_map(|admission| admission.picture.as_ref()).collect();
        assert_eq!(found.len(), taken, "{masks}");
        assert_eq!(found.iter().map(|picture| picture.note.masks.len()).sum::<usize>(), painted, "{masks}");
        // 25 to 35 pixels from the left and the top is what the page does not want seen.
        let shades = found.iter().map(|picture| (shade(picture, 30, 30), shade(picture, 24, 30)));
        assert!(shades.into_iter().all(|shades| shades == (if painted == 1 { 0 } else { 128 }, 128)), "{masks}");
    }
}

#[test]
fn p5_every_event_of_a_page_is_acknowledged_once_whatever_becomes_of_it() {
    let (mut stage, window) = browser("", ALL, Some("Orders"));
    let mut decided = Vec::new();
    stage.script.click(stage.now, window, Button::Left, element("link", "x"));
    for (seq, more) in [(1, pointer()), (2, json!({ "kind": "change" })), (3, json!({ "url": "https://no.example/" }))]
    {
        stage.page_says(window, seq, 0, more);
    }
    stage.page_says(window, 4, 0, json!({ "kind": "lost", "url": "", "title": "", "lost": 17 }));
    let endless = format!("https://orders.example/{}", "x".repeat(10_000));
    stage.page_says(window, 5, 0, json!({ "url": endless }));
    for _ in 0..20 {
        stage.now = Moment { uptime_us: stage.now.uptime_us + 100_000, time_us: stage.now.time_us + 100_000 };
        let given = stage.flow.step(stage.now);
        decided.extend(given.pages.iter().map(|page| page.seq));
        stage.take(given);
    }
    decided.sort_unstable();
    assert_eq!(decided, [1, 2, 3, 4, 5]);
    assert_eq!((stage.counters.dropped["extension_lost"], stage.counters.dropped["page_unbounded"]), (17, 1));
    stage.rest();
}
