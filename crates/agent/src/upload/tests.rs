//! A service made of answers: every status, every kind of nonsense, on a virtual clock.

mod abort;
mod fleet;

use super::*;
use crate::capture::{Button, Element, Reading};
use crate::counters::Counters;
use crate::flow::Admission;
use crate::flow::tests::{Stage, rules};
use crate::wire::WireError;
use std::collections::{BTreeMap, VecDeque};
use uilog::envelope::{Receipt, Rejection, decode};

const AGENT: Uuid = Uuid::from_u128(7);
const SECOND_US: u64 = 1_000_000;

/// What the service does with the next request.
#[derive(Clone, Debug)]
enum Answer {
    /// Takes it.
    Take,
    /// Takes it, and the answer is cut at that byte.
    TakeAndCut(usize),
    /// Refuses events of these names, wherever they are.
    Status(u16, Option<&'static str>, &'static str),
    Nothing,
}

/// A service in memory: what it has, and what it will answer.
#[derive(Default)]
struct Service {
    stored: BTreeMap<(Uuid, u64), Event>,
    answers: VecDeque<Answer>,
    /// Batches with an event of this name are answered with 422.
    poison: Option<&'static str>,
    requests: usize,
    order: Vec<String>,
}

impl Wire for Service {
    fn call(&mut self, request: &Request<'_>) -> Result<Reply, WireError> {
        self.requests += 1;
        let Some(Body::Envelope(packed)) = &request.body else { panic!("only envelopes") };
        let reply = |status, retry_after: Option<&str>, body: &str| Reply {
            status,
            retry_after: retry_after.map(str::to_owned),
            body: body.as_bytes().to_vec(),
        };
        let cut = match self.answers.pop_front().unwrap_or(Answer::Take) {
            Answer::Nothing => return Err(WireError::Network("gone".into())),
            Answer::Status(status, retry_after, body) => return Ok(reply(status, retry_after, body)),
            Answer::Take => usize::MAX,
            Answer::TakeAndCut(at) => at,
        };
        let envelope = decode(packed).unwrap();
        let events: Vec<Event> = envelope.lines.into_iter().map(|line| line.event.unwrap()).collect();
        if events.iter().any(|event| event.element_name.as_deref() == self.poison && self.poison.is_some()) {
            return Ok(reply(422, None, r#"{"error":{"code":"bad","message":"bad","hint":""}}"#));
        }
        let mut answer = Acknowledgement { server_time_us: 1, next_s: 60, ..Acknowledgement::default() };
        for event in events {
            self.order.push(event.element_name.clone().unwrap_or_default());
            let (key, seq) = ((event.epoch, event.seq), event.seq);
            match self.stored.insert(key, event) {
                None => answer.accepted.add(seq),
                Some(before) => {
                    assert_eq!(before, self.stored[&key], "a number is given once");
                    answer.duplicates.add(seq)
                }
            };
        }
        let mut body = serde_json::to_vec(&answer).unwrap();
        body.truncate(cut);
        Ok(Reply { status: 200, retry_after: None, body })
    }
}

/// A service that hears only what a power cut would leave: or a number that it knows could be given once more.
struct Watched<'a> {
    service: &'a mut Service,
    spool: &'a Mutex<Spool>,
}

impl Wire for Watched<'_> {
    fn call(&mut self, request: &Request<'_>) -> Result<Reply, WireError> {
        assert!(self.spool.lock().unwrap().is_synced(), "what is sent was synced before");
        self.service.call(request)
    }
}

fn admissions(count: usize) -> Vec<Admission> {
    let mut stage = Stage::new(rules("a.exe", "", r#"columns="all""#));
    let window = stage.script.window("a.exe", "Order");
    stage.script.focus(stage.now, window);
    for number in 0..count {
        let element =
            Element { role: Reading::Known("button".into()), name: Some(format!("n{number}")), ..Element::default() };
        stage.script.click(stage.now, window, Button::Right, element);
        stage.pass_ms(60);
    }
    stage.rest();
    stage.admissions.retain(|admission| admission.event.element_name.is_some());
    stage.admissions
}

/// A client with so many events that wait, and a service.
struct World {
    _folder: tempfile::TempDir,
    spool: Mutex<Spool>,
    uploader: Uploader,
    service: Service,
    now: Moment,
}

impl World {
    fn new(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Moment { uptime_us: 90_000 * SECOND_US, time_us: 1_767_700_000_000_000 };
        let (spool, _) = Spool::open(folder.path(), now).unwrap();
        let mut world = Self {
            _folder: folder,
            spool: Mutex::new(spool),
            uploader: Uploader::new(1),
            service: Service::default(),
            now,
        };
        world.capture(admissions(count));
        world
    }

    fn capture(&mut self, admissions: Vec<Admission>) {
        let mut counters = Counters::default();
        admissions.iter().for_each(|_| counters.admit());
        self.spool.get_mut().unwrap().append(&admissions, &counters, &[], self.now).unwrap();
    }

    fn turn(&mut self) -> Turn {
        let speaker = Speaker { agent_id: AGENT, token: "t", revision: None };
        let plan = Plan { hold_us: 0, batch_events: 50, rate_kib_s: 0 };
        let mut wire = Watched { service: &mut self.service, spool: &self.spool };
        turn(&mut self.uploader, &self.spool, &mut wire, &speaker, &plan, self.now).unwrap()
    }

    /// Turns until nothing waits, letting time pass as asked; says how long it took.
    fn drain(&mut self) -> u64 {
        let begin = self.now.uptime_us;
        for _ in 0..2_000 {
            match self.turn() {
                Turn::Nothing => return self.now.uptime_us - begin,
                Turn::Wait(until_us) => self.now.uptime_us = until_us,
                Turn::NeedsToken => self.uploader.has_token(),
                Turn::Revoked => panic!("revoked"),
                Turn::Sent { .. } | Turn::NewEpoch => {}
            }
        }
        panic!("never drained");
    }

    fn counters(&mut self) -> Counters {
        self.spool.get_mut().unwrap().counters().clone()
    }
}

const ANSWERS: &[Answer] = &[
    Answer::Status(301, None, ""),
    Answer::Status(200, None, "<html>please log in</html>"),
    Answer::Status(200, None, "{}"),
    Answer::Status(
        200,
        None,
        r#"{"server_time_us":1,"next_s":1,"accepted":[[90000,90001]],"duplicates":[],"rejected":[]}"#,
    ),
    Answer::Status(
        200,
        None,
        r#"{"server_time_us":1,"next_s":1,"accepted":[[1,18446744073709551615]],"duplicates":[],"rejected":[]}"#,
    ),
    Answer::Status(204, None, ""),
    Answer::Status(401, None, ""),
    Answer::Status(403, None, r#"{"error":{"code":"held","message":"","hint":""}}"#),
    Answer::Status(404, None, ""),
    Answer::Status(408, None, ""),
    Answer::Status(409, None, ""),
    Answer::Status(413, None, ""),
    Answer::Status(429, Some("0"), ""),
    Answer::Status(429, Some("5"), ""),
    Answer::Status(429, Some("86400"), ""),
    Answer::Status(429, Some("soon"), ""),
    Answer::Status(503, Some("Wed, 21 Oct 2026 07:28:00 GMT"), ""),
    Answer::Status(500, None, ""),
    Answer::Status(502, None, "<html>"),
    Answer::Nothing,
];

#[test]
fn tc8_no_answer_loses_an_event_and_none_is_sent_twice_into_the_store() {
    for (number, answer) in ANSWERS.iter().enumerate() {
        for times in 1..=3 {
            let mut world = World::new(60);
            world.service.answers.extend(std::iter::repeat_n(answer.clone(), times));
            world.drain();
            assert_eq!(world.service.stored.len(), 60, "answer {number}: {answer:?}");
            let counters = world.counters();
            assert_eq!((counters.stored, counters.waiting, counters.difference()), (60, 0, 0), "{answer:?}");
        }
    }
}

#[test]
fn tc8_waits_are_spread_bounded_and_as_long_as_asked() {
    let mut random = Random::new(3);
    for failures in 0..40 {
        let waits: Vec<u64> = (0..200).map(|_| backoff_us(failures, &mut random)).collect();
        let bound = (BACKOFF_US_MIN << failures.min(20)).min(BACKOFF_US_MAX);
        assert!(waits.iter().all(|wait| (BACKOFF_US_MIN..=bound.max(BACKOFF_US_MIN)).contains(wait)), "{failures}");
        if failures > 3 {
            let apart: std::collections::BTreeSet<u64> = waits.iter().map(|wait| wait / (bound / 20)).collect();
            assert!(apart.len() > 10, "{failures}: {apart:?}");
        }
    }
    assert_eq!(retry_after_us(Some("5")), Some(5 * SECOND_US));
    assert_eq!(retry_after_us(Some("86400")), Some(RETRY_AFTER_US_MAX));
    for garbage in [None, Some("soon"), Some("-5"), Some("Wed, 21 Oct 2026 07:28:00 GMT"), Some("")] {
        assert_eq!(retry_after_us(garbage), None);
    }
    let mut world = World::new(1);
    world.service.answers.push_back(Answer::Status(503, Some("700"), ""));
    let Turn::Wait(until_us) = world.turn() else { panic!("it waits") };
    assert!(until_us >= world.now.uptime_us + 700 * SECOND_US);
    let asked = world.service.requests;
    assert_eq!(world.turn(), Turn::Wait(until_us), "and asks nobody meanwhile");
    assert_eq!(world.service.requests, asked);
}

#[test]
fn p7_one_bad_event_costs_itself_and_no_neighbour() {
    let mut world = World::new(60);
    world.service.poison = Some("n23");
    let took_us = world.drain();
    assert_eq!(world.service.stored.len(), 59);
    let counters = world.counters();
    assert_eq!((counters.stored, counters.refused, counters.difference()), (59, 1, 0));
    let spool = world.spool.get_mut().unwrap();
    assert_eq!(spool.dead_letters().unwrap().len(), 1);
    assert_eq!(spool.unreported().unwrap()[0].reason, "refused");
    assert!(world.service.requests < 30 && took_us == 0, "{} requests in {took_us} µs", world.service.requests);
}

#[test]
fn p7_a_receipt_that_refuses_an_event_makes_it_a_dead_letter() {
    let mut world = World::new(3);
    let mut answer = Acknowledgement { server_time_us: 1, next_s: 1, ..Acknowledgement::default() };
    answer.accepted.insert(1, 2);
    let rejected = Outcome::Rejected(Rejection::Policy("unknown rule".into()));
    answer.rejected.push(Receipt { line: 4, seq: Some(3), outcome: rejected });
    let body: &'static str = serde_json::to_string(&answer).unwrap().leak();
    world.service.answers.push_back(Answer::Status(200, None, body));
    assert!(matches!(world.turn(), Turn::Sent { settled: 2, .. }));
    let counters = world.counters();
    assert_eq!((counters.stored, counters.refused, counters.waiting), (2, 1, 0));
}

#[test]
fn p7_a_second_401_waits_and_keeps_everything_and_a_revoked_client_stops() {
    let mut world = World::new(3);
    world.service.answers.extend([Answer::Status(401, None, ""), Answer::Status(401, None, "")]);
    assert_eq!(world.turn(), Turn::NeedsToken);
    world.uploader.has_token();
    assert!(matches!(world.turn(), Turn::Wait(_)));
    let body = r#"{"error":{"code":"revoked","message":"","hint":""}}"#;
    world.uploader.hurry();
    world.service.answers.push_back(Answer::Status(403, None, body));
    assert_eq!(world.turn(), Turn::Revoked);
    assert_eq!(world.counters().waiting, 3);
}

#[test]
fn tc9_an_answer_that_is_cut_anywhere_stores_once() {
    let whole = {
        let mut answer = Acknowledgement { server_time_us: 1, next_s: 60, ..Acknowledgement::default() };
        answer.accepted.insert(1, 5);
        serde_json::to_vec(&answer).unwrap().len()
    };
    let mut world = World::new(5);
    for at in 0..whole {
        world.service.answers.push_back(Answer::TakeAndCut(at));
    }
    world.drain();
    assert_eq!(world.service.requests, whole + 1);
    assert_eq!((world.service.stored.len(), world.counters().stored, world.counters().difference()), (5, 5, 0));
}

#[test]
fn tc11_a_detected_clone_sends_what_was_not_sent_under_a_new_epoch() {
    let mut world = World::new(60);
    assert!(matches!(world.turn(), Turn::Sent { settled: 50, .. }));
    let before = world.spool.get_mut().unwrap().epoch();
    let body = r#"{"error":{"code":"clone_detected","message":"","hint":""}}"#;
    world.service.answers.push_back(Answer::Status(409, None, body));
    assert_eq!(world.turn(), Turn::NewEpoch);
    world.drain();
    let after = world.spool.get_mut().unwrap().epoch();
    assert_ne!(before, after);
    let seqs: Vec<u64> =
        world.service.stored.keys().filter(|(epoch, _)| *epoch == after).map(|(_, seq)| *seq).collect();
    assert_eq!(seqs, (1..=10).collect::<Vec<_>>());
    assert_eq!(world.service.stored.len(), 60);
}

#[test]
fn p10_after_days_offline_live_events_overtake_the_backlog() {
    let mut world = World::new(400);
    let days = 30 * 86_400 * SECOND_US;
    world.service.answers.extend(std::iter::repeat_n(Answer::Nothing, 3));
    for _ in 0..3 {
        let Turn::Wait(until_us) = world.turn() else { panic!("off line") };
        world.now.uptime_us = until_us;
    }
    world.now = Moment { uptime_us: world.now.uptime_us + days, time_us: world.now.time_us + days as i64 };
    let mut live = admissions(10);
    for (number, admission) in live.iter_mut().enumerate() {
        admission.at = Moment { uptime_us: world.now.uptime_us - SECOND_US, time_us: world.now.time_us };
        assert_eq!(admission.event.element_name.as_deref(), Some(format!("n{number}").as_str()));
    }
    world.capture(live);
    assert!(matches!(world.turn(), Turn::Sent { settled: 10, .. }), "the live ones first");
    world.drain();
    let backlog: Vec<String> = (0..400).map(|number| format!("n{number}")).collect();
    assert_eq!(world.service.order[10..], backlog, "then all others, oldest first");
    assert_eq!((world.service.stored.len(), world.counters().difference()), (410, 0));
}
