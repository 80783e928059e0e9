//! The head of a job: comment lines at the top of its text.
//!
//! ```sql
//! -- Active seconds per user, application and day.
//! -- reads: int_labeled_events      grain: user, application, day      audience: analyst
//! -- params: active_cap_s = 30
//! ```
//!
//! The first line is the purpose, and its comment sign tells the language: `--` is SQL, `#` is Python. Fields stand one or
//! several to a line, at least two spaces apart. What follows an empty comment line is explanation and kept as the formula.

use std::collections::BTreeMap;
use store::Position;

/// What a job is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// One question whose answer is the table.
    #[default]
    Sql,
    /// A script that asks, computes and writes the table.
    Python,
}

impl Language {
    /// The language of a text, by how its first line begins.
    pub fn of(text: &str) -> Self {
        if text.starts_with('#') { Self::Python } else { Self::Sql }
    }

    /// The sign with which a line of comment begins.
    fn comment_sign(self) -> &'static str {
        match self {
            Self::Sql => "--",
            Self::Python => "#",
        }
    }
}

/// What the head says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// What the text is written in.
    pub language: Language,
    /// One sentence.
    pub description: String,
    /// Tables it reads.
    pub reads: Vec<String>,
    /// What one row is.
    pub grain: String,
    /// Who it is for.
    pub audience: String,
    /// Values of the `$name`s in the text.
    pub params: BTreeMap<String, String>,
    /// Whether rows depend on rows of the same agent only, so that the table can be made in parts.
    pub per_agent: bool,
    /// Whether it is a view: computed whenever it is read, never stored.
    pub view: bool,
    /// Explanation, such as a formula in words.
    pub formula: String,
}

/// What is wrong with a head.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct HeadError {
    /// What, and what to write instead.
    pub message: String,
    /// Where in the text.
    pub position: Position,
}

/// Fields a head may have, for the error message.
const FIELDS: &str = "reads, grain, audience, params, parts, kind";

/// The same for a script, whose parameters are values in it, and which is run as a whole and makes a table.
const FIELDS_OF_SCRIPTS: &str = "reads, grain, audience";

/// Reads the head of a job's text.
///
/// Errors: [`HeadError`] with the line: no purpose, an unknown field, a value that is not allowed.
pub fn parse(text: &str) -> Result<Head, HeadError> {
    let language = Language::of(text);
    let fields = if language == Language::Python { FIELDS_OF_SCRIPTS } else { FIELDS };
    let mut head = Head { language, ..Head::default() };
    let mut explaining = false;
    for (number, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix(language.comment_sign()) else { break };
        let at = |message: String| HeadError { message, position: Position { line: number as u64 + 1, column: 1 } };
        let comment = comment.trim();
        if number == 0 {
            head.description = comment.to_owned();
        } else if comment.is_empty() || explaining {
            explaining = true;
            let gap = if head.formula.is_empty() { "" } else { "\n" };
            head.formula = format!("{}{gap}{comment}", head.formula);
        } else {
            for field in comment.split("   ").map(str::trim).filter(|field| !field.is_empty()) {
                let (name, value) = field
                    .split_once(':')
                    .ok_or_else(|| at(format!("'{field}' is no field; write one of {fields}, then a colon")))?;
                let name = name.trim();
                if !fields.split(", ").any(|known| known == name) {
                    return Err(at(format!("'{name}' is no field of this job's head; there are {fields}")));
                }
                set(&mut head, name, value.trim()).map_err(at)?;
            }
        }
    }
    if head.description.is_empty() {
        return Err(HeadError {
            message: "a job begins with a comment line that says what it is for: -- Active seconds per user and day. (with # \
                      instead of -- it is a Python script)"
                .into(),
            position: Position { line: 1, column: 1 },
        });
    }
    head.formula = head.formula.trim().to_owned();
    Ok(head)
}

fn set(head: &mut Head, name: &str, value: &str) -> Result<(), String> {
    let list = || value.split(',').map(str::trim).filter(|item| !item.is_empty());
    match name {
        "reads" => head.reads = list().map(str::to_owned).collect(),
        "grain" => head.grain = value.to_owned(),
        "audience" => head.audience = value.to_owned(),
        "params" => {
            for pair in list() {
                let (key, value) =
                    pair.split_once('=').ok_or_else(|| format!("'{pair}' is no parameter; write name = value"))?;
                head.params.insert(key.trim().to_owned(), value.trim().to_owned());
            }
        }
        "parts" if value == "agent" => head.per_agent = true,
        "parts" => return Err(format!("parts: {value} is not known; the only parts are: agent")),
        "kind" if value == "view" => head.view = true,
        "kind" if value == "table" => head.view = false,
        "kind" => return Err(format!("kind: {value} is not known; a job is a table or a view")),
        _ => return Err(format!("'{name}' is no field of a job's head")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_what_the_job_reads_and_needs() {
        let head = parse("-- Hours per day.\n-- reads: a, b   grain: day   audience: analyst   parts: agent\n-- params: cap_s = 30, rule = auto\n--\n-- hours = seconds / 3600\nSELECT 1").unwrap();
        assert_eq!(head.description, "Hours per day.");
        assert_eq!(head.reads, ["a", "b"]);
        assert_eq!((head.grain.as_str(), head.per_agent, head.view), ("day", true, false));
        assert_eq!(head.params["cap_s"], "30");
        assert_eq!(head.formula, "hours = seconds / 3600");
    }

    #[test]
    fn a_wrong_field_is_named_with_its_line() {
        let error = parse("-- Hours.\n-- raeds: a\nSELECT 1").unwrap_err();
        assert_eq!(error.position.line, 2);
        assert!(error.message.contains("'raeds' is no field"), "{error}");
    }

    #[test]
    fn a_job_without_a_purpose_is_refused() {
        assert!(parse("SELECT 1").is_err());
        assert!(parse("import lode").is_err());
    }

    #[test]
    fn the_comment_sign_tells_the_language() {
        let head =
            parse("# Hours per day.\n# reads: a   grain: day\n#\n# hours = seconds / 3600\nimport lode").unwrap();
        assert_eq!((head.language, head.description.as_str()), (Language::Python, "Hours per day."));
        assert_eq!(
            (head.reads.as_slice(), head.formula.as_str()),
            (["a".to_owned()].as_slice(), "hours = seconds / 3600")
        );
        assert_eq!(parse("-- Hours.\nSELECT 1").unwrap().language, Language::Sql);
    }

    #[test]
    fn a_script_has_no_fields_that_only_sql_can_hold() {
        let error = parse("# Hours.\n# parts: agent\nimport lode").unwrap_err();
        assert_eq!(error.position.line, 2);
        assert!(error.message.contains("there are reads, grain, audience"), "{error}");
    }
}
