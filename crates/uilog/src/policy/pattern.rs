//! Regular expressions and globs, compiled within bounds, and the variables that they may hold.
//!
//! The `regex` crate searches in linear time whatever the pattern, so the only bounds needed are on memory: one pattern
//! compiles to at most [`REGEX_COMPILED_BYTES_MAX`], all of a configuration to at most [`COMPILED_BYTES_MAX`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

/// The most memory of one compiled pattern, 1 MiB.
pub const REGEX_COMPILED_BYTES_MAX: usize = 1 << 20;

/// The most memory of all compiled patterns of a configuration together, 16 MiB.
pub const COMPILED_BYTES_MAX: usize = 16 << 20;

/// The memory at which compiling is tried first; doubled until it is enough, so that what a pattern takes is known to
/// within a factor of two.
const FIRST_TRY_BYTES: usize = 16 << 10;

/// The memory of the automaton that a pattern builds while it searches; with more it searches slower, not longer.
const SEARCH_BYTES_MAX: usize = 256 << 10;

/// The names of the variables that a pattern can hold in braces.
pub const VARIABLES: [&str; 9] =
    ["username", "displayname", "machine", "domain", "custom1", "custom2", "custom3", "custom4", "custom5"];

/// The fewest characters of a variable's value: shorter ones would be found everywhere.
const VARIABLE_CHARACTERS_MIN: usize = 3;

/// What the variables of patterns stand for on one machine. The service knows none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<&'static str, String>);

impl Variables {
    /// No variable is known.
    pub fn none() -> Self {
        Variables::default()
    }

    /// These variables and one more. A name that is none of [`VARIABLES`] is ignored.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Some(name) = VARIABLES.into_iter().find(|variable| *variable == name) {
            self.0.insert(name, value.to_owned());
        }
        self
    }

    /// The value of a variable, if it is known and long enough to be looked for.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| value.chars().count() >= VARIABLE_CHARACTERS_MIN)
    }

    /// Values that let every pattern be compiled, to see whether it can be.
    pub(super) fn to_check_with() -> Self {
        VARIABLES.into_iter().fold(Variables::none(), |variables, name| variables.with(name, "xxx"))
    }
}

/// A pattern with its variables put in, escaped.
///
/// Errors: the first variable whose value is unknown or too short.
pub(super) fn expand<'a>(pattern: &'a str, variables: &Variables) -> Result<Cow<'a, str>, &'static str> {
    let mut expanded = Cow::Borrowed(pattern);
    for name in VARIABLES {
        let written = format!("{{{name}}}");
        if expanded.contains(&written) {
            let value = variables.get(name).ok_or(name)?;
            expanded = Cow::Owned(expanded.replace(&written, &regex::escape(value)));
        }
    }
    Ok(expanded)
}

/// What is left of the memory for compiled patterns.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new() -> Self {
        Budget(COMPILED_BYTES_MAX)
    }

    /// Compiles a regular expression.
    ///
    /// Errors: in one line, what is wrong with it.
    pub(super) fn regex(&mut self, source: &str) -> Result<Regex, String> {
        let mut bytes = FIRST_TRY_BYTES;
        loop {
            if bytes > self.0 {
                return Err(format!("all patterns together take more than {} MiB", COMPILED_BYTES_MAX >> 20));
            }
            match RegexBuilder::new(source).size_limit(bytes).dfa_size_limit(SEARCH_BYTES_MAX).build() {
                Ok(regex) => {
                    self.0 -= bytes;
                    return Ok(regex);
                }
                Err(regex::Error::CompiledTooBig(_)) if bytes < REGEX_COMPILED_BYTES_MAX => bytes *= 2,
                Err(regex::Error::CompiledTooBig(_)) => {
                    return Err(format!("it takes more than {} MiB", REGEX_COMPILED_BYTES_MAX >> 20));
                }
                Err(error) => return Err(in_one_line(&error.to_string())),
            }
        }
    }

    /// Compiles a glob that the whole value must fit. Within `parts`, `*` stays inside one part of a path.
    ///
    /// Errors: as [`regex`](Self::regex).
    pub(super) fn glob(&mut self, glob: &str, parts: bool, exact_case: bool) -> Result<Regex, String> {
        self.regex(&glob_as_regex(glob, parts, exact_case))
    }
}

/// The last line of the regex crate's message; the lines before it draw the pattern.
fn in_one_line(message: &str) -> String {
    message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn glob_as_regex(glob: &str, parts: bool, exact_case: bool) -> String {
    let (one, some) = if parts { (r"[^/\\]", r"[^/\\]*") } else { (".", ".*") };
    let mut regex = String::from(if exact_case { r"(?s)\A" } else { r"(?is)\A" });
    let mut characters = glob.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.next_if_eq(&'*').is_some() => {
                while characters.next_if_eq(&'*').is_some() {}
                regex.push_str(".*");
            }
            '*' => regex.push_str(some),
            '?' => regex.push_str(one),
            _ => regex.push_str(&regex::escape(character.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push_str(r"\z");
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(glob: &str, parts: bool, text: &str) -> bool {
        Budget::new().glob(glob, parts, false).unwrap().is_match(text)
    }

    #[test]
    fn a_star_in_a_path_stays_within_a_part() {
        assert!(fits("/invoices/**", true, "/invoices/4711/lines"));
        assert!(fits("/invoices/*", true, "/Invoices/4711"));
        assert!(!fits("/invoices/*", true, "/invoices/4711/lines"));
        assert!(!fits("/invoices/**", true, "/hr/invoices/1"));
        assert!(fits("*/hr/*", false, "https://x.example/a/hr/b/c\nd"));
        assert!(fits("a?c", false, "ABC") && !fits("a?c", false, "ac"));
        assert!(fits("a.c+", false, "a.c+") && !fits("a.c", false, "abc"));
    }

    #[test]
    fn variables_are_escaped_and_short_ones_refused() {
        let variables = Variables::none().with("username", "a.b").with("domain", "ab").with("nonsense", "xyz");
        assert_eq!(expand(r"{username}\d{2,3}", &variables).unwrap(), r"a\.b\d{2,3}");
        assert_eq!(expand("{domain}", &variables), Err("domain"));
        assert_eq!(expand("{machine}", &variables), Err("machine"));
    }

    #[test]
    fn patterns_are_bounded_in_memory_one_by_one_and_together() {
        let mut budget = Budget::new();
        assert_eq!(budget.regex(r"\w{900}").unwrap_err(), "it takes more than 1 MiB");
        let enough = (0..1_000).take_while(|_| budget.regex(r"\w{20}").is_ok()).count();
        assert!((10..1_000).contains(&enough), "{enough}");
        assert_eq!(budget.regex(r"\w{20}").unwrap_err(), "all patterns together take more than 16 MiB");
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_told_in_one_line() {
        assert_eq!(Budget::new().regex("a(b").unwrap_err(), "unclosed group");
    }
}
