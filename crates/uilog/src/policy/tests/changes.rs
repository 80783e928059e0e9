//! What changes between two configurations, and whether consent must be asked for again.

use super::*;

const OLD: &str = "<allow><app process=\"excel.exe\"/><app process=\"chrome.exe\"><site host=\"a.example.org\"/></app></allow>\
                   <rules><rule name=\"one\"><on events=\"copy\"/><log columns=\"@app @window\" hash=\"window_title\"/></rule></rules>";

fn changes(new: &str) -> String {
    let changes = diff(&configuration_of(OLD), &configuration_of(new));
    changes
        .iter()
        .map(|change| format!("{}{} [{}]\n", if change.widens { "+ " } else { "- " }, change.text, change.code))
        .collect()
}

fn check_changes(from: &str, to: &str, expected: expect_test::Expect) {
    assert!(OLD.contains(from), "{from}");
    expected.assert_eq(&changes(&OLD.replace(from, to)));
}

#[test]
fn nothing_changes_where_nothing_is_changed() {
    assert_eq!(changes(OLD), "");
    assert_eq!(changes(&OLD.replace("copy", "copy copy")), "");
}

#[test]
fn applications_and_pages() {
    check_changes(
        "excel.exe",
        "excel.exe word.exe",
        expect_test::expect![[r#"
        + application added: word.exe [application_added]
    "#]],
    );
    check_changes(
        "<app process=\"excel.exe\"/>",
        "",
        expect_test::expect![[r#"
            - application removed: excel.exe [application_removed]
        "#]],
    );
    check_changes(
        "<site host=\"a.example.org\"/>",
        "<site host=\"b.example.org\"/>",
        expect_test::expect![[r#"
            + chrome.exe: page added: b.example.org/** [site_added]
            - chrome.exe: page removed: a.example.org/** [site_removed]
        "#]],
    );
    check_changes(
        "<site host=\"a.example.org\"/>",
        "",
        expect_test::expect![[r#"
        + chrome.exe: every window instead of some pages [sites_unlimited]
    "#]],
    );
    check_changes(
        "</allow>",
        "<never column=\"url\" glob=\"*/hr/*\"/></allow>",
        expect_test::expect![[r#"
            - never list: entry added: url like */hr/* [never_added]
        "#]],
    );
}

#[test]
fn rules_and_columns() {
    check_changes(
        "@app @window",
        "@app @window text",
        expect_test::expect![[r#"
        + rule "one" now logs: text [columns_added]
    "#]],
    );
    check_changes(
        " hash=\"window_title\"",
        "",
        expect_test::expect![[r#"
        + rule "one" no longer hashes or replaces: window_title [columns_in_clear]
    "#]],
    );
    check_changes(
        "<on events=\"copy\"/>",
        "<on events=\"copy paste\"/>",
        expect_test::expect![[r#"
        + rule "one" looks at other events [rule_events]
    "#]],
    );
    check_changes(
        "hash=\"window_title\"",
        "hash=\"window_title\" screenshot=\"window\"",
        expect_test::expect![[r#"
        + rule "one" takes pictures: window instead of none [rule_pictures]
    "#]],
    );
    check_changes(
        "<rules>",
        "<rules><rule name=\"zero\"><on/><drop/></rule>",
        expect_test::expect![[r#"
            - rule added: "zero", which drops [rule_added]
        "#]],
    );
    check_changes(
        "</rules>",
        "<otherwise><log columns=\"none\"/></otherwise></rules>",
        expect_test::expect![[r#"
        + otherwise now logs [rule_logs]
    "#]],
    );
    check_changes(
        "<log columns=\"@app @window\" hash=\"window_title\"/>",
        "<drop/>",
        expect_test::expect![[r#"
            - rule "one" now drops [rule_drops]
        "#]],
    );
}

#[test]
fn redaction() {
    let of = |patterns: &str| configuration_of(&format!("{OLD}<redaction>{patterns}</redaction>"));
    let told = |old: &str, new: &str| -> Vec<String> {
        let changes = diff(&of(old), &of(new));
        changes.iter().map(|change| format!("{} {}", if change.widens { "+" } else { "-" }, change.text)).collect()
    };
    let (one, two) = ("<pattern name=\"one\" regex=\"abc\"/>", "<pattern name=\"two\" regex=\"def\"/>");
    assert_eq!(told(one, &format!("{one}{two}")), ["- redaction added: \"two\""]);
    assert_eq!(told(one, &format!("{two}{one}")), ["+ redaction added: \"two\""]);
    assert_eq!(told(one, ""), ["+ redaction removed: \"one\""]);
    assert_eq!(told(one, &one.replace("abc", "ab")), ["+ redaction changed: \"one\""]);
    assert_eq!(told(&format!("{one}{two}"), &format!("{two}{one}")), ["+ patterns stand in another order"]);
    let builtin = |patterns: &str| format!("<builtin patterns=\"{patterns}\" columns=\"window_title\"/>");
    assert_eq!(told(&builtin("email card"), &builtin("email")), ["+ redaction removed: card in window_title"]);
    assert_eq!(told(&builtin("email"), &builtin("email card")), ["- redaction added: card in window_title"]);
}

#[test]
fn times_and_settings() {
    let with = |sections: &str| changes(&format!("{sections}{OLD}"));
    assert_eq!(
        with("<schedule><window to=\"17:00\"/></schedule>"),
        "- recording runs at fewer times [schedule_changed]\n"
    );
    assert_eq!(
        with("<schedule><window days=\"mon-sat\"/></schedule>"),
        "+ recording runs at more times [schedule_changed]\n"
    );
    assert_eq!(
        with("<schedule zone=\"UTC\"><window/></schedule>"),
        "+ recording runs in another time zone [schedule_changed]\n"
    );
    let after = |section: &str| changes(&OLD.replace("<rules>", &format!("{section}<rules>")));
    assert_eq!(after("<capture clipboard=\"false\"/>"), "- clipboard is now off [setting_changed]\n");
    assert_eq!(after("<screenshots enabled=\"true\"/>"), "+ screenshots is now on [setting_changed]\n");
    assert_eq!(after("<capture idleAfter=\"PT0S\"/>"), "- idle after: PT0S instead of PT3M [setting_changed]\n");
    assert_eq!(after("<capture idleAfter=\"PT1M\"/>"), "+ idle after: PT1M instead of PT3M [setting_changed]\n");
}

#[test]
fn d7_more_than_before_needs_a_higher_consent_version() {
    let old = configuration_of(OLD);
    let mut new = configuration_of(&OLD.replace("excel.exe", "excel.exe word.exe"));
    let codes = |new: &Configuration| -> Vec<&str> {
        check(new, Some(&old))
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .map(|problem| problem.code)
            .collect()
    };
    assert_eq!(codes(&new), ["revision_must_rise", "consent_must_rise"]);
    new.revision = 2;
    assert_eq!(codes(&new), ["consent_must_rise"]);
    new.consent.version = 2;
    assert_eq!(codes(&new), [""; 0]);
    new.project = uuid::Uuid::from_u128(1);
    assert_eq!(codes(&new), ["other_project"]);
}

#[test]
fn d7_a_study_ends_by_itself() {
    let configuration = configuration_of(OLD);
    let end = configuration.valid_until_s;
    assert_eq!(check_validity(&configuration, end - 1), None);
    assert_eq!(check_validity(&configuration, end - 366 * 86_400), None);
    assert!(check_validity(&configuration, end).unwrap().message.contains("expired"));
    assert!(check_validity(&configuration, end - 366 * 86_400 - 1).unwrap().message.contains("366 days"));
}
