//! Laws of the policy as a whole: the rules of a configuration, the matrix of columns, properties, and the fixtures.

mod changes;
mod documents;
mod fixtures;
mod matrix;
mod properties;
mod second_scrub;
mod stories;

use super::*;
use crate::event::Event;

/// The text of a fixture of `fixtures/configuration`.
fn fixture(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/configuration").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A configuration that is known to be right.
fn configuration(xml: &str) -> Configuration {
    parse(xml).unwrap_or_else(|problems| panic!("{}", told(&problems)))
}

/// A configuration with these sections after the consent, which has every text.
fn configuration_of(sections: &str) -> Configuration {
    configuration(&format!(
        "<lodeConfig schema=\"1\" project=\"0b6f2d0e-5c1f-4c53-9b1e-6f6f2f3a7c11\" revision=\"1\" validUntil=\"2027-02-28T23:59:59Z\">\
         <consent version=\"1\"><text lang=\"en\">t</text><pictures lang=\"en\">p</pictures><typed lang=\"en\">y</typed></consent>\
         {sections}</lodeConfig>"
    ))
}

/// A configuration that allows Excel and two sites, with these rules and this redaction.
fn configuration_with(rules: &str, redaction: &str) -> Configuration {
    configuration_of(&format!(
        "<allow><app process=\"excel.exe\"/><app process=\"chrome.exe\"><site host=\"orders.example.org\"/>\
         <site host=\"*.erp.example.org\" path=\"/invoices/**\"/></app></allow>\
         <screenshots enabled=\"true\"/><rules>{rules}</rules><redaction>{redaction}</redaction>"
    ))
}

fn policy(configuration: &Configuration) -> Policy {
    Policy::compile(configuration, &Variables::none()).unwrap_or_else(|problems| panic!("{}", told(&problems)))
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

/// An event of Excel with that type and these columns.
fn excel(event_type: &str, columns: &[(&str, &str)]) -> Event {
    let mut event = event_of(event_type, columns);
    event.process_name = Some("excel.exe".into());
    event
}

/// An event with that type and these columns.
fn event_of(event_type: &str, columns: &[(&str, &str)]) -> Event {
    let mut event = Event { event_type: crate::EventType::from_name(event_type).unwrap(), ..Event::default() };
    for (column, value) in columns {
        assert!(cell::set(&mut event, crate::column::find(column).unwrap().id, value), "{column}={value}");
    }
    event
}

/// What is left of an event, or the counter it went to.
fn scrubbed(policy: &Policy, captured: impl Into<Captured>) -> Result<Event, String> {
    match policy.scrub(captured, &StandInHash) {
        Outcome::Logged(event, _) => Ok(event.into_inner()),
        other => Err(other.counter().unwrap()),
    }
}
