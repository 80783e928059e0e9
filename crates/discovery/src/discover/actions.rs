//! Cleaning: rows of the log become actions, the steps that the rest of discovery looks at.
//!
//! ```text
//! row     click name · key J · key O · key E · paste · paste · click OK
//! action  click name · typing · · · · · · ·  paste · · · · ·  click OK
//! ```
//! A run of keys in one element is one entry of text. A row that repeats the event before it on the same element within
//! [`ECHO_US_MAX`] is an echo: two recorders saw one thing. Every row keeps its action, so that nothing is lost from the
//! answer; what was folded is counted by reason.

use crate::log::{Field, NO_TIME, UiLog};

/// Two equal events this close to each other are one, seen twice.
pub(crate) const ECHO_US_MAX: i64 = 20_000;

/// A pause longer than this ends a run of keys: the person went away and came back.
const TYPING_PAUSE_US_MAX: i64 = 60_000_000;

/// What event types of single keys are called, in lower case, without `_`.
const KEYS: [&str; 6] = ["keydown", "keyup", "keypress", "keystroke", "keycommand", "key"];

/// The actions of one user, in order.
#[derive(Debug, Default)]
pub(crate) struct Actions {
    /// First row of each action; rows up to the next action's first one of the same user belong to it.
    pub first_rows: Vec<u32>,
    /// Microseconds between the end of the action before and the begin of this one; [`NO_TIME`] if not known.
    pub pauses: Vec<i64>,
}

/// How many rows were folded into the action before them, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Folded {
    /// Keys after the first of a run in one element.
    pub keys: usize,
    /// Repetitions within a few milliseconds.
    pub echoes: usize,
}

/// Folds the rows of one user into actions.
pub(crate) fn actions(log: &UiLog, rows: &[u32], folded: &mut Folded) -> Actions {
    let is_key: Vec<bool> = log.field(Field::EventType).texts().iter().map(|text| is_key_word(text)).collect();
    let mut actions = Actions { first_rows: Vec::with_capacity(rows.len()), pauses: Vec::with_capacity(rows.len()) };
    let mut before: Option<usize> = None;
    for &row in rows {
        let row = row as usize;
        let pause = before.map_or(NO_TIME, |before| pause_us(log, before, row));
        let reason = before.filter(|&before| is_same_place(log, before, row)).and_then(|before| {
            let key = |row| is_key[log.field(Field::EventType).code(row) as usize];
            if key(before) && key(row) && pause <= TYPING_PAUSE_US_MAX {
                Some(&mut folded.keys)
            } else if is_echo(log, before, row, pause) {
                Some(&mut folded.echoes)
            } else {
                None
            }
        });
        match reason {
            Some(count) => *count += 1,
            None => {
                actions.first_rows.push(row as u32);
                actions.pauses.push(pause);
            }
        }
        before = Some(row);
    }
    actions
}

fn is_key_word(text: &str) -> bool {
    let word: String = text.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    KEYS.contains(&word.as_str())
}

fn pause_us(log: &UiLog, before: usize, row: usize) -> i64 {
    let (from, to) = (log.time(before), log.time(row));
    if from == NO_TIME || to == NO_TIME { NO_TIME } else { to.saturating_sub(from) }
}

/// Whether two rows act on one element: everything that identifies it is equal.
fn is_same_place(log: &UiLog, left: usize, right: usize) -> bool {
    const PLACE: [Field; 9] = [
        Field::Application,
        Field::Screen,
        Field::Area,
        Field::Role,
        Field::Element,
        Field::Label,
        Field::Address,
        Field::Row,
        Field::Column,
    ];
    PLACE.iter().all(|&field| log.field(field).code(left) == log.field(field).code(right))
}

fn is_echo(log: &UiLog, before: usize, row: usize, pause: i64) -> bool {
    let equal = |field| log.field(field).code(before) == log.field(field).code(row);
    pause != NO_TIME && (0..=ECHO_US_MAX).contains(&pause) && equal(Field::EventType) && equal(Field::Value)
}
