//! Delivery: what is sent when, and what an answer means. Decisions here, without I/O; [`turn`] does the little that is needed.
//!
//! ```text
//! live:     [..] [..] [..]            first, always
//! backlog:  [........][........]      oldest first, in what is left
//! pictures: [          ] [         ]  one at a time, on a thread and a connection of their own ([`pictures`])
//! ```
//!
//! Only a receipt that names an event marks it as sent. Whatever else comes back, the data stays: networks that answer with a
//! log-in page, proxies that cut, services that are full. A permanent "no" costs the bad event alone (promises P7, P10).

pub mod pictures;

use crate::clock::Moment;
use crate::points;
use crate::spool::{Lane, Spool, SpoolError};
use crate::wire::{Body, Reply, Request, Wire};
use std::sync::{Mutex, PoisonError};
use uilog::envelope::{self, Acknowledgement, EncodeError, Header, Outcome};
use uilog::random::Random;
use uilog::{Event, SeqRanges, planted};
use uuid::Uuid;

/// The shortest back-off.
const BACKOFF_US_MIN: u64 = 1_000_000;
/// The longest.
const BACKOFF_US_MAX: u64 = 600_000_000;
/// The longest wait that a service can ask for.
const RETRY_AFTER_US_MAX: u64 = 3_600_000_000;
/// Acknowledgements name at most this many lines.
const LINES_MAX: usize = 1 << 20;

/// What an answer means for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// These are there; those will never be.
    Acknowledged(Acknowledgement),
    /// Keep everything; not before this many microseconds, if the service said so.
    Keep(Option<u64>),
    /// Too much at once.
    Smaller,
    /// Something in it is bad; find out what.
    Bisect(String),
    /// Prove again who speaks.
    Authenticate,
    /// The client is revoked: stop, keep the data.
    Revoked,
    /// Another spool claims to be this one: a new epoch for what was not sent.
    NewEpoch,
}

/// Reads an answer to a batch of events with these numbers.
pub fn reaction(reply: &Reply, sent: &SeqRanges) -> Reaction {
    match reply.status {
        200 => match reply
            .json::<Acknowledgement>()
            .filter(|answer| is_about(answer, sent) || planted::is("foreign-receipt"))
        {
            Some(answer) => Reaction::Acknowledged(answer),
            None if planted::is("any-answer-a-receipt") => {
                Reaction::Acknowledged(Acknowledgement { accepted: sent.clone(), ..Acknowledgement::default() })
            }
            None => Reaction::Keep(None),
        },
        400 | 422 if planted::is("retry-4xx-forever") => Reaction::Keep(None),
        400 | 422 => Reaction::Bisect(reply.sentence()),
        401 => Reaction::Authenticate,
        403 if reply.code() == "revoked" => Reaction::Revoked,
        409 if reply.code() == "clone_detected" => Reaction::NewEpoch,
        413 => Reaction::Smaller,
        408 | 429 | 500..=599 => Reaction::Keep(retry_after_us(reply.retry_after.as_deref())),
        _ => Reaction::Keep(None),
    }
}

/// Whether a receipt is about this batch, and only about it.
fn is_about(answer: &Acknowledgement, sent: &SeqRanges) -> bool {
    let names = |ranges: &SeqRanges| {
        ranges.ranges().iter().all(|(first, last)| {
            (*last - *first) < LINES_MAX as u64 && { (*first..=*last).all(|seq| sent.contains(seq)) }
        })
    };
    let known = |seq: Option<u64>| seq.is_none_or(|seq| sent.contains(seq));
    names(&answer.accepted) && names(&answer.duplicates) && answer.rejected.iter().all(|receipt| known(receipt.seq))
}

/// Seconds of a `Retry-After`; dates, garbage and eternity are ignored or cut.
fn retry_after_us(text: Option<&str>) -> Option<u64> {
    let seconds: u64 = text?.trim().parse().ok()?;
    Some(seconds.saturating_mul(1_000_000).min(RETRY_AFTER_US_MAX))
}

/// How long to wait after so many failures in a row: anything up to a bound that doubles (full jitter).
pub fn backoff_us(failures: u32, random: &mut Random) -> u64 {
    let bound = BACKOFF_US_MIN.saturating_mul(1 << failures.min(20)).min(BACKOFF_US_MAX);
    if planted::is("waits-unspread") { bound } else { BACKOFF_US_MIN.max(random.below(bound)) }
}

/// What the configuration says about sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Younger events wait.
    pub hold_us: u64,
    /// Events of a batch at most.
    pub batch_events: usize,
    /// The client's share of the line in KiB a second; 0 is no limit.
    pub rate_kib_s: u32,
}

/// How long a client rests after so many bytes, so that it keeps to its share of the line, in microseconds.
fn rest_us(bytes: usize, rate_kib_s: u32) -> u64 {
    if rate_kib_s == 0 || planted::is("share-ignored") {
        return 0;
    }
    (bytes as u64).saturating_mul(1_000_000) / (u64::from(rate_kib_s) << 10)
}

/// When the next exchange may be, after failures in a row.
pub struct Backoff {
    not_before_us: u64,
    failures: u32,
    random: Random,
}

impl Backoff {
    /// No failure yet; the seed spreads waits.
    pub fn new(seed: u64) -> Self {
        Self { not_before_us: 0, failures: 0, random: Random::new(seed) }
    }

    /// An exchange failed: wait, at least as long as the service said. Says until when.
    pub fn fail(&mut self, now: Moment, at_least_us: Option<u64>) -> u64 {
        let wait = backoff_us(self.failures, &mut self.random)
            .max(at_least_us.filter(|_| !planted::is("retry-after-ignored")).unwrap_or(0));
        self.failures = self.failures.saturating_add(1);
        self.not_before_us = now.uptime_us.saturating_add(wait);
        self.not_before_us
    }

    /// An exchange succeeded.
    pub fn succeed(&mut self) {
        (self.failures, self.not_before_us) = (0, 0);
    }

    /// Does not wait any longer: the person asked.
    pub fn hurry(&mut self) {
        self.not_before_us = 0;
    }

    /// When the next exchange may be, on the monotonic clock.
    pub fn not_before_us(&self) -> u64 {
        self.not_before_us
    }
}

/// Remembers failures and batch sizes.
pub struct Uploader {
    backoff: Backoff,
    /// How many events fit, by lane; shrinks at a refusal and grows again.
    fits: [usize; 2],
    asked_for_token: bool,
    /// The line is others' until then, whatever became of what was sent.
    rests_until_us: u64,
    /// The service's clock, as the last receipt told it, and when that was.
    server: Option<(i64, Moment)>,
}

/// What a turn did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing waits.
    Nothing,
    /// A batch went out; there may be more.
    Sent {
        /// Events that are there now.
        settled: u64,
        /// Bytes that went over the wire.
        bytes: usize,
    },
    /// Not before this moment of uptime.
    Wait(u64),
    /// A new token is needed.
    NeedsToken,
    /// The client was revoked.
    Revoked,
    /// A new epoch began.
    NewEpoch,
}

impl Uploader {
    /// An uploader; the seed spreads its waits.
    pub fn new(seed: u64) -> Self {
        let backoff = Backoff::new(seed);
        Self { backoff, fits: [usize::MAX; 2], asked_for_token: false, rests_until_us: 0, server: None }
    }

    /// The service's clock now, as far as receipts told it.
    pub fn server_time_us(&self, now: Moment) -> Option<i64> {
        self.server.map(|(time_us, at)| time_us.saturating_add(i64::try_from(now.since_us(at)).unwrap_or(i64::MAX)))
    }

    /// How many exchanges failed in a row.
    pub fn failures(&self) -> u32 {
        self.backoff.failures
    }

    /// A token was got.
    pub fn has_token(&mut self) {
        self.asked_for_token = true;
    }

    /// Does not wait any longer: the person asked.
    pub fn hurry(&mut self) {
        self.backoff.hurry();
    }

    /// An exchange failed: wait, at least as long as the service said.
    pub fn fail(&mut self, now: Moment, at_least_us: Option<u64>) -> u64 {
        self.backoff.fail(now, at_least_us)
    }

    fn succeed(&mut self) {
        self.backoff.succeed();
        self.asked_for_token = false;
    }

    /// When the next exchange may be, on the monotonic clock.
    pub fn not_before_us(&self) -> u64 {
        self.backoff.not_before_us()
    }
}

/// Who speaks to the service.
#[derive(Clone, Debug)]
pub struct Speaker<'a> {
    /// The client.
    pub agent_id: Uuid,
    /// Its token.
    pub token: &'a str,
    /// The revision that it obeys.
    pub revision: Option<String>,
}

/// Sends the next batch, live events first, and does what the answer asks for.
///
/// Errors: the spool. The network never is one.
pub fn turn(
    uploader: &mut Uploader,
    spool: &Mutex<Spool>,
    wire: &mut dyn Wire,
    speaker: &Speaker<'_>,
    plan: &Plan,
    now: Moment,
) -> Result<Turn, SpoolError> {
    let not_before_us = uploader.not_before_us().max(uploader.rests_until_us);
    if now.uptime_us < not_before_us {
        return Ok(Turn::Wait(not_before_us));
    }
    let lanes = [Lane::Live, Lane::Backlog];
    for lane in if planted::is("backlog-first") { [Lane::Backlog, Lane::Live] } else { lanes } {
        let events_max = plan.batch_events.min(uploader.fits[lane as usize]).max(1);
        let (batch, epoch) = {
            let mut spool = spool.lock().unwrap_or_else(PoisonError::into_inner);
            let waiting = spool.batch(lane, now, plan.hold_us, events_max, speaker.agent_id)?;
            // What is sent must survive a power cut, or its number could be given twice.
            if !waiting.is_empty() && !planted::is("sent-before-synced") {
                spool.sync(now)?;
            }
            let events: Vec<Event> = waiting.into_iter().map(|waiting| waiting.event).collect();
            (events, spool.epoch())
        };
        if !batch.is_empty() {
            return send(uploader, spool, wire, speaker, plan, (lane, epoch, batch), now);
        }
    }
    Ok(Turn::Nothing)
}

fn send(
    uploader: &mut Uploader,
    spool: &Mutex<Spool>,
    wire: &mut dyn Wire,
    speaker: &Speaker<'_>,
    plan: &Plan,
    (lane, epoch, batch): (Lane, Uuid, Vec<Event>),
    now: Moment,
) -> Result<Turn, SpoolError> {
    let locked = || spool.lock().unwrap_or_else(PoisonError::into_inner);
    let sent: SeqRanges = batch.iter().map(|event| event.seq).collect();
    let header = Header::new(speaker.agent_id, epoch, env!("CARGO_PKG_VERSION"), speaker.revision.as_deref());
    let too_large = |uploader: &mut Uploader, reason: &str| -> Result<Turn, SpoolError> {
        match batch.as_slice() {
            // The one that is bad was found.
            [alone] => locked().refuse(alone.seq, reason, now)?,
            _ => uploader.fits[lane as usize] = batch.len() / 2,
        }
        uploader.succeed();
        Ok(Turn::Sent { settled: 0, bytes: 0 })
    };
    let packed = match envelope::encode(&header, &batch) {
        Ok(packed) => packed,
        Err(EncodeError::TooLarge { .. }) => return too_large(uploader, "larger than an envelope can be"),
        Err(error) => return too_large(uploader, &error.to_string()),
    };
    let request = Request { call: "events", token: Some(speaker.token), body: Some(Body::Envelope(&packed)) };
    uploader.rests_until_us = now.uptime_us.saturating_add(rest_us(packed.len(), plan.rate_kib_s));
    points::reached("upload: before it is sent");
    let answer = wire.call(&request);
    points::reached("upload: after the answer");
    let reply = match answer {
        Ok(reply) => reply,
        Err(_) => return Ok(Turn::Wait(uploader.fail(now, None))),
    };
    match reaction(&reply, &sent) {
        Reaction::Acknowledged(answer) => {
            let settled = settle(&mut locked(), &answer, now)?;
            uploader.server = Some((answer.server_time_us, now));
            uploader.fits[lane as usize] = uploader.fits[lane as usize].saturating_mul(2);
            if settled == 0 && answer.rejected.is_empty() {
                // An answer that moves nothing on must not be asked for again at once.
                return Ok(Turn::Wait(uploader.fail(now, None)));
            }
            uploader.succeed();
            Ok(Turn::Sent { settled, bytes: packed.len() })
        }
        Reaction::Keep(at_least_us) => Ok(Turn::Wait(uploader.fail(now, at_least_us))),
        Reaction::Smaller => too_large(uploader, "the service takes no event of this size"),
        Reaction::Bisect(reason) => too_large(uploader, &reason),
        // Once; a second "no" means waiting.
        Reaction::Authenticate if uploader.asked_for_token && !planted::is("asks-for-ever") => {
            Ok(Turn::Wait(uploader.fail(now, None)))
        }
        Reaction::Authenticate => Ok(Turn::NeedsToken),
        Reaction::Revoked => Ok(Turn::Revoked),
        Reaction::NewEpoch => {
            if !planted::is("clone-keeps-epoch") {
                locked().begin_epoch()?;
            }
            Ok(Turn::NewEpoch)
        }
    }
}

/// Does what a receipt says.
fn settle(spool: &mut Spool, answer: &Acknowledgement, now: Moment) -> Result<u64, SpoolError> {
    let mut there = answer.accepted.clone();
    there.extend(&answer.duplicates);
    let settled = spool.settle(&there, answer.server_time_us, now)?;
    points::reached("upload: between what is there and what never will be");
    for receipt in &answer.rejected {
        if let (Some(seq), Outcome::Rejected(reason)) = (receipt.seq, &receipt.outcome) {
            spool.refuse(seq, &reason.to_string(), now)?;
        }
    }
    Ok(settled)
}

#[cfg(test)]
mod tests;
