//! Pictures to the service: one at a time, oldest first, each after an event that names it.
//!
//! Decisions here, without I/O; [`turn`] does the little that is needed. Only the service's own receipt ends a picture well, and
//! only a "never" in its own words ends it badly; whatever else comes back, the picture stays and is tried again.

use super::{Backoff, retry_after_us};
use crate::clock::Moment;
use crate::spool::pictures::Fate;
use crate::spool::{Spool, SpoolError};
use crate::wire::{Body, Reply, Request, Wire};
use serde::Deserialize;
use std::sync::{Mutex, PoisonError};

/// What an answer means for a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// It is there.
    Stored,
    /// It will never be, for this reason.
    Never(String),
    /// Keep it; not before this many microseconds, if the service said so.
    Keep(Option<u64>),
    /// Prove again who speaks.
    Authenticate,
    /// The client is revoked: stop, keep the picture.
    Revoked,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Stored,
    Duplicate,
}

#[derive(Deserialize)]
struct Receipt {
    #[serde(rename = "result")]
    _kept: Kept,
}

/// Reads an answer to a picture.
pub fn reaction(reply: &Reply) -> Reaction {
    match (reply.status, reply.code().as_str()) {
        (200, _) if reply.json::<Receipt>().is_some() => Reaction::Stored,
        // A proxy has these statuses too, but not the service's words.
        (409, "conflict") | (413, "too_large") | (422, "not_a_picture") => Reaction::Never(reply.sentence()),
        (401, _) => Reaction::Authenticate,
        (403, "revoked") => Reaction::Revoked,
        _ => Reaction::Keep(retry_after_us(reply.retry_after.as_deref())),
    }
}

/// What a turn did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// No picture may be sent now.
    Nothing,
    /// One is there; so many bytes went over the wire.
    Sent(usize),
    /// One will never be there, and was deleted.
    Refused {
        /// Why.
        reason: String,
        /// Bytes that went over the wire.
        bytes: usize,
    },
    /// Not before this moment of uptime.
    Wait(u64),
    /// The token is not good any more, and not before this moment of uptime.
    BadToken(u64),
    /// The client was revoked.
    Revoked,
}

/// Sends the next picture that has waited for `hold_us`, and does what the answer asks for. The spool is free while it travels.
///
/// Errors: the spool. The network never is one.
pub fn turn(
    backoff: &mut Backoff,
    spool: &Mutex<Spool>,
    wire: &mut dyn Wire,
    token: &str,
    hold_us: u64,
    now: Moment,
) -> Result<Turn, SpoolError> {
    if now.uptime_us < backoff.not_before_us() {
        return Ok(Turn::Wait(backoff.not_before_us()));
    }
    let locked = || spool.lock().unwrap_or_else(PoisonError::into_inner);
    let due = locked().due_picture(now, hold_us)?;
    let Some(due) = due else { return Ok(Turn::Nothing) };
    let call = format!("screenshots/{}", due.id);
    let body = Body::Picture { png: &due.png, masks: &due.masks };
    let reply = match wire.call(&Request { call: &call, token: Some(token), body: Some(body) }) {
        Ok(reply) => reply,
        Err(_) => return Ok(Turn::Wait(backoff.fail(now, None))),
    };
    match reaction(&reply) {
        Reaction::Stored => {
            backoff.succeed();
            locked().end_picture(due.id, Fate::Stored, now)?;
            Ok(Turn::Sent(due.png.len()))
        }
        Reaction::Never(reason) => {
            backoff.succeed();
            locked().end_picture(due.id, Fate::Refused, now)?;
            Ok(Turn::Refused { reason, bytes: due.png.len() })
        }
        Reaction::Keep(at_least_us) => Ok(Turn::Wait(backoff.fail(now, at_least_us))),
        Reaction::Authenticate => Ok(Turn::BadToken(backoff.fail(now, None))),
        Reaction::Revoked => Ok(Turn::Revoked),
    }
}
