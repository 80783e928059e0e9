//! What the service does with events that clients scrubbed (rule 7 of a configuration).

use super::*;

fn policy_of(rules: &str) -> Policy {
    policy(&configuration_with(rules, "<pattern name=\"p\" regex=\"\\d+\" columns=\"window_title\"/>"))
}

const RULES: &str = "<rule name=\"no\"><on events=\"paste\"/><drop/></rule>\
                     <rule name=\"it\"><on events=\"copy\"/><when><contains column=\"window_title\" value=\"a\"/></when>\
                     <log columns=\"@app @window @web\" hash=\"user_name\"><replace columns=\"page_title\" with=\"page\"/></log></rule>";

/// An event that a client scrubbed under revision 1, with these columns.
fn sent(rule: Option<&str>, columns: &[(&str, &str)]) -> Event {
    Event { rule: rule.map(str::to_owned), config_revision: Some("1".into()), ..excel("copy", columns) }
}

fn refusal(event: Event) -> String {
    policy_of(RULES).scrub_again(event).unwrap_err().to_string()
}

#[test]
fn conditions_are_not_asked_again() {
    let event = sent(Some("it"), &[("window_title", "no such letter")]);
    assert_eq!(policy_of(RULES).scrub_again(event.clone()), Ok(event));
}

#[test]
fn the_rule_and_the_revision_must_be_there() {
    assert_eq!(refusal(sent(None, &[])), "the event names no rule");
    assert_eq!(refusal(sent(Some("canary"), &[])), "revision 1 has no rule of the name that the event gives");
    assert_eq!(refusal(sent(Some("no"), &[])), "rule \"no\" records nothing");
    assert_eq!(refusal(sent(Some("otherwise"), &[])), "rule \"otherwise\" records nothing");
    let other = Event { config_revision: Some("2".into()), ..sent(Some("it"), &[]) };
    assert_eq!(refusal(other), "the event was recorded under another revision than 1");
    assert_eq!(
        refusal(Event { config_revision: None, ..sent(Some("it"), &[]) }),
        "the event was recorded under another revision than 1"
    );
    let cut = Event { event_type: crate::EventType::Cut, ..sent(Some("it"), &[]) };
    assert_eq!(refusal(cut), "rule \"it\" does not record cut events");
}

#[test]
fn d1_the_gate_is_asked_again_with_what_is_left() {
    let of = |process: &str, columns: &[(&str, &str)]| {
        let mut event = sent(Some("it"), columns);
        event.process_name = Some(process.into());
        policy_of(RULES).scrub_again(event).map(drop).map_err(|error| error.to_string())
    };
    let refused = |refusal: &str| Err(format!("the gate of revision 1 does not admit the event: {refusal}"));
    assert_eq!(of("word.exe", &[]), refused("app"));
    assert_eq!(of("keepass.exe", &[]), refused("never"));
    assert_eq!(of("chrome.exe", &[]), Ok(()), "the page is not known any more");
    assert_eq!(of("chrome.exe", &[("url_host", "orders.example.org")]), Ok(()));
    assert_eq!(of("chrome.exe", &[("url_host", "news.example.com")]), refused("site"));
    let template = |path: &str| {
        let url = format!("https://a.erp.example.org{path}");
        of("chrome.exe", &[("url_host", "a.erp.example.org"), ("url_template", url.as_str())])
    };
    assert_eq!(template("/invoices/list"), Ok(()));
    assert_eq!(template("/invoices/{id}"), Ok(()));
    assert_eq!(template("/hr/list"), refused("site"));
    let mut without_program = sent(Some("it"), &[]);
    without_program.process_name = None;
    assert!(policy_of(RULES).scrub_again(without_program).is_ok());
}

#[test]
fn d1_with_nothing_allowed_nothing_is_taken() {
    let rules = "<rules><rule name=\"it\"><on/><log columns=\"none\"/></rule></rules>";
    let mut event = sent(Some("it"), &[]);
    event.process_name = None;
    let refused = policy(&configuration_of(rules)).scrub_again(event).unwrap_err();
    assert_eq!(refused, SecondScrub::Refused { revision: 1, refusal: Refusal::App });
}

#[test]
fn what_the_rule_does_not_keep_is_removed_and_the_rest_is_redacted() {
    let mut event = sent(
        Some("it"),
        &[
            ("window_title", "Order 17"),
            ("page_title", "secret"),
            ("text", "canary"),
            ("element_name", "canary"),
            ("url", "https://orders.example.org/canary"),
        ],
    );
    event.screenshot_id = Some(uuid::Uuid::from_u128(1));
    event.hashed.insert("custom1".into(), crate::event::Fingerprint([1; 16]));
    event.hashed.insert("user_name".into(), crate::event::Fingerprint([2; 16]));
    event.hashed.insert("window_titel".into(), crate::event::Fingerprint([3; 16]));
    let left = policy_of(RULES).scrub_again(event).unwrap();
    assert_eq!(left.window_title.as_deref(), Some("Order ****"));
    assert_eq!(left.page_title.as_deref(), Some("page"));
    assert_eq!(left.hashed.keys().collect::<Vec<_>>(), ["user_name"]);
    assert_eq!((&left.text, &left.element_name, &left.url, &left.screenshot_id), (&None, &None, &None, &None));
    assert!(!format!("{left:?}").contains("canary"));
}

#[test]
fn d12_a_hash_where_a_value_could_be_stays_for_a_floor_may_have_asked_for_it() {
    let mut event = sent(Some("it"), &[]);
    event.hashed.insert("window_title".into(), crate::event::Fingerprint([1; 16]));
    assert_eq!(policy_of(RULES).scrub_again(event.clone()), Ok(event));
}

#[test]
fn d5_a_value_in_clear_where_a_hash_must_be_is_refused() {
    assert_eq!(
        refusal(sent(Some("it"), &[("user_name", "canary")])),
        "column user_name must be hashed before it is sent"
    );
}

#[test]
fn events_about_the_recording_pass_but_carry_nothing_else() {
    let policy = policy_of(RULES);
    let mut event = event_of("recording_started", &[("window_title", "canary"), ("process_name", "canary")]);
    event.config_revision = Some("1".into());
    event.rule = Some("canary".into());
    event.hashed.insert("user_name".into(), crate::event::Fingerprint([1; 16]));
    let left = policy.scrub_again(event.clone()).unwrap();
    assert!(!format!("{left:?}").contains("canary"));
    assert!(left.hashed.contains_key("user_name"));
    assert!(!policy_of("").scrub_again(event.clone()).unwrap().hashed.contains_key("user_name"), "no rule keeps it");
    event.user_name = Some("ann".into());
    event.hashed.clear();
    assert_eq!(policy.scrub_again(event), Err(SecondScrub::NotHashed { column: "user_name" }));
    let mut quiet = configuration_with("", "");
    quiet.capture.idle_after = std::time::Duration::ZERO;
    let idle = Event { config_revision: Some("1".into()), ..event_of("idle_started", &[]) };
    assert_eq!(super::policy(&quiet).scrub_again(idle), Err(SecondScrub::SwitchedOff { setting: "idle times" }));
}
