//! Focus blocks and switches: the naive version.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use discovery::{FOCUS_CLASSES_S, Kernel, ROUND_TRIP_US_MAX, Switches, SymbolKind};

use crate::log::{Row, answer, float, on_random_logs, percentile_s};

const COLUMNS: [&str; 5] = ["agent_key", "session_key", "application", "time", "active_us"];

fn new() -> Switches {
    Switches::new(SymbolKind::Text)
}

struct Block {
    agent: i32,
    session: i64,
    application: &'static str,
    start_us: i64,
    active_us: i64,
}

fn blocks(rows: &[Row]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for row in rows {
        let Some(application) = row.application else { continue };
        let is_same = |block: &&mut Block| {
            (block.agent, block.session, block.application) == (row.agent, row.session, application)
        };
        match blocks.last_mut().filter(is_same) {
            Some(block) => block.active_us += row.active_us,
            None => blocks.push(Block {
                agent: row.agent,
                session: row.session,
                application,
                start_us: row.time_us,
                active_us: row.active_us,
            }),
        }
    }
    blocks
}

#[test]
fn switches_equal_the_naive_ones() {
    on_random_logs(|rows, random| {
        let blocks = blocks(rows);
        let mut pairs = BTreeMap::<(&str, &str), (usize, usize, BTreeSet<i32>)>::new();
        let is_linked = |blocks: &[Block]| {
            blocks.windows(2).all(|two| (two[0].agent, two[0].session) == (two[1].agent, two[1].session))
        };
        for two in blocks.windows(2).filter(|two| is_linked(two)) {
            let pair = pairs.entry((two[0].application, two[1].application)).or_default();
            pair.0 += 1;
            pair.2.insert(two[0].agent);
        }
        for three in blocks.windows(3).filter(|three| is_linked(three)) {
            let is_back = three[0].application == three[2].application;
            if is_back && three[2].start_us - three[1].start_us <= ROUND_TRIP_US_MAX {
                pairs.get_mut(&(three[0].application, three[1].application)).unwrap().1 += 1;
            }
        }
        let mut naive: Vec<_> = pairs.into_iter().collect();
        naive.sort_by_key(|(_, (switches, _, _))| Reverse(*switches));
        let naive: Vec<String> = naive
            .into_iter()
            .map(|((from, to), (switches, trips, users))| format!("{from} {to} {switches} {trips} {}", users.len()))
            .collect();
        assert_eq!(answer(rows, &COLUMNS, new, |kernel| kernel.finish().unwrap(), random), naive);
    });
}

#[test]
fn applications_equal_the_naive_ones() {
    on_random_logs(|rows, random| {
        let mut applications = BTreeMap::<&str, (Vec<i64>, BTreeSet<i32>)>::new();
        for block in blocks(rows) {
            let application = applications.entry(block.application).or_default();
            application.0.push(block.active_us);
            application.1.insert(block.agent);
        }
        let mut naive: Vec<_> = applications.into_iter().collect();
        naive.sort_by_key(|(_, (lengths_us, _))| Reverse(lengths_us.iter().sum::<i64>()));
        let text = |(name, (lengths_us, users)): (&str, (Vec<i64>, BTreeSet<i32>))| {
            let in_class = |at: usize| {
                let end_s = FOCUS_CLASSES_S.get(at + 1).copied().unwrap_or(i64::MAX / 1_000_000);
                let class_us = FOCUS_CLASSES_S[at] * 1_000_000..end_s * 1_000_000;
                lengths_us.iter().filter(|length| class_us.contains(length)).count().to_string()
            };
            let counts: Vec<String> = (0..FOCUS_CLASSES_S.len()).map(in_class).collect();
            let head = [
                name.to_string(),
                float(lengths_us.iter().sum::<i64>() as f64 / 1e6),
                lengths_us.len().to_string(),
                users.len().to_string(),
                percentile_s(&lengths_us, 0.5),
                percentile_s(&lengths_us, 0.9),
            ];
            (head.join(" "), counts)
        };
        let parts = |row: String| {
            let (head, classes) = row.split_once(" [").unwrap();
            let count = |class: &str| class.rsplit("blocks: ").next().unwrap().trim_matches(['}', ']']).to_string();
            (head.to_string(), classes.split("}, ").map(count).collect::<Vec<_>>())
        };
        let found = answer(rows, &COLUMNS, new, |kernel| kernel.finish_applications().unwrap(), random);
        assert_eq!(found.into_iter().map(parts).collect::<Vec<_>>(), naive.into_iter().map(text).collect::<Vec<_>>());
    });
}
