//! The spool's thread: writes what the flow gives, syncs, makes room, saves what can be saved of a damaged file.
//!
//! A disk that fails ends nothing: what comes is held in memory for a while, counted when there is no more room, and written
//! when the disk takes it again (promises P4, P6).

use super::{Shared, Work};
use crate::browser::message::PageId;
use crate::clock::Moment;
use crate::counters::Counters;
use crate::flow::Admission;
use crate::spool::{Removed, is_hopeless};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// The longest that an event waits in memory for others, so that all of them are one commit.
const GATHER: Duration = Duration::from_millis(200);

/// Events that are held while the disk fails; more are lost, and counted.
const HELD_MAX: usize = 5_000;

/// How often the disk's room is looked at.
const ROOM_US: u64 = 5_000_000;

/// How often sent events are looked through.
const SENT_US: u64 = 60_000_000;

/// Runs until the flow ends, and takes what it put in before. Somebody who does not want to wait rings the bell.
pub(super) fn run(shared: &Shared, work: &Receiver<Work>, bell: &Receiver<()>) {
    let mut held = Held::default();
    let (mut room, mut sent) = (Moment::default(), Moment::default());
    let mut salvages = true;
    loop {
        let is_over = bell.recv_timeout(GATHER) == Err(RecvTimeoutError::Disconnected);
        let mut done = Vec::new();
        for each in work.try_iter() {
            held.take(each, &mut done);
        }
        let now = shared.clock.now();
        held.write(shared, now);
        drop(done);
        let _ = shared.spool().tick(now);
        if now.since_us(room) >= ROOM_US {
            room = now;
            make_room(shared, now);
        }
        if now.since_us(sent) >= SENT_US {
            sent = now;
            let _ = shared.network.try_send(super::network::Nudge::Sweep);
            let _ = shared.spool().forget_pages(now);
        }
        if salvages {
            salvages = shared.spool().salvage_step(now).unwrap_or(false);
        }
        tell_removed(shared);
        if is_over {
            let _ = shared.spool().sync(shared.clock.now());
            let _ = shared.spool().checkpoint();
            return;
        }
    }
}

/// What is not on the disk yet.
#[derive(Default)]
struct Held {
    admissions: Vec<Admission>,
    counters: Counters,
    reported: Vec<i64>,
    /// Events of pages whose fate is among them.
    pages: Vec<PageId>,
}

impl Held {
    fn take(&mut self, work: Work, done: &mut Vec<Option<crossbeam_channel::Sender<()>>>) {
        let room = HELD_MAX.saturating_sub(self.admissions.len());
        let Work { given, reported, done: answer } = work;
        let lost = given.admissions.len().saturating_sub(room) as u64;
        self.admissions.extend(given.admissions.into_iter().take(room));
        self.counters.add(&given.counters);
        // They were counted as waiting; now they are lost.
        self.counters.waiting -= lost;
        self.counters.captured -= lost;
        self.counters.lose("disk", lost);
        self.reported.extend(reported);
        self.pages.extend(given.pages);
        done.push(answer);
    }

    fn write(&mut self, shared: &Shared, now: Moment) {
        if self.admissions.is_empty() && self.counters.is_empty() && self.pages.is_empty() {
            return;
        }
        let mut spool = shared.spool();
        match spool.append_of_pages(&self.admissions, &self.counters, &self.reported, &self.pages, now) {
            Ok(()) => {
                drop(spool);
                shared.browsers.settled(&self.pages);
                *self = Self::default();
                shared.known().spool_error = None;
            }
            Err(error) => {
                let renewed = is_hopeless(&error) && spool.renew(now).is_ok();
                drop(spool);
                if !renewed {
                    shared.known().spool_error = Some(error.to_string());
                }
                shared.fault("spool", error.to_string());
            }
        }
    }
}

fn make_room(shared: &Shared, now: Moment) {
    let storage = shared.known().effective.as_ref().map(|effective| effective.configuration.storage.clone());
    let Some(storage) = storage else { return };
    let free = crate::paths::free_bytes(&shared.options.data);
    if let Err(error) = shared.spool().make_room(&storage, free, now) {
        shared.fault("spool", error.to_string());
    }
}

/// Gives the flow the ranges of which an event is to tell; what it was given and did not tell yet is given again.
fn tell_removed(shared: &Shared) {
    let removed: Vec<Removed> = shared.spool().unreported().unwrap_or_default();
    let mut known = shared.known();
    if known.status.state == crate::standing::State::Recording && known.removed.is_empty() {
        known.removed = removed;
    }
}
