//! Eight hours of work in a few minutes: `lode-agent replay` on its virtual clock, fed through a pipe, looked at hour by hour.
//!
//! It goes the real way of a click (gate, joining, rules, scrub, spool); what it does not have is a desktop and a network, so
//! what waits is never sent, and the spool on the disk grows as it would offline.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use uilog::{Event, EventType};

use super::desktop::said;
use super::lode::{configuration, difference};
use super::processes::Use;
use crate::command;

/// Virtual hours.
pub const HOURS: u64 = 8;
/// Virtual seconds between two recorded actions.
const EVERY_S: u64 = 2;
/// Actions after which the windows are called otherwise.
const TITLE_EVERY: u64 = 50;
/// Titles of a window; then the first comes again, because the scripted desktop forgets none.
const TITLES: u64 = 20;
/// Noon of 2 November 2026, when the virtual day begins, in seconds since 1970.
const BEGIN_S: u64 = 1_793_620_800;

/// What the program held at the end of each hour; the first is at the end of the first hour.
pub struct Soaked {
    /// Hour by hour.
    pub hours: Vec<Use>,
    /// Actions that were played.
    pub actions: u64,
    /// The program's own sums.
    pub counters: Value,
}

impl Soaked {
    /// By how much memory grew from the end of the second hour to the end of the last, in MB. The first two hours fill the
    /// database's cache, which has a bound.
    pub fn growth_mb(&self) -> f64 {
        let at = |hour: Option<&Use>| hour.map_or(0.0, Use::rss_mb);
        at(self.hours.last()) - at(self.hours.get(1))
    }

    /// By how many the open files of the last hour differ from those of the first.
    pub fn more_files(&self) -> i64 {
        let at = |hour: Option<&Use>| hour.map_or(0, |hour| hour.files as i64);
        at(self.hours.last()) - at(self.hours.first())
    }

    /// What is missing of what was captured.
    pub fn missing(&self) -> i64 {
        difference(&self.counters)
    }
}

/// Plays the hours.
///
/// Errors: the program ends before its log does, or not well; what it says is in `soak.log`.
pub fn soak(agent: &Path, folder: &Path) -> Result<Soaked> {
    let config = folder.join("soak.xml");
    let xml = configuration("00000000-0000-0000-0000-000000000000", false)?;
    std::fs::write(&config, xml).with_context(|| format!("cannot write '{}'", config.display()))?;
    let mut replay = command::bound(agent);
    replay.args(["replay", "/dev/stdin", "--config"]).arg(&config).arg("--spool").arg(folder.join("soak"));
    let log = folder.join("soak.log");
    let mut replay = replay.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(said(&log)?).spawn()?;
    let mut lines = std::io::BufWriter::new(replay.stdin.take().context("its input is not piped")?);
    let (mut hours, mut actions) = (Vec::new(), 0);
    for hour in 0..HOURS {
        for second in (hour * 3_600..(hour + 1) * 3_600).step_by(EVERY_S as usize) {
            let line = serde_json::to_string(&action(actions, BEGIN_S + second))?;
            writeln!(lines, "{line}").context("it ended before the log did")?;
            actions += 1;
        }
        lines.flush().context("it ended before the log did")?;
        hours.push(Use::of(replay.id()));
    }
    drop(lines);
    let output = replay.wait_with_output()?;
    if !output.status.success() {
        bail!("replay ended with {}: {}", output.status, std::fs::read_to_string(&log).unwrap_or_default().trim());
    }
    let counters = serde_json::from_slice(&output.stdout).context("replay printed no counters")?;
    Ok(Soaked { hours, actions, counters })
}

/// The recorded actions of a working day, over and over: in the editor, but every eighth in a program that is not allowed.
fn action(number: u64, second: u64) -> Event {
    let (event_type, is_elsewhere) = match number % 8 {
        0 => (EventType::LeftClick, false),
        1 | 2 => (EventType::TextEntered, false),
        3 => (EventType::KeyCommand, false),
        4 => (EventType::Copy, false),
        5 => (EventType::Paste, false),
        6 => (EventType::Scroll, false),
        _ => (EventType::LeftClick, true),
    };
    let process = if is_elsewhere { "galculator" } else { "mousepad" };
    Event {
        event_type,
        time_us: second as i64 * 1_000_000,
        process_name: Some(process.to_owned()),
        window_title: Some(format!("order {} - {process}", number / TITLE_EVERY % TITLES)),
        element_role: Some("textbox".to_owned()),
        element_name: Some(format!("field {}", number % 40)),
        text_length: Some(12),
        ..Event::default()
    }
}
