//! The pictures' thread: sends them on a connection of its own, so that a large picture or a slow answer never delays an event.
//!
//! It asks for no token and fetches no configuration; what [`network`](super::network) got, it uses. Where that thread may not
//! send, this one may not either.

use super::Shared;
use super::network::{revoke, wire_to};
use crate::upload::Backoff;
use crate::upload::pictures::{Turn, turn};
use crate::wire::Http;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// The longest time between two looks at what is due.
const LOOK: Duration = Duration::from_secs(5);

/// Why the thread is to look now.
pub(crate) enum Nudge {
    /// Events were acknowledged, or the client ends.
    Look,
    /// The person asked to send.
    Hurry,
}

/// What this thread remembers.
struct Lane {
    wire: Option<(String, Http)>,
    backoff: Backoff,
    /// Not before this moment of uptime, so that the configured rate is kept.
    not_before_us: u64,
    /// Send without holding back, because the person asked.
    hurry: bool,
}

/// Runs until the client ends.
pub(super) fn run(shared: &Shared, nudges: &Receiver<Nudge>) {
    let seed = u64::from(std::process::id()).rotate_left(32) ^ shared.clock.now().uptime_us;
    let mut lane = Lane { wire: None, backoff: Backoff::new(seed), not_before_us: 0, hurry: false };
    loop {
        while lane.send(shared) {}
        if shared.known().quitting {
            return;
        }
        match nudges.recv_timeout(lane.pause(shared.clock.now().uptime_us)) {
            Ok(Nudge::Look) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Nudge::Hurry) => {
                lane.hurry = true;
                lane.backoff.hurry();
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Lane {
    /// How long nothing is to be done unless somebody nudges.
    fn pause(&self, uptime_us: u64) -> Duration {
        match self.not_before_us.max(self.backoff.not_before_us()).checked_sub(uptime_us) {
            Some(us @ 1..) => LOOK.min(Duration::from_micros(us)),
            _ => LOOK,
        }
    }

    /// Sends one picture if that may be; says whether to go on with the next at once.
    fn send(&mut self, shared: &Shared) -> bool {
        let now = shared.clock.now();
        if now.uptime_us < self.not_before_us {
            return false;
        }
        let (identity, token, upload) = {
            let known = shared.known();
            let upload = known.effective.as_ref().map(|effective| effective.configuration.upload.clone());
            let (Some(identity), Some(upload)) = (known.identity.clone(), upload) else { return false };
            let Some(token) = known.token_of(&identity) else { return false };
            if known.quitting || known.revoked || known.held || !upload.enabled {
                return false;
            }
            (identity, token, upload)
        };
        let Some(wire) = wire_to(&mut self.wire, shared, &identity) else { return false };
        let hold_us = if self.hurry { 0 } else { u64::try_from(upload.hold.as_micros()).unwrap_or(u64::MAX) };
        let bytes = match turn(&mut self.backoff, &shared.spool, wire, &token, hold_us, now) {
            Ok(Turn::Sent(bytes)) => bytes,
            Ok(Turn::Refused { reason, bytes }) => {
                shared.fault(
                    "picture_refused",
                    format!("the service takes a picture never, so it was deleted: {reason}"),
                );
                bytes
            }
            Ok(Turn::Nothing) => {
                self.hurry = false;
                return false;
            }
            Ok(Turn::Wait(_)) => return false,
            Ok(Turn::BadToken(_)) => {
                shared.known().forget_token(&token);
                return false;
            }
            Ok(Turn::Revoked) => {
                revoke(shared);
                return false;
            }
            Err(error) => {
                shared.fault("spool", error.to_string());
                return false;
            }
        };
        let rate_bytes_s = u64::from(upload.max_rate_kib_s) << 10;
        if let Some(wait_us) = (bytes as u64).saturating_mul(1_000_000).checked_div(rate_bytes_s) {
            self.not_before_us = now.uptime_us.saturating_add(wait_us);
        }
        true
    }
}
