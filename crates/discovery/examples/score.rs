//! Scores discovery on logs with known truth: `cargo run -p discovery --example score -- FOLDER…`.
//!
//! A folder holds pairs of `*.events.csv.zst` and `*.truth.csv.zst`, or folders of such. Printed is one line per log,
//! with the plain pause rule below it and, for logs of several people, how alike their tasks come out when half of the
//! people are left out.

#![allow(clippy::unwrap_used, reason = "a program for developers; a broken data set ends it")]

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use discovery::score::{Label, Scores, score};
use discovery::{Field, LogRow, Settings, UiLog, UiLogBuilder, discover};

fn main() {
    let mut logs: Vec<PathBuf> = std::env::args().skip(1).flat_map(|folder| logs(Path::new(&folder))).collect();
    logs.sort();
    println!(
        "{:<22} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>11} {:>9} {:>6}",
        "log", "LED", "bF1", "bF1±2", "iF80", "wF1", "ARI", "noise P R", "inst/typ", "s"
    );
    for path in logs {
        let (log, classes) = read_log(&path, |_| true);
        let truth = read_truth(&PathBuf::from(path.to_string_lossy().replace(".events.", ".truth.")), log.rows());
        let begin = Instant::now();
        let found = discover(&log, &Settings::default()).labels();
        let seconds = begin.elapsed().as_secs_f64();
        let rest = without_half(&path, &log, &classes, &found);
        let name = path.file_name().unwrap().to_string_lossy().replace(".events.csv.zst", "");
        print(&name, score(&classes, &truth, &found), seconds);
        print("  pause rule", best_pause_rule(&log, &classes, &truth), 0.0);
        for (name, alike) in ["  without 1st half", "  without 2nd half"].into_iter().zip(rest.into_iter().flatten()) {
            print(name, alike, 0.0);
        }
    }
}

fn print(name: &str, scores: Scores, seconds: f64) {
    let noise = scores.noise.map_or(String::new(), |(precision, recall)| format!("{precision:.3} {recall:.3}"));
    println!(
        "{name:<22} {:>6.4} {:>6.4} {:>6.4} {:>6.4} {:>6.4} {:>6.4} {noise:>11} {:>5}/{:<3} {seconds:>6.2}",
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

/// Half of the users alone, each half in turn, scored against what all of them gave; `None` for a log of one user.
fn without_half(path: &Path, log: &UiLog, classes: &[u32], found: &[Option<Label>]) -> Option<[Scores; 2]> {
    let mut users: Vec<&str> = log.users().texts().iter().map(|user| &**user).collect();
    users.sort_unstable();
    let (first, second) = users.split_at(users.len() / 2);
    (!first.is_empty()).then(|| {
        [second, first].map(|kept| {
            let (half, _) = read_log(path, |user| kept.contains(&user));
            let labels = discover(&half, &Settings::default()).labels();
            let rows: Vec<usize> = (0..log.rows()).filter(|row| kept.contains(&log.users().text(*row))).collect();
            let of_kept = |labels: &[Option<Label>]| rows.iter().map(|row| labels[*row]).collect::<Vec<_>>();
            let classes: Vec<u32> = rows.iter().map(|row| classes[*row]).collect();
            score(&classes, &of_kept(found), &labels)
        })
    })
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

/// The rows of the users that are kept, and the class of each.
fn read_log(path: &Path, keeps: impl Fn(&str) -> bool) -> (UiLog, Vec<u32>) {
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
    let (mut builder, mut classes, mut known) = (UiLogBuilder::default(), Vec::new(), HashMap::new());
    for record in records(path).into_iter().filter(|record| keeps(&record[1])) {
        let fields: Vec<(Field, &str)> = FIELDS.iter().map(|&(at, field)| (field, &record[at])).collect();
        builder.push(LogRow { user: &record[1], time_us: time_us(&record[2]), fields: &fields });
        let class: Vec<String> = (3..8).map(|at| record[at].to_string()).collect();
        let next = known.len() as u32;
        classes.push(*known.entry(class).or_insert(next));
    }
    (builder.finish(), classes)
}

fn time_us(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Some((seconds * 1e6) as i64);
    }
    chrono::DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)).ok().map(|time| time.timestamp_micros())
}

fn read_truth(path: &Path, rows: usize) -> Vec<Option<Label>> {
    let (mut instances, mut types) = (HashMap::new(), HashMap::new());
    let mut labels = vec![None; rows];
    for record in records(path) {
        if !record[1].is_empty() {
            let (next, next_type) = (instances.len() as u32, types.len() as u32);
            let instance = *instances.entry(record[1].to_string()).or_insert(next);
            let task_type = *types.entry(record[2].to_string()).or_insert(next_type);
            labels[record[0].parse::<usize>().unwrap()] = Some(Label { instance, task_type });
        }
    }
    labels
}
