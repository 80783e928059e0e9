//! What changes in the fleet right now, for pages that watch it: which client was heard, how many events came.
//!
//! Everything here is in memory and may be lost; the ingest database is what counts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::broadcast;
use uuid::Uuid;

/// Changes that a slow watcher may be behind; beyond that it skips some and hears the counts only.
const CHANGES_MAX: usize = 1_024;

/// An agent not heard for this long does not count as alive for the length of heartbeats.
const ALIVE_US: i64 = 10 * 60 * 1_000_000;

/// Minutes over which events are counted.
const MINUTES: i64 = 5;

/// A client of a project changed.
#[derive(Debug, Clone)]
pub struct Change {
    /// The project.
    pub project: String,
    /// The client; `None` if only counts changed.
    pub agent_id: Option<String>,
}

/// Who watches and what is counted.
pub struct Live {
    changes: broadcast::Sender<Change>,
    /// Per agent: when it was last heard, and in what state.
    heard: Mutex<HashMap<Uuid, (i64, String)>>,
    /// Per project: when events came last, and per minute how many.
    received: Mutex<HashMap<String, Received>>,
    /// Whether an envelope or a picture could not be stored, through no fault of its own, and no events were stored since.
    failing: AtomicBool,
}

#[derive(Debug, Default)]
struct Received {
    last_us: i64,
    minutes: BTreeMap<i64, u64>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            changes: broadcast::channel(CHANGES_MAX).0,
            heard: Mutex::default(),
            received: Mutex::default(),
            failing: AtomicBool::new(false),
        }
    }
}

impl Live {
    /// From now on every change.
    pub fn watch(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// A client of a project is new or changed.
    pub fn touched(&self, project: &str, agent_id: &str) {
        let _ = self.changes.send(Change { project: project.to_owned(), agent_id: Some(agent_id.to_owned()) });
    }

    /// A client was heard; says whether its state changed.
    pub fn beat(&self, agent_id: Uuid, state: &str, now_us: i64) -> bool {
        let Ok(mut heard) = self.heard.lock() else { return true };
        let before = heard.insert(agent_id, (now_us, state.to_owned()));
        before.is_none_or(|(_, before)| before != state)
    }

    /// What came could not be stored: the disk is full, say.
    pub fn failed(&self) {
        self.failing.store(true, Ordering::Relaxed);
    }

    /// Whether what comes can be stored, as far as was seen.
    pub fn is_storing(&self) -> bool {
        !self.failing.load(Ordering::Relaxed)
    }

    /// Events of a project were stored.
    pub fn received(&self, project: &str, events: u64, now_us: i64) {
        self.failing.store(false, Ordering::Relaxed);
        if let Ok(mut received) = self.received.lock() {
            let Received { last_us, minutes } = received.entry(project.to_owned()).or_default();
            *last_us = now_us;
            let minute = now_us / 60_000_000;
            *minutes.entry(minute).or_default() += events;
            while minutes.first_key_value().is_some_and(|(first, _)| *first < minute - MINUTES) {
                minutes.pop_first();
            }
        }
        let _ = self.changes.send(Change { project: project.to_owned(), agent_id: None });
    }

    /// Events a minute of a project, over the last complete minutes.
    pub fn events_per_min(&self, project: &str, now_us: i64) -> u64 {
        let minute = now_us / 60_000_000;
        let Ok(received) = self.received.lock() else { return 0 };
        let Some(Received { minutes, .. }) = received.get(project) else { return 0 };
        minutes.range(minute - MINUTES..minute).map(|(_, events)| events).sum::<u64>() / MINUTES as u64
    }

    /// When events of a project came last, since the service began.
    pub fn last_event_us(&self, project: &str) -> Option<i64> {
        Some(self.received.lock().ok()?.get(project)?.last_us)
    }

    /// Agents heard lately, in all projects.
    pub fn alive(&self) -> i64 {
        self.heard.lock().map_or(0, |heard| heard.len() as i64)
    }

    /// Forgets agents not heard for a while.
    pub fn forget_silent(&self, now_us: i64) {
        if let Ok(mut heard) = self.heard.lock() {
            heard.retain(|_, (at_us, _)| now_us - *at_us < ALIVE_US);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_a_change_once() {
        let live = Live::default();
        let agent = Uuid::nil();
        assert!(live.beat(agent, "recording", 1));
        assert!(!live.beat(agent, "recording", 2));
        assert!(live.beat(agent, "paused", 3));
        live.forget_silent(ALIVE_US + 4);
        assert_eq!(live.alive(), 0);
    }

    #[test]
    fn events_are_counted_over_whole_minutes_of_one_project() {
        let live = Live::default();
        let minute = 60_000_000;
        for at in 0..5 {
            live.received("p", 100, at * minute);
        }
        live.received("other", 7, minute);
        assert_eq!(live.events_per_min("p", 5 * minute), 100);
        assert_eq!(live.events_per_min("p", 20 * minute), 0);
    }
}
