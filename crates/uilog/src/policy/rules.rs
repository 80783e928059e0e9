//! Conditions in three-valued logic, compiled once and asked for every event.
//!
//! A column that does not apply to an event is *absent*: every comparison with it is false. A column that applies and could
//! not be read is *unknown*, and so is what is said about it: a rule that logs needs certainty, a rule that drops does not.

use std::borrow::Cow;
use std::cell::OnceCell;

use regex::Regex;

use crate::column::{COLUMNS, ColumnId};
use crate::event::{Event, EventType, Value};

use super::cell;
use super::columns::ColumnSet;
use super::model::{Comparator, Comparison, Condition, On};
use super::pattern::Budget;
use super::problem::{Problem, Severity};

/// What a condition says about an event. The order is that of certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    False,
    Unknown,
    True,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Truth::True } else { Truth::False }
    }
}

/// An event as conditions see it: which columns are unknown, and each text in small letters, made when first asked for.
pub(super) struct Facts<'a> {
    event: &'a Event,
    unknown: ColumnSet,
    lower: [OnceCell<String>; COLUMNS.len()],
}

impl<'a> Facts<'a> {
    pub(super) fn new(event: &'a Event, unknown: ColumnSet) -> Self {
        Facts { event, unknown, lower: [const { OnceCell::new() }; COLUMNS.len()] }
    }

    /// Whether the column applies and cannot be read; a hash cannot.
    fn is_unknown(&self, column: ColumnId) -> bool {
        self.unknown.contains(column) || cell::is_hashed(self.event, column)
    }

    fn text(&self, column: ColumnId) -> Option<Cow<'_, str>> {
        cell::text(self.event, column)
    }

    fn lower(&self, column: ColumnId) -> Option<&str> {
        let text = self.text(column)?;
        Some(self.lower[column as usize].get_or_init(|| text.to_lowercase()))
    }
}

/// The event types of a rule, as one bit each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Types(u64);

impl Types {
    pub(super) fn of(on: &On) -> Self {
        Types(
            EventType::all().filter(|event_type| on.admits(*event_type)).fold(0, |bits, each| bits | 1 << each as u32),
        )
    }

    pub(super) fn all() -> Self {
        Types(u64::MAX)
    }

    pub(super) fn none() -> Self {
        Types(0)
    }

    pub(super) fn contain(self, event_type: EventType) -> bool {
        self.0 & (1 << event_type as u32) != 0
    }

    /// These and the others.
    pub(super) fn or(self, other: Self) -> Self {
        Types(self.0 | other.0)
    }

    pub(super) fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

/// A condition, compiled.
pub(super) enum Compiled {
    All(Vec<Compiled>),
    Any(Vec<Compiled>),
    Not(Box<Compiled>),
    Present(ColumnId),
    Compare(ColumnId, Test),
}

/// What is asked of one text.
pub(super) enum Test {
    /// One of the values, in small letters.
    Lower(Comparator, Vec<String>),
    /// One of the values, as they are.
    Exact(Comparator, Vec<String>),
    /// One of the patterns.
    Patterns(Vec<Regex>),
}

/// Compiles a condition.
///
/// Errors: every pattern that cannot be compiled.
pub(super) fn compile(condition: &Condition, budget: &mut Budget, problems: &mut Vec<Problem>) -> Compiled {
    let mut below = |conditions: &[Condition]| conditions.iter().map(|each| compile(each, budget, problems)).collect();
    match condition {
        Condition::All(conditions) => Compiled::All(below(conditions)),
        Condition::Any(conditions) => Compiled::Any(below(conditions)),
        Condition::Not(condition) => Compiled::Not(Box::new(compile(condition, budget, problems))),
        Condition::Present(column, _) => Compiled::Present(*column),
        Condition::Compare(comparison) => Compiled::Compare(comparison.column, test(comparison, budget, problems)),
    }
}

fn test(comparison: &Comparison, budget: &mut Budget, problems: &mut Vec<Problem>) -> Test {
    let mut patterns = Vec::new();
    match comparison.comparator {
        Comparator::Glob | Comparator::Regex => {
            for value in &comparison.values {
                let compiled = match comparison.comparator {
                    Comparator::Glob => budget.glob(value, false, comparison.exact_case),
                    _ => budget.regex(value),
                };
                match compiled {
                    Ok(pattern) => patterns.push(pattern),
                    Err(why) => problems.push(comparison.at.problem(
                        Severity::Error,
                        "invalid_regex",
                        format!("value: the regular expression cannot be used: {why}"),
                        None,
                    )),
                }
            }
            Test::Patterns(patterns)
        }
        comparator if comparison.exact_case => Test::Exact(comparator, comparison.values.clone()),
        comparator => Test::Lower(comparator, comparison.values.iter().map(|value| value.to_lowercase()).collect()),
    }
}

impl Compiled {
    /// What the condition says of an event.
    pub(super) fn holds(&self, facts: &Facts<'_>) -> Truth {
        match self {
            Compiled::All(conditions) => {
                let mut truth = Truth::True;
                for condition in conditions {
                    truth = truth.min(condition.holds(facts));
                    if truth == Truth::False {
                        break;
                    }
                }
                truth
            }
            Compiled::Any(conditions) => {
                let mut truth = Truth::False;
                for condition in conditions {
                    truth = truth.max(condition.holds(facts));
                    if truth == Truth::True {
                        break;
                    }
                }
                truth
            }
            Compiled::Not(condition) => match condition.holds(facts) {
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
                Truth::True => Truth::False,
            },
            Compiled::Present(column) if facts.is_unknown(*column) => Truth::Unknown,
            Compiled::Present(column) => (facts.event.value(*column as usize) != Value::Null).into(),
            Compiled::Compare(column, _) if facts.is_unknown(*column) => Truth::Unknown,
            Compiled::Compare(column, test) => test.fits(facts, *column).into(),
        }
    }
}

impl Test {
    fn fits(&self, facts: &Facts<'_>, column: ColumnId) -> bool {
        match self {
            Test::Lower(comparator, values) => {
                facts.lower(column).is_some_and(|text| one_fits(*comparator, values, text))
            }
            Test::Exact(comparator, values) => {
                facts.text(column).is_some_and(|text| one_fits(*comparator, values, &text))
            }
            Test::Patterns(patterns) => {
                facts.text(column).is_some_and(|text| patterns.iter().any(|pattern| pattern.is_match(&text)))
            }
        }
    }
}

fn one_fits(comparator: Comparator, values: &[String], text: &str) -> bool {
    values.iter().any(|value| match comparator {
        Comparator::Contains => text.contains(value),
        Comparator::StartsWith => text.starts_with(value),
        // Globs and regular expressions are patterns.
        Comparator::Equals | Comparator::Glob | Comparator::Regex => text == value,
    })
}

// One bit for each type.
const _: () = assert!(EventType::CoverageGap as u32 <= 63);
