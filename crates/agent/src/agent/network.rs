//! The network's thread: the heartbeat, the configuration, delivery. Pictures alone go another way ([`pictures`](super::pictures)).

use super::Shared;
use crate::clock::Moment;
use crate::configuration::Envelope;
use crate::enrol::{self, EnrolError};
use crate::home::Identity;
use crate::installer;
use crate::spool::Lane;
use crate::upload::{Plan, Speaker, Turn, Uploader, turn};
use crate::wire::{self, Body, Http, Request, Wire, WireError};
use crossbeam_channel::Receiver;
use serde::Deserialize;
use std::time::Duration;
use uilog::planted;
use zeroize::Zeroizing;

/// The shortest time between two looks at what is due.
const LOOK: Duration = Duration::from_millis(500);

/// Turns of delivery in one go, so that heartbeats are not late during a long backlog.
const TURNS_MAX: usize = 64;

/// Why the thread is to look now.
pub(crate) enum Nudge {
    /// The state changed: say so.
    Beat,
    /// The person asked to send.
    Send,
    /// Delete copies of sent events that were kept long enough.
    Sweep,
    /// A client was enrolled.
    Enrolled(Zeroizing<String>),
    /// End.
    Quit,
}

#[derive(Deserialize)]
struct BeatAnswer {
    state: String,
    newest_revision: Option<u32>,
    next_s: u64,
    client_key: Option<ClientKey>,
}

#[derive(Deserialize)]
struct ClientKey {
    id: String,
    key: String,
}

/// What this thread remembers.
struct Line {
    wire: Option<(String, Http)>,
    uploader: Uploader,
    beat_us: u64,
    upload_us: u64,
    /// Send without holding back, because the person asked.
    hurry: bool,
}

/// Runs until it is told to end.
pub(super) fn run(shared: &Shared, nudges: &Receiver<Nudge>) {
    let seed = u64::from(std::process::id()) ^ shared.clock.now().uptime_us;
    let mut line = Line { wire: None, uploader: Uploader::new(seed), beat_us: 0, upload_us: 0, hurry: false };
    loop {
        let now = shared.clock.now();
        let identity = shared.known().identity.clone();
        match identity {
            Some(identity) => line.look(shared, &identity, now),
            None => line.enrol(shared, now),
        }
        match nudges.recv_timeout(LOOK) {
            Ok(Nudge::Quit) => {
                let identity = shared.known().identity.clone();
                if let Some(identity) = identity {
                    shared.known().status.state = crate::standing::State::Stopped;
                    line.uploader.hurry();
                    line.beat(shared, &identity, shared.clock.now());
                }
                return;
            }
            Ok(Nudge::Beat) => line.beat_us = 0,
            Ok(Nudge::Send) => {
                (line.hurry, line.upload_us) = (true, 0);
                line.uploader.hurry();
                let _ = shared.pictures.try_send(super::pictures::Nudge::Hurry);
            }
            Ok(Nudge::Sweep) => line.sweep(shared, shared.clock.now()),
            Ok(Nudge::Enrolled(token)) => {
                shared.known().keep_token(token);
                line.wire = None;
                (line.beat_us, line.upload_us) = (0, 0);
            }
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => return,
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
        }
    }
}

impl Line {
    /// Enrols with what an installer left; tried again as long as it does not succeed.
    fn enrol(&mut self, shared: &Shared, now: Moment) {
        let os = shared.known().status.os;
        if os.is_empty() || now.uptime_us < self.uploader.not_before_us() {
            return;
        }
        let Some(order) = installer::order() else { return };
        let enrolled = wire::check_address(order.server.trim_end_matches('/'))
            .and_then(|()| Http::new(&order.server, &shared.options.network))
            .map_err(EnrolError::from)
            .and_then(|mut wire| enrol::enrol(&mut wire, &order.server, order.key.trim(), os));
        match enrolled {
            Ok((identity, token)) => match shared.home.set_identity(&identity) {
                Ok(()) => {
                    installer::forget();
                    shared.reload();
                    shared.known().keep_token(token);
                    self.uploader.has_token();
                }
                Err(error) => {
                    shared.fault(
                        "enrolment",
                        format!("cannot keep the enrolment in '{}': {error}", shared.options.data.display()),
                    );
                    self.uploader.fail(now, None);
                }
            },
            Err(error) => {
                shared.fault("enrolment", format!("cannot enrol at {}: {error}", order.server));
                self.uploader.fail(now, None);
            }
        }
    }

    fn look(&mut self, shared: &Shared, identity: &Identity, now: Moment) {
        if shared.known().revoked || now.uptime_us < self.uploader.not_before_us() {
            return;
        }
        if now.uptime_us >= self.beat_us {
            self.beat(shared, identity, now);
        }
        if now.uptime_us >= self.upload_us {
            self.upload(shared, identity, now);
        }
    }

    /// The wire to the identity's service.
    fn wire(&mut self, shared: &Shared, identity: &Identity) -> Option<&mut Http> {
        wire_to(&mut self.wire, shared, identity)
    }

    /// A token, asked for if there is none.
    fn token(&mut self, shared: &Shared, identity: &Identity, now: Moment) -> Option<Zeroizing<String>> {
        if let Some(token) = shared.known().token_of(identity) {
            return Some(token);
        }
        let asked = enrol::token(self.wire(shared, identity)?, identity);
        match asked {
            Ok(token) => {
                self.uploader.has_token();
                shared.known().token = Some((identity.agent_id, token.clone()));
                Some(token)
            }
            Err(EnrolError::Revoked) => {
                revoke(shared);
                None
            }
            Err(error) => {
                let code = if let EnrolError::Wire(error) = &error { code_of(error) } else { "token" };
                shared.fault(code, error.to_string());
                self.uploader.fail(now, None);
                None
            }
        }
    }

    fn beat(&mut self, shared: &Shared, identity: &Identity, now: Moment) {
        let Some(token) = self.token(shared, identity, now) else { return };
        let status = shared.status().for_service();
        if planted::is("phone-home") {
            let _ = std::net::UdpSocket::bind(("0.0.0.0", 0)).and_then(|socket| socket.send_to(b"lode", "192.0.2.1:9"));
        }
        let request = Request { call: "heartbeat", token: Some(&token), body: Some(Body::Json(&status)) };
        let Some(wire) = self.wire(shared, identity) else { return };
        let reply = match wire.call(&request) {
            Ok(reply) => reply,
            Err(error) => {
                shared.fault(code_of(&error), error.to_string());
                self.uploader.fail(now, None);
                return;
            }
        };
        let interval_us = shared.known().effective.as_ref().map_or(60_000_000, |effective| {
            u64::try_from(effective.configuration.upload.heartbeat.as_micros()).unwrap_or(60_000_000)
        });
        self.beat_us = now.uptime_us + interval_us;
        match reply.status {
            200 => {
                let Some(answer) = reply.json::<BeatAnswer>() else { return };
                self.beat_us =
                    now.uptime_us + interval_us.max(answer.next_s.saturating_mul(1_000_000).min(interval_us * 10));
                if interval_us < 60_000_000 {
                    self.beat_us = now.uptime_us + interval_us;
                }
                self.answered(shared, identity, answer, now);
            }
            401 => {
                // Once; if the new one is no better, wait.
                shared.known().token = None;
                self.beat_us = self.uploader.fail(now, None);
            }
            403 if reply.code() == "revoked" => revoke(shared),
            _ => {
                shared.fault("heartbeat", reply.sentence());
                self.beat_us = self.uploader.fail(now, None);
            }
        }
    }

    fn answered(&mut self, shared: &Shared, identity: &Identity, answer: BeatAnswer, now: Moment) {
        shared.known().held = answer.state == "held";
        if let Some(key) = answer.client_key {
            let mut identity = identity.clone();
            identity.set_hash(key.id, key.key);
            if identity.hash().is_some() && shared.home.set_identity(&identity).is_ok() {
                // The next stretch of recording hashes with it.
                let mut known = shared.known();
                known.identity = Some(identity);
                known.effective = None;
                drop(known);
                shared.reload();
            }
        }
        let have = shared.known().effective.as_ref().map(|effective| effective.configuration.revision);
        if answer.state == "active" && answer.newest_revision.is_some() && answer.newest_revision != have {
            self.fetch(shared, have, now);
        }
    }

    /// Fetches the configuration, and obeys it if it is good.
    fn fetch(&mut self, shared: &Shared, have: Option<u32>, now: Moment) {
        let Some(identity) = shared.known().identity.clone() else { return };
        let Some(token) = self.token(shared, &identity, now) else { return };
        let call = have.map_or("configuration".to_owned(), |have| format!("configuration?have={have}"));
        let Some(wire) = self.wire(shared, &identity) else { return };
        let reply = wire.call(&Request { call: &call, token: Some(&token), body: None });
        let Ok(reply) = reply else { return };
        let Some(envelope) = (reply.status == 200).then(|| reply.json::<Envelope>()).flatten() else { return };
        match shared.obeyed(&identity, &envelope, now) {
            Ok(effective) => {
                let revision_max = effective.configuration.revision;
                let mut identity = identity;
                identity.revision_max = revision_max;
                let kept = shared.home.set_envelope(&envelope).and_then(|()| shared.home.set_identity(&identity));
                if let Err(error) = kept {
                    shared.fault("configuration", format!("revision {revision_max} cannot be kept: {error}"));
                    return;
                }
                shared.reload();
                self.beat_us = 0;
            }
            // The last good one stays.
            Err(refused) => shared.fault("configuration_refused", refused.to_string()),
        }
    }

    fn upload(&mut self, shared: &Shared, identity: &Identity, now: Moment) {
        let plan = shared.known().effective.as_ref().map(|effective| {
            let upload = &effective.configuration.upload;
            let us = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
            let hold_us = if self.hurry { 0 } else { us(upload.hold) };
            let batch_events = upload.batch_events as usize;
            let plan = Plan { hold_us, batch_events, rate_kib_s: upload.max_rate_kib_s };
            (plan, us(upload.every), upload.enabled)
        });
        let Some((plan, every_us, is_enabled)) = plan else { return };
        self.upload_us = now.uptime_us + every_us;
        if !is_enabled || shared.known().held {
            return;
        }
        for _ in 0..TURNS_MAX {
            let now = shared.clock.now();
            let Some(token) = self.token(shared, identity, now) else { return };
            let revision = shared.known().effective.as_ref().map(|each| each.configuration.revision.to_string());
            let speaker = Speaker { agent_id: identity.agent_id, token: &token, revision };
            if self.wire(shared, identity).is_none() {
                return;
            }
            let Some((_, wire)) = &mut self.wire else { return };
            match turn(&mut self.uploader, &shared.spool, wire, &speaker, &plan, now) {
                Ok(Turn::Nothing) => {
                    // Whoever asked for it sees at once that nothing waits any more.
                    if std::mem::take(&mut self.hurry) {
                        self.beat_us = 0;
                    }
                    return;
                }
                Ok(Turn::Sent { .. }) => {
                    let nudge = if self.hurry { super::pictures::Nudge::Hurry } else { super::pictures::Nudge::Look };
                    let _ = shared.pictures.try_send(nudge);
                }
                Ok(Turn::Wait(until_us)) => {
                    self.upload_us = until_us;
                    return;
                }
                Ok(Turn::NeedsToken) => shared.known().token = None,
                Ok(Turn::Revoked) => return revoke(shared),
                Ok(Turn::NewEpoch) => {
                    shared.fault("clone_detected", "another client used the same spool; a new epoch began".into());
                }
                Err(error) => return shared.fault("spool", error.to_string()),
            }
        }
        // There is more; heartbeats first.
        self.upload_us = now.uptime_us;
    }

    fn sweep(&self, shared: &Shared, now: Moment) {
        let keep = shared.known().effective.as_ref().map(|effective| effective.configuration.storage.keep_sent);
        if let (Some(keep), Some(server_time_us)) = (keep, self.uploader.server_time_us(now)) {
            let keep_us = u64::try_from(keep.as_micros()).unwrap_or(u64::MAX);
            if let Err(error) = shared.spool().forget_sent(server_time_us, keep_us, now) {
                shared.fault("spool", error.to_string());
            }
        }
    }
}

/// A wire to the identity's service, made anew if there is none yet or if the service is another.
pub(super) fn wire_to<'a>(
    wire: &'a mut Option<(String, Http)>,
    shared: &Shared,
    identity: &Identity,
) -> Option<&'a mut Http> {
    if wire.as_ref().is_none_or(|(server, _)| *server != identity.server) {
        match Http::new(&identity.server, &shared.options.network) {
            Ok(http) => *wire = Some((identity.server.clone(), http)),
            Err(error) => {
                shared.fault(code_of(&error), error.to_string());
                return None;
            }
        }
    }
    wire.as_mut().map(|(_, http)| http)
}

/// The service says that this client may not speak any more.
pub(super) fn revoke(shared: &Shared) {
    shared.known().revoked = true;
    shared.fault("revoked", "the service revoked this client; what was not sent is kept".into());
}

/// The stable name of a failure of the wire.
fn code_of(error: &WireError) -> &'static str {
    match error {
        WireError::Address(_) => "address",
        WireError::Certificate(_) => "certificate",
        WireError::Network(_) => "network",
        WireError::Settings(_) => "settings",
    }
}

// The order in which lanes are sent is the order of their names.
const _: () = assert!((Lane::Live as usize) < (Lane::Backlog as usize));
