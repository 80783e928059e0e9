//! Variants: stories, and the naive version.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use discovery::{Kernel, SymbolKind, TRACE_ACTIVITIES_MAX, Traces};

use crate::directly_follows::cases;
use crate::log::{Row, answer, columns, float, on_random_logs, percentile_s, texts};

const COLUMNS: [&str; 3] = ["case_key", "activity", "time"];

fn new() -> Traces {
    Traces::new(SymbolKind::Text)
}

/// FNV-1a as its authors give it, over names that each end in a byte 0xFF.
fn name(activities: &[&str]) -> String {
    let mut hash: u64 = 14_695_981_039_346_656_037;
    for byte in activities.iter().flat_map(|activity| activity.bytes().chain([0xFF])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
    }
    format!("{hash:016x}")
}

fn naive(rows: &[Row]) -> Vec<String> {
    let mut variants = BTreeMap::<Vec<&str>, Vec<(i64, i64)>>::new();
    for (case, events) in cases(rows) {
        let duration_us = (events.last().unwrap().1 - events[0].1).max(0);
        variants.entry(events.iter().map(|event| event.0).collect()).or_default().push((case, duration_us));
    }
    let mut sorted: Vec<_> = variants.into_iter().collect();
    sorted.sort_by_key(|(activities, cases)| (Reverse(cases.len()), name(activities)));
    let text = |(activities, cases): (Vec<&str>, Vec<(i64, i64)>)| {
        let durations_us: Vec<i64> = cases.iter().map(|case| case.1).collect();
        let distinct: BTreeSet<_> = activities.iter().collect();
        [
            name(&activities),
            format!("[{}]", activities.join(", ")),
            cases.len().to_string(),
            (cases.len() * activities.len()).to_string(),
            percentile_s(&durations_us, 0.5),
            percentile_s(&durations_us, 0.9),
            (distinct.len() < activities.len()).to_string(),
            "false".into(),
            cases[0].0.to_string(),
        ]
        .join(" ")
    };
    sorted.into_iter().map(text).collect()
}

#[test]
fn variants_equal_the_naive_ones() {
    on_random_logs(|rows, random| {
        assert_eq!(answer(rows, &COLUMNS, new, |kernel| kernel.finish().unwrap(), random), naive(rows));
    });
}

#[test]
fn cases_carry_their_variant() {
    on_random_logs(|rows, random| {
        let found = answer(rows, &COLUMNS, new, |kernel| kernel.finish_cases().unwrap(), random);
        let text = |(case, events): (i64, Vec<(&str, i64)>)| {
            let activities: Vec<&str> = events.iter().map(|event| event.0).collect();
            let duration_us = (events.last().unwrap().1 - events[0].1).max(0);
            (case.to_string(), name(&activities), events.len().to_string(), float(duration_us as f64 / 1e6))
        };
        let parts = |row: &String| {
            let words: Vec<&str> = row.split(' ').collect();
            (words[0].into(), words[1].into(), words[4].into(), words[5].into())
        };
        let naive: Vec<_> = cases(rows).into_iter().map(text).collect();
        assert_eq!(found.iter().map(parts).collect::<Vec<_>>(), naive);
    });
}

#[test]
fn a_case_without_end_stops_growing_and_is_marked() {
    let mut row = crate::log::random_log(&mut crate::log::Random::new(1)).remove(0);
    (row.case, row.activity) = (Some(1), Some("scroll"));
    let mut traces = new();
    let batch = columns(&vec![row; 5_001], &COLUMNS);
    traces.update(&batch).unwrap();
    traces.update(&batch).unwrap();
    let variants = traces.finish().unwrap();
    let column = |name: &str| variants.column_by_name(name).unwrap().clone();
    use arrow::array::AsArray;
    assert_eq!(column("activities").as_list::<i32>().value_length(0), TRACE_ACTIVITIES_MAX as i32);
    assert_eq!(texts(&variants)[0].split(' ').rev().take(3).collect::<Vec<_>>(), ["1", "true", "true"]);
    assert_eq!(column("events").as_primitive::<arrow::datatypes::Int64Type>().value(0), 10_002);
}
