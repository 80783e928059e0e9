//! Discovery on small stories.
//!
//! A story is a line of steps between spaces; `|` is a pause of two minutes, other steps are a second apart. The answer
//! is written over it: a letter per step and type, upper case where an instance begins, `.` for noise.

use std::collections::HashMap;

use discovery::score::Label;
use discovery::{Discovery, Field, LogRow, Settings, UiLog, UiLogBuilder, discover};

/// The log of a story; a step `user:step` is another user's.
fn log(story: &str) -> UiLog {
    let mut builder = UiLogBuilder::default();
    let mut time_us = 0;
    for step in story.split_whitespace() {
        if step == "|" {
            time_us += 120_000_000;
            continue;
        }
        time_us += 1_000_000;
        let (user, step) = step.split_once(':').unwrap_or(("u1", step));
        builder.push(LogRow { user, time_us: Some(time_us), fields: &[(Field::EventType, step)] });
    }
    builder.finish()
}

fn found(story: &str) -> Discovery {
    discover(&log(story), &Settings::default())
}

/// A letter per row: see the module.
fn drawn(labels: &[Option<Label>]) -> String {
    let mut seen = HashMap::new();
    let letter = |label: &Option<Label>| {
        let Some(label) = label else { return '.' };
        let letter = (b'a' + label.task_type as u8) as char;
        if seen.insert(label.instance, ()).is_none() { letter.to_ascii_uppercase() } else { letter }
    };
    labels.iter().map(letter).collect()
}

const ORDER: &str = "open search copy paste save ";
const MAIL: &str = "read reply type send ";

/// Two tasks in an order that says nothing about the next.
fn shuffled(count: usize) -> Vec<&'static str> {
    let mut state = 7u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 31 == 0 { ORDER } else { MAIL }
    };
    (0..count).map(next).collect()
}

#[test]
fn a_task_done_again_and_again_begins_where_the_log_does() {
    assert_eq!(drawn(&found(&ORDER.repeat(12)).labels()), "Aaaaa".repeat(12));
}

#[test]
fn two_tasks_in_any_order_are_told_apart_without_pauses() {
    let tasks = shuffled(40);
    let drawn = drawn(&found(&tasks.concat()).labels());
    let mut rest = drawn.as_str();
    let (mut orders, mut mails) = (Vec::new(), Vec::new());
    for task in tasks {
        let (part, left) = rest.split_at(task.split_whitespace().count());
        if task == ORDER {
            orders.push(part)
        } else {
            mails.push(part)
        }
        rest = left;
    }
    orders.dedup();
    mails.dedup();
    assert_eq!((orders.len(), mails.len()), (1, 1), "{drawn}");
    assert!(orders[0] != mails[0] && orders[0][..1] == orders[0][..1].to_uppercase(), "{drawn}");
}

#[test]
fn a_table_filled_in_row_by_row_is_not_cut_though_other_tasks_come_between() {
    let rows: String = (1..=9).map(|row| format!("copy paste row{row} ")).collect();
    let table = format!("open {rows}save ");
    let story: Vec<&str> = shuffled(60).into_iter().map(|task| if task == ORDER { &table } else { MAIL }).collect();
    let drawn = drawn(&found(&story.concat()).labels());
    let begins: Vec<bool> =
        story.iter().flat_map(|task| (0..task.split_whitespace().count()).map(|step| step == 0)).collect();
    let found: Vec<bool> = drawn.chars().map(char::is_uppercase).collect();
    assert_eq!(found, begins, "{drawn}");
}

#[test]
fn steps_of_another_task_inside_a_task_are_foreign_and_tasks_stay_whole() {
    let other = |task: &str, at: usize| {
        let steps = if task == ORDER { MAIL } else { ORDER };
        steps.split_whitespace().nth(at % 4).unwrap().to_owned()
    };
    let (mut story, mut expected) = (Vec::new(), Vec::new());
    for (at, task) in shuffled(80).into_iter().enumerate() {
        for (place, step) in task.split_whitespace().enumerate() {
            if at % 4 == 3 && place == 1 + at / 4 % 3 {
                story.push(other(task, at / 8));
                expected.push(None);
            }
            story.push(step.to_owned());
            expected.push(Some(place == 0));
        }
    }
    let drawn = drawn(&found(&story.join(" ")).labels());
    let count = |is_wanted: &dyn Fn(char, Option<bool>) -> bool| {
        drawn.chars().zip(&expected).filter(|&(found, &wanted)| is_wanted(found, wanted)).count()
    };
    assert_eq!(count(&|found, wanted| found == '.' && wanted.is_some()), 0, "{drawn}");
    assert!(count(&|found, wanted| found == '.' && wanted.is_none()) >= 18, "18 of 20: {drawn}");
    assert!(count(&|found, wanted| found.is_uppercase() && wanted == Some(true)) >= 79, "79 of 80: {drawn}");
}

#[test]
fn a_long_stretch_of_events_that_recur_nowhere_is_noise() {
    let noise: String = (0..12).map(|at| format!("odd{} ", (b'a' + at) as char)).collect();
    let story = format!("{}{noise}{}", ORDER.repeat(15), ORDER.repeat(15));
    let drawn = drawn(&found(&story).labels());
    assert_eq!(&drawn[75..87], "............", "{drawn}");
    assert!(drawn[87..].starts_with("Aaaaa"), "{drawn}");
}

#[test]
fn users_are_independent_however_their_rows_are_mixed() {
    let apart: Vec<String> = ["a", "b"]
        .iter()
        .flat_map(|user| ORDER.repeat(10).split_whitespace().map(|step| format!("{user}:{step}")).collect::<Vec<_>>())
        .collect();
    let mixed: Vec<String> = (0..50).flat_map(|at| [apart[at].clone(), apart[50 + at].clone()]).collect();
    let (apart, mixed) = (found(&apart.join(" ")), found(&mixed.join(" ")));
    for at in 0..50 {
        assert_eq!(mixed.label(2 * at), apart.label(at));
        assert_eq!(mixed.label(2 * at + 1), apart.label(50 + at));
    }
}

#[test]
fn times_that_run_backwards_change_nothing() {
    let tasks = shuffled(30).concat();
    let steps: Vec<&str> = tasks.split_whitespace().collect();
    let with_times = |time_us: &dyn Fn(i64) -> Option<i64>| {
        let mut builder = UiLogBuilder::default();
        for (at, step) in (0..).zip(&steps) {
            builder.push(LogRow { user: "u1", time_us: time_us(at), fields: &[(Field::EventType, step)] });
        }
        drawn(&discover(&builder.finish(), &Settings::default()).labels())
    };
    assert_eq!(with_times(&|at| Some((at * 7_919) % 1_000 * 1_000_000)), with_times(&|_| None));
}

#[test]
fn keys_in_one_field_are_one_action_and_all_rows_get_its_instance() {
    let story = "open keydown keydown keydown save ".repeat(12);
    let discovery = found(&story);
    assert_eq!(discovery.folded.keys, 24);
    assert_eq!(drawn(&discovery.labels()), "Aaaaa".repeat(12));
}

#[test]
fn one_log_has_one_answer() {
    let story = shuffled(50).join("| ");
    assert_eq!(found(&story).labels(), found(&story).labels());
}

#[test]
fn a_log_without_rows_has_no_tasks() {
    assert!(found("").types().is_empty());
}

#[test]
fn record_numbers_are_no_part_of_an_activity_but_button_numbers_are() {
    let mut builder = UiLogBuilder::default();
    for record in 0..30 {
        let cell = format!("A{}", record + 2);
        for (word, element) in
            [("copy", cell.as_str()), ("click", "B1"), ("paste", "name"), ("click", "B2"), ("save", "")]
        {
            let fields = [(Field::EventType, word), (Field::Element, element)];
            builder.push(LogRow { user: "u1", time_us: None, fields: &fields });
        }
    }
    let discovery = discover(&builder.finish(), &Settings::default());
    assert_eq!(discovery.activity(0), discovery.activity(5), "A2 and A3");
    assert_ne!(discovery.activity(1), discovery.activity(3), "B1 and B2");
}
