//! `lode-agent replay`: a recorded log through the real way of a click, with a spool and an identity of its own.

use super::{INVALID, REJECTED, coded};
use crate::capture::scripted;
use crate::clock::Moment;
use crate::configuration::{ClientHash, Effective, effective, encode};
use crate::flow::{Flow, Person};
use crate::spool::Spool;
use crate::standing::State;
use anyhow::{Context, Result};
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

/// Plays the file, and prints what became of it.
pub(super) fn run(file: &Path, config: Option<&Path>, spool: Option<&Path>) -> Result<u8> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read '{}'", file.display()))?;
    let (events, rejected) = read(&text)?;
    let effective = Arc::new(configuration(config, &events)?);
    let temporary = std::env::temp_dir().join(format!("lode-replay-{}", std::process::id()));
    let folder = spool.unwrap_or(&temporary);
    let played = play(&events, effective, folder);
    if spool.is_none() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    let counters = played?;
    println!("{}", serde_json::to_string_pretty(&counters)?);
    if rejected > 0 {
        eprintln!("lode-agent: {rejected} lines are no events");
        return Ok(REJECTED);
    }
    Ok(0)
}

/// JSON Lines, or else the notation; and how many lines are no events.
fn read(text: &str) -> Result<(Vec<Event>, usize)> {
    if !text.trim_start().starts_with('{') {
        let events = uilog::notation::parse(text.trim()).map_err(|error| coded(INVALID, error.to_string()))?;
        return Ok((events, 0));
    }
    let (mut events, mut rejected) = (Vec::new(), 0);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(event) => events.push(event),
            Err(_) => rejected += 1,
        }
    }
    Ok((events, rejected))
}

/// The given configuration, or one that allows what is in the log.
fn configuration(path: Option<&Path>, events: &[Event]) -> Result<Effective> {
    let xml = match path {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read '{}'", path.display()))?,
        None => {
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
            policy::write(&template.map_err(|problems| coded(INVALID, first(&problems)))?)
        }
    };
    let configuration = policy::parse(&xml).map_err(|problems| coded(INVALID, first(&problems)))?;
    effective(&configuration, None, &Variables::none()).map_err(|error| coded(INVALID, error.to_string()))
}

fn first(problems: &[policy::Problem]) -> String {
    problems.first().map_or_else(String::new, ToString::to_string)
}

fn play(events: &[Event], effective: Arc<Effective>, folder: &Path) -> Result<crate::counters::Counters> {
    let (backend, script) = scripted::desktop();
    let hash = ClientHash::new("replay", &encode(&[0; 32])).context("a key of zeros is a key")?;
    let mut now = moment(events.first().map_or(0, |event| event.time_us), events.first());
    let (mut spool, _) = Spool::open(folder, now)?;
    let mut flow = Flow::start(Box::new(backend), Person::default())?;
    flow.record(now, effective, hash, EventType::RecordingStarted);
    let first_us = now.time_us;
    for event in events {
        let at = moment(first_us, Some(event));
        // The clock is turned second by second, so that what rests is finished when it would be.
        let pause_us = at.uptime_us.saturating_sub(now.uptime_us);
        for _ in 0..pause_us.min(PAUSE_US_MAX) / STEP_US {
            now = Moment { uptime_us: now.uptime_us + STEP_US, time_us: now.time_us + STEP_US as i64 };
            let given = flow.step(now);
            spool.append(&given.admissions, &given.counters, &[], now)?;
        }
        now = now.max(at);
        script.play(now, event);
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
