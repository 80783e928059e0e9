//! How values of attributes are written: durations, sizes, moments, names, each read and written in one place.
//!
//! Reading says what is wrong as a [`Fault`]; where in the file that is, the parser knows. Ranges are those of the
//! [vocabulary](super::vocabulary).

use std::time::Duration;

use crate::column::{self, ColumnId};
use crate::event::{EventType, Family};

use super::columns::{ColumnWord, Selection, is_comparable, may_be_logged, redactable, texts};
use super::model::{Days, EventWord};
use super::problem::did_you_mean;
use super::vocabulary::{Columns, DAYS, Kind};
use super::words::ColumnGroup;

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// One of [`CODES`](super::problem::CODES).
    pub code: &'static str,
    /// What is wrong, in words.
    pub message: String,
    /// What may be meant.
    pub hint: Option<String>,
    /// Where in the value the fault begins, in bytes.
    pub offset: usize,
}

impl Fault {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Fault { code, message: message.into(), hint: None, offset: 0 }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Fault::new("invalid_value", message)
    }

    fn range(message: impl Into<String>) -> Self {
        Fault::new("out_of_range", message)
    }

    pub(super) fn hint(self, hint: Option<String>) -> Self {
        Fault { hint, ..self }
    }

    fn at(self, offset: usize) -> Self {
        Fault { offset, ..self }
    }
}

/// The longest regular expression, in bytes.
pub(super) const REGEX_BYTES_MAX: usize = 4 << 10;

/// The longest value, or list of values, of a comparison, in bytes.
pub(super) const VALUES_BYTES_MAX: usize = 4 << 10;

/// The longest choice of a user attribute, in characters, and how many there may be.
const CHOICE_CHARACTERS_MAX: usize = 60;
const CHOICES: std::ops::RangeInclusive<usize> = 2..=100;

/// The longest glob, host, path, zone or name, in bytes.
const NAME_BYTES_MAX: usize = 512;

/// How many literal characters a glob needs: there is no "everything".
const GLOB_LITERALS_MIN: usize = 3;

/// The words of a list, each with its place in the text, in bytes.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_ascii_whitespace().map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// A whole number.
pub(super) fn int(kind: Kind, text: &str) -> Result<u64, Fault> {
    let is_number = !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = text
        .parse()
        .ok()
        .filter(|_| is_number)
        .ok_or_else(|| Fault::invalid(format!("\"{text}\" is no whole number")))?;
    match kind {
        Kind::Int { min, max } if !(min..=max).contains(&number) => {
            Err(Fault::range(format!("{number} is not between {min} and {max}")))
        }
        _ => Ok(number),
    }
}

/// `true` or `false`.
pub(super) fn boolean(text: &str) -> Result<bool, Fault> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Fault::invalid(format!("\"{text}\" is neither \"true\" nor \"false\""))),
    }
}

/// An identifier, hyphenated.
pub(super) fn uuid(text: &str) -> Result<uuid::Uuid, Fault> {
    let wrong = || Fault::invalid(format!("\"{text}\" is no UUID such as 0b6f2d0e-5c1f-4c53-9b1e-6f6f2f3a7c11"));
    if text.len() != 36 { Err(wrong()) } else { uuid::Uuid::try_parse(text).map_err(|_| wrong()) }
}

/// Seconds since 1970-01-01T00:00:00 UTC, of a moment such as `2027-02-28T23:59:59Z`.
pub(super) fn moment(text: &str) -> Result<i64, Fault> {
    let wrong = || Fault::invalid(format!("\"{text}\" is no moment in UTC such as 2027-02-28T23:59:59Z"));
    let shape = "dddd-dd-ddTdd:dd:ddZ";
    let fits = text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, form)| if form == b'd' { byte.is_ascii_digit() } else { byte == form });
    if !fits {
        return Err(wrong());
    }
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap_or(-1);
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let is_real = (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && year >= 1970;
    if !is_real {
        return Err(wrong());
    }
    Ok(((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Writes what [`moment`] reads.
pub(super) fn write_moment(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let mut year = 1970 + days / 366;
    while days_since_1970(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut day = days - days_since_1970(year, 1, 1);
    let mut month = 1;
    while day >= days_of_month(year, month) {
        day -= days_of_month(year, month);
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}T{:02}:{:02}:{:02}Z", day + 1, rest / 3_600, rest / 60 % 60, rest % 60)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to that day of the Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let leap_days = |year: i64| year / 4 - year / 100 + year / 400;
    let years = 365 * (year - 1970) + leap_days(year - 1) - leap_days(1969);
    years + (1..month).map(|month| days_of_month(year, month)).sum::<i64>() + day - 1
}

/// An ISO 8601 duration of days, hours, minutes and seconds.
pub(super) fn duration(kind: Kind, text: &str) -> Result<Duration, Fault> {
    let ms = milliseconds(text)
        .ok_or_else(|| Fault::invalid(format!("\"{text}\" is no duration such as PT15M, PT0.25S or P1D")))?;
    let (min, max, zero) = match kind {
        Kind::Duration { min_ms, max_ms, zero } => (min_ms, max_ms, zero),
        Kind::Durations { min_ms, max_ms, .. } => (min_ms, max_ms, false),
        _ => (0, u64::MAX, true),
    };
    if (min..=max).contains(&ms) || (zero && ms == 0) {
        return Ok(Duration::from_millis(ms));
    }
    let or_zero = if zero && min > 0 { ", or PT0S" } else { "" };
    let range = |ms| write_duration(Duration::from_millis(ms));
    Err(Fault::range(format!("{text} is not between {} and {}{or_zero}", range(min), range(max))))
}

/// Milliseconds of `P1DT2H3M4.5S`; at least one part, each at most nine digits.
fn milliseconds(text: &str) -> Option<u64> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None if rest.is_empty() => return None,
        None => (rest, ""),
    };
    let mut total = 0u64;
    if !days.is_empty() {
        total += number(days.strip_suffix('D')?)? * 86_400_000;
    }
    let mut time = time;
    for (unit, factor) in [('H', 3_600_000), ('M', 60_000)] {
        if let Some((value, after)) = time.split_once(unit) {
            total += number(value)? * factor;
            time = after;
        }
    }
    if !time.is_empty() {
        let seconds = time.strip_suffix('S')?;
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
        if fraction.len() > 3 {
            return None;
        }
        total += number(whole)? * 1_000 + number(&format!("{fraction:0<3}"))?;
    }
    Some(total)
}

fn number(text: &str) -> Option<u64> {
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Writes what [`duration`] reads, in its largest unit.
pub(super) fn write_duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        0 => "PT0S".to_owned(),
        _ if ms.is_multiple_of(86_400_000) => format!("P{}D", ms / 86_400_000),
        _ if ms.is_multiple_of(3_600_000) => format!("PT{}H", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("PT{}M", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("PT{}S", ms / 1_000),
        _ => format!("PT{}.{}S", ms / 1_000, format!("{:03}", ms % 1_000).trim_end_matches('0')),
    }
}

/// Durations between spaces.
pub(super) fn durations(kind: Kind, text: &str) -> Result<Vec<Duration>, Fault> {
    let durations: Vec<Duration> = words(text)
        .map(|(offset, word)| duration(kind, word).map_err(|fault| fault.at(offset)))
        .collect::<Result<_, _>>()?;
    match kind {
        Kind::Durations { count, .. } if durations.len() > count => {
            Err(Fault::range(format!("{} durations; at most {count} are possible", durations.len())))
        }
        _ => Ok(durations),
    }
}

/// Bytes, in `KiB`, `MiB` or `GiB`.
pub(super) fn size(kind: Kind, text: &str) -> Result<u64, Fault> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let bytes = units
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)))
        .and_then(|(value, shift)| Some(number(value)? << shift))
        .ok_or_else(|| Fault::invalid(format!("\"{text}\" is no size such as 512MiB or 1GiB")))?;
    match kind {
        Kind::Size { min, max } if !(min..=max).contains(&bytes) => {
            Err(Fault::range(format!("{text} is not between {} and {}", write_size(min), write_size(max))))
        }
        _ => Ok(bytes),
    }
}

/// Writes what [`size`] reads, in its largest unit.
pub(super) fn write_size(bytes: u64) -> String {
    match bytes {
        _ if bytes > 0 && bytes.is_multiple_of(1 << 30) => format!("{}GiB", bytes >> 30),
        _ if bytes > 0 && bytes.is_multiple_of(1 << 20) => format!("{}MiB", bytes >> 20),
        _ => format!("{}KiB", bytes >> 10),
    }
}

/// Text within the range of its kind.
pub(super) fn text(kind: Kind, text: &str) -> Result<String, Fault> {
    let characters = text.chars().count();
    match kind {
        Kind::Text { min, .. } if characters < min => Err(Fault::range("must not be empty")),
        Kind::Text { max, .. } if characters > max => {
            Err(Fault::range(format!("has {characters} characters; at most {max} are possible")))
        }
        _ => Ok(text.to_owned()),
    }
}

/// Values between `|`, as they are.
pub(super) fn values(text: &str) -> Result<Vec<String>, Fault> {
    if text.len() > VALUES_BYTES_MAX {
        return Err(Fault::range(format!("has {} bytes; at most {VALUES_BYTES_MAX} are possible", text.len())));
    }
    Ok(text.split('|').map(str::to_owned).collect())
}

/// The possible answers of a user attribute.
pub(super) fn choices(text: &str) -> Result<Vec<String>, Fault> {
    let choices: Vec<String> = text.split('|').map(|choice| choice.trim().to_owned()).collect();
    if !CHOICES.contains(&choices.len()) {
        return Err(Fault::range(format!("{} choices; 2 to 100 are possible", choices.len())));
    }
    if choices.iter().any(|choice| choice.is_empty() || choice.chars().count() > CHOICE_CHARACTERS_MAX) {
        return Err(Fault::range(format!("a choice has 1 to {CHOICE_CHARACTERS_MAX} characters")));
    }
    Ok(choices)
}

/// Days of the week: single ones and ranges.
pub(super) fn days(text: &str) -> Result<Days, Fault> {
    let day = |word: &str| DAYS.iter().position(|day| *day == word);
    let mut days = Days::default();
    for (offset, word) in words(text) {
        let (from, to) = word.split_once('-').unwrap_or((word, word));
        match (day(from), day(to)) {
            (Some(from), Some(to)) if from <= to => (from..=to).for_each(|day| days.add(day)),
            _ => {
                return Err(
                    Fault::invalid(format!("\"{word}\" is no day such as mon, nor days such as mon-fri")).at(offset)
                );
            }
        }
    }
    if days == Days::default() { Err(Fault::invalid("names no day")) } else { Ok(days) }
}

/// Writes what [`days`] reads, with ranges where three or more follow each other.
pub(super) fn write_days(days: Days) -> String {
    let mut written: Vec<String> = Vec::new();
    let mut day = 0;
    while day < DAYS.len() {
        let run = (day..DAYS.len()).take_while(|&day| days.contains(day)).count();
        match run {
            0 => {}
            1 => written.push(DAYS[day].to_owned()),
            2 => written.push(format!("{} {}", DAYS[day], DAYS[day + 1])),
            _ => written.push(format!("{}-{}", DAYS[day], DAYS[day + run - 1])),
        }
        day += run.max(1);
    }
    written.join(" ")
}

/// Minutes since midnight, of `00:00` to `24:00`.
pub(super) fn clock(text: &str) -> Result<u16, Fault> {
    let part =
        |from: usize, to: usize| text.get(from..to).and_then(number).and_then(|number| u16::try_from(number).ok());
    let minutes = match (text.len(), text.get(2..3), part(0, 2), part(3, 5)) {
        (5, Some(":"), Some(hours), Some(minutes)) if minutes < 60 => Some(hours * 60 + minutes),
        _ => None,
    };
    minutes
        .filter(|minutes| *minutes <= 24 * 60)
        .ok_or_else(|| Fault::invalid(format!("\"{text}\" is no time of day such as 08:00")))
}

/// Writes what [`clock`] reads.
pub(super) fn write_clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A combination of keys, or nothing: modifiers in any order, then one key.
pub(super) fn keys(text: &str) -> Result<String, Fault> {
    let parts: Vec<&str> = text.split('+').collect();
    let (key, modifiers) = parts.split_last().unwrap_or((&"", &[]));
    let is_key = !key.is_empty() && key.len() <= 12 && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let are_modifiers = modifiers.iter().all(|part| matches!(*part, "ctrl" | "alt" | "shift" | "meta"));
    if text.is_empty() || (is_key && are_modifiers && !modifiers.is_empty()) {
        Ok(text.to_owned())
    } else {
        Err(Fault::invalid(format!("\"{text}\" is no combination such as ctrl+alt+shift+p")))
    }
}

/// `user`, or something that looks like the name of a time zone; whether there is such a zone, the client knows.
pub(super) fn zone(text: &str) -> Result<String, Fault> {
    let is_name = |part: &str| {
        part.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    let is_zone = text == "user" || text == "UTC" || (text.contains('/') && text.split('/').all(is_name));
    if is_zone && text.len() <= NAME_BYTES_MAX {
        Ok(text.to_owned())
    } else {
        Err(Fault::invalid(format!("\"{text}\" is neither \"user\" nor a time zone such as Europe/Berlin")))
    }
}

/// Names between spaces.
pub(super) fn names(kind: Kind, text: &str) -> Result<Vec<String>, Fault> {
    let (count, lower) = if let Kind::Names { count, lower } = kind { (count, lower) } else { (usize::MAX, false) };
    let mut names = Vec::new();
    for (offset, word) in words(text) {
        if lower && word.chars().any(char::is_uppercase) {
            let hint = Some(format!("did you mean \"{}\"?", word.to_lowercase()));
            return Err(Fault::invalid(format!("\"{word}\" must be in lower case")).hint(hint).at(offset));
        }
        if word.len() > NAME_BYTES_MAX {
            return Err(Fault::range(format!("a name has at most {NAME_BYTES_MAX} bytes")).at(offset));
        }
        names.push(word.to_owned());
    }
    if names.len() > count {
        return Err(Fault::range(format!("{} names; at most {count} are possible", names.len())));
    }
    Ok(names)
}

/// A glob that is not nearly everything.
pub(super) fn glob(text: &str) -> Result<String, Fault> {
    let literals = text.chars().filter(|character| !matches!(character, '*' | '?')).count();
    if text.len() > VALUES_BYTES_MAX {
        return Err(Fault::range(format!("a glob has at most {VALUES_BYTES_MAX} bytes")));
    }
    if literals < GLOB_LITERALS_MIN {
        let message =
            format!("\"{text}\" means nearly everything: a glob needs {GLOB_LITERALS_MIN} literal characters");
        return Err(Fault::new("glob_too_wide", message));
    }
    Ok(text.to_owned())
}

/// The path of a site.
pub(super) fn path_glob(text: &str) -> Result<String, Fault> {
    if text.starts_with('/') && text.len() <= NAME_BYTES_MAX {
        Ok(text.to_owned())
    } else {
        Err(Fault::invalid(format!(
            "\"{text}\" is no path: it must begin with / and have at most {NAME_BYTES_MAX} bytes"
        )))
    }
}

/// A host in lower case, or `*.` and the end of one with at least one dot in it.
pub(super) fn host(text: &str) -> Result<String, Fault> {
    let name = text.strip_prefix("*.");
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '_'))
    };
    let host = name.unwrap_or(text);
    let is_host =
        host.split('.').all(is_label) && !host.chars().any(char::is_uppercase) && host.len() <= NAME_BYTES_MAX;
    if !is_host {
        return Err(Fault::invalid(format!(
            "\"{text}\" is no host such as orders.example.org or *.example.org, in lower case"
        )));
    }
    if name.is_some_and(|name| !name.contains('.')) {
        return Err(Fault::new("glob_too_wide", format!("\"{text}\" means nearly everything: name more of the host")));
    }
    Ok(text.to_owned())
}

/// The source of a regular expression, as far as its length goes; whether it compiles is asked elsewhere.
pub(super) fn regex(text: &str) -> Result<String, Fault> {
    match text.len() {
        0 => Err(Fault::new("invalid_regex", "the regular expression is empty and would match everything")),
        length if length > REGEX_BYTES_MAX => Err(Fault::new(
            "invalid_regex",
            format!("a regular expression has at most {REGEX_BYTES_MAX} bytes, not {length}"),
        )),
        _ => Ok(text.to_owned()),
    }
}

/// A language tag, as far as its form goes.
pub(super) fn lang(text: &str) -> Result<String, Fault> {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let is_lang = (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if is_lang {
        Ok(text.to_owned())
    } else {
        Err(Fault::invalid(format!("\"{text}\" is no language such as en or de-AT")))
    }
}

/// One of a list of words.
pub(super) fn word<T>(text: &str, from_word: impl Fn(&str) -> Option<T>, known: &[&'static str]) -> Result<T, Fault> {
    from_word(text).ok_or_else(|| {
        let list = known.join(", ");
        Fault::new("unknown_word", format!("\"{text}\" is none of {list}"))
            .hint(did_you_mean(text, known.iter().copied()))
    })
}

/// Some of a list of words.
pub(super) fn word_list<T>(
    text: &str,
    from_word: impl Fn(&str) -> Option<T>,
    known: &[&'static str],
) -> Result<Vec<T>, Fault> {
    words(text).map(|(offset, each)| word(each, &from_word, known).map_err(|fault| fault.at(offset))).collect()
}

/// One column that the attribute accepts.
pub(super) fn column(which: Columns, text: &str) -> Result<ColumnId, Fault> {
    let Some(column) = column::find(text) else {
        return Err(unknown_column(text, which));
    };
    if accepts(which, column.id) { Ok(column.id) } else { Err(not_allowed(which, text)) }
}

/// Columns and groups that the attribute accepts.
pub(super) fn selection(which: Columns, text: &str) -> Result<Selection, Fault> {
    let mut selection = Selection::default();
    for (offset, word) in words(text) {
        let parsed = match word {
            "all" if matches!(which, Columns::Logged | Columns::AllTexts | Columns::Redacted) => ColumnWord::All,
            "none" if which == Columns::Logged => ColumnWord::None,
            "all" | "none" => return Err(not_allowed(which, word).at(offset)),
            _ if word.starts_with('@') => ColumnGroup::from_word(word)
                .map(ColumnWord::Group)
                .ok_or_else(|| unknown_column(word, which).at(offset))?,
            _ => ColumnWord::Column(column(which, word).map_err(|fault| fault.at(offset))?),
        };
        selection.0.push(parsed);
    }
    Ok(selection)
}

/// Whether an attribute accepts the column by its name.
pub(super) fn accepts(which: Columns, column: ColumnId) -> bool {
    use ColumnId::{Custom1, Custom2, Custom3, Custom4, Custom5, PageTitle, Url, UrlHost, WindowTitle};
    match which {
        Columns::Comparable => is_comparable(column),
        Columns::Custom => matches!(column, Custom1 | Custom2 | Custom3 | Custom4 | Custom5),
        Columns::Never => matches!(column, WindowTitle | PageTitle | Url | UrlHost),
        Columns::Logged | Columns::Omitted => may_be_logged(column),
        Columns::Texts | Columns::AllTexts => texts().contains(column),
        Columns::Redacted => redactable().contains(column),
    }
}

/// What stands in messages for the columns that an attribute accepts.
fn wanted(which: Columns) -> &'static str {
    match which {
        Columns::Comparable => "conditions can compare every column but contents, boxes and what is known only later",
        Columns::Custom => "answers go into custom1 to custom5",
        Columns::Never => "the never list looks at window_title, page_title, url and url_host",
        Columns::Logged | Columns::Omitted => "mandatory columns always stay, and a picture belongs to `screenshot`",
        Columns::Texts | Columns::AllTexts | Columns::Redacted => {
            "only texts can be changed, and these must be columns or groups"
        }
    }
}

fn not_allowed(which: Columns, word: &str) -> Fault {
    Fault::new("column_not_allowed", format!("\"{word}\" cannot be used here: {}", wanted(which)))
}

fn unknown_column(word: &str, which: Columns) -> Fault {
    let columns = column::COLUMNS.iter().filter(|column| accepts(which, column.id)).map(|column| column.name);
    let has_groups = !matches!(which, Columns::Comparable | Columns::Custom | Columns::Never);
    let groups = ColumnGroup::WORDS.iter().copied().filter(|_| has_groups);
    Fault::new("unknown_column", format!("unknown column \"{word}\"")).hint(did_you_mean(word, columns.chain(groups)))
}

/// Event types, families and `all`.
pub(super) fn events(text: &str) -> Result<Vec<EventWord>, Fault> {
    words(text)
        .map(|(offset, word)| match word {
            "all" => Ok(EventWord::All),
            _ => Family::ALL
                .into_iter()
                .find(|family| family.name() == word)
                .map(EventWord::Family)
                .or_else(|| EventType::from_name(word).map(EventWord::Type))
                .ok_or_else(|| unknown_event(word).at(offset)),
        })
        .collect()
}

/// The fault of a word that is no event type.
pub(super) fn unknown_event(word: &str) -> Fault {
    let known = EventType::all().map(EventType::name).chain(Family::ALL.map(Family::name));
    Fault::new("unknown_event_type", format!("unknown event type \"{word}\"")).hint(did_you_mean(word, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_written() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2027-02-28T23:59:59Z", 1_803_859_199),
            ("2100-12-31T23:59:59Z", 4_133_980_799),
        ] {
            assert_eq!(moment(text), Ok(seconds), "{text}");
            assert_eq!(write_moment(seconds), text);
        }
        for text in
            ["2027-02-29T00:00:00Z", "2027-13-01T00:00:00Z", "2027-02-28 23:59:59Z", "2027-02-28T24:00:00Z", "ä"]
        {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_read_and_written() {
        for (text, ms) in [
            ("PT0S", 0),
            ("PT0.25S", 250),
            ("PT90S", 90_000),
            ("PT15M", 900_000),
            ("PT36H", 129_600_000),
            ("P7D", 604_800_000),
        ] {
            assert_eq!(milliseconds(text), Some(ms), "{text}");
            assert_eq!(write_duration(Duration::from_millis(ms)), if ms == 90_000 { "PT90S" } else { text });
        }
        assert_eq!(milliseconds("P1DT2H3M4.5S"), Some(93_784_500));
        for text in ["", "P", "PT", "P1", "1M", "P1M", "PT1", "PT-1S", "PT1.2345S", "PT1M1H", "P1DT", "PT9999999999S"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_days_and_clocks_are_read_and_written() {
        let any = Kind::Size { min: 0, max: u64::MAX };
        for text in ["0KiB", "3KiB", "512MiB", "1GiB"] {
            assert_eq!(write_size(size(any, text).unwrap()), text);
        }
        assert!(size(any, "1GB").is_err() && size(any, "MiB").is_err());
        for text in ["mon-fri", "sat sun", "tue", "mon-wed fri", "mon-sun"] {
            assert_eq!(write_days(days(text).unwrap()), text);
        }
        assert!(days("fri-mon").is_err() && days("").is_err());
        for text in ["00:00", "08:00", "23:59", "24:00"] {
            assert_eq!(write_clock(clock(text).unwrap()), text);
        }
        assert!(clock("24:01").is_err() && clock("8:00").is_err() && clock("08.00").is_err() && clock("äöü").is_err());
    }

    #[test]
    fn hosts_and_globs_are_never_nearly_everything() {
        assert!(host("orders.example.org").is_ok() && host("*.example.org").is_ok() && host("localhost").is_ok());
        for text in ["*", "*.org", "*.", "a.*.org", "https://a.org", "A.org", "a.org:80", ""] {
            assert!(host(text).is_err(), "{text}");
        }
        assert_eq!(glob("*?ab*").unwrap_err().code, "glob_too_wide");
        assert!(glob("*/hr/*").is_ok());
    }
}
