//! Turns raw names into names people use: labelling rules, compiled, and the SQL functions that apply them.
//!
//! A rule names a label (application, screen or activity), conditions (column, operator, value) that must all hold, and the
//! name to give; the first rule that fits wins. Rules that Lode ships stand in `jobs/labels/default.toml`; a project can put
//! its own in front. What no rule names falls back to the raw name, in the SQL of `int_labeled_events`.

use arrow::array::{Array, ArrayRef, AsArray, StringDictionaryBuilder};
use arrow::datatypes::Int32Type;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use store::operator::RowFunction;

/// The rules that Lode ships.
pub const DEFAULT_RULES: &str = include_str!("../../../jobs/labels/default.toml");

/// Rules in one set.
pub const RULES_MAX: usize = 2_000;

/// What a rule gives a name to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// The application.
    Application,
    /// The screen inside it.
    Screen,
    /// What was done.
    Activity,
}

impl Label {
    /// The columns that a rule for this label may look at, in the order of the SQL function's arguments.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Application => &["process_name", "application", "url_host"],
            Self::Screen => &["application_label", "window_title", "url_host", "url_template", "page_title"],
            Self::Activity => &[
                "application_label",
                "screen_label",
                "event_type",
                "element_role",
                "element_name",
                "element_id",
                "key_command",
            ],
        }
    }

    fn function(self) -> (&'static str, &'static str) {
        match self {
            Self::Application => ("application_rule", "application_rule(process_name, application, url_host)"),
            Self::Screen => {
                ("screen_rule", "screen_rule(application_label, window_title, url_host, url_template, page_title)")
            }
            Self::Activity => (
                "activity_rule",
                "activity_rule(application_label, screen_label, event_type, element_role, element_name, element_id, key_command)",
            ),
        }
    }
}

/// How a value is compared; always without regard to case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The whole value.
    Equals,
    /// Its beginning.
    StartsWith,
    /// Its end.
    EndsWith,
    /// Anywhere in it.
    Contains,
}

/// One condition of a rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    column: String,
    #[serde(rename = "is")]
    comparison: Comparison,
    value: String,
}

/// One rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    label: Label,
    name: String,
    when: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default)]
    rule: Vec<Rule>,
}

/// What is wrong with a set of rules.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Not TOML, or not of the form of rules; the message names line and column.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// A rule that can never apply.
    #[error("rule {number} ('{name}'): a rule for {label:?} cannot look at '{column}'; it may look at {allowed}")]
    Column {
        /// Place in the file, from 1.
        number: usize,
        /// The name it gives.
        name: String,
        /// What it names.
        label: Label,
        /// The column it asks for.
        column: String,
        /// What it may ask for.
        allowed: String,
    },
    /// More rules than [`RULES_MAX`].
    #[error("{0} rules are more than {RULES_MAX}")]
    TooMany(usize),
}

/// Reads rules.
///
/// Errors: [`RuleError`] names the rule and the column.
pub fn parse(text: &str) -> Result<Vec<Rule>, RuleError> {
    let mut rules = toml::from_str::<RuleFile>(text)?.rule;
    if rules.len() > RULES_MAX {
        return Err(RuleError::TooMany(rules.len()));
    }
    for (position, rule) in rules.iter_mut().enumerate() {
        for condition in &mut rule.when {
            condition.value = condition.value.to_lowercase();
            if !rule.label.columns().contains(&condition.column.as_str()) {
                return Err(RuleError::Column {
                    number: position + 1,
                    name: rule.name.clone(),
                    label: rule.label,
                    column: condition.column.clone(),
                    allowed: rule.label.columns().join(", "),
                });
            }
        }
    }
    Ok(rules)
}

/// The SQL functions that apply a project's own rules and then the default ones.
///
/// Errors: [`RuleError`] names the rule and the column.
pub fn functions_of(own: &str) -> Result<Vec<RowFunction>, RuleError> {
    let mut rules = parse(own)?;
    rules.extend(parse(DEFAULT_RULES)?);
    Ok(functions(&rules))
}

/// The SQL functions that apply `rules`, the project's own first.
pub fn functions(rules: &[Rule]) -> Vec<RowFunction> {
    [Label::Application, Label::Screen, Label::Activity]
        .into_iter()
        .map(|label| {
            let rules: Arc<[Rule]> = rules.iter().filter(|rule| rule.label == label).cloned().collect();
            let (name, signature) = label.function();
            RowFunction {
                name,
                signature,
                description: "The name that the first fitting labelling rule gives, or null.",
                arguments: label.columns().len(),
                compute: Arc::new(move |columns| apply(&rules, label, columns)),
            }
        })
        .collect()
}

/// Applies rules row by row; rows that look alike are judged once per batch.
fn apply(rules: &[Rule], label: Label, columns: &[ArrayRef]) -> Result<ArrayRef, String> {
    let rows = columns.iter().map(|column| column.len()).max().unwrap_or(0);
    let dictionaries: Vec<_> = columns.iter().map(|column| column.as_dictionary::<Int32Type>()).collect();
    let mut names = StringDictionaryBuilder::<Int32Type>::new();
    let mut judged: HashMap<Vec<Option<i32>>, Option<&str>> = HashMap::new();
    let mut look = Vec::with_capacity(columns.len());
    for row in 0..rows {
        look.clear();
        look.extend(dictionaries.iter().map(|column| column.is_valid(row).then(|| column.keys().value(row))));
        let name = match judged.get(&look) {
            Some(name) => *name,
            None => {
                let value = |column: &str| {
                    let position = label.columns().iter().position(|name| *name == column)?;
                    let key = look[position]?;
                    Some(dictionaries[position].values().as_string::<i32>().value(key as usize).to_lowercase())
                };
                let name = rules.iter().find(|rule| {
                    rule.when.iter().all(|condition| condition.holds(value(&condition.column).as_deref()))
                });
                let name = name.map(|rule| rule.name.as_str());
                judged.insert(look.clone(), name);
                name
            }
        };
        names.append_option(name);
    }
    Ok(Arc::new(names.finish()))
}

impl Condition {
    fn holds(&self, value: Option<&str>) -> bool {
        let Some(value) = value else { return false };
        match self.comparison {
            Comparison::Equals => value == self.value,
            Comparison::StartsWith => value.starts_with(&self.value),
            Comparison::EndsWith => value.ends_with(&self.value),
            Comparison::Contains => value.contains(&self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::DictionaryArray;

    fn text(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(values.iter().copied().collect::<DictionaryArray<Int32Type>>())
    }

    fn names(rules: &str, processes: &[Option<&str>], hosts: &[Option<&str>]) -> Vec<String> {
        let rules = parse(rules).unwrap();
        let functions = functions(&rules);
        let nothing = text(&vec![None; processes.len()]);
        let found = (functions[0].compute)(&[text(processes), nothing, text(hosts)]).unwrap();
        let found = found.as_dictionary::<Int32Type>().downcast_dict::<arrow::array::StringArray>().unwrap();
        found.into_iter().map(|name| name.unwrap_or("-").to_owned()).collect()
    }

    #[test]
    fn the_first_rule_that_fits_wins() {
        let rules = "
            [[rule]]
            label = 'application'
            name = 'Tickets'
            when = [{ column = 'process_name', is = 'equals', value = 'Chrome.exe' }, { column = 'url_host', is = 'ends_with', value = 'tickets.example' }]
            [[rule]]
            label = 'application'
            name = 'Browser'
            when = [{ column = 'process_name', is = 'starts_with', value = 'chrome' }]";
        let processes = [Some("chrome.exe"), Some("chrome.exe"), Some("excel.exe"), None];
        assert_eq!(
            names(rules, &processes, &[Some("eu.tickets.example"), None, None, None]),
            ["Tickets", "Browser", "-", "-"]
        );
    }

    #[test]
    fn a_rule_about_a_column_it_cannot_see_is_refused() {
        let error = parse("[[rule]]\nlabel = 'application'\nname = 'X'\nwhen = [{ column = 'window_title', is = 'contains', value = 'x' }]").unwrap_err();
        assert!(error.to_string().contains("cannot look at 'window_title'"), "{error}");
    }

    #[test]
    fn the_rules_that_ship_are_good() {
        assert!(parse(DEFAULT_RULES).unwrap().len() > 30);
    }
}
