//! What became of everything that was captured: sums that must come out even (promise P5).
//!
//! ```text
//! captured = stored + waiting + refused + erased + filtered + merged + dropped
//! ```
//!
//! The flow counts into a [`Counters`] of its own; the spool adds it to its sums in the same transaction in which it keeps the
//! events, so that a kill between the two cannot make a difference. `stored`, `waiting`, `refused`, `erased` are counted by the
//! spool alone.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names of a map of counters at most; more are counted under [`OTHER`].
const NAMES_MAX: usize = 600;

/// Where counters go that find no room.
const OTHER: &str = "other";

/// Sums since the epoch began, or since they were taken last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Raw events and events about the recording whose fate is decided.
    pub captured: u64,
    /// Acknowledged by the service.
    #[serde(default)]
    pub stored: u64,
    /// Not admitted, by the gate or a rule.
    pub filtered: BTreeMap<String, u64>,
    /// Became part of another event.
    pub merged: u64,
    /// Lost, with the reason.
    pub dropped: BTreeMap<String, u64>,
    /// The service will never take them.
    #[serde(default)]
    pub refused: u64,
    /// In the spool.
    #[serde(default)]
    pub waiting: u64,
    /// Deleted by the person.
    #[serde(default)]
    pub erased: u64,
    /// What became of pictures; they are no part of the sum above.
    #[serde(default)]
    pub pictures: PictureCounters,
}

/// What became of pictures that left the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PictureCounters {
    /// The service has them.
    pub stored: u64,
    /// The service will never take them.
    pub refused: u64,
    /// Deleted by the person.
    pub erased: u64,
    /// Lost: no room, damaged, or the event that names it is lost.
    pub dropped: u64,
}

impl Counters {
    /// Counts something that was not admitted.
    pub fn filter(&mut self, name: &str, count: u64) {
        self.captured += count;
        add(&mut self.filtered, name, count);
    }

    /// Counts something that was lost.
    pub fn lose(&mut self, reason: &str, count: u64) {
        self.captured += count;
        add(&mut self.dropped, reason, count);
    }

    /// Counts parts of other events.
    pub fn merge(&mut self, count: u64) {
        self.captured += count;
        self.merged += count;
    }

    /// Counts an event that goes to the spool.
    pub fn admit(&mut self) {
        self.captured += 1;
        self.waiting += 1;
    }

    /// Adds others.
    pub fn add(&mut self, other: &Counters) {
        self.captured += other.captured;
        self.stored += other.stored;
        self.merged += other.merged;
        self.refused += other.refused;
        self.waiting += other.waiting;
        self.erased += other.erased;
        self.pictures.stored += other.pictures.stored;
        self.pictures.refused += other.pictures.refused;
        self.pictures.erased += other.pictures.erased;
        self.pictures.dropped += other.pictures.dropped;
        for (map, others) in [(&mut self.filtered, &other.filtered), (&mut self.dropped, &other.dropped)] {
            for (name, count) in others {
                add(map, name, *count);
            }
        }
    }

    /// What is missing without a reason: zero, or there is a bug.
    pub fn difference(&self) -> i128 {
        let sum = |map: &BTreeMap<String, u64>| map.values().map(|count| i128::from(*count)).sum::<i128>();
        let fates = [self.stored, self.waiting, self.refused, self.erased, self.merged];
        let fates: i128 = fates.into_iter().map(i128::from).sum();
        i128::from(self.captured) - fates - sum(&self.filtered) - sum(&self.dropped)
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn add(map: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    if count == 0 {
        return;
    }
    let name = if map.len() >= NAMES_MAX && !map.contains_key(name) { OTHER } else { name };
    *map.entry(name.to_owned()).or_default() += count;
}
