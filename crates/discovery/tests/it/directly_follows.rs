//! Edges: stories, and the naive version.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use discovery::{DirectlyFollows, DirectlyFollowsCount, Kernel, SymbolKind};

use crate::log::{Random, Row, answer, columns, float, on_random_logs, percentile_s, texts};

const TIMED: [&str; 3] = ["case_key", "activity", "time"];

/// The rows of each case that have one and an activity.
pub fn cases(rows: &[Row]) -> BTreeMap<i64, Vec<(&'static str, i64)>> {
    let mut cases = BTreeMap::<i64, Vec<_>>::new();
    for row in rows {
        if let (Some(case), Some(activity)) = (row.case, row.activity) {
            cases.entry(case).or_default().push((activity, row.time_us));
        }
    }
    cases
}

#[derive(Default)]
struct Edge {
    gaps_us: Vec<i64>,
    cases: BTreeSet<i64>,
    frequency: usize,
}

fn naive(rows: &[Row]) -> Vec<String> {
    let mut edges = BTreeMap::<(Option<&str>, Option<&str>), Edge>::new();
    for (case, events) in cases(rows) {
        let mut add = |from, to, gap_us: Option<i64>| {
            let edge = edges.entry((from, to)).or_default();
            edge.frequency += 1;
            edge.cases.insert(case);
            edge.gaps_us.extend(gap_us);
        };
        add(None, events.first().map(|event| event.0), None);
        for two in events.windows(2) {
            add(Some(two[0].0), Some(two[1].0), Some((two[1].1 - two[0].1).max(0)));
        }
        add(events.last().map(|event| event.0), None, None);
    }
    let mut sorted: Vec<_> = edges.into_iter().collect();
    // `None` stands last, as absent names do in the answer.
    sorted.sort_by_key(|((from, to), edge)| (Reverse(edge.frequency), from.is_none(), *from, to.is_none(), *to));
    let text = |((from, to), edge): ((Option<&str>, Option<&str>), Edge)| {
        let sum_us: i64 = edge.gaps_us.iter().sum();
        let mean_s = match edge.gaps_us.len() {
            0 => "-".into(),
            count => float(sum_us as f64 / count as f64 / 1e6),
        };
        [
            from.unwrap_or("-").into(),
            to.unwrap_or("-").into(),
            edge.frequency.to_string(),
            edge.cases.len().to_string(),
            percentile_s(&edge.gaps_us, 0.5),
            percentile_s(&edge.gaps_us, 0.9),
            mean_s,
        ]
        .join(" ")
    };
    sorted.into_iter().map(text).collect()
}

#[test]
fn edges_equal_the_naive_ones() {
    on_random_logs(|rows, random| {
        let new = || DirectlyFollows::new(SymbolKind::Text);
        assert_eq!(answer(rows, &TIMED, new, |kernel| kernel.finish().unwrap(), random), naive(rows));
    });
}

#[test]
fn counted_edges_equal_timed_ones() {
    on_random_logs(|rows, random| {
        let new = || DirectlyFollowsCount::new(SymbolKind::Text);
        let counted = answer(rows, &TIMED[..2], new, |kernel| kernel.finish().unwrap(), random);
        let naive: Vec<String> =
            naive(rows).iter().map(|row| row.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(counted, naive);
    });
}

#[test]
fn integer_activities_are_given_back_as_integers() {
    let mut edges = DirectlyFollowsCount::new(SymbolKind::Integer);
    let case = std::sync::Arc::new(arrow::array::Int64Array::from(vec![1, 1, 1]));
    let activity = std::sync::Arc::new(arrow::array::Int32Array::from(vec![Some(70), None, Some(3)]));
    edges.update(&[case, activity]).unwrap();
    assert_eq!(texts(&edges.finish().unwrap()), ["3 - 1", "70 3 1", "- 70 1"]);
}

#[test]
fn a_case_that_was_left_and_goes_on_counts_once_per_edge() {
    let mut rows = crate::log::random_log(&mut Random::new(3));
    rows.truncate(1);
    let step = |case, activity| Row { case: Some(case), activity: Some(activity), ..rows[0].clone() };
    let log = [(1, "open"), (1, "save"), (2, "open"), (1, "open"), (1, "save")].map(|(case, name)| step(case, name));
    let mut edges = DirectlyFollows::new(SymbolKind::Text);
    edges.update(&columns(&log, &TIMED)).unwrap();
    let twice_in_one_case = "open save 2 1 0.0 0.0 0.0";
    assert!(texts(&edges.finish().unwrap()).iter().any(|edge| edge == twice_in_one_case));
}
