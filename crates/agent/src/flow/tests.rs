//! Stories of a scripted desktop on a virtual clock: what is admitted, and above all what is not.

mod pages;
mod screens;
mod secrets;

use super::*;
use crate::capture::scripted::{Script, desktop};
use crate::capture::{Button, Direction, Element, Modifiers};
use crate::configuration::{effective, encode, tests::xml};
use uilog::policy::{self, Variables};
use uilog::random::Random;

/// A flow over a scripted desktop that records.
pub(crate) struct Stage {
    pub script: Script,
    pub flow: Flow,
    pub now: Moment,
    pub counters: Counters,
    pub events: Vec<Event>,
    pub admissions: Vec<Admission>,
}

pub(crate) fn rules(processes: &str, extra: &str, columns: &str) -> Arc<Effective> {
    let xml = xml(1, processes, extra).replace(r#"columns="all" hash="user_name machine_name""#, columns);
    let configuration = policy::parse(&xml).unwrap_or_else(|problems| panic!("{problems:?}"));
    Arc::new(effective(&configuration, None, &Variables::none()).unwrap())
}

pub(crate) fn hash() -> ClientHash {
    ClientHash::new("k", &encode(&[3; 32])).unwrap()
}

impl Stage {
    pub(crate) fn new(effective: Arc<Effective>) -> Self {
        let (backend, script) = desktop();
        let now = Moment { uptime_us: 1_000_000_000, time_us: 1_767_603_600_000_000 };
        let mut flow = Flow::start(Box::new(backend), Person::default()).unwrap();
        flow.record(now, effective, hash(), EventType::RecordingStarted);
        Self { script, flow, now, counters: Counters::default(), events: Vec::new(), admissions: Vec::new() }
    }

    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.now = Moment { uptime_us: self.now.uptime_us + ms * 1_000, time_us: self.now.time_us + ms as i64 * 1_000 };
        let given = self.flow.step(self.now);
        self.take(given);
    }

    fn take(&mut self, given: Yield) {
        self.counters.add(&given.counters);
        self.events.extend(given.admissions.iter().map(|admission| (*admission.event).clone()));
        self.admissions.extend(given.admissions);
    }

    /// Lets everything be finished, and checks that the sums come out even.
    pub(crate) fn rest(&mut self) {
        for _ in 0..30 {
            self.pass_ms(1_000);
        }
        assert_eq!(self.counters.difference(), 0, "{:?}", self.counters);
        assert_eq!(self.flow.pending(), 0);
    }

    /// Types and elements of the events in windows, as a line.
    fn story(&self) -> String {
        let tell = |event: &Event| {
            let detail = event.key_command.clone().or_else(|| event.text_length.map(|length| length.to_string()));
            let parts = [Some(event.event_type.name().to_owned()), event.element_name.clone(), detail];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        let in_windows = self.events.iter().filter(|event| event.process_name.is_some());
        in_windows.map(tell).collect::<Vec<_>>().join(" | ")
    }
}

fn element(role: &str, name: &str) -> Element {
    Element { role: Reading::Known(role.into()), name: Some(name.into()), ..Element::default() }
}

const ALL: &str = r#"columns="all""#;

#[test]
fn raw_events_become_what_a_person_did() {
    let mut stage = Stage::new(rules("a.exe", "", ALL));
    let window = stage.script.window("a.exe", "Order");
    stage.script.focus(stage.now, window);
    stage.script.click(stage.now, window, Button::Right, element("button", "Save"));
    stage.pass_ms(600);
    stage.script.focus_element(element("textbox", "Amount"));
    stage.script.type_text(stage.now, "12,50");
    stage.script.press(stage.now, "backspace");
    stage.pass_ms(10);
    stage.script.press(stage.now, "tab");
    stage.pass_ms(10);
    stage.script.press(stage.now, "ctrl+s");
    stage.pass_ms(100);
    stage.script.press(stage.now, "ctrl+s");
    stage.pass_ms(100);
    stage.script.click(stage.now, window, Button::Left, element("cell", "hidden name"));
    stage.pass_ms(200);
    for _ in 0..3 {
        stage.script.wheel(stage.now, window, Direction::Down);
        stage.pass_ms(100);
    }
    stage.rest();
    assert_eq!(
        stage.story(),
        "window_activated | right_click Save | text_entered Amount 4 | key_command tab | key_command ctrl+s | left_click | scroll"
    );
    let saves = stage.events.iter().find(|event| event.key_command.as_deref() == Some("ctrl+s")).unwrap();
    assert_eq!(saves.attributes["count"], "2");
    assert_eq!(stage.events.iter().find_map(|event| event.wheel_units), Some(3));
    assert!(stage.events.windows(2).all(|pair| pair[0].uptime_us <= pair[1].uptime_us), "time never goes back");
}

#[test]
fn the_window_with_which_recording_begins_is_told_once() {
    let (backend, script) = desktop();
    let (order, booking) = (script.window("a.exe", "Order"), script.window("a.exe", "Booking"));
    let mut flow = Flow::start(Box::new(backend), Person::default()).unwrap();
    let now = Moment { uptime_us: 1_000_000_000, time_us: 1_767_603_600_000_000 };
    // The backend tells it of its own accord, before or after that.
    script.focus(now, order);
    flow.record(now, rules("a.exe", "", ALL), hash(), EventType::RecordingStarted);
    let (counters, events, admissions) = Default::default();
    let mut stage = Stage { script, flow, now, counters, events, admissions };
    stage.pass_ms(1_000);
    for window in [booking, order] {
        stage.script.focus(stage.now, window);
        stage.pass_ms(1_000);
    }
    stage.rest();
    let titles: Vec<_> = stage.events.iter().filter_map(|event| event.window_title.as_deref()).collect();
    assert_eq!(titles, ["Order", "Booking", "Order"]);
}

#[test]
fn two_clicks_are_a_double_click_and_a_bounce_is_none() {
    let mut stage = Stage::new(rules("a.exe", "", ALL));
    let window = stage.script.window("a.exe", "Order");
    stage.script.focus(stage.now, window);
    for _ in 0..2 {
        stage.script.button(stage.now, window, Button::Left, 7, 7);
        stage.pass_ms(120);
    }
    stage.pass_ms(1_000);
    for _ in 0..2 {
        stage.script.button(stage.now, window, Button::Left, 7, 7);
        stage.pass_ms(5);
    }
    stage.rest();
    assert_eq!(stage.story(), "window_activated | double_click | left_click");
    assert_eq!(stage.counters.dropped["bounce"], 1);
}

#[test]
fn a_copy_needs_the_clipboard_to_change_and_pairs_with_its_paste() {
    let mut stage = Stage::new(rules("a.exe b.exe", "", r#"columns="all value_fingerprint""#));
    let (from, to) = (stage.script.window("a.exe", "Orders"), stage.script.window("b.exe", "Booking"));
    stage.script.focus(stage.now, from);
    stage.script.copy(stage.now, "ctrl+c", "ORD  4711", false);
    stage.pass_ms(50);
    stage.script.focus(stage.now, to);
    stage.script.press(stage.now, "ctrl+v");
    stage.pass_ms(2_000);
    stage.script.press(stage.now, "ctrl+c");
    stage.rest();
    assert_eq!(stage.story(), "window_activated | copy ctrl+c | window_activated | paste ctrl+v | key_command ctrl+c");
    let prints: Vec<_> = stage.events.iter().filter_map(|event| event.value_fingerprint).collect();
    assert_eq!(prints.len(), 2);
    assert_eq!(prints[0], prints[1]);
    assert!(stage.events.iter().all(|event| event.text.is_none()), "no rule names text");
}

#[test]
fn d5_a_value_so_short_that_it_can_be_guessed_has_no_fingerprint() {
    for (value, has_one) in [("123", false), (" 1   2 ", false), ("1234", true)] {
        let mut stage = Stage::new(rules("a.exe", "", r#"columns="all value_fingerprint""#));
        let window = stage.script.window("a.exe", "Orders");
        stage.script.focus(stage.now, window);
        stage.script.copy(stage.now, "ctrl+c", value, false);
        stage.rest();
        let copy = stage.events.iter().find(|event| event.event_type == EventType::Copy).unwrap();
        assert_eq!((copy.text_length.is_some(), copy.value_fingerprint.is_some()), (true, has_one), "{value}");
    }
}

#[test]
fn d2_concealed_clipboards_cards_and_password_fields_leave_neither_length_nor_fingerprint() {
    let mut stage = Stage::new(rules("a.exe", "", r#"columns="all text value_fingerprint""#));
    let window = stage.script.window("a.exe", "Order");
    stage.script.focus(stage.now, window);
    stage.script.copy(stage.now, "ctrl+c", "hunter2hunter2", true);
    stage.pass_ms(50);
    stage.script.copy(stage.now, "ctrl+c", "4111 1111 1111 1111", false);
    stage.pass_ms(50);
    stage.script.focus_element(element("password", "Password"));
    stage.script.type_text(stage.now, "s3cret!");
    stage.script.press(stage.now, "enter");
    stage.pass_ms(50);
    stage.script.elements_answer(false);
    stage.script.type_text(stage.now, "unknown field");
    stage.rest();
    let left = serde_json::to_string(&stage.events).unwrap();
    for canary in ["hunter2", "4111", "s3cret", "unknown field"] {
        assert!(!left.contains(canary), "{canary} in {left}");
    }
    let texts = stage.events.iter().filter(|event| event.process_name.is_some());
    assert!(texts.clone().all(|event| event.text_length.is_none() && event.value_fingerprint.is_none()), "{left}");
    assert_eq!(texts.filter(|event| event.event_type == EventType::TextEntered).count(), 2);
}

#[test]
fn d2_altgr_makes_text_and_typed_text_is_kept_only_where_a_rule_names_it() {
    let typed = |columns: &str| {
        let mut stage = Stage::new(rules("a.exe", "", columns));
        let window = stage.script.window("a.exe", "Mail");
        stage.script.focus(stage.now, window);
        stage.script.focus_element(element("textbox", "To"));
        stage.script.type_text(stage.now, "ann");
        let at_sign = RawKind::Key { code: '@' as u32, modifiers: Modifiers { alt_gr: true, ..Modifiers::default() } };
        stage.script.push(stage.now, at_sign);
        // So it comes where the system knows no AltGr.
        stage.script.press(stage.now, "ctrl+alt+€");
        stage.script.type_text(stage.now, "x");
        stage.rest();
        let event = stage.events.iter().find(|event| event.event_type == EventType::TextEntered).unwrap().clone();
        assert!(stage.events.iter().all(|event| event.key_command.is_none()));
        (event.text_length, event.text)
    };
    assert_eq!(typed(ALL), (Some(6), None));
    assert_eq!(typed(r#"columns="all text""#), (Some(6), Some("ann@€x".into())));
}

#[test]
fn d1_nothing_of_a_window_that_is_not_allowed_is_ever_asked_for() {
    // The scripted backend panics when a guarded window is read.
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut stage = Stage::new(rules("a.exe", r#"<screenshots enabled="true" maskText="page"/>"#, ALL));
        let good = stage.script.window("a.exe", "Order");
        let bad = [stage.script.window("diary.exe", "CANARY-TITLE"), stage.script.window("keepassxc", "CANARY-SAFE")];
        bad.into_iter().for_each(|window| stage.script.guard(window));
        for _ in 0..60 {
            let window = [good, bad[0], bad[1], WindowId(999)][random.below(4) as usize];
            match random.below(6) {
                0 => stage.script.focus(stage.now, window),
                1 => stage.script.click(stage.now, window, Button::Left, element("button", "ok")),
                2 => stage.script.type_text(stage.now, "abc"),
                3 => stage.script.copy(stage.now, "ctrl+c", "value", false),
                4 => stage.script.wheel(stage.now, window, Direction::Up),
                _ => stage.script.push(stage.now, RawKind::Title(window)),
            }
            stage.pass_ms(random.below(900));
        }
        stage.rest();
        let left = serde_json::to_string(&stage.events).unwrap();
        assert!(!left.contains("CANARY") && !left.contains("diary"), "seed {seed}: {left}");
        assert!(stage.counters.filtered.keys().any(|name| name.starts_with("gate.")), "seed {seed}");
    }
}

#[test]
fn d1_a_title_that_is_never_seen_and_one_that_cannot_be_read_close_the_window() {
    let never = r#"<never column="window_title" regex="(?i)payroll"/>"#;
    let effective = {
        let text = xml(1, "a.exe", "").replace("</allow>", &format!("{never}</allow>"));
        Arc::new(effective(&policy::parse(&text).unwrap(), None, &Variables::none()).unwrap())
    };
    let mut stage = Stage::new(effective);
    let window = stage.script.window("a.exe", "Order");
    stage.script.focus(stage.now, window);
    stage.script.press(stage.now, "f5");
    stage.pass_ms(2_000);
    stage.script.retitle(stage.now, window, "Payroll 2026");
    stage.pass_ms(10);
    stage.script.press(stage.now, "f6");
    stage.script.click(stage.now, window, Button::Left, element("button", "Raise"));
    stage.pass_ms(2_000);
    stage.script.hide_title(window);
    stage.script.press(stage.now, "f7");
    stage.rest();
    assert_eq!(stage.story(), "window_activated | key_command f5");
    assert!(!stage.script.want().input, "nothing allowed in front: no input is listened to");
}

#[test]
fn d1_private_windows_and_browsers_without_the_extension_are_not_seen() {
    let mut stage = Stage::new(rules("chromium", r#"<extension required="false"/>"#, ALL));
    let window = stage.script.window("chromium", "Shop");
    stage.script.make_private(window);
    stage.script.guard(window);
    stage.script.focus(stage.now, window);
    stage.script.click(stage.now, window, Button::Left, element("button", "Buy"));
    stage.rest();
    assert_eq!(stage.story(), "");
    assert_eq!(stage.counters.filtered["gate.never"], 2 + 1, "focus, press, release");
    let mut stage = Stage::new(rules("chromium", "", ALL));
    let window = stage.script.window("chromium", "Shop");
    stage.script.guard(window);
    stage.script.focus(stage.now, window);
    stage.rest();
    assert_eq!(stage.counters.filtered["gate.site"], 1);
}

#[test]
fn whether_somebody_is_there_is_asked_twice_a_second_at_most_and_an_idle_time_is_known_within_half_a_second() {
    let mut stage = Stage::new(rules("a.exe", r#"<capture idleAfter="PT1M"/>"#, ALL));
    let window = stage.script.window("a.exe", "Order");
    stage.script.focus(stage.now, window);
    for _ in 0..1_000 {
        stage.script.type_text(stage.now, "x");
        stage.pass_ms(10);
    }
    assert_eq!(stage.script.asked().idle, 20, "in 10 s with a key every 10 ms");
    stage.script.idle_us(60_000_000);
    let idle = |stage: &Stage| stage.events.iter().any(|event| event.event_type == EventType::IdleStarted);
    for _ in 0..50 {
        stage.pass_ms(10);
    }
    assert!(idle(&stage), "after half a second");
    stage.rest();
}

#[test]
fn d2_letters_wait_only_behind_the_first_one_in_a_field_with_which_it_is_asked_which_field_that_is() {
    let mut stage = Stage::new(rules("a.exe", "", ALL));
    let window = stage.script.window("a.exe", "Order");
    stage.script.focus(stage.now, window);
    stage.pass_ms(10);
    type Act<'a> = &'a dyn Fn(&Script, Moment);
    let ends: [(&str, Act<'_>); 5] = [
        ("a tab", &|script, now| script.press(now, "tab")),
        ("a command", &|script, now| script.press(now, "ctrl+s")),
        ("a click", &|script, now| script.click(now, window, Button::Right, element("textbox", "Amount"))),
        ("the wheel", &|script, now| script.wheel(now, window, Direction::Down)),
        ("another window", &|script, now| script.focus(now, window)),
    ];
    for (what, end) in ends {
        assert!(!stage.flow.is_typing(), "before the first letter");
        let asked = stage.script.asked().elements;
        stage.script.type_text(stage.now, "a");
        stage.pass_ms(10);
        assert_eq!((stage.flow.is_typing(), stage.script.asked().elements), (true, asked + 1));
        end(&stage.script, stage.now);
        stage.pass_ms(10);
        assert!(!stage.flow.is_typing(), "after {what} another field may have the focus");
    }
    stage.rest();
}

#[test]
fn keys_that_make_text_ring_no_bell_and_all_others_do() {
    let stage = Stage::new(rules("a.exe", "", ALL));
    let rings = |press: &dyn Fn()| {
        while stage.flow.source().bell.try_recv().is_ok() {}
        press();
        !stage.flow.source().bell.is_empty()
    };
    let (script, now) = (&stage.script, stage.now);
    assert!(!rings(&|| script.type_text(now, "a")));
    for key in ["ctrl+c", "alt+f", "meta+l", "tab", "enter", "backspace"] {
        assert!(rings(&|| script.press(now, key)), "{key}");
    }
    assert!(rings(&|| script.push(now, RawKind::Locked)));
}

#[test]
fn a_window_that_changes_its_title_all_the_time_does_not_keep_the_flow_awake() {
    let mut stage = Stage::new(rules("a.exe", "", ALL));
    let window = stage.script.window("a.exe", "Order");
    stage.script.focus(stage.now, window);
    for second in 0..20 {
        stage.script.retitle(stage.now, window, &format!("Order {second}"));
        stage.pass_ms(400);
        let sleeps = stage.flow.next_us().is_none_or(|next_us| next_us > stage.now.uptime_us);
        assert!(sleeps, "after {second} titles the flow does not know until when to sleep");
        stage.pass_ms(600);
    }
    stage.rest();
}

#[test]
fn a_title_that_changes_each_second_counts_every_other_second_and_the_last_one_stays() {
    // Whether time passes just before or just after the change.
    for early_ms in [0, 1, 300, 700, 999] {
        let mut stage = Stage::new(rules("a.exe", "", ALL));
        let window = stage.script.window("a.exe", "Order");
        stage.script.focus(stage.now, window);
        for second in 0..20 {
            stage.pass_ms(early_ms);
            stage.script.retitle(stage.now, window, &format!("Order {second}"));
            stage.pass_ms(1_000 - early_ms);
        }
        stage.rest();
        let retitled = stage.events.iter().filter(|event| event.event_type == EventType::WindowTitleChanged);
        let titles: Vec<_> = retitled.filter_map(|event| event.window_title.as_deref()).collect();
        assert!((9..=11).contains(&titles.len()), "{early_ms} ms: {titles:?}");
        assert_eq!(titles.last(), Some(&"Order 19"), "{early_ms} ms");
    }
}

#[test]
fn d7_not_one_event_after_the_stop_and_what_was_finished_is_kept() {
    for state in [State::Paused, State::OutsideSchedule, State::Locked, State::Stopped, State::Blocked] {
        let mut stage = Stage::new(rules("a.exe", "", ALL));
        let window = stage.script.window("a.exe", "Order");
        stage.script.focus(stage.now, window);
        stage.script.type_text(stage.now, "half a wor");
        stage.pass_ms(10);
        let given = stage.flow.end(stage.now, state);
        stage.take(given);
        let kept = stage.events.len();
        assert_eq!(stage.events.last().unwrap().attributes.get("reason").map(String::as_str).unwrap_or("locked"), {
            match state {
                State::Paused | State::Stopped => "user",
                State::OutsideSchedule => "schedule",
                State::Locked => "locked",
                other => other.name(),
            }
        });
        assert!(!stage.script.want().input);
        stage.script.type_text(stage.now, "d");
        stage.script.click(stage.now, window, Button::Left, element("button", "later"));
        stage.rest();
        assert_eq!(stage.events.len(), kept, "{state:?}");
        assert_eq!(stage.counters.filtered["gate.state"], 3);
    }
}

#[test]
fn d3_pictures_are_taken_for_the_rule_that_asks_and_never_beside_a_secret() {
    let pictures = r#"<screenshots enabled="true" maskText="page" minGap="PT0.2S"/>"#;
    let taken = |extra: &str, columns: &str, role: &str, answer: bool| {
        let mut stage = Stage::new(rules("a.exe", extra, columns));
        let window = stage.script.window("a.exe", "Order");
        stage.script.elements_answer(answer);
        stage.script.focus_element(element(role, "x"));
        stage.script.focus(stage.now, window);
        stage.pass_ms(1_000);
        stage.script.click(stage.now, window, Button::Right, element(role, "x"));
        stage.rest();
        stage.admissions.iter().filter(|admission| admission.picture.is_some()).count()
    };
    let asks = r#"columns="all" screenshot="window""#;
    assert_eq!(taken(pictures, asks, "button", true), 1, "the second one shows the same");
    assert_eq!(taken(pictures, ALL, "button", true), 0, "no rule asks");
    assert_eq!(taken("", asks, "button", true), 0, "switched off");
    assert_eq!(taken(pictures, asks, "password", true), 0, "a password field has the focus");
    assert_eq!(taken(pictures, asks, "button", false), 0, "nobody knows what has the focus");
    let masked = pictures.replace(r#"maskText="page""#, "");
    assert_eq!(taken(&masked, asks, "button", true), 0, "texts would have to be masked, which nobody can here");
}

#[test]
fn d3_there_is_no_picture_of_a_window_that_may_not_be_seen_any_more_when_it_is_taken() {
    let pictures = r#"<screenshots enabled="true" maskText="page" settle="PT0.3S"/>"#;
    let text = xml(1, "a.exe", pictures)
        .replace("</allow>", r#"<never column="window_title" regex="(?i)payroll"/></allow>"#)
        .replace(r#"<log "#, r#"<log screenshot="window" "#);
    let effective = Arc::new(effective(&policy::parse(&text).unwrap(), None, &Variables::none()).unwrap());
    for becomes_another in [false, true] {
        let mut stage = Stage::new(effective.clone());
        let window = stage.script.window("a.exe", "Order");
        stage.script.click(stage.now, window, Button::Right, element("button", "Pay"));
        stage.pass_ms(10);
        if becomes_another {
            stage.script.hide_title(window);
        }
        stage.rest();
        let pictures = stage.admissions.iter().filter(|admission| admission.picture.is_some()).count();
        assert_eq!((stage.story().as_str(), pictures), ("right_click Pay", usize::from(!becomes_another)));
    }
}

#[test]
fn an_unanswered_element_holds_nothing_back_for_long() {
    let mut stage = Stage::new(rules("a.exe", "", ALL));
    let window = stage.script.window("a.exe", "Order");
    stage.script.focus(stage.now, window);
    stage.script.elements_answer(false);
    stage.script.click(stage.now, window, Button::Right, element("button", "Save"));
    stage.pass_ms(100);
    assert_eq!(stage.story(), "window_activated");
    stage.pass_ms(400);
    assert_eq!(stage.story(), "window_activated | right_click");
}

#[test]
fn an_idle_time_ends_with_input_that_is_not_seen() {
    let mut stage = Stage::new(rules("a.exe", r#"<capture idleAfter="PT1M"/>"#, ALL));
    stage.script.idle_us(61_000_000);
    stage.pass_ms(61_000);
    stage.script.idle_us(0);
    stage.pass_ms(500);
    stage.rest();
    let types: Vec<&str> = stage.events.iter().map(|event| event.event_type.name()).collect();
    assert_eq!(types, ["recording_started", "idle_started", "idle_ended"]);
}

#[test]
fn idle_times_and_signs_of_life_follow_the_configuration() {
    let capture = r#"<capture idleAfter="PT1M" alive="PT5M"/>"#;
    let mut stage = Stage::new(rules("a.exe", capture, ALL));
    let window = stage.script.window("a.exe", "Order");
    stage.script.focus(stage.now, window);
    stage.pass_ms(1_000);
    stage.script.idle_us(61_000_000);
    stage.pass_ms(61_000);
    stage.pass_ms(301_000);
    stage.script.idle_us(0);
    stage.script.press(stage.now, "f5");
    stage.rest();
    let types: Vec<&str> = stage.events.iter().map(|event| event.event_type.name()).collect();
    assert_eq!(types, ["recording_started", "window_activated", "idle_started", "alive", "idle_ended", "key_command"]);
    assert!(stage.events.windows(2).all(|pair| pair[0].uptime_us <= pair[1].uptime_us));
    assert_eq!(stage.events.last().unwrap().snippet, Some(2), "one pause is longer than five minutes");
}

#[test]
fn p5_a_burst_beyond_the_queue_is_counted_and_told() {
    let mut stage = Stage::new(rules("a.exe", "", ALL));
    let window = stage.script.window("a.exe", "Order");
    stage.script.focus(stage.now, window);
    stage.pass_ms(1);
    let burst = crate::capture::RAW_QUEUE_MAX + 100;
    stage.script.type_text(stage.now, &"x".repeat(burst));
    stage.rest();
    assert_eq!(stage.counters.dropped["queue_full"], 100);
    let gap = stage.events.iter().find(|event| event.event_type == EventType::CoverageGap).unwrap();
    assert_eq!((gap.attributes["reason"].as_str(), gap.attributes["events_lost"].as_str()), ("queue_full", "100"));
    let typed: u32 = stage.events.iter().filter_map(|event| event.text_length).sum();
    assert_eq!(typed as usize, crate::capture::RAW_QUEUE_MAX);
}

#[test]
fn p5_every_raw_event_is_accounted_for_whatever_happens() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let mut stage = Stage::new(rules("a.exe b.exe", "", r#"columns="all value_fingerprint""#));
        let windows = ["a.exe", "b.exe", "c.exe"].map(|name| stage.script.window(name, name));
        for _ in 0..80 {
            let window = windows[random.below(3) as usize];
            let command = ["ctrl+c", "ctrl+v", "tab", "a", "backspace", "shift+f10"][random.below(6) as usize];
            match random.below(8) {
                0 | 1 => stage.script.focus(stage.now, window),
                2 => stage.script.click(stage.now, window, Button::Left, element("button", "b")),
                3 => stage.script.button(stage.now, window, Button::Left, random.below(40) as i32, 3),
                4 => stage.script.press(stage.now, command),
                5 => stage.script.copy(stage.now, "ctrl+x", "some value", random.below(2) == 0),
                6 => stage.script.push(stage.now, RawKind::Title(window)),
                _ => stage.script.elements_answer(random.below(2) == 0),
            }
            stage.pass_ms(random.below(700));
            let open = stage.flow.pending();
            assert_eq!(stage.counters.difference(), 0, "seed {seed}, {open} open: {:?}", stage.counters);
        }
        let pushed = stage.script.pushed();
        let Stage { flow, now, mut counters, .. } = stage;
        let (given, missing) = flow.stop(now, State::Stopped);
        counters.add(&given.counters);
        assert_eq!((counters.difference(), missing), (0, 0), "seed {seed}");
        assert_eq!(counters.captured, pushed + 2, "seed {seed}: all that was pushed, the beginning and the end");
    }
}
