//! A notation for UI logs that fits on a line, for tests and documents.
//!
//! ```text
//! log   = event { "|" event }
//! event = time [ application ] event-type [ element ] { "@" user | "#" case } [ "=" text ]
//! ```
//!
//! - `time` is `HH:MM`, `HH:MM:SS` or `HH:MM:SS.mmm` on Monday, 2026-01-05; hours go on after 23, so `33:00` is 09:00
//!   on Tuesday.
//! - `application` is one word; it becomes `application` and, in lower case, `process_name`.
//! - `event-type` is a name of [`EventType`]; it cannot be left out.
//! - `element` is the words up to the next mark. An address such as `B2` becomes `element_id`, `row_label` and
//!   `column_label`; after `key_command` it is the key; anything else is `element_name`.
//! - `@user` and `#case` are one word each. Each user is an agent of its own, whose `seq` counts from 1 in the order of
//!   the notation. Without `@` the user stays the one before; the first is `ann`. A case holds for its own event only.
//! - `@~user` is a user whose name was hashed: `hashed` holds a stand-in made from the word, or the word itself if it is 32
//!   hexadecimal digits, and `user_name` is absent.
//! - `=` takes the rest of the event as `text`, with `text_length`.
//!
//! Everything else about the events follows from this: the same notation gives the same events, identities included.
//!
//! ```
//! use uilog::{EventType, notation::log};
//! let events = log("09:00 excel copy B2 | 09:01 crm paste name @bob #case7 =Jane Doe | 09:40 key_command ctrl+s");
//! assert_eq!(events[0].row_label.as_deref(), Some("2"));
//! assert_eq!(events[1].text_length, Some(8));
//! assert_eq!(events[2].key_command.as_deref(), Some("ctrl+s"));
//! assert_eq!(events[1].agent_id, events[2].agent_id);
//! assert_eq!(events[2].time_us - events[1].time_us, 39 * 60 * 1_000_000);
//! ```

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::column::ColumnId;
use crate::event::{Event, EventType, Fingerprint};

/// Midnight of Monday, 2026-01-05, UTC: the day on which every notation begins. In microseconds.
pub const DAY_US: i64 = 1_767_571_200_000_000;

/// From this name and the user's, the identities of a notation's events are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c6f_6465_0000_4000_8000_6e6f_7461_7469);

/// The user of events before the first `@`.
const FIRST_USER: &str = "ann";

/// Why a text is no log in this notation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotationError {
    /// The first word is no time.
    #[error("event {event}: '{word}' is not a time like 09:00, 09:00:30 or 09:00:30.250")]
    Time {
        /// Which event, from 1.
        event: usize,
        /// What stands in place of the time.
        word: String,
    },
    /// Neither the word after the time nor the one after it names an event type.
    #[error("event {event}: no event type in '{text}'")]
    Type {
        /// Which event, from 1.
        event: usize,
        /// The event as written.
        text: String,
    },
}

/// Reads a log; see the [module](self) for the notation.
///
/// Errors: [`NotationError`] names the event and the word.
pub fn parse(notation: &str) -> Result<Vec<Event>, NotationError> {
    let mut user = FIRST_USER.to_owned();
    let mut seqs = BTreeMap::<String, u64>::new();
    let mut events = Vec::new();
    for (text, number) in notation.split('|').zip(1..) {
        let mut event = parse_event(text, number)?;
        match user_word(&event) {
            Some(named) => user = named,
            None => name_user(&mut event, &user),
        }
        let seq = seqs.entry(user.clone()).or_default();
        *seq += 1;
        identify(&mut event, &user, *seq);
        events.push(event);
    }
    Ok(events)
}

/// Reads a log that is known to be right, as a literal in a test is.
///
/// Panics: with the [`NotationError`], if it is not.
pub fn log(notation: &str) -> Vec<Event> {
    parse(notation).unwrap_or_else(|error| panic!("{error}"))
}

/// Writes a log in this notation, as far as it has words for what the events hold.
///
/// What was read from a notation is written in one form of it: equal logs give equal text.
///
/// ```
/// use uilog::notation::{log, write};
/// assert_eq!(write(&log("9:00  copy B2 @ann|9:00:30 crm paste name")), "09:00 copy B2 @ann | 09:00:30 crm paste name");
/// ```
pub fn write(events: &[Event]) -> String {
    let mut user = None;
    let mut written = Vec::new();
    for event in events {
        let mut words = vec![write_time(event.time_us - DAY_US)];
        words.extend(event.application.clone());
        words.push(event.event_type.name().to_owned());
        words.extend(event.key_command.clone().or(event.element_name.clone()).or(event.element_id.clone()));
        if user_word(event) != user {
            user = user_word(event);
            words.extend(user.as_ref().map(|user| format!("@{user}")));
        }
        words.extend(event.case_id.as_ref().map(|case| format!("#{case}")));
        words.extend(event.text.as_ref().map(|text| format!("={text}")));
        written.push(words.join(" "));
    }
    written.join(" | ")
}

fn parse_event(text: &str, number: usize) -> Result<Event, NotationError> {
    let (words, typed) = match text.split_once('=') {
        Some((words, typed)) => (words, Some(typed.trim())),
        None => (text, None),
    };
    let mut event = Event::default();
    let mut words = words.split_whitespace();
    let time = words.next().unwrap_or_default();
    let since_midnight_us =
        parse_time(time).ok_or_else(|| NotationError::Time { event: number, word: time.to_owned() })?;
    event.time_us = DAY_US + since_midnight_us;
    event.uptime_us = u64::try_from(since_midnight_us).ok();

    let mut element = Vec::new();
    let mut event_type = None;
    for word in words {
        if let Some(user) = word.strip_prefix('@') {
            name_user(&mut event, user);
        } else if let Some(case) = word.strip_prefix('#') {
            event.case_id = Some(case.to_owned());
        } else if event_type.is_some() {
            element.push(word);
        } else if let Some(named) = EventType::from_name(word) {
            event_type = Some(named);
        } else if event.application.is_none() {
            event.application = Some(word.to_owned());
            event.process_name = Some(word.to_lowercase());
        } else {
            break;
        }
    }
    event.event_type = event_type.ok_or_else(|| NotationError::Type { event: number, text: text.trim().to_owned() })?;
    if !element.is_empty() {
        name_element(&mut event, element.join(" "));
    }
    if let Some(typed) = typed {
        event.text_length = u32::try_from(typed.chars().count()).ok();
        event.text = Some(typed.to_owned());
    }
    Ok(event)
}

/// Gives the event its user; after `~`, one whose name was hashed.
fn name_user(event: &mut Event, word: &str) {
    match word.strip_prefix('~') {
        None => event.user_name = Some(word.to_owned()),
        Some(word) => {
            let given = u128::from_str_radix(word, 16).ok().filter(|_| word.len() == 32).map(u128::to_be_bytes);
            let hash = given.unwrap_or_else(|| Uuid::new_v5(&NAMESPACE, word.as_bytes()).into_bytes());
            event.hashed.insert(ColumnId::UserName.column().name.to_owned(), Fingerprint(hash));
        }
    }
}

/// The word by which the notation names the user of an event.
fn user_word(event: &Event) -> Option<String> {
    let hash = event.hashed.get(ColumnId::UserName.column().name);
    event.user_name.clone().or(hash.map(|hash| format!("~{:032x}", u128::from_be_bytes(hash.0))))
}

fn name_element(event: &mut Event, element: String) {
    if event.event_type == EventType::KeyCommand {
        event.key_command = Some(element);
    } else if let Some((column, row)) = cell_address(&element) {
        event.column_label = Some(column.to_owned());
        event.row_label = Some(row.to_owned());
        event.element_id = Some(element);
    } else {
        event.element_name = Some(element);
    }
}

/// Splits the address of a cell of a spreadsheet into column and row: `B12` is `B` and `12`.
///
/// `None` if the text is no such address: up to three capital letters, then up to seven digits without a leading zero.
///
/// ```
/// use uilog::notation::cell_address;
/// assert_eq!(cell_address("AB12"), Some(("AB", "12")));
/// assert_eq!(cell_address("name"), None);
/// ```
pub fn cell_address(text: &str) -> Option<(&str, &str)> {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let (column, row) = text.split_at(letters);
    let is_row = matches!(row.len(), 1..=7) && row.bytes().all(|byte| byte.is_ascii_digit()) && !row.starts_with('0');
    (matches!(letters, 1..=3) && is_row).then_some((column, row))
}

fn identify(event: &mut Event, user: &str, seq: u64) {
    event.agent_id = Uuid::new_v5(&NAMESPACE, user.as_bytes());
    event.epoch = Uuid::new_v5(&event.agent_id, b"epoch");
    event.session_id = Uuid::new_v5(&event.agent_id, b"session");
    event.seq = seq;
}

/// Microseconds since midnight, from `HH:MM[:SS[.mmm]]`.
fn parse_time(word: &str) -> Option<i64> {
    let number = |text: &str, bound: i64| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| is_number && *number < bound)
    };
    let mut parts = word.split(':');
    let hours = number(parts.next()?, 100_000)?;
    let minutes = number(parts.next()?, 60)?;
    let (seconds, milliseconds) = match parts.next().map(|rest| rest.split_once('.').unwrap_or((rest, "000"))) {
        Some((seconds, fraction)) if fraction.len() == 3 => (number(seconds, 60)?, number(fraction, 1_000)?),
        Some(_) => return None,
        None => (0, 0),
    };
    if parts.next().is_some() {
        return None;
    }
    Some((((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds) * 1_000)
}

fn write_time(since_midnight_us: i64) -> String {
    let milliseconds = since_midnight_us / 1_000;
    let (seconds, milliseconds) = (milliseconds / 1_000, milliseconds % 1_000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let clock = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    match (seconds, milliseconds) {
        (0, 0) => clock,
        (_, 0) => format!("{clock}:{seconds:02}"),
        _ => format!("{clock}:{seconds:02}.{milliseconds:03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_error(notation: &str, expected: &str) {
        assert_eq!(parse(notation).unwrap_err().to_string(), expected);
    }

    #[test]
    fn what_was_written_is_read_again() {
        for notation in [
            "09:00 copy @ann",
            "09:00 excel copy B2 @ann | 09:01 crm paste first name | 09:40 excel copy B3",
            "09:00 crm paste name @ann #case7 =Jane = Doe | 33:00:01.250 key_command ctrl+s @bob #8",
        ] {
            assert_eq!(write(&log(notation)), notation);
            assert_eq!(log(&write(&log(notation))), log(notation));
        }
    }

    #[test]
    fn a_hashed_user_has_no_name_and_is_read_again() {
        let events = log("09:00 copy @~ann | 09:01 paste | 09:02 cut @ann");
        assert_eq!(events[0].user_name, None);
        assert_eq!(events[0].hashed, events[1].hashed);
        assert_eq!((events[1].seq, events[2].seq), (2, 1));
        assert!(events[2].hashed.is_empty());
        assert_eq!(log(&write(&events)), events);
    }

    #[test]
    fn each_user_is_an_agent_with_a_gapless_seq() {
        let events = log("09:00 copy | 09:01 paste @bob | 09:02 cut | 09:03 copy @ann");
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 1, 2, 2]);
        let users: Vec<_> = events.iter().filter_map(|event| event.user_name.as_deref()).collect();
        assert_eq!(users, ["ann", "bob", "bob", "ann"]);
        assert_eq!(events[0].agent_id, events[3].agent_id);
        assert_ne!(events[0].agent_id, events[1].agent_id);
    }

    #[test]
    fn the_day_is_a_monday() {
        assert_eq!((DAY_US / 86_400_000_000 + 3) % 7, 0, "1970-01-01 was a Thursday");
        assert_eq!(DAY_US % 86_400_000_000, 0);
    }

    #[test]
    fn mistakes_are_named() {
        check_error("copy", "event 1: 'copy' is not a time like 09:00, 09:00:30 or 09:00:30.250");
        check_error("09:00 copy | 25 paste", "event 2: '25' is not a time like 09:00, 09:00:30 or 09:00:30.250");
        check_error("09:60 copy", "event 1: '09:60' is not a time like 09:00, 09:00:30 or 09:00:30.250");
        check_error("09:00 excel teleport B2", "event 1: no event type in '09:00 excel teleport B2'");
        check_error("", "event 1: '' is not a time like 09:00, 09:00:30 or 09:00:30.250");
    }

    #[test]
    fn only_addresses_of_cells_are_cells() {
        for word in ["b2", "B0", "B", "2", "ABCD1", "B12345678", "B2:C3", "ß1", ""] {
            assert_eq!(cell_address(word), None, "{word}");
        }
    }
}
