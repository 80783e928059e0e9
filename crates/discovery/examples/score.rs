//! Scores discovery on logs with known truth: `cargo run -p discovery --example score -- [--curve] FOLDER…`.
//!
//! A folder holds pairs of `*.events.csv.zst` and `*.truth.csv.zst`, or folders of such. Printed is one line per log, and
//! below it the plain pause rule, in which measures that is better, and how alike the tasks come out when half of the
//! people are left out: the mean and the worst of several halves. With `--curve` the same follows for each log with noise
//! added to it. What is drawn at random depends on [`SEEDS`] alone.

#![allow(clippy::unwrap_used, reason = "a program for developers; a broken data set ends it")]

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Instant;

use discovery::score::{Label, Scores, score};
use discovery::{Field, LogRow, Settings, UiLog, UiLogBuilder, discover};

/// A half of the people is drawn for each; the other half is looked at as well.
const SEEDS: [u64; 3] = [1, 2, 3];

/// A log of one person is cut into so many parts, which stand for people.
const PARTS: usize = 10;

/// Share of the events that noise is added at: half of them are dropped, before the others an event of the log is put.
const NOISE: [f64; 3] = [0.1, 0.2, 0.4];

/// A row of a log, and what is known of it.
#[derive(Clone)]
struct Row {
    record: csv::StringRecord,
    user: String,
    time_us: Option<i64>,
    truth: Option<Label>,
}

fn main() {
    let (options, folders): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    assert!(options.iter().all(|option| option == "--curve"), "the only option is --curve");
    let mut logs: Vec<PathBuf> = folders.iter().flat_map(|folder| logs(Path::new(folder))).collect();
    logs.sort();
    println!(
        "{:<24} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>11} {:>9} {:>6}",
        "log", "LED", "bF1", "bF1±2", "iF80", "wF1", "ARI", "noise P R", "inst/typ", "s"
    );
    for path in logs {
        let rows = read(&path);
        let name = path.file_name().unwrap().to_string_lossy().replace(".events.csv.zst", "");
        look_at(&name, &rows);
        if !options.is_empty() {
            for share in NOISE {
                look_at(&format!("{name} + {:.0} % noise", 100.0 * share), &with_noise(&rows, share));
            }
        }
    }
}

/// Scores one log, with the pause rule and the halves below.
fn look_at(name: &str, rows: &[Row]) {
    let log = log_of(rows);
    let (classes, truth) = (classes(rows), rows.iter().map(|row| row.truth).collect::<Vec<_>>());
    let begin = Instant::now();
    let found = discover(&log, &Settings::default()).labels();
    let seconds = begin.elapsed().as_secs_f64();
    let (scores, rule) = (score(&classes, &truth, &found), best_pause_rule(&log, &classes, &truth));
    print(name, scores, seconds);
    print("  pause rule", rule, 0.0);
    let better = [
        ("LED", scores.led - rule.led),
        ("bF1", rule.boundary_f1 - scores.boundary_f1),
        ("bF1±2", rule.near_boundary_f1 - scores.near_boundary_f1),
        ("iF80", rule.instance_f1 - scores.instance_f1),
    ];
    for (measure, by) in better.into_iter().filter(|(_, by)| *by > 0.0) {
        println!("  the pause rule is better in {measure} by {by:.4}");
    }
    let halves = without_halves(rows, &found);
    print("  half left out, mean", over(&halves, |values| values.iter().sum::<f64>() / values.len() as f64), 0.0);
    print("  half left out, worst", over(&halves, |values| values.iter().copied().fold(1.0, f64::min)), 0.0);
}

fn print(name: &str, scores: Scores, seconds: f64) {
    let noise = scores.noise.map_or(String::new(), |(precision, recall)| format!("{precision:.3} {recall:.3}"));
    println!(
        "{name:<24} {:>6.4} {:>6.4} {:>6.4} {:>6.4} {:>6.4} {:>6.4} {noise:>11} {:>5}/{:<3} {seconds:>6.2}",
        scores.led,
        scores.boundary_f1,
        scores.near_boundary_f1,
        scores.instance_f1,
        scores.type_f1,
        scores.rand_index,
        scores.instances,
        scores.types,
    );
}

/// The same log without half of its people, for several halves: what is found then, scored against what all of them gave.
fn without_halves(rows: &[Row], found: &[Option<Label>]) -> Vec<Scores> {
    let rows = &with_people(rows, found);
    let mut people: Vec<&str> = rows.iter().map(|row| row.user.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    let mut scores = Vec::new();
    for seed in SEEDS {
        people.sort_by_key(|user| drawn((seed, user)));
        let (first, second) = people.split_at(people.len() / 2);
        for kept in [first, second] {
            let kept: Vec<usize> = (0..rows.len()).filter(|at| kept.contains(&rows[*at].user.as_str())).collect();
            let half: Vec<Row> = kept.iter().map(|&at| rows[at].clone()).collect();
            let of_all: Vec<_> = kept.iter().map(|&at| found[at]).collect();
            scores.push(score(&classes(&half), &of_all, &discover(&log_of(&half), &Settings::default()).labels()));
        }
    }
    scores
}

/// The rows as they are, if they are of several people; else each part of them as those of a person of its own.
///
/// A part begins where the first instance begins that was found after an equal share of the rows, as a person begins the
/// day with a task.
fn with_people(rows: &[Row], found: &[Option<Label>]) -> Vec<Row> {
    let mut rows = rows.to_vec();
    if rows.iter().any(|row| row.user != rows[0].user) {
        return rows;
    }
    let (mut part, mut instance, total) = (0, None, rows.len());
    for (at, (row, label)) in rows.iter_mut().zip(found).enumerate() {
        let is_begin = label.is_some_and(|label| instance < Some(label.instance));
        if is_begin {
            instance = label.map(|label| label.instance);
            part = part.max(PARTS * at / total);
        }
        row.user = format!("part {part}");
    }
    rows
}

/// Each measure of several scores made one.
fn over(scores: &[Scores], one: impl Fn(&[f64]) -> f64) -> Scores {
    let of = |measure: fn(&Scores) -> f64| one(&scores.iter().map(measure).collect::<Vec<_>>());
    Scores {
        led: 1.0 - of(|scores| 1.0 - scores.led),
        boundary_f1: of(|scores| scores.boundary_f1),
        near_boundary_f1: of(|scores| scores.near_boundary_f1),
        instance_f1: of(|scores| scores.instance_f1),
        type_f1: of(|scores| scores.type_f1),
        rand_index: of(|scores| scores.rand_index),
        noise: None,
        instances: scores.iter().map(|scores| scores.instances).sum::<usize>() / scores.len(),
        types: scores.iter().map(|scores| scores.types).sum::<usize>() / scores.len(),
    }
}

/// A log with noise at this share of its events, after the scheme by which the logs of five simulated tasks were made.
fn with_noise(rows: &[Row], share: f64) -> Vec<Row> {
    let mut noisy: Vec<Row> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let chance = drawn((SEEDS[0], at)) as f64 / u64::MAX as f64 / share;
        if chance < 0.5 {
            continue;
        }
        if chance < 1.0 {
            let before = noisy.last().filter(|before| before.user == row.user).and_then(|before| before.time_us);
            let time_us = row.time_us.map(|time| before.map_or(time, |before| before.midpoint(time)));
            let record = rows[drawn((at, SEEDS[0])) as usize % rows.len()].record.clone();
            noisy.push(Row { record, user: row.user.clone(), time_us, truth: None });
        }
        noisy.push(row.clone());
    }
    noisy
}

/// A number that looks random and is the same every time.
fn drawn(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The pause rule with the limit that scores best: no method may know it, so it is more than the rule can do.
fn best_pause_rule(log: &UiLog, classes: &[u32], truth: &[Option<Label>]) -> Scores {
    let streams = log.streams();
    let mut pauses: Vec<i64> = streams
        .iter()
        .flat_map(|rows| {
            rows.windows(2).map(|pair| log.time(pair[1] as usize).saturating_sub(log.time(pair[0] as usize)))
        })
        .collect();
    pauses.sort_unstable();
    let limits = (0..60).map(|rank| pauses[(pauses.len() - 1) * (40 + rank) / 100]);
    let rule = |limit: i64| {
        let mut labels = vec![None; log.rows()];
        let mut instance = 0;
        for rows in &streams {
            for (at, &row) in rows.iter().enumerate() {
                if at > 0 && log.time(row as usize).saturating_sub(log.time(rows[at - 1] as usize)) >= limit {
                    instance += 1;
                }
                labels[row as usize] = Some(Label { instance, task_type: 0 });
            }
            instance += 1;
        }
        score(classes, truth, &labels)
    };
    limits
        .map(rule)
        .max_by(|a, b| a.instance_f1.total_cmp(&b.instance_f1).then(a.boundary_f1.total_cmp(&b.boundary_f1)))
        .unwrap()
}

fn logs(folder: &Path) -> Vec<PathBuf> {
    if folder.is_file() {
        return vec![folder.to_path_buf()];
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                logs(&path)
            } else if path.to_string_lossy().ends_with(".events.csv.zst") {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}

fn records(path: &Path) -> Vec<csv::StringRecord> {
    let bytes = zstd::decode_all(File::open(path).unwrap()).unwrap();
    csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(bytes.as_slice())
        .into_records()
        .map(|record| record.unwrap())
        .collect()
}

/// A log and its truth.
fn read(path: &Path) -> Vec<Row> {
    let (mut instances, mut types) = (HashMap::new(), HashMap::new());
    let mut label = |record: &csv::StringRecord| {
        let (next, next_type) = (instances.len() as u32, types.len() as u32);
        (!record[1].is_empty()).then(|| Label {
            instance: *instances.entry(record[1].to_string()).or_insert(next),
            task_type: *types.entry(record[2].to_string()).or_insert(next_type),
        })
    };
    let truth = records(&PathBuf::from(path.to_string_lossy().replace(".events.", ".truth.")));
    let truth: HashMap<usize, Option<Label>> =
        truth.iter().map(|record| (record[0].parse().unwrap(), label(record))).collect();
    let row = |(at, record): (usize, csv::StringRecord)| Row {
        user: record[1].to_string(),
        time_us: time_us(&record[2]),
        truth: truth.get(&at).copied().flatten(),
        record,
    };
    records(path).into_iter().enumerate().map(row).collect()
}

fn log_of(rows: &[Row]) -> UiLog {
    const FIELDS: [(usize, Field); 8] = [
        (3, Field::Application),
        (4, Field::EventType),
        (5, Field::Screen),
        (6, Field::Area),
        (7, Field::Element),
        (8, Field::Label),
        (9, Field::Address),
        (10, Field::Value),
    ];
    let mut builder = UiLogBuilder::default();
    for row in rows {
        let fields: Vec<(Field, &str)> = FIELDS.iter().map(|&(at, field)| (field, &row.record[at])).collect();
        builder.push(LogRow { user: &row.user, time_us: row.time_us, fields: &fields });
    }
    builder.finish()
}

/// What tells events apart for the edit distance: application, event, document, sheet, element.
fn classes(rows: &[Row]) -> Vec<u32> {
    let mut known = HashMap::new();
    let mut class = |row: &Row| {
        let class: Vec<String> = (3..8).map(|at| row.record[at].to_string()).collect();
        let next = known.len() as u32;
        *known.entry(class).or_insert(next)
    };
    rows.iter().map(&mut class).collect()
}

fn time_us(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Some((seconds * 1e6) as i64);
    }
    chrono::DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)).ok().map(|time| time.timestamp_micros())
}
