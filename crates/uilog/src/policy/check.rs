//! What only a look at the whole configuration shows: contradictions, which are errors, and what is probably not meant,
//! which are warnings.
//!
//! The parser asks for errors, so a parsed configuration has none of them. [`check`](check()) adds the warnings, the tests
//! of the file, and what must hold against the revision before.

use std::collections::BTreeSet;

use super::columns::ColumnSet;
use super::diff::diff;
use super::gate::Gate;
use super::model::*;
use super::pattern::{Budget, Variables};
use super::problem::{At, Problem, Severity};
use super::redact::{MASK, Redactor};
use super::rule_tests::run_with;
use super::rules::Types;
use super::scrub::{OTHERWISE, Policy, Work};
use crate::column::ColumnId;
use crate::event::EventType;

/// The longest time that a configuration may hold, in days.
pub const VALID_DAYS_MAX: i64 = 366;

/// Everything that should be looked at before a configuration is published: warnings, tests that fail, and, against the
/// revision before, whether revision, project and consent are as they must be. Empty: it can be published without a thought.
pub fn check(configuration: &Configuration, against: Option<&Configuration>) -> Vec<Problem> {
    let mut problems = Vec::new();
    nothing_allowed(configuration, &mut problems);
    for (position, rule) in configuration.rules.iter().enumerate() {
        let mut found = Vec::new();
        never_reached(configuration, position, &mut found);
        never_filled(configuration, rule, &mut found);
        text_without_element(rule, &mut found);
        pictures(configuration, rule, &mut found);
        for problem in &mut found {
            problem.message = format!("rule \"{}\": {}", rule.name, problem.message);
        }
        problems.extend(found);
    }
    allowed_without_rule(configuration, &mut problems);
    match Policy::compile(configuration, &Variables::none()) {
        Ok(policy) => {
            patterns_that_match_masks(&policy, &mut problems);
            failed_tests(&policy, configuration, &mut problems);
        }
        Err(errors) => problems.extend(errors),
    }
    if let Some(old) = against {
        compared(old, configuration, &mut problems);
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems
}

/// Whether a configuration may be published or obeyed at that time, in seconds since 1970-01-01T00:00:00 UTC: it has not
/// expired, and does not hold longer than [`VALID_DAYS_MAX`].
pub fn check_validity(configuration: &Configuration, now_s: i64) -> Option<Problem> {
    let left_s = configuration.valid_until_s - now_s;
    let message = match left_s {
        ..=0 => "the configuration has expired: nothing would be captured".to_owned(),
        _ if left_s > VALID_DAYS_MAX * 86_400 => {
            format!("the configuration holds longer than {VALID_DAYS_MAX} days ahead")
        }
        _ => return None,
    };
    Some(At { line: 1, column: 1 }.problem(Severity::Error, "validity", message, Some("change validUntil".to_owned())))
}

/// Contradictions in a configuration.
pub(super) fn errors(configuration: &Configuration) -> Vec<Problem> {
    let mut problems = Vec::new();
    duplicates(configuration, &mut problems);
    configuration.schedules.iter().for_each(|schedule| windows(schedule, &mut problems));
    consent_texts(configuration, &mut problems);
    for rule in &configuration.rules {
        contradictions(&format!("rule \"{}\": ", rule.name), &rule.action, &mut problems);
    }
    contradictions("otherwise: ", &configuration.otherwise, &mut problems);
    tests_name_rules(configuration, &mut problems);
    problems.extend(Policy::compile(configuration, &Variables::to_check_with()).err().unwrap_or_default());
    problems
}

/// Contradictions in a floor.
pub(super) fn floor_errors(floor: &Floor) -> Vec<Problem> {
    let (mut problems, mut budget) = (Vec::new(), Budget::new());
    floor.schedule.iter().for_each(|schedule| windows(schedule, &mut problems));
    let never = Allow { never: floor.never.clone(), ..Allow::default() };
    for allow in floor.allow.iter().chain([&never]) {
        Gate::compile(allow, &mut budget, &mut problems);
    }
    Redactor::compile(&floor.redaction, &Variables::to_check_with(), &mut budget, &mut problems);
    problems
}

fn error(at: At, code: &'static str, message: String) -> Problem {
    at.problem(Severity::Error, code, message, None)
}

fn warning(at: At, code: &'static str, message: &str, hint: &str) -> Problem {
    at.problem(Severity::Warning, code, message.to_owned(), Some(hint.to_owned()))
}

fn duplicates(configuration: &Configuration, problems: &mut Vec<Problem>) {
    let rules = configuration.rules.iter().map(|rule| ("rule", rule.name.as_str(), rule.at));
    let patterns =
        configuration.redaction.patterns.iter().map(|pattern| ("pattern", pattern.name.as_str(), pattern.at));
    let tests = configuration.tests.iter().map(|test| ("test", test.name.as_str(), test.at));
    let attributes =
        configuration.user_attributes.iter().map(|each| ("user attribute in", each.column.column().name, each.at));
    let texts: Vec<(String, At)> = configuration
        .consent
        .texts
        .iter()
        .map(|text| (format!("<{}> in {}", text.kind.word(), text.lang), text.at))
        .collect();
    let texts = texts.iter().map(|(name, at)| ("consent text", name.as_str(), *at));
    let mut seen = BTreeSet::new();
    for (kind, name, at) in rules.chain(patterns).chain(tests).chain(attributes).chain(texts) {
        if !seen.insert((kind, name)) {
            problems.push(error(at, "duplicate_name", format!("a second {kind} \"{name}\"")));
        }
    }
    if let Some(rule) = configuration.rule(OTHERWISE) {
        problems.push(error(rule.at, "duplicate_name", format!("the name \"{OTHERWISE}\" is taken by <otherwise>")));
    }
}

fn windows(schedule: &Schedule, problems: &mut Vec<Problem>) {
    for window in schedule.windows.iter().filter(|window| window.to_min <= window.from_min) {
        problems.push(error(window.at, "conflict", "\"to\" is not after \"from\"".to_owned()));
    }
}

fn consent_texts(configuration: &Configuration, problems: &mut Vec<Problem>) {
    let actions = || {
        configuration
            .rules
            .iter()
            .map(|rule| (Types::of(&rule.on), &rule.action))
            .chain([(Types::all(), &configuration.otherwise)])
    };
    let typed = [EventType::TextEntered, EventType::ElementChanged, EventType::FormSubmitted];
    let keeps_typed =
        actions().filter_map(|(types, action)| Some((types, Work::of(action.log()?, true)))).any(|(types, work)| {
            let fingerprints =
                work.kept.contains(ColumnId::ValueFingerprint) && typed.iter().any(|each| types.contain(*each));
            work.kept.contains(ColumnId::Text) || fingerprints
        });
    let pictures = actions().filter_map(|(_, action)| action.log()).any(|log| log.screenshot != Scope::None);
    let wanted = [
        (true, ConsentKind::Text, "a consent says what is recorded"),
        (pictures && configuration.screenshots.enabled, ConsentKind::Pictures, "a rule takes pictures"),
        (keeps_typed, ConsentKind::Typed, "a rule keeps typed text or its fingerprint"),
    ];
    for (is_wanted, kind, why) in wanted {
        if is_wanted && !configuration.consent.has(kind) {
            let message = format!("<consent> lacks <{}>: {why}", kind.word());
            problems.push(error(configuration.consent.at, "consent_text_missing", message));
        }
    }
}

fn contradictions(whose: &str, action: &Action, problems: &mut Vec<Problem>) {
    let Some(log) = action.log() else { return };
    let replaced = log.replace.iter().fold(ColumnSet::EMPTY, |set, replace| set.or(replace.columns.named()));
    let (omitted, hashed) = (log.omit.named(), log.hash.named());
    let mut tell = |columns: ColumnSet, what: &str| {
        for column in columns.iter() {
            let message = format!("{whose}column \"{}\" is {what}", column.column().name);
            problems.push(error(log.at, "conflict", message));
        }
    };
    tell(omitted.and(hashed), "omitted and hashed");
    tell(omitted.and(replaced), "omitted and replaced");
    tell(hashed.and(replaced), "hashed and replaced");
}

fn tests_name_rules(configuration: &Configuration, problems: &mut Vec<Problem>) {
    for test in &configuration.tests {
        if let Some(name) = &test.rule
            && name != OTHERWISE
            && configuration.rule(name).is_none()
        {
            let known = configuration.rules.iter().map(|rule| rule.name.as_str());
            let message = format!("test \"{}\": there is no rule \"{name}\"", test.name);
            let hint = super::problem::did_you_mean(name, known);
            problems.push(test.at.problem(Severity::Error, "unknown_rule", message, hint));
        }
    }
}

fn nothing_allowed(configuration: &Configuration, problems: &mut Vec<Problem>) {
    if configuration.allow.apps.is_empty() {
        let at = At { line: 1, column: 1 };
        problems.push(warning(
            at,
            "nothing_allowed",
            "no application is allowed, so nothing is captured",
            "name one in <allow>",
        ));
    }
}

/// Whether an earlier rule always decides first, or the gate refuses every program that the rule asks for.
fn never_reached(configuration: &Configuration, position: usize, problems: &mut Vec<Problem>) {
    let rule = &configuration.rules[position];
    let types = Types::of(&rule.on);
    let earlier = &configuration.rules[..position];
    let taken = earlier
        .iter()
        .filter(|earlier| earlier.when.is_none())
        .fold(Types::none(), |taken, earlier| taken.or(Types::of(&earlier.on)));
    let twin = earlier.iter().find(|earlier| earlier.when == rule.when && types.is_within(Types::of(&earlier.on)));
    let why = if types.is_within(Types::none()) {
        "it looks at no event".to_owned()
    } else if types.is_within(taken) {
        "earlier rules without a condition decide about all of its events".to_owned()
    } else if let Some(twin) = twin {
        format!("rule \"{}\" asks the same before it", twin.name)
    } else if is_refused(configuration, rule) {
        "none of its programs is allowed".to_owned()
    } else {
        return;
    };
    let message = format!("it never decides: {why}");
    problems.push(warning(rule.at, "rule_never_reached", &message, "move it up, or remove it"));
}

fn is_refused(configuration: &Configuration, rule: &Rule) -> bool {
    let apps = &configuration.allow.apps;
    let wanted = rule.when.as_ref().and_then(required_programs);
    // An application that is allowed by its id can have any program.
    let is_open = apps.is_empty() || apps.iter().any(|app| !app.app_ids.is_empty());
    wanted.is_some_and(|wanted| {
        !is_open && !wanted.iter().any(|name| apps.iter().any(|app| app.processes.contains(name)))
    })
}

/// The programs of which an event must be one for the condition to hold; nothing if it may be of others too.
fn required_programs(condition: &Condition) -> Option<BTreeSet<String>> {
    match condition {
        Condition::All(conditions) => conditions.iter().find_map(required_programs),
        Condition::Any(conditions) => {
            let each: Option<Vec<BTreeSet<String>>> = conditions.iter().map(required_programs).collect();
            Some(each?.into_iter().flatten().collect())
        }
        Condition::Compare(comparison)
            if comparison.column == ColumnId::ProcessName && comparison.comparator == Comparator::Equals =>
        {
            Some(comparison.values.iter().map(|value| value.to_lowercase()).collect())
        }
        _ => None,
    }
}

/// Columns that are named, in conditions or by themselves, and that no client fills.
fn never_filled(configuration: &Configuration, rule: &Rule, problems: &mut Vec<Problem>) {
    let mut named = Vec::new();
    rule.when.iter().for_each(|condition| compared_columns(condition, &mut named));
    if let Some(log) = rule.action.log() {
        let columns = log.columns.named().or(log.hash.named());
        named.extend(columns.iter().map(|column| (column, log.at)));
    }
    for (column, at) in named {
        if let Some(why) = why_empty(configuration, column) {
            let message = format!("column \"{}\" is always empty: {why}", column.column().name);
            problems.push(warning(at, "column_never_filled", &message, "take it out, or change what keeps it empty"));
        }
    }
}

fn why_empty(configuration: &Configuration, column: ColumnId) -> Option<&'static str> {
    use super::columns::members;
    use super::words::ColumnGroup;
    let (capture, extension) = (&configuration.capture, &configuration.extension);
    let is_custom = matches!(
        column,
        ColumnId::Custom1 | ColumnId::Custom2 | ColumnId::Custom3 | ColumnId::Custom4 | ColumnId::Custom5
    );
    let is_page = matches!(column, ColumnId::Url | ColumnId::UrlHost | ColumnId::UrlTemplate);
    let is_browser = matches!(column, ColumnId::PageTitle | ColumnId::TabId | ColumnId::FrameId | ColumnId::DocumentId);
    if column == ColumnId::CaseId {
        Some("only imported logs have cases")
    } else if is_custom && !configuration.user_attributes.iter().any(|attribute| attribute.column == column) {
        Some("no <attribute> asks for it")
    } else if is_page && !extension.enabled && !capture.native_url {
        Some("both the browser extension and nativeUrl are off")
    } else if is_browser && !extension.enabled {
        Some("the browser extension is off")
    } else if members(ColumnGroup::Element).contains(column) && !capture.elements && !extension.enabled {
        Some("neither accessibility nor the browser extension tells of elements")
    } else {
        None
    }
}

fn compared_columns(condition: &Condition, columns: &mut Vec<(ColumnId, At)>) {
    match condition {
        Condition::All(conditions) | Condition::Any(conditions) => {
            conditions.iter().for_each(|condition| compared_columns(condition, columns));
        }
        Condition::Not(condition) => compared_columns(condition, columns),
        Condition::Compare(comparison) => columns.push((comparison.column, comparison.at)),
        Condition::Present(column, at) => columns.push((*column, *at)),
    }
}

fn text_without_element(rule: &Rule, problems: &mut Vec<Problem>) {
    let Some(log) = rule.action.log() else { return };
    let keeps_text = Work::of(log, true).kept.contains(ColumnId::Text);
    if keeps_text && !rule.when.as_ref().is_some_and(asks_for_element) {
        let message = "it keeps typed text, of whichever element";
        problems.push(warning(
            log.at,
            "text_without_element",
            message,
            "ask for an element_id or element_path in <when>",
        ));
    }
}

/// Whether the condition can hold only for some elements.
fn asks_for_element(condition: &Condition) -> bool {
    use ColumnId::{ColumnLabel, ElementClass, ElementId, ElementName, ElementPath, RowLabel};
    match condition {
        Condition::All(conditions) => conditions.iter().any(asks_for_element),
        Condition::Any(conditions) => conditions.iter().all(asks_for_element),
        Condition::Not(_) | Condition::Present(..) => false,
        Condition::Compare(comparison) => {
            matches!(comparison.column, ElementId | ElementPath | ElementName | ElementClass | RowLabel | ColumnLabel)
        }
    }
}

fn pictures(configuration: &Configuration, rule: &Rule, problems: &mut Vec<Problem>) {
    use ColumnId::{ColumnLabel, ElementName, PageTitle, RowLabel, Text, Url, UrlHost, UrlTemplate, WindowTitle};
    let Some(log) = rule.action.log().filter(|log| log.screenshot != Scope::None) else { return };
    if !configuration.screenshots.enabled {
        let hint = "set enabled in <screenshots>, or take screenshot out of the rule";
        problems.push(warning(
            log.at,
            "pictures_switched_off",
            "it takes pictures, but screenshots are switched off",
            hint,
        ));
    }
    let shown: ColumnSet =
        [WindowTitle, PageTitle, Url, UrlHost, UrlTemplate, ElementName, RowLabel, ColumnLabel, Text]
            .into_iter()
            .collect();
    let work = Work::of(log, true);
    let hidden = log.omit.logged().or(work.hashed).or(work.replaced).and(shown);
    if !hidden.is_empty() {
        let names: Vec<&str> = hidden.iter().map(|column| column.column().name).collect();
        let message = format!("it hides {}, which its pictures show", names.join(", "));
        problems.push(warning(log.at, "picture_shows_more", &message, "take no pictures here, or mask what they show"));
    }
}

/// Programs that are allowed and of which no rule logs anything.
fn allowed_without_rule(configuration: &Configuration, problems: &mut Vec<Problem>) {
    if configuration.otherwise.log().is_some() {
        return;
    }
    let logging = || configuration.rules.iter().filter(|rule| rule.action.log().is_some());
    let is_logged = |program: &String| {
        logging().any(|rule| {
            let required = rule.when.as_ref().and_then(required_programs);
            required.is_none_or(|required| required.contains(program))
        })
    };
    for app in &configuration.allow.apps {
        let silent: Vec<&str> =
            app.processes.iter().filter(|program| !is_logged(program)).map(String::as_str).collect();
        if !silent.is_empty() {
            let message = format!("{} may be seen, but no rule logs anything of it", silent.join(", "));
            problems.push(warning(app.at, "allowed_without_rule", &message, "add a rule, or take it out of <allow>"));
        }
    }
}

fn patterns_that_match_masks(policy: &Policy, problems: &mut Vec<Problem>) {
    for (name, at) in policy.redactor().matching_masks() {
        let message = format!("pattern \"{name}\": it matches its own mask {MASK}");
        problems.push(warning(*at, "pattern_matches_mask", &message, "make it ask for a letter or digit"));
    }
}

fn failed_tests(policy: &Policy, configuration: &Configuration, problems: &mut Vec<Problem>) {
    for (test, result) in configuration.tests.iter().zip(run_with(policy, configuration)) {
        if !result.passed {
            let message = format!("test \"{}\": {}", test.name, result.messages.join("; "));
            problems.push(error(test.at, "test_failed", message));
        }
    }
}

fn compared(old: &Configuration, new: &Configuration, problems: &mut Vec<Problem>) {
    let at = At { line: 1, column: 1 };
    if new.revision <= old.revision {
        let message = format!("revision {} is not higher than {}", new.revision, old.revision);
        problems.push(error(at, "revision_must_rise", message));
    }
    if new.project != old.project {
        problems.push(error(at, "other_project", format!("project {} instead of {}", new.project, old.project)));
    }
    let wider: Vec<String> =
        diff(old, new).into_iter().filter(|change| change.widens).map(|change| change.text).collect();
    if new.consent.version <= old.consent.version && !wider.is_empty() {
        let message = format!(
            "more is captured than before, so the consent version must be above {}: {}",
            old.consent.version,
            wider.join("; ")
        );
        problems.push(error(new.consent.at, "consent_must_rise", message));
    }
}
