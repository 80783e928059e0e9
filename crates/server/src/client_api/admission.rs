//! Room for what clients send: bounded, with budgets of its own, so that a storm of envelopes leaves heartbeats and pages
//! alone. Who finds no room is told when to come back, and everybody is told another time (promise P9).

use rand::RngExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uilog::planted;
use uuid::Uuid;

/// Bytes of envelopes, as sent, that may be in memory at once.
const BYTES_MAX: usize = 32 << 20;

/// Bytes that one agent may have in memory at once: its largest picture, and others find room beside it.
const AGENT_BYTES_MAX: usize = BYTES_MAX / 2;

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
    /// Bytes by agent, of those that have any.
    by_agent: Arc<Mutex<HashMap<Uuid, usize>>>,
    unpacking: Arc<Semaphore>,
    heartbeats: Arc<Semaphore>,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(BYTES_MAX)),
            by_agent: Arc::default(),
            unpacking: Arc::new(Semaphore::new(UNPACKING_MAX)),
            heartbeats: Arc::new(Semaphore::new(HEARTBEATS_MAX)),
        }
    }
}

impl Admission {
    /// Room for a body of an agent of which this many bytes are expected soon; `None` if there is none now.
    pub fn body(&self, agent: Uuid, bytes: usize) -> Option<Room> {
        let none = self.bytes.clone().try_acquire_many_owned(0).ok()?;
        let mut room = Room { taken: none, agent, by_agent: self.by_agent.clone() };
        room.grow_to(bytes.max(1)).then_some(room)
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

    /// Seconds after which to come back.
    pub fn retry_after_s(&self) -> u32 {
        retry_after_s(self.load())
    }
}

/// Seconds after which to come back: drawn anew for each one that is sent away, over a span that grows with the load (0 to 1).
pub fn retry_after_s(load: f64) -> u32 {
    let span = f64::from(RETRY_S_MAX - RETRY_S_MIN) * load.max(0.25);
    RETRY_S_MIN + rand::rng().random_range(0..=span as u32)
}

/// Room that a body has for as long as it is held.
#[derive(Debug)]
pub struct Room {
    taken: OwnedSemaphorePermit,
    agent: Uuid,
    by_agent: Arc<Mutex<HashMap<Uuid, usize>>>,
}

impl Room {
    /// Takes more, up to this many bytes in all; `false` if there is no more now, or the agent has its share.
    pub fn grow_to(&mut self, bytes: usize) -> bool {
        let wanted = if planted::is("unbounded-queue") { 1 } else { bytes };
        let more = wanted.saturating_sub(self.taken.num_permits());
        if more == 0 {
            return true;
        }
        let Ok(mut by_agent) = self.by_agent.lock() else { return false };
        let has = by_agent.get(&self.agent).copied().unwrap_or(0);
        let fits = |has: &usize| *has <= AGENT_BYTES_MAX || planted::is("agent-takes-all");
        let Some(has) = has.checked_add(more).filter(fits) else { return false };
        let more =
            u32::try_from(more).ok().and_then(|more| self.taken.semaphore().clone().try_acquire_many_owned(more).ok());
        let Some(more) = more else { return false };
        self.taken.merge(more);
        by_agent.insert(self.agent, has);
        true
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let Ok(mut by_agent) = self.by_agent.lock() else { return };
        let left = by_agent.get(&self.agent).copied().unwrap_or(0).saturating_sub(self.taken.num_permits());
        if left > 0 {
            by_agent.insert(self.agent, left);
        } else {
            by_agent.remove(&self.agent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const ONE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);
    const THIRD: Uuid = Uuid::from_u128(3);

    #[test]
    fn p9_bodies_beyond_the_budget_find_no_room_until_others_are_gone() {
        let admission = Admission::default();
        let _half = admission.body(ONE, AGENT_BYTES_MAX).unwrap();
        let mut held = admission.body(OTHER, AGENT_BYTES_MAX - 30).unwrap();
        assert!(held.grow_to(AGENT_BYTES_MAX - 10));
        assert!(admission.body(THIRD, 11).is_none());
        assert!(admission.body(THIRD, 10).is_some());
        drop(held);
        assert!(admission.body(THIRD, AGENT_BYTES_MAX).is_some());
    }

    #[test]
    fn p11_one_agent_leaves_room_for_others_however_much_it_sends() {
        let admission = Admission::default();
        let held: Vec<Room> = (0..4).map_while(|_| admission.body(ONE, 4 << 20)).collect();
        assert_eq!(held.len(), 4);
        assert!(admission.body(ONE, 1).is_none(), "it has its share");
        assert!(admission.body(OTHER, 4 << 20).is_some());
        drop(held);
        assert!(admission.body(ONE, 4 << 20).is_some());
        assert!(admission.by_agent.lock().unwrap().is_empty(), "who has nothing is forgotten");
    }

    #[test]
    fn p9_those_who_are_sent_away_do_not_come_back_together() {
        let admission = Admission::default();
        let _full = (admission.body(ONE, AGENT_BYTES_MAX).unwrap(), admission.body(OTHER, AGENT_BYTES_MAX).unwrap());
        let times: HashSet<u32> = (0..1_000).map(|_| admission.retry_after_s()).collect();
        assert!(times.len() > 60, "{} different times", times.len());
        assert!(times.iter().all(|time| (RETRY_S_MIN..=RETRY_S_MAX).contains(time)));
    }
}
