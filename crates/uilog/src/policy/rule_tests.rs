//! The `<test>` elements of a configuration: examples that must come out as they say.
//!
//! A test sees an event as capture hands it over, with `?` for what could not be read. Hashes are made with a stand-in key,
//! so a test can say only that there is one.

use serde::Serialize;

use super::cell;
use super::columns::ColumnSet;
use super::model::{Cell, Configuration, Left, Test};
use super::pattern::Variables;
use super::problem::Problem;
use super::scrub::{Captured, Decision, DroppedBy, OTHERWISE, Outcome, Policy, StandInHash};
use super::words::Expect;
use crate::column::ColumnId;
use crate::event::Event;

/// How one test came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestResult {
    /// The name of the test.
    pub name: String,
    /// The line of the test in the file.
    pub line: u32,
    /// Whether everything is as it says.
    pub passed: bool,
    /// What is not as it says, one sentence each.
    pub messages: Vec<String>,
    /// The columns that are not as it says.
    pub columns: Vec<ColumnResult>,
}

/// A column that is not what a test says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnResult {
    /// The column.
    pub column: &'static str,
    /// What the test says.
    pub expected: String,
    /// What is left.
    pub got: String,
}

/// Runs the tests of a configuration, in their order.
///
/// Errors: those of [`Policy::compile`].
pub fn run_tests(configuration: &Configuration) -> Result<Vec<TestResult>, Vec<Problem>> {
    Ok(run_with(&Policy::compile(configuration, &Variables::none())?, configuration))
}

/// Runs the tests of a configuration that is compiled already.
pub(super) fn run_with(policy: &Policy, configuration: &Configuration) -> Vec<TestResult> {
    configuration.tests.iter().map(|test| run(policy, test)).collect()
}

fn run(policy: &Policy, test: &Test) -> TestResult {
    let captured = captured(test);
    let mut messages = decision_messages(policy.decide(&captured), test);
    let mut columns = Vec::new();
    if let Outcome::Logged(event, _) = policy.scrub(captured, &StandInHash) {
        columns = wrong_columns(&event, test);
        messages.extend(
            columns.iter().map(|wrong| format!("{}: expected {}, got {}", wrong.column, wrong.expected, wrong.got)),
        );
    }
    TestResult { name: test.name.clone(), line: test.at.line, passed: messages.is_empty(), messages, columns }
}

/// The event of a test.
pub(super) fn captured(test: &Test) -> Captured {
    let mut event = Event { event_type: test.event_type, ..Event::default() };
    let mut unknown = ColumnSet::EMPTY;
    for (column, cell) in &test.columns {
        match cell {
            Cell::Unknown => unknown = unknown.with(*column),
            // What does not fit was told when the file was read.
            Cell::Value(text) => {
                let _ = cell::set(&mut event, *column, text);
            }
        }
    }
    Captured { event, unknown }
}

fn decision_messages(decision: Decision<'_>, test: &Test) -> Vec<String> {
    let (got, rule, screenshot) = match decision {
        Decision::Log { rule, screenshot } => (Expect::Log, Some(rule), Some(screenshot)),
        Decision::Recording => (Expect::Log, None, None),
        Decision::Drop(DroppedBy::Rule(rule)) => (Expect::Drop, Some(rule), None),
        Decision::Drop(DroppedBy::Otherwise) => (Expect::Drop, Some(OTHERWISE), None),
        Decision::Drop(DroppedBy::Setting(_)) => (Expect::Drop, None, None),
        Decision::Refused(_) => (Expect::Refused, None, None),
    };
    let mut messages = Vec::new();
    if got != test.expect {
        let why = if let Decision::Refused(refusal) = decision {
            format!(" by the gate: {}", refusal.name())
        } else {
            String::new()
        };
        messages.push(format!("expected {}, got {}{why}", test.expect.word(), got.word()));
    }
    if let Some(expected) = &test.rule
        && Some(expected.as_str()) != rule
    {
        let got = rule.map_or("no rule".to_owned(), |rule| format!("rule \"{rule}\""));
        messages.push(format!("expected rule \"{expected}\" to decide, got {got}"));
    }
    if let Some(expected) = test.screenshot
        && Some(expected) != screenshot
    {
        let got = screenshot.map_or("no decision about one", |screenshot| screenshot.word());
        messages.push(format!("expected picture {}, got {got}", expected.word()));
    }
    messages
}

fn wrong_columns(event: &Event, test: &Test) -> Vec<ColumnResult> {
    let wrong = |(column, expected): &(ColumnId, Left)| {
        let got = shown(event, *column);
        let expected = match expected {
            Left::Nothing => "#null",
            Left::Hash => "#hash",
            Left::Value(text) => text,
        };
        (got != expected).then(|| ColumnResult { column: column.column().name, expected: expected.to_owned(), got })
    };
    test.result.iter().filter_map(wrong).collect()
}

/// What is left in a column, in the words of a test.
pub(super) fn shown(event: &Event, column: ColumnId) -> String {
    if cell::is_hashed(event, column) {
        return "#hash".to_owned();
    }
    cell::text(event, column).map_or("#null".to_owned(), |text| text.into_owned())
}
