//! Room for what clients send: bounded, with budgets of its own, so that a storm of envelopes leaves heartbeats and pages
//! alone. Who finds no room is told when to come back, and everybody is told another time (promise P9).

use rand::RngExt;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uilog::planted;

/// Bytes of envelopes, as sent, that may be in memory at once.
const BYTES_MAX: usize = 32 << 20;

/// Envelopes that are unpacked and scrubbed at once; each may grow to 16 MiB.
const UNPACKING_MAX: usize = 8;

/// Heartbeats that may wait for the database at once.
const HEARTBEATS_MAX: usize = 512;

/// The earliest time to come back, in seconds.
const RETRY_S_MIN: u32 = 5;

/// The latest, in seconds, when everything is full.
const RETRY_S_MAX: u32 = 120;

/// Budgets for the calls of clients.
pub struct Admission {
    bytes: Arc<Semaphore>,
    unpacking: Arc<Semaphore>,
    heartbeats: Arc<Semaphore>,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(BYTES_MAX)),
            unpacking: Arc::new(Semaphore::new(UNPACKING_MAX)),
            heartbeats: Arc::new(Semaphore::new(HEARTBEATS_MAX)),
        }
    }
}

impl Admission {
    /// Room for a body of this many bytes; `None` if there is none now.
    pub fn body(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = if planted::is("unbounded-queue") { 1 } else { bytes };
        let bytes = u32::try_from(bytes.max(1)).ok()?;
        self.bytes.clone().try_acquire_many_owned(bytes).ok()
    }

    /// Waits for one of the places where envelopes are unpacked. A body must be complete before it waits here, or slow
    /// senders would hold every place.
    pub async fn unpack(&self) -> Option<OwnedSemaphorePermit> {
        self.unpacking.clone().acquire_owned().await.ok()
    }

    /// Room for a heartbeat; `None` if there is none now.
    pub fn heartbeat(&self) -> Option<OwnedSemaphorePermit> {
        self.heartbeats.clone().try_acquire_owned().ok()
    }

    /// How full it is, from 0 to 1.
    fn load(&self) -> f64 {
        1.0 - self.bytes.available_permits() as f64 / BYTES_MAX as f64
    }

    /// Seconds after which to come back: drawn anew for each one that is sent away, over a span that grows with the load.
    pub fn retry_after_s(&self) -> u32 {
        let span = f64::from(RETRY_S_MAX - RETRY_S_MIN) * self.load().max(0.25);
        RETRY_S_MIN + rand::rng().random_range(0..=span as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn p9_bodies_beyond_the_budget_find_no_room_until_others_are_gone() {
        let admission = Admission::default();
        let held = admission.body(BYTES_MAX - 10).unwrap();
        assert!(admission.body(11).is_none());
        assert!(admission.body(10).is_some());
        drop(held);
        assert!(admission.body(BYTES_MAX).is_some());
    }

    #[test]
    fn p9_those_who_are_sent_away_do_not_come_back_together() {
        let admission = Admission::default();
        let _full = admission.body(BYTES_MAX).unwrap();
        let times: HashSet<u32> = (0..1_000).map(|_| admission.retry_after_s()).collect();
        assert!(times.len() > 60, "{} different times", times.len());
        assert!(times.iter().all(|time| (RETRY_S_MIN..=RETRY_S_MAX).contains(time)));
    }
}
