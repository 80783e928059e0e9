//! Times as tools write them.
//!
//! ISO 8601 in its usual forms, SmartRPA's colon before the milliseconds, and numbers since 1970. Not guessed at: dates
//! with the day or month first, names of months, local zones.

/// An instant, and the zone in which it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instant {
    /// Microseconds since 1970-01-01T00:00:00 UTC.
    pub(super) time_us: i64,
    /// Minutes ahead of UTC, if an offset was written out; `Z` says nothing about where the user was.
    pub(super) tz_offset_min: Option<i16>,
}

/// Reads `YYYY-MM-DD`, `T` or a space, `HH:MM[:SS[.fraction]]`, then nothing, `Z` or an offset; or a number.
///
/// A time without a zone is taken as UTC. A number is seconds, milliseconds or microseconds since 1970, by its size.
/// Fractions finer than a microsecond are cut off.
pub(super) fn parse(text: &str) -> Option<Instant> {
    match text.as_bytes() {
        bytes if bytes.len() >= 16 && bytes[4] == b'-' => parse_iso(bytes),
        _ => parse_number(text),
    }
}

fn parse_iso(text: &[u8]) -> Option<Instant> {
    let year = digits(text.get(..4)?)?;
    let (month, day) = (digits(text.get(5..7)?)?, digits(text.get(8..10)?)?);
    let (hour, minute) = (digits(text.get(11..13)?)?, digits(text.get(14..16)?)?);
    let is_separated = text[7] == b'-' && matches!(text[10], b'T' | b't' | b' ') && text[13] == b':';
    if !is_separated || hour > 23 || minute > 59 {
        return None;
    }
    let mut rest = &text[16..];
    let (mut second, mut fraction_us) = (0, 0);
    if let [b':', digits_and_rest @ ..] = rest {
        second = digits(digits_and_rest.get(..2)?)?;
        rest = &digits_and_rest[2..];
        if let [b'.' | b',' | b':', fraction @ ..] = rest {
            let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !matches!(length, 1..=9) {
                return None;
            }
            let used = length.min(6);
            fraction_us = digits(&fraction[..used])? * 10_i64.pow(6 - used as u32);
            rest = &fraction[length..];
        }
    }
    // 60 is a leap second; it becomes the first moment of the next minute.
    if second > 60 {
        return None;
    }
    let tz_offset_min = parse_zone(rest)?;
    let days = days_since_1970(year, month, day)?;
    let minutes = (days * 24 + hour) * 60 + minute - i64::from(tz_offset_min.unwrap_or(0));
    Some(Instant { time_us: (minutes * 60 + second) * 1_000_000 + fraction_us, tz_offset_min })
}

/// The offset in minutes: `Some(None)` for none and for `Z`, `None` if it is no zone.
fn parse_zone(text: &[u8]) -> Option<Option<i16>> {
    let (sign, hours, minutes) = match text {
        [] | [b'Z' | b'z'] => return Some(None),
        [sign, hours @ ..] if hours.len() == 2 => (sign, digits(hours)?, 0),
        [sign, a, b, minutes @ ..] if minutes.len() == 2 => (sign, digits(&[*a, *b])?, digits(minutes)?),
        [sign, a, b, b':', minutes @ ..] if minutes.len() == 2 => (sign, digits(&[*a, *b])?, digits(minutes)?),
        _ => return None,
    };
    let offset = i16::try_from(hours * 60 + minutes).ok().filter(|_| hours < 24 && minutes < 60)?;
    match sign {
        b'+' => Some(Some(offset)),
        b'-' => Some(Some(-offset)),
        _ => None,
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// Days from 1970-01-01 in the Gregorian calendar; `None` if there is no such day.
///
/// Source: the arithmetic of years that begin in March is Howard Hinnant's, *chrono-Compatible Low-Level Date
/// Algorithms*, `days_from_civil`.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of_month = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days_of_month).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

/// A number of seconds below 10^11, of milliseconds below 10^14, of microseconds above.
fn parse_number(text: &str) -> Option<Instant> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    let number = text.parse::<f64>().ok().filter(|number| is_number && number.is_finite())?;
    let units_us = match number.abs() {
        size if size < 1e11 => 1e6,
        size if size < 1e14 => 1e3,
        size if size < 1e17 => 1.0,
        _ => return None,
    };
    Some(Instant { time_us: (number * units_us).round() as i64, tz_offset_min: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(i64, Option<i16>)>) {
        let read = parse(text).map(|instant| (instant.time_us, instant.tz_offset_min));
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn iso_times_in_their_usual_forms() {
        let time_us = 1_582_590_976_639_000;
        check("2020-02-25T00:36:16.639Z", Some((time_us, None)));
        check("2020-02-25 00:36:16.639", Some((time_us, None)));
        check("2020-02-25 00:36:16:639", Some((time_us, None)));
        check("2020-02-25T00:36:16.639123999Z", Some((time_us + 123, None)));
        check("2020-02-25T01:36:16.639+01:00", Some((time_us, Some(60))));
        check("2020-02-24T19:06:16,639-0530", Some((time_us, Some(-330))));
        check("2020-02-25T00:36Z", Some((1_582_590_960_000_000, None)));
    }

    #[test]
    fn days_agree_with_another_calendar() {
        for (year, month, day) in [(1970, 1, 1), (2000, 2, 29), (1900, 3, 1), (2026, 12, 31), (1, 1, 1)] {
            let expected = chrono::NaiveDate::from_ymd_opt(year, month, day).unwrap();
            let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
            let days = days_since_1970(year.into(), month.into(), day.into());
            assert_eq!(days, Some((expected - epoch).num_days()));
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "25/02/2020 00:36",
            "2020-02-30T00:00:00Z",
            "2020-13-01T00:00:00Z",
            "2020-02-25T24:00:00Z",
            "2020-02-25T00:36:16.Z",
            "2020-02-25T00:36:16.639CET",
            "2020-02-25T00:36:16+1:00",
            "1e3",
            "inf",
            "NaN",
            "2019-02-29T00:00:00Z",
            "99999999999999999999",
            "2020-02-25Tß0:36:16",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn numbers_are_taken_by_their_size() {
        check("2.036368", Some((2_036_368, None)));
        check("1582590976", Some((1_582_590_976_000_000, None)));
        check("1582590976639", Some((1_582_590_976_639_000, None)));
        check("1582590976639000", Some((1_582_590_976_639_000, None)));
    }
}
