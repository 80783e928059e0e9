//! Copy→paste pairs: stories about the clipboard, and the naive version.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use discovery::{CLIPBOARD_COPIES_MAX, CopyPaste, Kernel};

use crate::log::{Random, Row, answer, columns, on_random_logs, percentile_s, random_log, texts};

const COLUMNS: [&str; 7] = ["agent_key", "event_type", "application", "screen", "element", "value_fingerprint", "time"];

type Place = (Option<&'static str>, &'static str);

/// Pairs of rows: a copy and its paste, a copy alone, a paste alone.
fn pairs(rows: &[Row]) -> Vec<(Option<&Row>, Option<&Row>)> {
    let mut pairs = Vec::new();
    let agents: BTreeSet<i32> = rows.iter().map(|row| row.agent).collect();
    for agent in agents {
        let (mut copies, mut used) = (Vec::<&Row>::new(), BTreeSet::new());
        for row in rows.iter().filter(|row| row.agent == agent) {
            match row.event_type {
                "copy" | "cut" => copies.push(row),
                "paste" => {
                    let history = &copies[copies.len().saturating_sub(CLIPBOARD_COPIES_MAX)..];
                    let is_plain = |copied: &&&Row| copied.fingerprint.is_none() || row.fingerprint.is_none();
                    let is_equal = |copied: &&&Row| copied.fingerprint == row.fingerprint;
                    let origin = history.last().filter(is_plain).or_else(|| history.iter().rev().find(is_equal));
                    used.extend(origin.map(|copied| copied.order));
                    pairs.push((origin.copied(), Some(row)));
                }
                _ => {}
            }
        }
        pairs.extend(
            copies.into_iter().filter(|copied| !used.contains(&copied.order)).map(|copied| (Some(copied), None)),
        );
    }
    pairs
}

fn naive(rows: &[Row]) -> Vec<String> {
    let place = |row: &Row| -> Place { (row.application, row.element) };
    let mut groups = BTreeMap::<(Option<Place>, Option<Place>), (usize, BTreeSet<i32>, Vec<i64>)>::new();
    for (copied, pasted) in pairs(rows) {
        let group = groups.entry((copied.map(place), pasted.map(place))).or_default();
        group.0 += 1;
        group.1.extend(copied.or(pasted).map(|row| row.agent));
        group.2.extend(copied.zip(pasted).map(|(copied, pasted)| (pasted.time_us - copied.time_us).max(0)));
    }
    let outcome = |from: &Option<Place>, to: &Option<Place>| match (from, to) {
        (None, _) => "unpaired_paste",
        (_, None) => "unused_copy",
        _ => "paired",
    };
    let mut sorted: Vec<_> = groups.into_iter().collect();
    let last =
        |place: &Option<Place>| place.map(|(application, element)| (application.is_none(), application, element));
    sorted.sort_by_key(|((from, to), (count, _, _))| (outcome(from, to), Reverse(*count), last(from), last(to)));
    let text = |((from, to), (count, users, delays_us)): (_, (usize, BTreeSet<i32>, Vec<i64>))| {
        let name = |place: Option<Place>| match place {
            Some((application, element)) => format!("{} - {element}", application.unwrap_or("-")),
            None => "- - -".into(),
        };
        let p50_s = percentile_s(&delays_us, 0.5);
        format!("{} {} {} {count} {} {p50_s}", outcome(&from, &to), name(from), name(to), users.len())
    };
    sorted.into_iter().map(text).collect()
}

#[test]
fn pairs_equal_the_naive_ones() {
    on_random_logs(|rows, random| {
        assert_eq!(answer(rows, &COLUMNS, CopyPaste::new, |kernel| kernel.finish().unwrap(), random), naive(rows));
    });
}

/// `copy A1 1 | paste name 1`: event type, element, fingerprint (`-` for none), a second apart.
fn check(story: &str, expected: &[&str]) {
    let row = random_log(&mut Random::new(1)).remove(0);
    let event = |(at, text): (usize, &str)| {
        let words: Vec<&'static str> = text.split_whitespace().map(|word| &*word.to_string().leak()).collect();
        let fingerprint = words[2].parse().ok();
        let time_us = at as i64 * 1_000_000;
        Row { event_type: words[0], element: words[1], application: None, fingerprint, time_us, ..row.clone() }
    };
    let rows: Vec<Row> = story.split('|').enumerate().map(event).collect();
    let mut pairs = CopyPaste::new();
    pairs.update(&columns(&rows, &COLUMNS)).unwrap();
    assert_eq!(texts(&pairs.finish().unwrap()), expected);
}

#[test]
fn a_paste_belongs_to_the_most_recent_copy() {
    check(
        "copy A1 - | cut B2 - | paste name - | paste name -",
        &["paired - - B2 - - name 2 1 1.5", "unused_copy - - A1 - - - 1 1 -"],
    );
}

#[test]
fn a_fingerprint_finds_an_older_copy() {
    check(
        "copy A1 1 | copy B2 2 | paste name 1 | paste name 2",
        &["paired - - A1 - - name 1 1 2.0", "paired - - B2 - - name 1 1 2.0"],
    );
}

#[test]
fn a_paste_of_something_never_copied_has_no_pair() {
    check("copy A1 1 | paste name 3", &["unpaired_paste - - - - - name 1 1 -", "unused_copy - - A1 - - - 1 1 -"]);
}
