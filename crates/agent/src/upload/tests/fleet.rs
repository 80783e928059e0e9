//! Many clients are off line for an hour and come back together, to a service that has room for two at a time: attack catalogue
//! TC7. Nothing but time passes, and that is made of numbers.

use super::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use uilog::policy::model::Storage;

const CLIENTS: usize = 40;
/// Requests that the service has room for in a second.
const ROOM: usize = 2;
const MINUTE_US: u64 = 60 * SECOND_US;
/// How long nobody reaches the service, and how long it is looked at afterwards.
const OFFLINE_US: u64 = 60 * MINUTE_US;
const AFTER_US: u64 = 40 * MINUTE_US;
/// How often a client has something to send, and how many events that is: as much in an hour as a busy person makes in two.
const CAPTURE_US: u64 = 5 * MINUTE_US;
const EVENTS: usize = 60;
/// How often a client looks whether something waits.
const EVERY_US: u64 = MINUTE_US;
/// Bytes of events for which a small client has room: less than an hour of them.
const SMALL_BYTES: u64 = 200_000;
/// The share of the line of a client that has one.
const SHARE_KIB_S: u32 = 1;

/// The service, and what it has.
#[derive(Default)]
struct Center {
    /// When each event came, by client, epoch and number.
    came_us: BTreeMap<(Uuid, Uuid, u64), u64>,
    second: u64,
    taken: usize,
    refused: usize,
    is_reached: bool,
    random: Option<Random>,
}

/// A client's way to the service at one moment.
struct Line<'a> {
    center: &'a mut Center,
    now_us: u64,
    /// Bytes that went over it, and when.
    sent: &'a mut Vec<(u64, usize)>,
}

impl Wire for Line<'_> {
    fn call(&mut self, request: &Request<'_>) -> Result<Reply, WireError> {
        let Some(Body::Envelope(packed)) = &request.body else { panic!("only envelopes") };
        let Self { center, now_us, sent } = self;
        if !center.is_reached {
            return Err(WireError::Network("gone".into()));
        }
        sent.push((*now_us, packed.len()));
        if center.second != *now_us / SECOND_US {
            (center.second, center.taken) = (*now_us / SECOND_US, 0);
        }
        center.taken += 1;
        if center.taken > ROOM {
            center.refused += 1;
            let later = 1 + center.random.as_mut().unwrap().below(30);
            return Ok(Reply { status: 429, retry_after: Some(later.to_string()), body: Vec::new() });
        }
        let mut answer = Acknowledgement { server_time_us: 1, next_s: 60, ..Acknowledgement::default() };
        for line in decode(packed).unwrap().lines {
            let event = line.event.unwrap();
            let before = center.came_us.insert((event.agent_id, event.epoch, event.seq), *now_us);
            assert_eq!(before, None, "nothing comes twice over a line that does not break");
            answer.accepted.add(event.seq);
        }
        Ok(Reply { status: 200, retry_after: None, body: serde_json::to_vec(&answer).unwrap() })
    }
}

struct Client {
    id: Uuid,
    _folder: tempfile::TempDir,
    spool: Mutex<Spool>,
    uploader: Uploader,
    rate_kib_s: u32,
    is_small: bool,
    /// When it looks next whether something waits.
    due_us: u64,
    /// When it captured what, in order of its numbers.
    captured_us: Vec<u64>,
    sent: Vec<(u64, usize)>,
}

impl Client {
    fn new(number: usize, now: Moment) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (spool, _) = Spool::open(folder.path(), now).unwrap();
        Self {
            id: Uuid::from_u128(1 + number as u128),
            _folder: folder,
            spool: Mutex::new(spool),
            uploader: Uploader::new(number as u64),
            rate_kib_s: if number.is_multiple_of(3) { SHARE_KIB_S } else { 0 },
            is_small: number.is_multiple_of(4),
            due_us: 0,
            captured_us: Vec::new(),
            sent: Vec::new(),
        }
    }

    fn capture(&mut self, events: &[Admission], now: Moment) {
        let copy = |each: &Admission| Admission { event: each.event.clone(), picture: None, at: now };
        let some: Vec<Admission> = events.iter().map(copy).collect();
        let mut counters = Counters::default();
        some.iter().for_each(|_| counters.admit());
        let spool = self.spool.get_mut().unwrap();
        spool.append(&some, &counters, &[], now).unwrap();
        self.captured_us.extend(std::iter::repeat_n(now.uptime_us, some.len()));
        if self.is_small {
            let storage = Storage {
                events_bytes: SMALL_BYTES,
                screenshots_bytes: 0,
                keep_free_bytes: 0,
                keep_free_percent: 0,
                keep_sent: std::time::Duration::ZERO,
            };
            spool.make_room(&storage, None, now).unwrap();
            assert!(spool.size().unwrap().event_bytes <= SMALL_BYTES);
        }
    }

    /// Sends as the client's own thread does; says when it looks again.
    fn send(&mut self, center: &mut Center, now: Moment) -> u64 {
        let speaker = Speaker { agent_id: self.id, token: "t", revision: None };
        let plan = Plan { hold_us: 0, batch_events: 500, rate_kib_s: self.rate_kib_s };
        loop {
            let mut line = Line { center, now_us: now.uptime_us, sent: &mut self.sent };
            match turn(&mut self.uploader, &self.spool, &mut line, &speaker, &plan, now).unwrap() {
                Turn::Nothing => return now.uptime_us + EVERY_US,
                Turn::Wait(until_us) => return until_us,
                Turn::Sent { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Whether what went over the line kept to its share: after so many bytes nothing came before they had their time.
    fn kept_its_share(&self) -> bool {
        let time_us = |bytes: usize| (bytes as u64 * SECOND_US) / (u64::from(self.rate_kib_s) << 10);
        self.rate_kib_s == 0 || self.sent.windows(2).all(|pair| pair[1].0 - pair[0].0 >= time_us(pair[0].1))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Capture,
    Send,
    /// The machine was started again, so it does not know that it waited.
    Start,
}

#[test]
fn p4_p10_tc7_clients_that_come_back_together_lose_nothing_and_keep_to_their_share_and_what_happens_now_goes_first() {
    let begin_us = 90_000 * SECOND_US;
    let (back_us, end_us) = (begin_us + OFFLINE_US, begin_us + OFFLINE_US + AFTER_US);
    let at = |us: u64| Moment { uptime_us: us, time_us: 1_767_700_000_000_000 + us as i64 };
    let events = admissions(EVENTS);
    let mut center = Center { random: Some(Random::new(7)), ..Center::default() };
    let mut clients: Vec<Client> = (0..CLIENTS).map(|number| Client::new(number, at(begin_us))).collect();
    // Each begins at a moment of its own, as people do.
    let mut random = Random::new(1);
    let mut due: BinaryHeap<Reverse<(u64, usize, Act)>> = BinaryHeap::new();
    for number in 0..CLIENTS {
        due.push(Reverse((begin_us + random.below(CAPTURE_US), number, Act::Capture)));
        due.push(Reverse((begin_us, number, Act::Start)));
        due.push(Reverse((back_us, number, Act::Start)));
    }
    while let Some(Reverse((us, number, act))) = due.pop().filter(|Reverse((us, ..))| *us < end_us) {
        center.is_reached = us >= back_us;
        let client = &mut clients[number];
        match act {
            // What is captured at the very end could not be sent in time.
            Act::Capture if us >= end_us - 5 * MINUTE_US => {}
            Act::Capture => {
                client.capture(&events, at(us));
                due.push(Reverse((us + CAPTURE_US, number, act)));
            }
            Act::Send if us != client.due_us => {}
            Act::Send | Act::Start => {
                if act == Act::Start {
                    client.uploader = Uploader::new(us + number as u64);
                }
                client.due_us = client.send(&mut center, at(us)).max(us + 1);
                due.push(Reverse((client.due_us, number, Act::Send)));
            }
        }
    }
    assert!(center.refused > CLIENTS / 2, "more came than there was room for: {} were sent away", center.refused);
    let (mut drained_us, mut late_us, mut lost) = (0, 0, 0);
    for client in &mut clients {
        let spool = client.spool.get_mut().unwrap();
        let counters = spool.counters().clone();
        let dropped: u64 = counters.dropped.values().sum();
        assert_eq!((counters.waiting, counters.difference()), (0, 0), "{}", client.id);
        assert!(client.is_small || dropped == 0, "{}: {dropped} lost though there was room", client.id);
        let gone: u64 = spool.unreported().unwrap().iter().map(|range| range.last - range.first + 1).sum();
        assert_eq!(gone, dropped, "{}: each that is lost is told of", client.id);
        lost += dropped;
        let epoch = spool.epoch();
        assert!(client.kept_its_share(), "{}: {:?}", client.id, client.sent);
        let came = center.came_us.range((client.id, epoch, 0)..=(client.id, epoch, u64::MAX));
        let came: Vec<(u64, u64)> =
            came.map(|((_, _, seq), us)| (client.captured_us[*seq as usize - 1], *us)).collect();
        assert_eq!(came.len() as u64, counters.stored, "{}", client.id);
        assert_eq!(came.len() as u64 + dropped, client.captured_us.len() as u64, "{}", client.id);
        let first_us = came.iter().map(|(_, us)| *us).min().unwrap();
        for (captured_us, us) in came {
            if captured_us < back_us {
                drained_us = drained_us.max(us - back_us);
            } else if captured_us >= first_us {
                late_us = late_us.max(us - captured_us);
            }
        }
    }
    println!(
        "{} sent away, {lost} lost; drained after {} s, what happened meanwhile came after {} s at most",
        center.refused,
        drained_us / SECOND_US,
        late_us / SECOND_US
    );
    assert!(lost > 0, "small clients had less room than an hour takes");
    assert!(drained_us <= 30 * MINUTE_US, "drained after {} s", drained_us / SECOND_US);
    assert!(late_us <= EVERY_US + MINUTE_US, "what happened meanwhile came after {} s", late_us / SECOND_US);
}
