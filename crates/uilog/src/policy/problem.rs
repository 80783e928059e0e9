//! What is wrong with a configuration, where, and what to do about it.
//!
//! Reading a configuration never stops at the first mistake: all [`Problem`]s come out together. [`CODES`] lists every
//! kind; a code never changes its meaning, so a program or a translation can rely on it.

use serde::Serialize;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The configuration can be used, but somebody should look.
    Warning,
    /// The configuration cannot be used.
    Error,
}

/// One problem of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Its kind; one of [`CODES`].
    pub code: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
    /// What is wrong, and in which rule, pattern or test.
    pub message: String,
    /// What may be meant, or what to do.
    pub hint: Option<String>,
}

impl Severity {
    /// Each of them, the worst last.
    pub const ALL: [Severity; 2] = [Severity::Warning, Severity::Error];
}

impl Problem {
    /// The problem as one line, as compilers write it: `ap.xml:41:23: rule "SAP": unknown column "windowtitle"; did you
    /// mean "window_title"?`. A warning says so.
    pub fn in_file(&self, file: &str) -> String {
        format!("{file}:{self}")
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mark = if self.severity == Severity::Warning { "warning: " } else { "" };
        write!(formatter, "{}:{}: {mark}{}", self.line, self.column, self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(formatter, "; {hint}"))
    }
}

/// Where something stands in the text of a configuration. Two places are always equal: where a thing stands is no part of
/// what it means.
#[derive(Clone, Copy, Debug, Default)]
pub struct At {
    /// The line, from 1; 0 for what stands in no file.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
}

impl PartialEq for At {
    fn eq(&self, _: &At) -> bool {
        true
    }
}

impl Eq for At {}

impl At {
    /// A problem at this place.
    pub(super) fn problem(
        self,
        severity: Severity,
        code: &'static str,
        message: String,
        hint: Option<String>,
    ) -> Problem {
        Problem { severity, code, line: self.line, column: self.column, message, hint }
    }
}

/// The name of `known` that comes closest to `word`, as a question; none if nothing is near.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let far = word.chars().count() / 3 + 1;
    let nearest = known.into_iter().map(|name| (distance(word, name), name)).min()?;
    (nearest.0 <= far).then(|| format!("did you mean \"{}\"?", nearest.1))
}

/// How many characters must be put in, taken out or changed to make one word of the other (Levenshtein 1966). Words longer
/// than any of ours are far from all.
fn distance(one: &str, other: &str) -> usize {
    const CHARACTERS_MAX: usize = 64;
    if one.len() > CHARACTERS_MAX {
        return CHARACTERS_MAX;
    }
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, character) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (position, theirs) in other.iter().enumerate() {
            let changed = diagonal + usize::from(character != *theirs);
            diagonal = row[position + 1];
            row[position + 1] = changed.min(diagonal + 1).min(row[position] + 1);
        }
    }
    row[other.len()]
}

/// Every kind of problem, with what it means; errors first, then warnings.
pub const CODES: &[(&str, &str)] = &[
    ("too_large", "The file, its nesting or one of its lists is larger than the limits allow."),
    ("not_xml", "The text is no well-formed XML."),
    ("forbidden_markup", "A document type, a processing instruction or a foreign entity stands in the file."),
    ("unknown_element", "An element has a name that is not known at this place."),
    ("misplaced_element", "An element stands too late, or more often than it may."),
    ("missing_element", "An element that must be there is not."),
    ("unexpected_text", "Text stands where only elements may be."),
    ("unknown_attribute", "An attribute has a name that its element does not know."),
    ("missing_attribute", "An attribute that must be there is not."),
    ("invalid_value", "The value of an attribute has not the form it must have."),
    ("out_of_range", "A number, duration, size or length is outside its range."),
    ("unknown_word", "A word is none of those that the attribute knows."),
    ("unknown_column", "A column, or group of columns, does not exist."),
    ("column_not_allowed", "The column exists, but cannot be used here."),
    ("unknown_event_type", "An event type, or family, does not exist."),
    ("invalid_regex", "A regular expression is wrong, or too large."),
    ("glob_too_wide", "A glob has fewer than three literal characters, so it would mean nearly everything."),
    ("conflict", "Two attributes say what cannot be both, or neither of two is there."),
    ("duplicate_name", "Two rules, patterns, tests or attributes have one name."),
    ("unknown_rule", "A test names a rule that is not there."),
    ("consent_text_missing", "The consent dialog lacks a text for what the rules record."),
    ("rule_never_reached", "An earlier rule always decides first, or the gate refuses everything the rule asks for."),
    ("column_never_filled", "No client fills the column, or a setting keeps it empty."),
    ("text_without_element", "A rule keeps typed text without saying of which element."),
    ("picture_shows_more", "A rule takes pictures and leaves out or hashes what the picture shows."),
    ("pictures_switched_off", "A rule takes pictures, but screenshots are switched off."),
    ("pattern_matches_mask", "A pattern matches its own mask."),
    ("nothing_allowed", "No application is allowed, so nothing is captured."),
    ("allowed_without_rule", "An application is allowed, but no rule logs anything of it."),
    ("pattern_skipped", "A pattern was left out, because a variable in it is unknown or too short."),
    ("consent_must_rise", "The configuration captures more than the one before without a higher consent version."),
    ("revision_must_rise", "The revision is not higher than the one before."),
    ("other_project", "The configuration belongs to another project than the one before."),
    ("test_failed", "A test of the configuration does not come out as it says."),
    ("validity", "The configuration has expired, or holds longer than a year ahead."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_one_line_with_file_line_and_column() {
        let at = At { line: 41, column: 23 };
        let hint = did_you_mean("windowtitle", ["url", "window_title"]);
        let problem = at.problem(
            Severity::Error,
            "unknown_column",
            "rule \"SAP\": unknown column \"windowtitle\"".to_owned(),
            hint,
        );
        assert_eq!(
            problem.in_file("ap.xml"),
            "ap.xml:41:23: rule \"SAP\": unknown column \"windowtitle\"; did you mean \"window_title\"?"
        );
        let warning = Problem { severity: Severity::Warning, hint: None, ..problem };
        assert_eq!(warning.to_string(), "41:23: warning: rule \"SAP\": unknown column \"windowtitle\"");
    }

    #[test]
    fn only_near_words_are_offered() {
        assert_eq!(did_you_mean("frobnicate", ["url", "os"]), None);
        assert_eq!(did_you_mean("", []), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn codes_are_unique() {
        for (position, (code, meaning)) in CODES.iter().enumerate() {
            assert_eq!(CODES.iter().position(|(other, _)| other == code), Some(position));
            assert!(meaning.ends_with('.'));
        }
    }
}
