//! Laws of the policy as a whole: rules of a configuration, the matrix of columns, properties, and the fixtures.

mod fixtures;

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

fn told(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}
