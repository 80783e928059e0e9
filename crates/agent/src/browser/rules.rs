//! What a browser is told: whether it is recorded, and what of the configuration concerns its pages. Nothing more.

use super::Program;
use serde_json::{Value, json};
use uilog::EventType;
use uilog::column::ColumnId;
use uilog::policy::model::{Comparator, Condition, Never, NeverPattern, Rule};
use uilog::policy::{ColumnSet, Configuration};

/// Events of pages that can carry a value.
const VALUED: [(EventType, &str); 5] = [
    (EventType::ElementChanged, "change"),
    (EventType::Copy, "copy"),
    (EventType::Cut, "cut"),
    (EventType::Paste, "paste"),
    (EventType::TextSelected, "select"),
];

/// Nothing is recorded, for this reason.
pub(super) fn resting(why: &str) -> Value {
    json!({ "type": "state", "recording": false, "why": why, "policy": null })
}

/// It is recorded, as far as this says.
pub(super) fn recording(configuration: &Configuration, program: &Program) -> Value {
    let extension = &configuration.extension;
    let apps: Vec<_> = configuration.allow.apps.iter().filter(|app| app.processes.contains(&program.name)).collect();
    if !extension.enabled {
        return resting("extension_disabled");
    }
    if apps.is_empty() {
        return resting("browser_not_allowed");
    }
    let sites = if apps.iter().any(|app| app.sites.is_empty()) {
        json!("all")
    } else {
        let sites = apps.iter().flat_map(|app| &app.sites);
        sites.map(|site| json!({ "host": site.host, "path": site.path })).collect()
    };
    json!({
        "type": "state",
        "recording": true,
        "why": null,
        "policy": {
            "revision": configuration.revision,
            "sites": sites,
            "never": configuration.allow.never.iter().map(never).collect::<Vec<_>>(),
            "values": values(&configuration.rules),
            "name_max": configuration.capture.name_max,
            "clipboard": configuration.capture.clipboard,
            "pictures": configuration.screenshots.enabled,
            "value_length": extension.value_length.word(),
            "row_labels": extension.row_labels,
            "test_ids": extension.test_ids,
        },
    })
}

fn never(never: &Never) -> Value {
    let column = never.column.column().name;
    match &never.pattern {
        NeverPattern::Glob(glob) => json!({ "column": column, "glob": glob }),
        NeverPattern::Regex(regex) => json!({ "column": column, "regex": regex }),
    }
}

/// Where a rule asks for values: kinds of events, and hosts and element ids without which the rule cannot match.
fn values(rules: &[Rule]) -> Vec<Value> {
    let wants = |rule: &&Rule| {
        let named = ColumnSet::EMPTY.with(ColumnId::Text).with(ColumnId::ValueFingerprint);
        rule.action.log().is_some_and(|log| !log.columns.named().and(named).is_empty())
    };
    let told = |rule: &Rule| {
        let kinds = VALUED.iter().filter(|(event_type, _)| rule.on.admits(*event_type)).map(|(_, kind)| *kind);
        let only = |column| rule.when.as_ref().and_then(|condition| necessary(condition, column));
        json!({
            "kinds": kinds.collect::<Vec<_>>(),
            "hosts": only(ColumnId::UrlHost),
            "element_ids": only(ColumnId::ElementId),
        })
    };
    rules.iter().filter(wants).map(told).collect()
}

/// The values of which a column must have one for the condition to hold, in lower case; nothing if that cannot be told.
fn necessary(condition: &Condition, column: ColumnId) -> Option<Vec<String>> {
    match condition {
        Condition::All(all) => all.iter().find_map(|each| necessary(each, column)),
        Condition::Compare(comparison)
            if comparison.column == column && comparison.comparator == Comparator::Equals =>
        {
            Some(comparison.values.iter().map(|value| value.to_lowercase()).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(inside_allow: &str, rules: &str, extra: &str) -> Value {
        let xml = crate::configuration::tests::xml(1, "chromium", extra)
            .replace(r#"<app process="chromium"/>"#, inside_allow)
            .replace("<rules>", &format!("<rules>{rules}"));
        let configuration = uilog::policy::parse(&xml).unwrap_or_else(|problems| panic!("{problems:?}"));
        recording(&configuration, &Program { name: "chromium".into(), ..Program::default() })
    }

    #[test]
    fn a_browser_learns_its_own_sites_and_where_values_are_wanted_and_no_rule_else() {
        let allow = r#"<app process="chromium"><site host="a.example"/></app><app process="excel.exe chromium"><site host="*.b.example" path="/x/**"/></app>
            <app process="sap.exe"/><never column="page_title" regex="(?i)payroll"/>"#;
        let rule = r#"<rule name="search"><on events="element_changed copy"/><when><all><equals column="url_host" value="A.example"/>
            <equals column="element_id" values="q|r"/></all></when><log columns="all text"/></rule>"#;
        let told = told(allow, rule, "");
        assert_eq!(
            told["policy"]["sites"],
            json!([{ "host": "a.example", "path": "/**" }, { "host": "*.b.example", "path": "/x/**" }])
        );
        assert_eq!(told["policy"]["never"], json!([{ "column": "page_title", "regex": "(?i)payroll" }]));
        assert_eq!(
            told["policy"]["values"],
            json!([{ "kinds": ["change", "copy"], "hosts": ["a.example"], "element_ids": ["q", "r"] }])
        );
        assert!(!told.to_string().contains("sap.exe"), "{told}");
    }

    #[test]
    fn a_browser_that_is_not_allowed_or_whose_extension_is_off_is_told_nothing() {
        let other = told(r#"<app process="excel.exe"/>"#, "", "");
        assert_eq!((&other["why"], &other["policy"]), (&json!("browser_not_allowed"), &Value::Null));
        let off = told(r#"<app process="chromium"/>"#, "", r#"<extension enabled="false"/>"#);
        assert_eq!((&off["why"], &off["recording"]), (&json!("extension_disabled"), &json!(false)));
    }
}
