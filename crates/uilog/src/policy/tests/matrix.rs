//! Every column under every treatment that a rule can give it (attack catalogue TD2).

use super::*;
use crate::column::{COLUMNS, Column, ColumnId, ColumnType};
use crate::event::{Actor, Fingerprint, Value};
use columns::{must_be_named, texts};

/// An event with a value in every column, each of which says which column it is.
fn full() -> Event {
    let mut event = excel("left_click", &[]);
    for column in COLUMNS {
        match column.id {
            ColumnId::ProcessName => {}
            ColumnId::KeyCommand => event.key_command = Some("ctrl+s".into()),
            ColumnId::Attributes => _ = event.attributes.insert("key".into(), "canary".into()),
            ColumnId::Actor => event.actor = Some(Actor::Bot),
            ColumnId::ElementBox => event.element_box = Some([1, 2, 3, 4]),
            ColumnId::ValueFingerprint => event.value_fingerprint = Some(Fingerprint([9; 16])),
            ColumnId::ScreenshotId => event.screenshot_id = Some(uuid::Uuid::from_u128(3)),
            ColumnId::ElementRole => event.element_role = Some("button".into()),
            ColumnId::UrlTemplate | ColumnId::Url => {
                *event.text_mut(column.id).unwrap() = Some("https://orders.example.org/a".into());
            }
            id if column.column_type == ColumnType::Text => {
                *event.text_mut(id).unwrap() = Some(format!("canary {}", column.name))
            }
            id => _ = cell::set(&mut event, id, "7"),
        }
    }
    event
}

fn left(log: &str) -> Event {
    let rules = format!("<rule name=\"it\"><on/>{log}</rule>");
    scrubbed(&policy(&configuration_with(&rules, "")), full()).unwrap()
}

fn value(event: &Event, column: &Column) -> String {
    rule_tests::shown(event, column.id)
}

fn decided() -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(|column| columns::may_be_logged(column.id))
}

#[test]
fn d2_a_column_is_logged_by_its_name_and_by_all_unless_it_must_be_named() {
    let full = full();
    for column in decided() {
        let by_name = value(&left(&format!("<log columns=\"{}\"/>", column.name)), column);
        assert_eq!(by_name, value(&full, column), "{} by name", column.name);
        let by_all = value(&left("<log columns=\"all\"/>"), column);
        let expected = match column.id {
            id if must_be_named(id) => "#null".to_owned(),
            ColumnId::UserName | ColumnId::MachineName => "#hash".to_owned(),
            _ => value(&full, column),
        };
        assert_eq!(by_all, expected, "{} by all", column.name);
        let by_none = value(&left("<log columns=\"none\"/>"), column);
        assert_eq!(by_none, "#null", "{} by none", column.name);
    }
}

#[test]
fn d2_a_column_that_is_omitted_is_gone_and_only_it() {
    for column in decided() {
        let event = left(&format!("<log columns=\"all text url value_fingerprint\" omit=\"{}\"/>", column.name));
        assert_eq!(value(&event, column), "#null", "{}", column.name);
        let others = decided().filter(|other| other.id != column.id && value(&event, other) == "#null").count();
        assert_eq!(others, 0, "{}", column.name);
    }
}

#[test]
fn d2_d5_a_column_that_is_hashed_is_only_a_hash_and_counts_as_logged() {
    for column in decided().filter(|column| texts().contains(column.id)) {
        for columns in ["all", "none"] {
            let event = left(&format!("<log columns=\"{columns}\" hash=\"{}\"/>", column.name));
            assert_eq!(value(&event, column), "#hash", "{}", column.name);
            assert_eq!(event.value(column.id as usize), Value::Null, "{}", column.name);
            let expected = StandInHash.hash(column.name, &value(&full(), column));
            assert_eq!(event.hashed[column.name].0, expected, "{}", column.name);
        }
    }
}

#[test]
fn d2_a_column_that_is_replaced_shows_the_text_of_the_rule() {
    for column in decided().filter(|column| texts().contains(column.id)) {
        let event = left(&format!("<log columns=\"none\"><replace columns=\"{}\" with=\"x\"/></log>", column.name));
        assert_eq!(value(&event, column), "x", "{}", column.name);
    }
}

#[test]
fn d2_no_text_without_a_rule_that_names_it() {
    let groups = words::ColumnGroup::WORDS.join(" ");
    for log in [
        "<log columns=\"all\"/>".to_owned(),
        format!("<log columns=\"all {groups}\"/>"),
        format!("<log columns=\"all\" hash=\"{groups}\"/>"),
        format!("<log columns=\"{groups}\"><replace columns=\"{groups}\"/></log>"),
    ] {
        let event = left(&log);
        assert_eq!((&event.text, &event.url, &event.value_fingerprint), (&None, &None, &None), "{log}");
        assert!(!event.hashed.contains_key("text") && !event.hashed.contains_key("url"), "{log}");
        assert!(!format!("{event:?}").contains("canary text\""), "{log}");
    }
    assert_eq!(left("<log columns=\"text\"/>").text.as_deref(), Some("canary text"));
}

#[test]
fn mandatory_columns_stay_in_clear() {
    let before = full();
    let after = left("<log columns=\"none\"/>");
    for column in COLUMNS.iter().filter(|column| column.mandatory) {
        assert_eq!(after.value(column.id as usize), before.value(column.id as usize), "{}", column.name);
    }
}
