//! The program ends at every point between the steps of spool and delivery, while it is off line, on line, and drains a backlog:
//! attack catalogue TC2. What it kept is there afterwards, once.

use super::*;
use crate::points::watch;
use crate::spool::tests::Killed;
use crate::spool::{Opened, pictures as files};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::rc::Rc;
use uilog::policy::model::Storage;

/// What the network does meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    Offline,
    Online,
    Draining,
}

/// The process was ended.
struct Aborted;

/// Events in one round, and rounds of a life.
const EVENTS: usize = 3;
const ROUNDS: usize = 6;

/// One life of a client after the other, over one folder.
struct Lives {
    folder: tempfile::TempDir,
    service: Service,
    now: Moment,
    /// Events of which the client knows that they are on the disk.
    kept: BTreeSet<String>,
}

impl Lives {
    fn open(&self) -> Mutex<Spool> {
        let (spool, opened) = Spool::open(self.folder.path(), self.now).unwrap();
        assert_eq!(opened, Opened::default());
        assert_eq!(spool.counters().difference(), 0);
        Mutex::new(spool)
    }

    fn keep(&mut self, spool: &Mutex<Spool>, some: &[Admission]) {
        let copy =
            |each: &Admission| Admission { event: each.event.clone(), picture: each.picture.clone(), at: self.now };
        let some: Vec<Admission> = some.iter().map(copy).collect();
        let mut counters = Counters::default();
        some.iter().for_each(|_| counters.admit());
        spool.lock().unwrap().append(&some, &counters, &[], self.now).unwrap();
        self.kept.extend(some.iter().filter_map(|each| each.event.element_name.clone()));
    }

    /// Sends until nothing waits; off line, until it was asked once.
    fn send(&mut self, spool: &Mutex<Spool>, uploader: &mut Uploader, is_offline: bool) {
        let speaker = Speaker { agent_id: AGENT, token: "t", revision: None };
        let plan = Plan { hold_us: 0, batch_events: 7, rate_kib_s: 0 };
        self.service.answers.extend(is_offline.then_some(Answer::Nothing));
        loop {
            let mut wire = Watched { service: &mut self.service, spool };
            match turn(uploader, spool, &mut wire, &speaker, &plan, self.now).unwrap() {
                Turn::Nothing => return,
                Turn::Wait(_) if is_offline => return uploader.hurry(),
                Turn::Wait(until_us) => self.now.uptime_us = until_us,
                _ => {}
            }
        }
    }

    /// Records, and sends as the weather allows. In a backlog one event is bad.
    fn live(&mut self, spool: &Mutex<Spool>, weather: Weather, events: &[Admission]) {
        // Two pictures find room.
        let storage = Storage {
            events_bytes: u64::MAX,
            screenshots_bytes: 100,
            keep_free_bytes: 0,
            keep_free_percent: 0,
            keep_sent: std::time::Duration::ZERO,
        };
        let mut uploader = Uploader::new(3);
        let mut rounds = events.chunks(EVENTS);
        if weather == Weather::Draining {
            (0..ROUNDS / 2).for_each(|_| self.keep(spool, rounds.next().unwrap()));
            self.service.poison = Some("n4");
        }
        for round in rounds {
            self.keep(spool, round);
            self.now.uptime_us += 700_000;
            spool.lock().unwrap().tick(self.now).unwrap();
            self.send(spool, &mut uploader, weather == Weather::Offline);
            spool.lock().unwrap().make_room(&storage, None, self.now).unwrap();
        }
        spool.lock().unwrap().checkpoint().unwrap();
    }
}

/// Each picture that has a row has its file, and no other file is there.
fn check_pictures(folder: &Path, spool: &Spool, ids: &[Uuid]) {
    let whole = ids.iter().filter(|id| spool.picture(**id).is_some()).count() as u64;
    assert_eq!(whole, spool.size().unwrap().pictures);
    let there = std::fs::read_dir(files::folder(folder)).into_iter().flatten().count() as u64;
    assert_eq!(there, whole, "no file without a row");
}

/// Events with names, every third with a picture.
fn events() -> Vec<Admission> {
    let mut events = admissions(EVENTS * ROUNDS);
    for (number, event) in events.iter_mut().enumerate().filter(|(number, _)| number % 3 == 0) {
        let (id, note) = (Uuid::from_u128(1 + number as u128), crate::screenshot::Note::default());
        event.picture = Some(crate::screenshot::Png { id, bytes: b"PNG".to_vec(), note });
    }
    events
}

/// A life that ends at the point of that number, and one after it in which all is sent. Says how many points there were.
fn two_lives(weather: Weather, events: &[Admission], end: usize) -> usize {
    let now = Moment { uptime_us: 90_000 * SECOND_US, time_us: 1_767_700_000_000_000 };
    let folder = tempfile::tempdir().unwrap();
    let mut lives = Lives { folder, service: Service::default(), now, kept: BTreeSet::new() };
    let spool = lives.open();
    let (passed, left) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(None)));
    let watcher = {
        let (passed, left, folder) = (passed.clone(), left.clone(), lives.folder.path().to_owned());
        move |point: &'static str| {
            passed.set(passed.get() + 1);
            if passed.get() == end {
                *left.borrow_mut() = Some((Killed::of(&folder), point));
                resume_unwind(Box::new(Aborted));
            }
        }
    };
    let life = AssertUnwindSafe(|| watch::during(watcher, || lives.live(&spool, weather, events)));
    let ended = catch_unwind(life);
    assert!(ended.as_ref().err().is_none_or(|error| error.is::<Aborted>()), "{weather:?}, point {end}");
    drop(spool);
    let point = left.take().map(|(killed, point): (Killed, &'static str)| {
        killed.put_back();
        point
    });
    let told = format!("{weather:?}, point {end}, {point:?}");
    let spool = lives.open();
    let ids: Vec<Uuid> = events.iter().filter_map(|event| Some(event.picture.as_ref()?.id)).collect();
    check_pictures(lives.folder.path(), &spool.lock().unwrap(), &ids);
    lives.service.answers.clear();
    lives.send(&spool, &mut Uploader::new(4), false);
    let spool = spool.into_inner().unwrap();
    assert_eq!((spool.counters().waiting, spool.counters().difference()), (0, 0), "{told}");
    let there: Vec<String> = lives.service.stored.values().filter_map(|event| event.element_name.clone()).collect();
    let distinct: BTreeSet<String> = there.iter().cloned().collect();
    assert_eq!(there.len(), distinct.len(), "{told}: none twice");
    let missing: Vec<&String> = lives.kept.difference(&distinct).collect();
    let refused = spool.dead_letters().unwrap().len();
    assert_eq!(missing.len(), refused, "{told}: {missing:?} is missing");
    assert!(refused <= usize::from(weather == Weather::Draining), "{told}");
    passed.get()
}

/// Fifty of the points, spread evenly.
#[test]
fn p3_tc2_a_program_that_ends_between_two_steps_keeps_what_it_had_and_sends_it_once() {
    let events = events();
    for (weather, dose) in [(Weather::Offline, 16), (Weather::Online, 17), (Weather::Draining, 17)] {
        let points = two_lives(weather, &events, usize::MAX);
        assert!(points >= dose, "{weather:?}: {points} points");
        for number in 0..dose {
            two_lives(weather, &events, 1 + number * points / dose);
        }
        println!("{weather:?}: {dose} of {points} points");
    }
}
