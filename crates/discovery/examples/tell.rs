//! Tells what discovery finds in one log in the plain form: `cargo run -p discovery --example tell -- LOG.csv.zst`.
//!
//! For each task type: its name, how often it is done, the process tree of its instances with its fitness, how the values
//! that it writes come about, where a script of it would have differed, and what recurs in it with gaps. Activities are
//! shown by a row that has them, in patterns by their number.

#![allow(clippy::unwrap_used, reason = "a program for developers; a broken log ends it")]

use std::collections::BTreeMap;

use discovery::dataflow::transfers;
use discovery::models::{Trace, fitness, mine};
use discovery::patterns::closed_patterns;
use discovery::replay::replay;
use discovery::routines::routines;
use discovery::{Discovery, Field, LogRow, Settings, UiLog, UiLogBuilder, discover, type_names};

/// Share of an activity's most frequent successor below which another one is left out of the tree.
const NOISE: f64 = 0.2;

/// Share of a task's instances that a pattern must be in, and how many patterns are told.
const PATTERN_SHARE_MIN: f64 = 0.5;
const PATTERNS_TOLD: usize = 3;

fn main() {
    let path = std::env::args().nth(1).expect("the path of a log");
    let log = read(&path);
    let discovery = discover(&log, &Settings::default());
    let replays = replay(&log, &discovery, &routines(&log, &discovery));
    for (task_type, name) in (0..).zip(type_names(&log, &discovery)) {
        let traces = traces(&discovery, &log, task_type);
        let tree = mine(&traces, NOISE);
        println!("\n{name}: {} instances, fitness {:.3}\n  {tree}", traces.len(), fitness(&tree, &traces));
        for transfer in transfers(&log, &discovery, task_type) {
            let to = described(&log, &discovery, transfer.to);
            let made = transfer.program.told(&|from| described(&log, &discovery, from));
            println!("  {to} = {made} ({:.0} % of {})", 100.0 * transfer.hit_rate, transfer.held_back);
        }
        for replay in replays.iter().filter(|replay| replay.task_type == task_type) {
            println!("  script: {} of {} exact, {} in order", replay.exact, replay.instances, replay.in_order);
            for (activity, found) in replay.steps.iter().filter(|(_, found)| found.same < replay.instances) {
                println!("    {}: {found:?}", described(&log, &discovery, *activity));
            }
        }
        let instances: Vec<Vec<u32>> = traces.iter().map(|(activities, _)| activities.clone()).collect();
        for pattern in closed_patterns(&instances, PATTERN_SHARE_MIN).patterns.iter().take(PATTERNS_TOLD) {
            println!("  {} ×, cohesion {:.2}: {:?}", pattern.holders.len(), pattern.cohesion, pattern.activities);
        }
    }
    println!();
    (0..discovery.activities() as u32)
        .for_each(|activity| println!("{activity:>4} {}", described(&log, &discovery, activity)));
}

fn traces(discovery: &Discovery, log: &UiLog, task_type: u32) -> Vec<Trace> {
    let mut traces = BTreeMap::<u32, Vec<u32>>::new();
    for row in 0..log.rows() {
        if let Some(label) = discovery.label(row).filter(|label| label.task_type == task_type) {
            traces.entry(label.instance).or_default().push(discovery.activity(row));
        }
    }
    traces.into_values().map(|trace| (trace, 1)).collect()
}

fn described(log: &UiLog, discovery: &Discovery, activity: u32) -> String {
    let row = discovery.example(activity);
    let fields = [Field::EventType, Field::Area, Field::Element, Field::Label];
    fields.map(|field| log.text(row, field)).join(" ")
}

fn read(path: &str) -> UiLog {
    const FIELDS: [Field; 8] = [
        Field::Application,
        Field::EventType,
        Field::Screen,
        Field::Area,
        Field::Element,
        Field::Label,
        Field::Address,
        Field::Value,
    ];
    let text = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
    let mut builder = UiLogBuilder::default();
    for record in csv::Reader::from_reader(text.as_slice()).into_records() {
        let record = record.unwrap();
        let fields: Vec<(Field, &str)> = FIELDS.iter().zip(3..).map(|(&field, at)| (field, &record[at])).collect();
        let time = chrono::DateTime::parse_from_rfc3339(&record[2]).ok();
        builder.push(LogRow { user: &record[1], time_us: time.map(|time| time.timestamp_micros()), fields: &fields });
    }
    builder.finish()
}
