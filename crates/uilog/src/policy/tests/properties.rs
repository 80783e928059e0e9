//! Laws that hold for every configuration and every event, looked for with made-up ones. A failure names its seed.

use super::*;
use crate::column::{COLUMNS, ColumnId};
use crate::event::{EventType, Value};
use crate::random::Random;
use columns::{ColumnWord, Selection, must_be_named, texts};
use model::*;

/// How many configurations, and how many events for each.
const CONFIGURATIONS: u64 = 200;
const EVENTS: usize = 30;

fn pick<'a, T>(random: &mut Random, from: &'a [T]) -> &'a T {
    &from[random.below(from.len() as u64) as usize]
}

fn chance(random: &mut Random, in_hundred: u64) -> bool {
    random.below(100) < in_hundred
}

fn list<T>(random: &mut Random, max: u64, make: impl Fn(&mut Random) -> T) -> Vec<T> {
    (0..random.below(max + 1)).map(|_| make(random)).collect()
}

const PROGRAMS: [&str; 4] = ["excel.exe", "chrome.exe", "word.exe", "crm.exe"];
const HOSTS: [&str; 4] = ["orders.example.org", "*.example.org", "*.erp.example.org", "news.example.com"];
const PATHS: [&str; 4] = ["/**", "/invoices/**", "/invoices/*", "/hr/**"];
const TEXTS: [&str; 8] = [
    "Invoice 4711 of Jane",
    "payroll",
    "jane@example.org and 4111 1111 1111 1111",
    "abc",
    "INV-1 INV-2 x",
    "",
    "(removed)",
    "**** a* b",
];
const URLS: [&str; 5] = [
    "https://orders.example.org/invoices/1?q=jane",
    "https://a.erp.example.org/invoices/2/3",
    "https://orders.example.org/hr/x",
    "https://news.example.com/",
    "about:blank",
];
const PATTERNS: [&str; 10] =
    [r"\d+", "jane", r"INV-\d", ".", r"\*", r"a\*|b", "^.|c", r"\w+", r"(?i)[a-z]+ ?", r"{username}"];

fn any_selection(random: &mut Random, words: bool) -> Selection {
    let columns: Vec<ColumnId> = COLUMNS
        .iter()
        .map(|column| column.id)
        .filter(|id| if words { columns::may_be_logged(*id) } else { texts().contains(*id) })
        .collect();
    let group =
        |random: &mut Random| words::ColumnGroup::from_word(pick::<&str>(random, words::ColumnGroup::WORDS)).unwrap();
    Selection(list(random, 4, |random| match random.below(10) {
        0 if words => ColumnWord::All,
        0..5 => ColumnWord::Group(group(random)),
        _ => ColumnWord::Column(*pick(random, &columns)),
    }))
}

fn without_all(mut selection: Selection) -> Selection {
    selection.0.retain(|word| *word != ColumnWord::All);
    selection
}

fn any_action(random: &mut Random) -> Action {
    if chance(random, 25) {
        return Action::Drop;
    }
    let replace = |random: &mut Random| Replace {
        columns: any_selection(random, false),
        with: (*pick(random, &["(removed)", "x 1", "****", "jane@example.org"])).to_owned(),
    };
    Action::Log(Log {
        columns: any_selection(random, true),
        omit: without_all(any_selection(random, true)),
        hash: any_selection(random, false),
        screenshot: *pick(random, &[Scope::None, Scope::Window, Scope::Desktop]),
        replace: list(random, 2, replace),
        at: At::default(),
    })
}

fn any_condition(random: &mut Random, depth: u64) -> Condition {
    let below =
        |random: &mut Random| (0..=random.below(2)).map(|_| any_condition(random, depth + 1)).collect::<Vec<_>>();
    let columns = [ColumnId::WindowTitle, ColumnId::ProcessName, ColumnId::UrlHost, ColumnId::ElementName];
    match random.below(if depth > 2 { 3 } else { 6 }) {
        0 => Condition::Present(*pick(random, &columns), At::default()),
        1 | 2 => Condition::Compare(Comparison {
            column: *pick(random, &columns),
            comparator: pick(random, &Comparator::ALL[..3]).0,
            values: vec![(*pick(random, &["a", "Invoice", "excel.exe", "orders.example.org"])).to_owned()],
            exact_case: chance(random, 30),
            at: At::default(),
        }),
        3 => Condition::All(below(random)),
        4 => Condition::Any(below(random)),
        _ => Condition::Not(Box::new(any_condition(random, depth + 1))),
    }
}

fn any_on(random: &mut Random) -> On {
    let types: Vec<EventType> = EventType::all().collect();
    let word = |random: &mut Random| match random.below(4) {
        0 => EventWord::All,
        1 => EventWord::Family(pick(random, &types).family()),
        _ => EventWord::Type(*pick(random, &types)),
    };
    let events = if chance(random, 50) { vec![EventWord::All] } else { list(random, 3, word) };
    On { events, except: list(random, 1, |random| EventWord::Type(*pick(random, &types))) }
}

fn any_app(random: &mut Random) -> App {
    let site = |random: &mut Random| Site {
        host: (*pick(random, &HOSTS)).to_owned(),
        path: (*pick(random, &PATHS)).to_owned(),
        at: At::default(),
    };
    App {
        processes: (0..=random.below(2)).map(|_| (*pick(random, &PROGRAMS)).to_owned()).collect(),
        sites: list(random, 2, site),
        ..App::default()
    }
}

fn any_never(random: &mut Random) -> Never {
    let column = *pick(random, &[ColumnId::WindowTitle, ColumnId::Url, ColumnId::PageTitle]);
    let pattern = match chance(random, 50) {
        true => NeverPattern::Glob("*/hr/*".to_owned()),
        false => NeverPattern::Regex("(?i)payroll".to_owned()),
    };
    Never { column, pattern, at: At::default() }
}

fn any_redaction(random: &mut Random) -> Redaction {
    let words = BuiltinPattern::WORDS;
    let builtin = |random: &mut Random| Builtin {
        patterns: list(random, 3, |random| BuiltinPattern::from_word(pick::<&str>(random, words)).unwrap()),
        columns: chance(random, 30).then(|| any_selection(random, false)),
    };
    let builtins = list(random, 1, builtin);
    let patterns = (0..random.below(4))
        .map(|number| Pattern {
            name: format!("p{number}"),
            mode: if chance(random, 30) { Mode::KeepMatch } else { Mode::Mask },
            columns: chance(random, 50).then(|| any_selection(random, false)),
            regex: (*pick(random, &PATTERNS)).to_owned(),
            description: String::new(),
            at: At::default(),
        })
        .collect();
    Redaction { builtins, patterns }
}

fn any_configuration(random: &mut Random) -> Configuration {
    let mut configuration = configuration_of("<screenshots enabled=\"true\"/>");
    configuration.allow.apps = (0..=random.below(3)).map(|_| any_app(random)).collect();
    configuration.allow.never = list(random, 1, any_never);
    configuration.rules = (0..random.below(4))
        .map(|number| Rule {
            name: format!("r{number}"),
            description: String::new(),
            on: any_on(random),
            when: chance(random, 60).then(|| any_condition(random, 0)),
            action: any_action(random),
            at: At { line: 1, column: 1 },
        })
        .collect();
    configuration.otherwise = any_action(random);
    configuration.redaction = any_redaction(random);
    configuration
}

fn any_floor(random: &mut Random) -> Floor {
    Floor {
        schedule: None,
        allow: chance(random, 70).then(|| Allow { apps: list(random, 3, any_app), never: list(random, 1, any_never) }),
        never: list(random, 1, any_never),
        hash: any_selection(random, false),
        forbid: any_selection(random, true),
        forbid_screenshots: chance(random, 50),
        redaction: any_redaction(random),
        min_hold: std::time::Duration::from_secs(random.below(7_200)),
    }
}

fn any_captured(random: &mut Random) -> Captured {
    let types: Vec<EventType> = EventType::all().collect();
    let mut event = Event { event_type: *pick(random, &types), seq: 1, ..Event::default() };
    for column in COLUMNS.iter().filter(|column| column.id.is_hashable()) {
        if chance(random, 40) {
            *event.text_mut(column.id).unwrap() = Some((*pick(random, &TEXTS)).to_owned());
        }
    }
    for column in [ColumnId::MouseX, ColumnId::TextLength, ColumnId::Dpi, ColumnId::Snippet] {
        cell::set(&mut event, column, "7");
    }
    event.process_name = chance(random, 95).then(|| (*pick(random, &PROGRAMS)).to_owned());
    event.url = chance(random, 60).then(|| (*pick(random, &URLS)).to_owned());
    (event.url_host, event.url_template) = (None, None);
    event.element_role = Some((*pick(random, &["button", "cell", "password", "textbox"])).to_owned());
    event.key_command = chance(random, 30).then(|| (*pick(random, &["ctrl+s", "a", "ctrl+alt+@"])).to_owned());
    event.screenshot_id = chance(random, 50).then(|| uuid::Uuid::from_u128(1));
    event.value_fingerprint = chance(random, 50).then_some(crate::event::Fingerprint([1; 16]));
    event.attributes =
        list(random, 2, |random| ((*pick(random, &["reason", "k"])).to_owned(), (*pick(random, &TEXTS)).to_owned()))
            .into_iter()
            .collect();
    let unknown = if chance(random, 20) { ColumnSet::EMPTY.with(ColumnId::WindowTitle) } else { ColumnSet::EMPTY };
    if !unknown.is_empty() {
        event.window_title = None;
    }
    Captured { event, unknown }
}

/// How much of a column is there: nothing, a text of the rule, a hash, the value.
fn level(policy: &Policy, event: &Event, column: ColumnId) -> u8 {
    match event.value(column as usize) {
        Value::Null if cell::is_hashed(event, column) => 2,
        Value::Null => 0,
        _ if policy.work_of(event.rule.as_deref()).replaced.contains(column) => 1,
        _ => 3,
    }
}

/// Panics where the first policy makes more of an event than the second; what the first made of it.
fn assert_not_wider(narrow: &Policy, wide: &Policy, captured: &Captured, what: &str) -> Outcome {
    let outcome = narrow.scrub(captured.clone(), &StandInHash);
    if let Outcome::Logged(less, less_scope) = &outcome {
        let Outcome::Logged(more, more_scope) = wide.scrub(captured.clone(), &StandInHash) else {
            panic!("{what}: recorded by one only")
        };
        assert!(*less_scope <= more_scope, "{what}: picture");
        for column in COLUMNS {
            let (less, more) = (level(narrow, less, column.id), level(wide, &more, column.id));
            assert!(less <= more, "{what}: {} is {less} and was {more}", column.name);
        }
    }
    outcome
}

#[test]
fn scrubbing_twice_equals_once() {
    for seed in 0..CONFIGURATIONS {
        let mut random = Random::new(seed);
        let policy = policy(&any_configuration(&mut random));
        for _ in 0..EVENTS {
            let captured = any_captured(&mut random);
            if let Ok(once) = scrubbed(&policy, captured.clone()) {
                let again = policy.scrub_again(once.clone());
                assert_eq!(again, Ok(once), "seed {seed}: {captured:?}");
            }
        }
    }
}

#[test]
fn d12_under_a_floor_nothing_is_ever_wider() {
    for seed in 0..CONFIGURATIONS {
        let mut random = Random::new(seed);
        let configuration = any_configuration(&mut random);
        let floor = any_floor(&mut random);
        let narrowed = narrow(&configuration, &floor);
        let (wide, under) = (policy(&configuration), policy(&narrowed));
        let bound = policy(&everything_within(&floor, &configuration));
        assert!(narrowed.upload.hold >= floor.min_hold && narrowed.upload.hold >= configuration.upload.hold);
        for _ in 0..EVENTS {
            let captured = any_captured(&mut random);
            let outcome = assert_not_wider(&under, &wide, &captured, &format!("seed {seed}"));
            let Outcome::Logged(event, scope) = &outcome else { continue };
            if scrub::is_about_recording(event.event_type) {
                continue;
            }
            let allowed = bound.scrub(captured.clone(), &StandInHash);
            assert!(matches!(allowed, Outcome::Logged(..)), "seed {seed}: beyond the floor's lists: {allowed:?}");
            for column in floor.forbid.forbidden().iter() {
                assert_eq!(level(&under, event, column), 0, "seed {seed}: {} is forbidden", column.column().name);
            }
            assert!(!floor.forbid_screenshots || *scope == Scope::None, "seed {seed}: picture");
            for column in floor.hash.texts().iter() {
                assert!(level(&under, event, column) < 3, "seed {seed}: {} must be hashed", column.column().name);
            }
        }
    }
}

#[test]
fn d12_the_floors_patterns_have_the_last_word() {
    let floor = parse_floor(&fixture("floor/works-council.xml")).unwrap();
    let full = configuration(&fixture("full.xml"));
    let click = event_of(
        "double_click",
        &[
            ("process_name", "saplogon.exe"),
            ("element_name", "Order 4500017"),
            ("window_title", "Orders"),
            ("user_name", "ann"),
        ],
    );
    let left = |configuration: &Configuration| scrubbed(&policy(configuration), click.clone()).unwrap();
    assert_eq!(left(&full).element_name.as_deref(), Some("Order 4500017"));
    let under = left(&narrow(&full, &floor));
    assert_eq!(under.element_name.as_deref(), Some("Order ****"));
    assert!(under.window_title.is_none() && under.hashed.contains_key("window_title"));
    let silent = Floor { redaction: Redaction::default(), ..floor };
    assert_eq!(left(&narrow(&full, &silent)).element_name.as_deref(), Some("Order 4500017"));
}

#[test]
fn d12_a_floor_with_one_builtin_pattern_keeps_those_that_always_apply() {
    let builtin = Builtin { patterns: vec![BuiltinPattern::UsSsn], columns: None };
    let floor = Floor { redaction: Redaction { builtins: vec![builtin], patterns: Vec::new() }, ..Floor::default() };
    let configuration = configuration_with("<rule name=\"it\"><on/><log columns=\"all\"/></rule>", "");
    let event = excel("copy", &[("window_title", "a@b.example 123-45-6789")]);
    assert_eq!(
        scrubbed(&policy(&narrow(&configuration, &floor)), event).unwrap().window_title.as_deref(),
        Some("**** ****")
    );
}

/// A configuration that logs whatever the lists of the floor let through.
fn everything_within(floor: &Floor, configuration: &Configuration) -> Configuration {
    let mut everything = configuration_of("<rules><otherwise><log columns=\"all\"/></otherwise></rules>");
    let apps = floor.allow.as_ref().map_or(&configuration.allow.apps, |allow| &allow.apps);
    let never = floor.allow.iter().flat_map(|allow| &allow.never).chain(&floor.never);
    everything.allow = Allow { apps: apps.clone(), never: never.cloned().collect() };
    everything
}

#[test]
fn d12_schedules_of_both_hold() {
    let floor = parse_floor(&fixture("floor/works-council.xml")).unwrap();
    let narrowed = narrow(&configuration(&fixture("full.xml")), &floor);
    assert_eq!(narrowed.schedules.len(), 2);
    assert_eq!(configuration(&write(&narrowed)), narrowed);
    let open = |day, minute| narrowed.schedules.iter().all(|schedule| schedule.contains(day, minute));
    assert!(open(3, 9 * 60) && !open(4, 9 * 60) && !open(3, 8 * 60 + 59) && !open(3, 16 * 60));
}

#[test]
fn without_a_change_that_widens_nothing_is_wider() {
    let mut silent = 0;
    for seed in 0..3 * CONFIGURATIONS {
        let mut random = Random::new(seed);
        let old = any_configuration(&mut random);
        let other = any_configuration(&mut random);
        let mut new = old.clone();
        match random.below(6) {
            0 => new.allow = other.allow,
            1 => new.rules.truncate(random.below(4) as usize),
            2 => new.otherwise = other.otherwise,
            3 => new.redaction = other.redaction,
            4 => new.rules.iter_mut().zip(other.rules).for_each(|(rule, other)| rule.action = other.action),
            _ => new.rules.iter_mut().zip(other.rules).for_each(|(rule, other)| rule.on = other.on),
        }
        let changes = diff(&old, &new);
        assert!(old != new || changes.is_empty(), "seed {seed}: {changes:?}");
        if changes.iter().any(|change| change.widens) {
            continue;
        }
        silent += u64::from(!changes.is_empty());
        let (before, after) = (policy(&old), policy(&new));
        for _ in 0..EVENTS {
            let captured = any_captured(&mut random);
            assert_not_wider(&after, &before, &captured, &format!("seed {seed}: {changes:?}"));
            if changes.is_empty() {
                assert_not_wider(&before, &after, &captured, &format!("seed {seed}: a change that is not told"));
            }
        }
    }
    assert!(silent > 30, "only {silent} pairs had changes and none that widens");
}

#[test]
fn what_is_written_is_read_again_as_the_same() {
    for seed in 0..CONFIGURATIONS {
        let mut random = Random::new(seed);
        let configuration = any_configuration(&mut random);
        let xml = write(&configuration);
        match parse(&xml) {
            Ok(again) => assert_eq!(again, configuration, "seed {seed}"),
            // What is made up at random can contradict itself, and then the parser says so; nothing else may be wrong.
            Err(problems) => {
                let known = ["conflict", "missing_element"];
                assert!(
                    problems.iter().all(|problem| known.contains(&problem.code)),
                    "seed {seed}: {}",
                    told(&problems)
                );
            }
        }
    }
}

#[test]
fn d2_no_configuration_at_all_keeps_what_it_does_not_name() {
    for seed in 0..CONFIGURATIONS {
        let mut random = Random::new(seed);
        let configuration = any_configuration(&mut random);
        let policy = policy(&configuration);
        for _ in 0..EVENTS {
            let Ok(event) = scrubbed(&policy, any_captured(&mut random)) else { continue };
            let action = configuration
                .rule(event.rule.as_deref().unwrap_or_default())
                .map_or(&configuration.otherwise, |rule| &rule.action);
            let Some(log) = action.log() else { continue };
            let replaced = |column| log.replace.iter().any(|replace| replace.columns.names(column));
            for column in COLUMNS.iter().map(|column| column.id).filter(|&column| must_be_named(column)) {
                let is_named = log.columns.names(column) || log.hash.names(column) || replaced(column);
                assert!(is_named || level(&policy, &event, column) == 0, "seed {seed}: {}", column.column().name);
            }
        }
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    let sources = [fixture("full.xml"), fixture("floor/works-council.xml")];
    for seed in 0..1_500 {
        let mut random = Random::new(seed);
        let mut broken: Vec<char> = pick(&mut random, &sources).chars().collect();
        for _ in 0..=random.below(4) {
            let place = random.below(broken.len() as u64 - 1) as usize;
            match random.below(3) {
                0 => broken[place] = *pick(&mut random, &['<', '>', '&', '"', '\0', 'ß', '/', '|', '{', '*']),
                1 => _ = broken.remove(place),
                _ => broken.truncate(place + 2),
            }
        }
        let text: String = broken.into_iter().collect();
        if let Ok(configuration) = parse(&text) {
            check(&configuration, None);
            assert_eq!(parse(&write(&configuration)).as_ref(), Ok(&configuration), "seed {seed}");
        }
        let _ = (parse_floor(&text), stamp(&text, uuid::Uuid::nil(), 2));
    }
}
