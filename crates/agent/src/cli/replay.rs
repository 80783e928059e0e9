//! `lode-agent replay`: a recorded log through the real way of a click, with a spool and an identity of its own.

use super::{INVALID, REJECTED, coded};
use crate::capture::scripted;
use crate::clock::Moment;
use crate::configuration::{ClientHash, Effective, effective, encode};
use crate::flow::{Flow, Person};
use crate::spool::Spool;
use crate::standing::State;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use uilog::policy::{self, Variables};
use uilog::{Event, EventType};

/// Time that passes after the last event, so that everything is finished.
const REST_US: u64 = 20_000_000;

/// Events of a gap between two that are played in steps of this.
const STEP_US: u64 = 1_000_000;

/// The longest pause of a log that is played second by second.
const PAUSE_US_MAX: u64 = 60_000_000;

/// Plays the file, and prints what became of it. With a configuration it is read as it is played, so that a log may be longer
/// than memory, or come from a pipe.
pub(super) fn run(file: &Path, config: Option<&Path>, spool: Option<&Path>) -> Result<u8> {
    let mut log = Log::open(file)?;
    let effective = match config {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read '{}'", path.display()))
            .and_then(obeyed)?,
        None => {
            let events = log.by_ref().collect::<Result<Vec<_>>>()?;
            let allowed = obeyed(everything(&events)?)?;
            log.put_back(events);
            allowed
        }
    };
    let temporary = std::env::temp_dir().join(format!("lode-replay-{}", std::process::id()));
    let folder = spool.unwrap_or(&temporary);
    let played = play(&mut log, Arc::new(effective), folder);
    if spool.is_none() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    let counters = played?;
    println!("{}", serde_json::to_string_pretty(&counters)?);
    if log.rejected > 0 {
        eprintln!("lode-agent: {} lines are no events", log.rejected);
        return Ok(REJECTED);
    }
    Ok(0)
}

/// A recorded log, event by event: JSON Lines, or else the notation.
struct Log {
    lines: std::io::Lines<BufReader<File>>,
    /// Events that were read already.
    ready: std::vec::IntoIter<Event>,
    /// Lines that are no events.
    rejected: usize,
}

impl Log {
    fn open(file: &Path) -> Result<Self> {
        let cannot = || format!("cannot read '{}'", file.display());
        let mut reader = BufReader::new(File::open(file).with_context(cannot)?);
        let mut ready = Vec::new();
        let start = reader.fill_buf().with_context(cannot)?;
        if start.trim_ascii_start().first().is_some_and(|byte| *byte != b'{') {
            let mut text = String::new();
            reader.read_to_string(&mut text).with_context(cannot)?;
            ready = uilog::notation::parse(text.trim()).map_err(|error| coded(INVALID, error.to_string()))?;
        }
        Ok(Self { lines: reader.lines(), ready: ready.into_iter(), rejected: 0 })
    }

    /// Events that come first, once more.
    fn put_back(&mut self, events: Vec<Event>) {
        self.ready = events.into_iter();
    }
}

impl Iterator for Log {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(event) = self.ready.next() {
            return Some(Ok(event));
        }
        loop {
            let line = match self.lines.next()? {
                Ok(line) if line.trim().is_empty() => continue,
                Ok(line) => line,
                Err(error) => return Some(Err(error).context("cannot read the log to its end")),
            };
            match serde_json::from_str(&line) {
                Ok(event) => return Some(Ok(event)),
                Err(_) => self.rejected += 1,
            }
        }
    }
}

/// A configuration that allows what is in the log.
fn everything(events: &[Event]) -> Result<String> {
    let mut applications: Vec<String> = events
        .iter()
        .filter_map(|event| event.process_name.clone().or_else(|| event.application.clone()))
        .map(|name| name.to_lowercase())
        .collect();
    applications.sort();
    applications.dedup();
    let input = policy::TemplateInput {
        project: uuid::Uuid::nil(),
        applications,
        sites: Vec::new(),
        valid_until_s: chrono::Utc::now().timestamp() + 86_400,
        texts: vec![("en".into(), "Replay.".into())],
    };
    let template = policy::template(policy::Preset::Standard, &input);
    Ok(policy::write(&template.map_err(|problems| coded(INVALID, first(&problems)))?))
}

/// What a configuration means.
fn obeyed(xml: String) -> Result<Effective> {
    let configuration = policy::parse(&xml).map_err(|problems| coded(INVALID, first(&problems)))?;
    effective(&configuration, None, &Variables::none()).map_err(|error| coded(INVALID, error.to_string()))
}

fn first(problems: &[policy::Problem]) -> String {
    problems.first().map_or_else(String::new, ToString::to_string)
}

fn play(
    events: &mut dyn Iterator<Item = Result<Event>>,
    effective: Arc<Effective>,
    folder: &Path,
) -> Result<crate::counters::Counters> {
    let mut events = events.peekable();
    let (backend, script) = scripted::desktop();
    let hash = ClientHash::new("replay", &encode(&[0; 32])).context("a key of zeros is a key")?;
    let first = events.peek().and_then(|event| event.as_ref().ok());
    let mut now = moment(first.map_or(0, |event| event.time_us), first);
    let (mut spool, _) = Spool::open(folder, now)?;
    let mut flow = Flow::start(Box::new(backend), Person::default())?;
    flow.record(now, effective, hash, EventType::RecordingStarted);
    let first_us = now.time_us;
    for event in events {
        let event = event?;
        let at = moment(first_us, Some(&event));
        // The clock is turned second by second, so that what rests is finished when it would be.
        let pause_us = at.uptime_us.saturating_sub(now.uptime_us);
        for _ in 0..pause_us.min(PAUSE_US_MAX) / STEP_US {
            now = Moment { uptime_us: now.uptime_us + STEP_US, time_us: now.time_us + STEP_US as i64 };
            let given = flow.step(now);
            spool.append(&given.admissions, &given.counters, &[], now)?;
        }
        now = now.max(at);
        script.play(now, &event);
        let given = flow.step(now);
        spool.append(&given.admissions, &given.counters, &[], now)?;
    }
    now.uptime_us += REST_US;
    now.time_us += REST_US as i64;
    let given = flow.step(now);
    spool.append(&given.admissions, &given.counters, &[], now)?;
    let (given, _) = flow.stop(now, State::Stopped);
    spool.append(&given.admissions, &given.counters, &[], now)?;
    spool.sync(now)?;
    Ok(spool.counters().clone())
}

/// The moment of an event on both clocks; the monotonic one begins with the log.
fn moment(first_us: i64, event: Option<&Event>) -> Moment {
    let time_us = event.map_or(first_us, |event| event.time_us);
    Moment { uptime_us: u64::try_from(time_us.saturating_sub(first_us)).unwrap_or(0) + STEP_US, time_us }
}
