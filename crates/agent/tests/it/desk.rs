//! The real program on a real desktop, recording, and what is asked of it.

use crate::hands::Children;
use crate::service::{Service, Study};
use crate::support::{command, lode_agent, printed, until};
use agent::control;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use uilog::Event;

/// The real program, recording, in a project of a real service.
pub struct Desk<'a> {
    data: &'a Path,
    _children: Children,
}

impl<'a> Desk<'a> {
    /// Enrols, says yes, and records by a backend.
    pub fn record(data: &'a Path, service: &Service, study: &Study<'_>, backend: &str) -> Self {
        Self::record_with(data, service, study, command(data, &["run", "--backend", backend, "--no-dialog"]))
    }

    /// The same by a command that runs the client over that folder, on whichever desktop.
    pub fn record_with(data: &'a Path, service: &Service, study: &Study<'_>, mut client: Command) -> Self {
        let key = study.app_key();
        printed(&lode_agent(data, &["enroll", "--server", &service.url(), "--key", &key]));
        let mut children = Children::default();
        children.0.push(client.stderr(Stdio::inherit()).spawn().unwrap());
        let desk = Self { data, _children: children };
        desk.until("asks for consent", |status| status["state"] == "needs_consent");
        printed(&lode_agent(data, &["consent", "accept"]));
        desk.until("records", |status| status["state"] == "recording");
        desk
    }

    pub fn ask(&self, request: &Value) -> Option<Value> {
        control::ask(&self.data.join("run"), request).ok()
    }

    /// Asks for the status until it is as wanted.
    pub fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(what, || self.ask(&json!({ "call": "status" })).filter(|status| wanted(status)))
    }

    /// The events that are on the disk, oldest first.
    pub fn events(&self) -> Vec<Event> {
        let answer = self.ask(&json!({ "call": "events", "before": u64::MAX })).unwrap();
        let events: Vec<(Event, bool)> = serde_json::from_value(answer["events"].clone()).unwrap();
        events.into_iter().rev().map(|(event, _)| event).collect()
    }

    /// Waits for an event; says what came instead if it does not come.
    pub fn until_event(&self, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        let end = Instant::now() + Duration::from_secs(15);
        loop {
            let events = self.events();
            if let Some(found) = events.iter().find(|event| wanted(event)) {
                return found.clone();
            }
            let came =
                || events.iter().map(|event| serde_json::to_string(event).unwrap()).collect::<Vec<_>>().join("\n");
            assert!(
                Instant::now() < end,
                "{what} did not come, but:\n{}\n{}",
                came(),
                self.ask(&json!({ "call": "status" })).unwrap()
            );
            // The disk need not be asked a thousand times a second.
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}
