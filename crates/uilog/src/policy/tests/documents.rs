//! Previews, explanations, templates, stamps, and bounds.

use expect_test::expect_file;

use super::*;
use crate::notation::log;
use preview::{Fate, RuleKind};

fn page(path: &str, columns: &[(&str, &str)]) -> Event {
    let mut event = event_of("page_loaded", columns);
    event.process_name = Some("chrome.exe".into());
    event.url = Some(format!("https://orders.example.org{path}"));
    event
}

const RULES: &str = "<rule name=\"no\"><on events=\"paste\"/><drop/></rule>\
                     <rule name=\"clicks\"><on events=\"pointer\"/><log columns=\"all\" screenshot=\"window\"/></rule>\
                     <rule name=\"pages\"><on events=\"page_loaded\"/><log columns=\"@app @web\"><replace columns=\"page_title\" with=\"page\"/></log></rule>\
                     <rule name=\"never\"><on events=\"print_requested\"/><log columns=\"@app\"/></rule>";

#[test]
fn a_preview_counts_what_would_happen() {
    let policy = policy(&configuration_with(RULES, "<pattern name=\"p\" regex=\"\\d+\"/>"));
    let mut events = log(
        "09:00 excel.exe left_click Save 1 @ann | 09:00:00.500 excel.exe left_click Save | 09:01 excel.exe left_click @bob \
         | 33:00 excel.exe paste | 09:03 word.exe copy | 09:04 excel.exe cut | 09:05 alive",
    );
    events.push(Event {
        time_us: events[0].time_us,
        user_name: Some("ann".into()),
        ..page("/17", &[("page_title", "Jane")])
    });
    let preview = preview(&policy, events);
    assert_eq!((preview.events, preview.users, preview.days), (8, 2, 2));
    let rows: Vec<String> = preview
        .rules
        .iter()
        .map(|row| {
            format!(
                "{:?} {} {} {}/{}/{} {} {}",
                row.kind, row.rule, row.admitted, row.columns, row.hashed, row.replaced, row.dropped, row.screenshots
            )
        })
        .collect();
    expect_test::expect![[r#"
        Gate app 0 0/0/0 1 0
        Rule no 0 0/0/0 1 0
        Rule clicks 3 4/1/0 0 2
        Rule pages 1 4/0/1 0 0
        Rule never 0 0/0/0 0 0
        Otherwise otherwise 0 0/0/0 1 0
        Recording recording 1 1/1/0 0 0"#]]
    .assert_eq(&rows.join("\n"));
    assert_eq!(preview.never_matched, ["never"]);
    let clicks = &preview.rules[2];
    assert!((50_000..50_200).contains(&clicks.bytes_per_day_user), "{}", clicks.bytes_per_day_user);
    let name = preview.columns.iter().find(|column| column.column == "element_name").unwrap();
    assert_eq!((name.sent, name.redacted), (1, 1));
    let title = preview.columns.iter().find(|column| column.column == "page_title").unwrap();
    assert_eq!((title.sent, title.replaced), (0, 1));
    assert_eq!(preview.events_shown.len(), 8);
    assert_eq!(serde_json::to_value(&preview).unwrap()["rules"][0]["kind"], "gate");
    assert_eq!(preview.rules[0].kind, RuleKind::Gate);
}

#[test]
fn an_explanation_tells_every_column() {
    let rules = "<rule name=\"it\"><on/><log columns=\"@app @web @window\" hash=\"window_title\"><replace columns=\"page_title\" with=\"page\"/></log></rule>";
    let policy = policy(&configuration_with(rules, "<pattern name=\"p\" regex=\"\\d+\" columns=\"tab_id\"/>"));
    let event = page("/17", &[("window_title", "a"), ("page_title", "b"), ("tab_id", "t17"), ("text", "c")]);
    let told = explain(&policy, event);
    assert_eq!((told.decision.outcome, told.decision.rule.as_deref()), ("log", Some("it")));
    let fate = |column: &str| {
        told.columns.iter().find(|fate| fate.column == column).map(|fate| (fate.what, fate.after.as_deref()))
    };
    assert_eq!(fate("process_name"), Some((Fate::Sent, Some("chrome.exe"))));
    assert_eq!(fate("window_title"), Some((Fate::Hashed, Some("#hash"))));
    assert_eq!(fate("page_title"), Some((Fate::Replaced, Some("page"))));
    assert_eq!(fate("tab_id"), Some((Fate::Redacted, Some("t****"))));
    assert_eq!(fate("text"), Some((Fate::Dropped, None)));
    assert_eq!(fate("url_template"), Some((Fate::Sent, Some("https://orders.example.org/{id}"))));
    assert_eq!(fate("mouse_x"), None);
    let refused = explain(&policy, event_of("copy", &[("process_name", "word.exe"), ("window_title", "canary")]));
    assert_eq!((refused.decision.outcome, refused.decision.rule.as_deref()), ("refused", Some("app")));
    assert!(refused.columns.is_empty());
}

fn input() -> TemplateInput {
    TemplateInput {
        project: uuid::Uuid::from_u128(0x0b6f_2d0e_5c1f_4c53_9b1e_6f6f_2f3a_7c11),
        applications: vec!["excel.exe".into(), "saplogon.exe".into()],
        sites: vec!["orders.example.org".into()],
        valid_until_s: 1_803_859_199,
        texts: vec![("en".into(), "Until 28 February we record clicks in Excel, SAP and the order pages.".into())],
    }
}

#[test]
fn templates_are_configurations_without_a_warning() {
    for (preset, name) in [(Preset::Standard, "standard"), (Preset::WorksCouncil, "works-council")] {
        let configuration = template(preset, &input()).unwrap();
        let file =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/configuration/{name}.xml"));
        expect_file![file].assert_eq(&write(&configuration));
        assert_eq!(check(&configuration, None), []);
        let policy = policy(&configuration);
        let event = scrubbed(&policy, page("/17", &[("user_name", "ann"), ("text", "canary")])).unwrap();
        assert!(event.hashed.contains_key("user_name") && event.text.is_none());
    }
    let wrong = TemplateInput { sites: vec!["https://orders".into()], ..input() };
    assert_eq!(template(Preset::Standard, &wrong).unwrap_err()[0].code, "invalid_value");
    let empty = TemplateInput { sites: Vec::new(), applications: Vec::new(), ..input() };
    assert!(template(Preset::Standard, &empty).unwrap().allow.apps.is_empty());
}

#[test]
fn d1_a_browser_named_beside_sites_sees_these_sites_only() {
    let mut input = input();
    input.applications.push("msedge.exe".to_owned());
    let configuration = template(Preset::Standard, &input).unwrap();
    let entries = configuration.allow.apps.iter().filter(|app| app.processes.iter().any(|name| name == "msedge.exe"));
    assert!(entries.into_iter().all(|app| !app.sites.is_empty()), "{:?}", configuration.allow.apps);
}

#[test]
fn the_works_council_preset_keeps_titles_idle_times_and_lengths_out() {
    let configuration = template(Preset::WorksCouncil, &input()).unwrap();
    assert_eq!(configuration.upload.hold, std::time::Duration::from_secs(3_600));
    assert!(!configuration.screenshots.enabled);
    let policy = policy(&configuration);
    let columns = [
        ("window_title", "canary"),
        ("page_title", "canary"),
        ("element_name", "canary"),
        ("text", "canary"),
        ("machine_name", "canary"),
        ("text_length", "3"),
    ];
    let event = scrubbed(&policy, page("/17", &columns)).unwrap();
    assert!(!format!("{event:?}").contains("canary") && event.text_length.is_none());
    assert_eq!(
        policy.scrub(event_of("idle_started", &[]), &StandInHash).counter().as_deref(),
        Some("setting:idle times")
    );
}

#[test]
fn a_stamp_changes_project_and_revision_and_nothing_else() {
    let xml = fixture("full.xml");
    let project = uuid::Uuid::from_u128(7);
    let stamped = stamp(&xml, project, 18).unwrap();
    let expected = xml
        .replace("0b6f2d0e-5c1f-4c53-9b1e-6f6f2f3a7c11", &project.to_string())
        .replace("revision=\"17\"", "revision=\"18\"");
    assert_eq!(stamped, expected);
    assert_eq!(stamp("<lodeConfig revision='1'/>", project, 2).unwrap_err()[0].code, "missing_attribute");
}

#[test]
fn s4_a_configuration_beyond_its_bounds_is_refused() {
    let first = |xml: &str| parse(xml).unwrap_err()[0].code;
    let padded = |bytes: usize| {
        let xml = fixture("minimal.xml");
        format!("{xml}<!--{}-->", "x".repeat(bytes - xml.len() - "<!---->".len()))
    };
    assert!(parse(&padded(FILE_BYTES_MAX - 1)).is_ok() && parse(&padded(FILE_BYTES_MAX)).is_ok());
    assert_eq!(first(&padded(FILE_BYTES_MAX + 1)), "too_large");
    let many = |count: usize, element: &dyn Fn(usize) -> String, before: &str, after: &str| {
        let elements: String = (0..count).map(element).collect();
        parse(&format!(
            "<lodeConfig schema=\"1\" project=\"0b6f2d0e-5c1f-4c53-9b1e-6f6f2f3a7c11\" revision=\"1\" validUntil=\"2027-02-28T23:59:59Z\">\
             <consent version=\"1\"><text lang=\"en\">t</text></consent>{before}{elements}{after}</lodeConfig>"
        ))
        .map(drop)
        .map_err(|problems| problems[0].code)
    };
    let rule = |number: usize| format!("<rule name=\"r{number}\"><on/><drop/></rule>");
    let pattern = |number: usize| format!("<pattern name=\"p{number}\" regex=\"ab{number}\"/>");
    let app = |number: usize| format!("<app process=\"a{number}\"/>");
    let site = |number: usize| format!("<site host=\"a{number}.example\"/>");
    let test = |number: usize| format!("<test name=\"t{number}\" expect=\"drop\"><event event_type=\"copy\"/></test>");
    type List<'a> = (usize, &'a dyn Fn(usize) -> String, &'a str, &'a str);
    let lists: [List<'_>; 5] = [
        (RULES_MAX, &rule, "<rules>", "</rules>"),
        (PATTERNS_MAX, &pattern, "<redaction>", "</redaction>"),
        (APPLICATIONS_MAX, &app, "<allow>", "</allow>"),
        (SITES_MAX, &site, "<allow><app process=\"a\">", "</app></allow>"),
        (TESTS_MAX, &test, "<tests>", "</tests>"),
    ];
    for (max, element, before, after) in lists {
        assert_eq!(many(max - 1, element, before, after), Ok(()), "{before}");
        assert_eq!(many(max, element, before, after), Ok(()), "{before}");
        assert_eq!(many(max + 1, element, before, after), Err("too_large"), "{before}");
    }
    let nested = |depth: usize| {
        let (open, close) = ("<not>".repeat(depth - 5), "</not>".repeat(depth - 5));
        many(
            1,
            &|_| format!("<rule name=\"r\"><on/><when>{open}<present column=\"url\"/>{close}</when><drop/></rule>"),
            "<rules>",
            "</rules>",
        )
    };
    assert_eq!((nested(DEPTH_MAX - 1), nested(DEPTH_MAX)), (Ok(()), Ok(())));
    assert_eq!(nested(DEPTH_MAX + 1), Err("too_large"));
    let regex = |bytes: usize| {
        many(1, &|_| format!("<never column=\"url\" regex=\"{}\"/>", "a".repeat(bytes)), "<allow>", "</allow>")
    };
    assert_eq!((regex(4_095), regex(4_096), regex(4_097)), (Ok(()), Ok(()), Err("invalid_regex")));
}

#[test]
fn the_vocabulary_for_the_editor_has_every_element_and_column() {
    let vocabulary: serde_json::Value = serde_json::from_str(&reference::vocabulary_json()).unwrap();
    assert_eq!(vocabulary["elements"].as_array().unwrap().len(), vocabulary::ELEMENTS.len());
    assert_eq!(vocabulary["columns"].as_array().unwrap().len(), crate::column::COLUMNS.len());
    let capture = vocabulary["elements"].as_array().unwrap().iter().find(|element| element["id"] == "capture").unwrap();
    let idle =
        capture["attributes"].as_array().unwrap().iter().find(|attribute| attribute["name"] == "idleAfter").unwrap();
    assert_eq!(
        (idle["type"].as_str(), idle["default"].as_str(), idle["max"].as_str()),
        (Some("duration"), Some("PT3M"), Some("PT30M"))
    );
}

#[test]
fn every_default_of_the_vocabulary_can_be_read() {
    let minimal = configuration(&fixture("minimal.xml"));
    let mut spelled_out = fixture("minimal.xml");
    for id in [
        "tests",
        "upload",
        "storage",
        "redaction",
        "rules",
        "extension",
        "screenshots",
        "capture",
        "allow",
        "pause",
        "schedule",
        "userAttributes",
    ] {
        spelled_out = with_defaults(&spelled_out, id, "</consent>", true);
    }
    spelled_out = with_defaults(&spelled_out, "client", "<consent", false);
    assert_eq!(configuration(&spelled_out), minimal);
}

/// The text with one more element, in which every default is spelled out, behind or before a mark.
fn with_defaults(xml: &str, id: &str, mark: &str, behind: bool) -> String {
    let spell = |id: &str| -> String {
        let defaults = vocabulary::element(id).attributes.iter().filter_map(|attribute| match attribute.need {
            vocabulary::Need::Default(value) => Some(format!(" {}=\"{value}\"", attribute.name)),
            _ => None,
        });
        defaults.collect()
    };
    let inside = if id == "schedule" { format!("<window{}/>", spell("window")) } else { String::new() };
    let element = format!("<{id}{}>{inside}</{id}>", spell(id));
    xml.replacen(mark, &if behind { format!("{mark}{element}") } else { format!("{element}{mark}") }, 1)
}
