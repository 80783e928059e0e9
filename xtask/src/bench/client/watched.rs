//! One candidate under watch: at rest, then under the load; what it cost, and how much of the load arrived.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::desktop::Desktop;
use super::load::{self, Done};
use super::processes::{Use, bytes_below};

/// After a candidate started it is left alone this long.
const SETTLE: Duration = Duration::from_secs(5);
/// After the load, what was begun is finished in this time, and counted.
const FINISH: Duration = Duration::from_secs(5);

/// A process of a candidate.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// What the table calls it.
    pub name: &'static str,
    /// Its id.
    pub process: u32,
}

/// How much of the load arrived.
#[derive(Clone, Debug, Default)]
pub struct Arrived {
    /// Kind of input, how many were done, how many are in the record.
    pub kinds: Vec<(&'static str, u64, u64)>,
    /// Records that were kept.
    pub records: u64,
    /// What else the candidate says of itself.
    pub notes: Vec<String>,
}

impl Arrived {
    /// Inputs that were done and are not in the record.
    pub fn missed(&self) -> u64 {
        self.kinds.iter().map(|(_, done, seen)| done.saturating_sub(*seen)).sum()
    }

    /// Inputs that the candidate can record at all.
    pub fn done(&self) -> u64 {
        self.kinds.iter().map(|(_, done, _)| done).sum()
    }
}

/// A program that watches the desktop.
pub trait Watcher {
    /// Its processes.
    fn parts(&self) -> Vec<Part>;
    /// Its version.
    fn version(&self) -> String;
    /// Where it keeps its data.
    fn folder(&self) -> PathBuf;
    /// What of the load is in its record.
    ///
    /// Errors: the record cannot be read.
    fn arrived(&self, done: Done) -> Result<Arrived>;
}

/// How long it is measured.
#[derive(Clone, Copy, Debug)]
pub struct Durations {
    /// At rest.
    pub idle: Duration,
    /// Under the load.
    pub load: Duration,
    /// Slots of the load a second.
    pub slots_per_s: u32,
}

/// Processor time of a process in both phases, and what it held at the end.
pub struct Cost {
    /// Which.
    pub name: &'static str,
    /// Seconds at rest.
    pub idle_s: f64,
    /// Seconds under the load.
    pub load_s: f64,
    /// What it held at the end.
    pub end: Use,
    /// Its threads under the load, the dearest first.
    pub threads: Vec<(String, f64)>,
}

/// A candidate's figures.
pub struct Measured {
    /// Which.
    pub name: &'static str,
    /// Its version.
    pub version: String,
    /// Its processes.
    pub parts: Vec<Cost>,
    /// Processes of the desktop itself.
    pub others: Vec<Cost>,
    /// How long it was at rest, as measured.
    pub idle_s: f64,
    /// How long it was under the load, as measured.
    pub load_s: f64,
    /// What was done.
    pub done: Done,
    /// What arrived.
    pub arrived: Arrived,
    /// On the disk at the end of the load.
    pub disk_bytes: u64,
}

/// Watches one; with none, what the desktop costs by itself.
///
/// Errors: the load cannot be played, or the record not be read.
pub fn measure(
    desktop: &Desktop,
    name: &'static str,
    watcher: Option<&dyn Watcher>,
    durations: Durations,
) -> Result<Measured> {
    std::thread::sleep(SETTLE);
    let parts = watcher.map(Watcher::parts).unwrap_or_default();
    let others = desktop.others.iter().map(|(name, process)| Part { name, process: *process });
    let all: Vec<Part> = parts.iter().copied().chain(others).collect();
    let look = || all.iter().map(|part| Use::of(part.process)).collect::<Vec<_>>();
    let (start, at_start) = (Instant::now(), look());
    std::thread::sleep(durations.idle);
    let (idle_s, rested) = (start.elapsed().as_secs_f64(), look());
    let start = Instant::now();
    let done = load::play(desktop, durations.load, durations.slots_per_s)?;
    // What is finished afterwards costs too, but is no time in which anything was done.
    let load_s = start.elapsed().as_secs_f64();
    std::thread::sleep(FINISH);
    let at_end = look();
    let disk_bytes = watcher.map_or(0, |watcher| bytes_below(&watcher.folder()));
    let mut costs: Vec<Cost> = Vec::new();
    for (((part, start), rest), end) in all.iter().zip(at_start).zip(rested).zip(at_end) {
        costs.push(Cost {
            name: part.name,
            idle_s: rest.cpu_s - start.cpu_s,
            load_s: end.cpu_s - rest.cpu_s,
            threads: end.threads_since(&rest),
            end,
        });
    }
    let others = costs.split_off(parts.len());
    let arrived = watcher.map(|watcher| watcher.arrived(done)).transpose()?.unwrap_or_default();
    let version = watcher.map(Watcher::version).unwrap_or_default();
    Ok(Measured { name, version, parts: costs, others, idle_s, load_s, done, arrived, disk_bytes })
}
