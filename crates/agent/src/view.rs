//! "What was captured about me": one page without scripts, for the participant alone.
//!
//! It is written into a folder that only the user can read, opened in the browser, and deleted after ten minutes. It asks nothing
//! of any network; what can be done about what it shows is in the tray's menu and the command line.

use crate::agent::Shared;
use crate::spool::Spool;
use crate::status::Status;
use base64::Engine;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use uilog::Event;
use uilog::column::COLUMNS;
use uilog::event::Value;

/// How long the page stays.
const PAGE_TIME: Duration = Duration::from_secs(600);

/// Events on the page at most.
const EVENTS_MAX: usize = 1_000;

/// Pictures on the page at most.
const PICTURES_MAX: usize = 50;

/// The head of the page: no script, nothing from elsewhere.
const HEAD: &str = "<!doctype html><meta charset=utf-8><meta http-equiv=Content-Security-Policy content=\"default-src 'none'; \
    style-src 'unsafe-inline'; img-src data:\"><title>What Lode captured</title><style>body{font:15px sans-serif;margin:2rem;\
    max-width:75rem}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2rem .5rem;text-align:left;\
    vertical-align:top}img{max-width:30rem;border:1px solid #ccc}</style>";

/// Writes the page, opens it, and deletes it later.
///
/// Errors: the page cannot be written.
pub fn open(shared: &Shared) -> io::Result<()> {
    let text = page(&shared.status(), &shared.spool());
    let path = write(&shared.options.runtime.join("view"), &text)?;
    let opened =
        crate::paths::opener().arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    std::thread::Builder::new().name("lode-view".into()).spawn(move || {
        if let Ok(mut browser) = opened {
            let _ = browser.wait();
        }
        std::thread::sleep(PAGE_TIME);
        let _ = std::fs::remove_file(path);
    })?;
    Ok(())
}

/// Writes a page into a folder of the user's own; pages of before are deleted.
///
/// Errors: the folder cannot be written.
pub fn write(folder: &Path, text: &str) -> io::Result<PathBuf> {
    crate::paths::make_private_folder(folder)?;
    for entry in std::fs::read_dir(folder)?.flatten() {
        let _ = std::fs::remove_file(entry.path());
    }
    let path = folder.join("captured.html");
    crate::paths::write_private(&path, text.as_bytes())?;
    Ok(path)
}

/// The page.
pub fn page(status: &Status, spool: &Spool) -> String {
    let mut text = String::from(HEAD);
    let events = spool.latest(u64::MAX, EVENTS_MAX).unwrap_or_default();
    let counters = &status.counters;
    let _ = write!(
        text,
        "<h1>What Lode captured about you</h1><p>State: <b>{}</b>. Waiting on this machine: {}. Sent: {}. Deleted by you: {}. \
         Not recorded: {}.</p><p>To delete what was not sent yet: the tray's menu, or <code>lode-agent forget --last 1h</code>. \
         This page is deleted in ten minutes.</p>",
        escape(status.state.name()),
        counters.waiting,
        counters.stored,
        counters.erased,
        counters.filtered.values().sum::<u64>(),
    );
    text.push_str("<h2>What was not recorded, and why</h2><table><tr><th>rule or gate<th>how often</tr>");
    for (name, count) in &counters.filtered {
        let _ = write!(text, "<tr><td>{}<td>{count}</tr>", escape(name));
    }
    text.push_str("</table><h2>Latest events</h2><table><tr><th>time<th>what<th>sent<th>details</tr>");
    let mut pictures = Vec::new();
    for (event, sent) in &events {
        let time = chrono::DateTime::from_timestamp_micros(event.time_us)
            .map(|time| time.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M:%S").to_string());
        let _ = write!(
            text,
            "<tr><td>{}<td>{}<td>{}<td>{}</tr>",
            time.unwrap_or_default(),
            event.event_type.name(),
            if *sent { "yes" } else { "no" },
            details(event),
        );
        if let Some(id) = event.screenshot_id.filter(|id| !pictures.contains(id) && pictures.len() < PICTURES_MAX) {
            pictures.push(id);
        }
    }
    text.push_str("</table>");
    if !pictures.is_empty() {
        text.push_str("<h2>Pictures</h2>");
    }
    for id in pictures {
        if let Some(png) = spool.picture(id) {
            let data = base64::engine::general_purpose::STANDARD.encode(png);
            let _ = write!(text, "<p><img alt=\"picture {id}\" src=\"data:image/png;base64,{data}\">");
        }
    }
    text
}

/// Every column that has a value, but those that are the same in all events.
fn details(event: &Event) -> String {
    let mut text = String::new();
    for (position, column) in COLUMNS.iter().enumerate().filter(|(_, column)| !column.mandatory) {
        let value = match event.value(position) {
            Value::Null => continue,
            Value::Text(value) => value.to_owned(),
            Value::Enum(value) => value.to_owned(),
            Value::TextMap(map) => serde_json::to_string(map).unwrap_or_default(),
            Value::Fingerprint(_) => "(fingerprint)".to_owned(),
            other => format!("{other:?}")
                .split_once('(')
                .map_or_else(String::new, |(_, rest)| rest.trim_end_matches(')').to_owned()),
        };
        let _ = write!(text, "{}: {}<br>", column.name, escape(&value));
    }
    for name in event.hashed.keys() {
        let _ = write!(text, "{}: (hashed)<br>", escape(name));
    }
    text
}

fn escape(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '&' => "&amp;".to_owned(),
            '"' => "&quot;".to_owned(),
            character => character.to_string(),
        })
        .collect()
}
