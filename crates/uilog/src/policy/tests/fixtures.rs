//! Every configuration in `fixtures/configuration`.

use super::*;

#[test]
fn the_full_example_is_read() {
    let full = configuration(&fixture("full.xml"));
    assert_eq!(full.rules.len(), 6);
    Policy::compile(&full, &Variables::none()).unwrap_or_else(|problems| panic!("{}", told(&problems)));
    let captured = Event {
        event_type: crate::EventType::LeftClick,
        process_name: Some("saplogon.exe".into()),
        window_title: Some("F110".into()),
        ..Event::default()
    };
    let policy = Policy::compile(&full, &Variables::none()).unwrap();
    assert_eq!(policy.scrub(captured, &StandInHash), Outcome::Dropped("rule:no payment runs".into()));
}
