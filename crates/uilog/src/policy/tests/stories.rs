//! The rules by which a configuration decides, one story each.

use super::*;
use crate::column::ColumnId;

fn counter(policy: &Policy, captured: impl Into<Captured>) -> String {
    scrubbed(policy, captured).map_or_else(|counter| counter, |event| format!("log:{}", event.rule.unwrap_or_default()))
}

fn unknown(event: Event, column: ColumnId) -> Captured {
    Captured { event, unknown: ColumnSet::EMPTY.with(column) }
}

#[test]
fn d1_what_is_not_allowed_does_not_exist() {
    let rules = "<rule name=\"all\"><on/><log columns=\"all\"/></rule>";
    let policy = super::policy(&configuration_with(rules, ""));
    assert_eq!(counter(&policy, event_of("copy", &[("process_name", "word.exe")])), "gate.app");
    assert_eq!(counter(&policy, event_of("copy", &[("window_title", "canary")])), "gate.identity");
    assert_eq!(counter(&policy, event_of("copy", &[("process_name", "chrome.exe")])), "gate.site");
    let page = |url: &str| counter(&policy, event_of("copy", &[("process_name", "chrome.exe"), ("url", url)]));
    assert_eq!(page("https://orders.example.org/a?b"), "log:all");
    assert_eq!(page("https://ORDERS.example.org:8443"), "log:all");
    assert_eq!(page("https://a.erp.example.org/invoices/1/2"), "log:all");
    for foreign in [
        "https://erp.example.org/invoices/1",
        "https://a.erp.example.org/hr/1",
        "https://orders.example.org.evil.example/",
        "https://orders.example.org@evil.example/",
        "https://evil.example\\@orders.example.org/",
        "https://evil.example/https://orders.example.org/",
        "file://orders.example.org/",
        "orders.example.org",
        "",
    ] {
        assert_eq!(page(foreign), "gate.site", "{foreign}");
    }
}

#[test]
fn d1_an_empty_or_absent_list_captures_nothing_whatever_the_rules_say() {
    for allow in ["", "<allow/>"] {
        let rules = "<rules><rule name=\"all\"><on/><log columns=\"all\"/></rule></rules>";
        let policy = super::policy(&configuration_of(&format!("{allow}{rules}")));
        assert_eq!(counter(&policy, excel("copy", &[])), "gate.app");
    }
}

#[test]
fn d1_what_must_be_known_and_is_not_is_refused() {
    let rules = "<rule name=\"all\"><on/><log columns=\"all\"/></rule>";
    let mut configuration = configuration_with(rules, "");
    configuration.allow = super::configuration_of(
        "<allow><app process=\"excel.exe\" path=\"C:\\Program Files\\**\"/><app appId=\"org.calc\"/>\
         <app process=\"chrome.exe\"><site host=\"a.example\"/></app><never column=\"window_title\" regex=\"(?i)payroll\"/></allow>",
    )
    .allow;
    let policy = super::policy(&configuration);
    use Reading::{Absent, Known, Unknown};
    let excel = Seen {
        process_name: Known("excel.exe"),
        path: Known("C:\\Program Files\\Office\\excel.exe"),
        ..Seen::default()
    };
    let refused = |seen: &Seen<'_>| match policy.gate(seen) {
        GateDecision::Admitted => "admitted",
        GateDecision::Refused(refusal) => refusal.name(),
    };
    assert_eq!(refused(&excel), "admitted");
    assert_eq!(refused(&Seen { path: Unknown, ..excel }), "app");
    assert_eq!(refused(&Seen { path: Known("C:\\Temp\\excel.exe"), ..excel }), "app");
    assert_eq!(refused(&Seen { process_name: Unknown, ..excel }), "identity");
    assert_eq!(refused(&Seen { process_name: Unknown, app_id: Known("org.calc"), ..excel }), "admitted");
    assert_eq!(refused(&Seen { window_title: Unknown, ..excel }), "never");
    assert_eq!(refused(&Seen { window_title: Known("Payroll March"), ..excel }), "never");
    assert_eq!(refused(&Seen { window_title: Absent, ..excel }), "admitted");
    assert_eq!(refused(&Seen { private: Known(true), ..excel }), "never");
    assert_eq!(refused(&Seen { private: Unknown, ..excel }), "never");
    let chrome = Seen { process_name: Known("chrome.exe"), ..Seen::default() };
    assert_eq!(refused(&chrome), "site");
    assert_eq!(refused(&Seen { url: Unknown, ..chrome }), "site");
    assert_eq!(refused(&Seen { url: Known("https://a.example/"), ..chrome }), "admitted");
    assert_eq!(policy.gate_program(&chrome), GateDecision::Admitted);
    assert_eq!(
        policy.gate_program(&Seen { process_name: Known("word.exe"), ..chrome }),
        GateDecision::Refused(Refusal::App)
    );
}

#[test]
fn d2_programs_that_handle_secrets_are_refused_whatever_is_allowed() {
    let allow = "<allow><app process=\"keepass.exe bitwarden consent.exe lode-agent\" appId=\"KeePassXC\"/></allow>";
    let rules = "<rules><rule name=\"all\"><on/><log columns=\"all\"/></rule></rules>";
    let policy = super::policy(&configuration_of(&format!("{allow}{rules}")));
    for process in ["keepass.exe", "bitwarden", "consent.exe", "lode-agent"] {
        assert_eq!(counter(&policy, event_of("copy", &[("process_name", process)])), "gate.never", "{process}");
    }
    let seen = Seen { process_name: Reading::Known("x"), app_id: Reading::Known("KeePassXC"), ..Seen::default() };
    assert_eq!(policy.gate(&seen), GateDecision::Refused(Refusal::Never));
}

#[test]
fn the_first_rule_that_matches_decides_and_without_one_the_event_is_dropped() {
    let rules = "<rule name=\"copies\"><on events=\"clipboard\" except=\"paste\"/><log columns=\"@app\"/></rule>\
                 <rule name=\"totals\"><on/><when><contains column=\"window_title\" value=\"TOTAL\"/></when><drop/></rule>\
                 <rule name=\"keys\"><on events=\"key_command\"/><log columns=\"@keys\"/></rule>";
    let policy = super::policy(&configuration_with(rules, ""));
    let title = [("window_title", "Total of March")];
    assert_eq!(counter(&policy, excel("copy", &title)), "log:copies");
    assert_eq!(counter(&policy, excel("paste", &title)), "rule:totals");
    assert_eq!(counter(&policy, excel("key_command", &title)), "rule:totals");
    assert_eq!(counter(&policy, excel("key_command", &[])), "log:keys");
    assert_eq!(counter(&policy, excel("paste", &[])), "otherwise");
}

#[test]
fn a_policy_can_be_asked_from_every_thread() {
    fn is_shared<T: Send + Sync>(_: &T) {}
    is_shared(&super::policy(&configuration_of("")));
}

#[test]
fn otherwise_can_log() {
    let policy = super::policy(&configuration_with("<otherwise><log columns=\"@app\"/></otherwise>", ""));
    let event = scrubbed(&policy, excel("copy", &[("window_title", "a")])).unwrap();
    assert_eq!((event.rule.as_deref(), event.window_title), (Some(OTHERWISE), None));
    assert_eq!(event.config_revision.as_deref(), Some("1"));
}

fn holds(when: &str, captured: impl Into<Captured>) -> bool {
    let rules = format!("<rule name=\"it\"><on/><when>{when}</when><log columns=\"@app\"/></rule>");
    counter(&super::policy(&configuration_with(&rules, "")), captured) == "log:it"
}

#[test]
fn comparisons_ignore_capital_letters_unless_they_are_exact() {
    let event = || excel("copy", &[("window_title", "Größe.XLSX - Excel"), ("text_length", "12")]);
    for when in [
        "<equals column=\"window_title\" value=\"größe.xlsx - EXCEL\"/>",
        "<equals column=\"window_title\" values=\"a|größe.xlsx - excel|b\"/>",
        "<contains column=\"window_title\" value=\".xlsx\"/>",
        "<startsWith column=\"window_title\" value=\"GRÖSSE\" case=\"exact\"/><!-- no -->",
        "<startsWith column=\"window_title\" value=\"Größe\" case=\"exact\"/>",
        "<glob column=\"window_title\" value=\"*.xlsx - ?xcel\"/>",
        "<regex column=\"window_title\" value=\"XLSX\"/>",
        "<regex column=\"window_title\" value=\"xlsx\"/><!-- no -->",
        "<equals column=\"text_length\" value=\"12\"/>",
        "<equals column=\"event_type\" value=\"copy\"/>",
        "<present column=\"window_title\"/>",
        "<present column=\"page_title\"/><!-- no -->",
        "<contains column=\"window_title\" value=\".xlsx\" case=\"exact\"/><!-- no -->",
        "<glob column=\"window_title\" value=\"*.xlsx*\" case=\"exact\"/><!-- no -->",
        "<all><present column=\"window_title\"/><present column=\"url\"/></all><!-- no -->",
        "<any><present column=\"url\"/><present column=\"window_title\"/></any>",
        "<not><present column=\"url\"/></not>",
    ] {
        assert_eq!(holds(when, event()), !when.ends_with("<!-- no -->"), "{when}");
    }
}

#[test]
fn an_absent_column_makes_a_comparison_false_and_its_opposite_true() {
    assert!(!holds("<contains column=\"page_title\" value=\"a\"/>", excel("copy", &[])));
    assert!(holds("<not><contains column=\"page_title\" value=\"a\"/></not>", excel("copy", &[])));
}

#[test]
fn to_log_a_condition_must_be_certain_to_drop_a_doubt_is_enough() {
    let doubt = || unknown(excel("copy", &[]), ColumnId::WindowTitle);
    let secret = "<contains column=\"window_title\" value=\"secret\"/>";
    assert!(!holds(secret, doubt()));
    assert!(!holds(&format!("<not>{secret}</not>"), doubt()));
    assert!(!holds("<present column=\"window_title\"/>", doubt()));
    assert!(holds(&format!("<any>{secret}<present column=\"process_name\"/></any>"), doubt()));
    assert!(!holds(&format!("<all>{secret}<present column=\"process_name\"/></all>"), doubt()));
    for when in [
        "<present column=\"window_title\"/>".to_owned(),
        secret.to_owned(),
        format!("<not>{secret}</not>"),
        format!("<all>{secret}<present column=\"process_name\"/></all>"),
    ] {
        let rules = format!(
            "<rule name=\"no\"><on/><when>{when}</when><drop/></rule><rule name=\"rest\"><on/><log columns=\"all\"/></rule>"
        );
        assert_eq!(counter(&super::policy(&configuration_with(&rules, "")), doubt()), "rule:no", "{when}");
    }
}

#[test]
fn d4_user_and_machine_are_hashed_unless_they_are_named_singly() {
    let left = |log: &str| {
        let rules = format!("<rule name=\"it\"><on/>{log}</rule>");
        let event = excel("copy", &[("user_name", "ann"), ("machine_name", "pc17"), ("custom1", "AP")]);
        let event = scrubbed(&super::policy(&configuration_with(&rules, "")), event).unwrap();
        let word = |column: ColumnId| rule_tests::shown(&event, column);
        [ColumnId::UserName, ColumnId::MachineName, ColumnId::Custom1].map(word).join(" ")
    };
    assert_eq!(left("<log columns=\"all\"/>"), "#hash #hash AP");
    assert_eq!(left("<log columns=\"@person\"/>"), "#hash #hash AP");
    assert_eq!(left("<log columns=\"user_name @person\"/>"), "ann #hash AP");
    assert_eq!(left("<log columns=\"user_name machine_name\" hash=\"user_name\"/>"), "#hash pc17 #null");
    assert_eq!(left("<log columns=\"@app\" hash=\"@person\"/>"), "#hash #hash #hash");
    assert_eq!(left("<log columns=\"all\" omit=\"user_name\"/>"), "#null #hash AP");
    assert_eq!(left("<log columns=\"none\"><replace columns=\"user_name\"/></log>"), "(removed) #null #null");
}

#[test]
fn the_order_of_work_is_omit_replace_redact_hash() {
    let rules = "<rule name=\"it\"><on/><log columns=\"all\" hash=\"page_title\"><replace columns=\"element_name\" with=\"a@b.example\"/></log></rule>";
    let policy = super::policy(&configuration_with(rules, "<pattern name=\"p\" regex=\"\\d+\" columns=\"all\"/>"));
    let columns = [("window_title", "Order 17 of x@y.example"), ("element_name", "Send 5"), ("page_title", "Page 8")];
    let event = scrubbed(&policy, excel("copy", &columns)).unwrap();
    assert_eq!(event.window_title.as_deref(), Some("Order **** of ****"));
    assert_eq!(event.element_name.as_deref(), Some("a@b.example"), "a replaced column is finished");
    let redacted = StandInHash.hash("page_title", "Page ****");
    assert_eq!(event.hashed["page_title"].0, redacted, "the hash is that of the redacted text");
    assert_eq!(event.page_title, None);
}

#[test]
fn variables_are_masked_where_they_are_known_and_told_where_not() {
    let redaction = "<builtin patterns=\"user_name machine_name\" columns=\"all\"/>\
                     <pattern name=\"mine\" regex=\"{displayname}|{custom1}\"/>";
    let rules = "<rule name=\"it\"><on/><log columns=\"all user_name machine_name\"/></rule>";
    let configuration = configuration_with(rules, redaction);
    let variables = Variables::none()
        .with("username", "muster")
        .with("machine", "pc17")
        .with("displayname", "M. Muster (AP)")
        .with("custom1", "Team");
    let here = Policy::compile(&configuration, &variables).unwrap();
    let event = || {
        excel(
            "copy",
            &[
                ("window_title", "MUSTER on PC17: M. Muster (AP) of Team"),
                ("user_name", "muster"),
                ("machine_name", "pc17"),
            ],
        )
    };
    let left = scrubbed(&here, event()).unwrap();
    assert_eq!(left.window_title.as_deref(), Some("**** on ****: M. **** (AP) of ****"));
    assert_eq!((left.user_name.as_deref(), left.machine_name.as_deref()), (Some("muster"), Some("pc17")));
    assert!(here.skipped().is_empty());
    let elsewhere = Policy::compile(&configuration, &variables.clone().with("displayname", "ab")).unwrap();
    assert_eq!(elsewhere.skipped().len(), 1);
    assert_eq!(elsewhere.skipped()[0].code, "pattern_skipped");
    assert_eq!(super::policy(&configuration).skipped().len(), 1);
    assert_eq!(scrubbed(&super::policy(&configuration), event()).unwrap().window_title, event().window_title);
}

#[test]
fn redaction_reaches_into_attributes() {
    let rules = "<rule name=\"it\"><on/><log columns=\"all\"/></rule>";
    let policy = super::policy(&configuration_with(rules, ""));
    let mut event = excel("drag_drop", &[]);
    event.attributes.insert("from_element_name".into(), "mail of a@b.example".into());
    assert_eq!(scrubbed(&policy, event).unwrap().attributes["from_element_name"], "mail of ****");
}

#[test]
fn d2_secrets_are_removed_whatever_a_rule_says() {
    let rules = "<rule name=\"it\"><on/><log columns=\"all text value_fingerprint\" screenshot=\"window\"/></rule>";
    let policy = super::policy(&configuration_with(rules, ""));
    let typed = |role: &str, text: &str| {
        let mut event = excel("text_entered", &[("element_role", role), ("text", text), ("text_length", "9")]);
        event.value_fingerprint = Some(crate::event::Fingerprint([7; 16]));
        event.screenshot_id = Some(uuid::Uuid::from_u128(7));
        event
    };
    let is_gone = |captured: Captured| {
        let picture = matches!(policy.decide(&captured), Decision::Log { screenshot: words::Scope::None, .. });
        let event = scrubbed(&policy, captured).unwrap();
        [
            event.text.is_none(),
            event.text_length.is_none(),
            event.value_fingerprint.is_none(),
            event.screenshot_id.is_none(),
            picture,
        ]
    };
    assert_eq!(is_gone(typed("textbox", "order 17").into()), [false; 5]);
    for role in ["password", "password text", "PasswordBox"] {
        assert_eq!(is_gone(typed(role, "hunter22").into()), [true; 5], "{role}");
    }
    assert_eq!(is_gone(typed("textbox", "4111 1111 1111 1111").into()), [true; 5]);
    assert_eq!(is_gone(unknown(typed("", "hunter22"), ColumnId::ElementRole)), [true; 5]);
}

#[test]
fn d2_where_the_name_is_the_content_it_counts_as_text() {
    for (columns, expected) in [("all", None), ("all text", Some("Jane Doe"))] {
        let rules = format!("<rule name=\"it\"><on/><log columns=\"{columns}\"/></rule>");
        let policy = super::policy(&configuration_with(&rules, ""));
        for role in ["cell", "listitem", "option", "row", "text", "treeitem", "document"] {
            let event = excel("left_click", &[("element_role", role), ("element_name", "Jane Doe")]);
            assert_eq!(scrubbed(&policy, event).unwrap().element_name.as_deref(), expected, "{role}");
        }
        let button = excel("left_click", &[("element_role", "button"), ("element_name", "Save")]);
        assert_eq!(scrubbed(&policy, button).unwrap().element_name.as_deref(), Some("Save"));
    }
}

#[test]
fn d2_characters_are_no_key_commands() {
    let policy = super::policy(&configuration_with("<rule name=\"it\"><on/><log columns=\"all\"/></rule>", ""));
    let left = |key: &str| scrubbed(&policy, excel("key_command", &[("key_command", key)])).unwrap().key_command;
    for key in ["ctrl+s", "F5", "enter", "alt+F4", "ctrl+alt+q", "ctrl++", "meta+d", "shift+tab", "ctrl+shift+z"] {
        assert_eq!(left(key).as_deref(), Some(key));
    }
    for character in ["a", "shift+a", "ctrl+alt+@", "ctrl+alt+€", "+", "shift++", "ß"] {
        assert_eq!(left(character), None, "{character}");
    }
}

#[test]
fn events_about_the_recording_pass_without_window_data_and_without_names() {
    let nameless = super::policy(&configuration_of(""));
    let rule =
        "<rules><rule name=\"it\"><on events=\"copy\"/><log columns=\"@app\" hash=\"user_name\"/></rule></rules>";
    let policy = super::policy(&configuration_of(rule));
    let mut gap = event_of(
        "coverage_gap",
        &[
            ("window_title", "canary"),
            ("process_name", "word.exe"),
            ("user_name", "ann"),
            ("text", "canary"),
            ("element_name", "canary"),
        ],
    );
    gap.attributes.insert("reason".into(), "quota".into());
    gap.attributes.insert("title".into(), "canary".into());
    assert_eq!(policy.decide(&gap.clone().into()), Decision::Recording);
    let left = scrubbed(&policy, gap.clone()).unwrap();
    assert!(!scrubbed(&nameless, gap).unwrap().hashed.contains_key("user_name"), "a person would be two");
    assert!(!format!("{left:?}").contains("canary"));
    assert_eq!(left.attributes.keys().collect::<Vec<_>>(), ["reason"]);
    assert!(left.user_name.is_none() && left.hashed.contains_key("user_name") && left.rule.is_none());
    let comment = event_of("user_comment", &[("comment", "mail ann@a.example"), ("window_title", "canary")]);
    let left = scrubbed(&policy, comment).unwrap();
    assert_eq!((left.comment.as_deref(), left.window_title), (Some("mail ****"), None));
}

#[test]
fn comments_idle_times_and_signs_of_life_can_be_switched_off() {
    let policy = super::policy(&configuration(
        "<lodeConfig schema=\"1\" project=\"0b6f2d0e-5c1f-4c53-9b1e-6f6f2f3a7c11\" revision=\"1\" validUntil=\"2027-02-28T23:59:59Z\">\
         <client comments=\"false\"/><consent version=\"1\"><text lang=\"en\">t</text></consent>\
         <capture idleAfter=\"PT0S\" alive=\"PT0S\"/></lodeConfig>",
    ));
    for (event_type, expected) in [
        ("user_comment", "setting:comments"),
        ("idle_started", "setting:idle times"),
        ("alive", "setting:signs of life"),
        ("coverage_gap", "log:"),
    ] {
        assert_eq!(counter(&policy, event_of(event_type, &[])), expected);
    }
}

#[test]
fn a_url_gives_its_host_and_template_and_stays_out_itself() {
    let policy = super::policy(&configuration_with("<rule name=\"it\"><on/><log columns=\"all\"/></rule>", ""));
    let event =
        event_of("copy", &[("process_name", "chrome.exe"), ("url", "https://orders.example.org/o/4711?name=jane")]);
    let left = scrubbed(&policy, event).unwrap();
    assert_eq!(left.url, None);
    assert_eq!(left.url_host.as_deref(), Some("orders.example.org"));
    assert_eq!(left.url_template.as_deref(), Some("https://orders.example.org/o/{id}"));
}

#[test]
fn pictures_belong_to_events_of_rules_that_ask_for_them_only() {
    let rules = "<rule name=\"with\"><on events=\"left_click\"/><log columns=\"@app\" screenshot=\"desktop\"/></rule>\
                 <rule name=\"without\"><on/><log columns=\"all\"/></rule>";
    let configuration = configuration_with(rules, "");
    let picture = |configuration: &Configuration, event_type: &str| {
        let event = Event { screenshot_id: Some(uuid::Uuid::from_u128(1)), ..excel(event_type, &[]) };
        scrubbed(&super::policy(configuration), event).unwrap().screenshot_id.is_some()
    };
    assert!(picture(&configuration, "left_click"));
    assert!(!picture(&configuration, "copy"));
    let mut off = configuration;
    off.screenshots.enabled = false;
    assert!(!picture(&off, "left_click"));
}
