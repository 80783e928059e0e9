//! Pictures to the service: one at a time, oldest first, each after an event that names it.
//!
//! Decisions here, without I/O; [`turn`] does the little that is needed. Only the service's own receipt ends a picture well, and
//! only a "never" ends it badly; whatever else comes back, the picture stays and is tried again.

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
        // A proxy's 409 or 422 lacks the service's words and may pass; what is too large for a proxy never gets through.
        (409, "conflict") | (413, _) | (422, "not_a_picture") => Reaction::Never(reply.sentence()),
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
    let body = Body::Picture { png: &due.png, note: &due.note };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Button, Element, Mask, MaskReason, Reading};
    use crate::counters::Counters;
    use crate::flow::Admission;
    use crate::flow::tests::{Stage, rules};
    use crate::spool::Lane;
    use crate::wire::WireError;
    use std::collections::VecDeque;
    use uilog::SeqRanges;
    use uilog::policy::model::Storage;
    use uuid::Uuid;

    const SECOND_US: u64 = 1_000_000;
    const STORED: &str = r#"{"result":"stored"}"#;
    const NOT_A_PICTURE: &str = r#"{"error":{"code":"not_a_picture","message":"no PNG","hint":"drop it"}}"#;

    /// A service that answers as told and else stores; it panics when the spool is locked while a picture travels.
    struct Service<'a> {
        spool: &'a Mutex<Spool>,
        answers: VecDeque<Option<Reply>>,
        came: Vec<(String, Vec<u8>, Vec<u8>)>,
    }

    impl Wire for Service<'_> {
        fn call(&mut self, request: &Request<'_>) -> Result<Reply, WireError> {
            assert!(self.spool.try_lock().is_ok(), "events go on meanwhile");
            let Some(Body::Picture { png, note }) = &request.body else { panic!("only pictures") };
            self.came.push((request.call.to_owned(), png.to_vec(), note.to_vec()));
            let answer = self.answers.pop_front().unwrap_or_else(|| Some(reply(200, STORED, None)));
            answer.ok_or_else(|| WireError::Network("timed out".into()))
        }
    }

    fn reply(status: u16, body: &str, retry_after: Option<&str>) -> Reply {
        Reply { status, retry_after: retry_after.map(str::to_owned), body: body.as_bytes().to_vec() }
    }

    fn at(seconds: u64) -> Moment {
        Moment {
            uptime_us: (90_000 + seconds) * SECOND_US,
            time_us: 1_767_700_000_000_000 + (seconds * SECOND_US) as i64,
        }
    }

    /// Events with a picture each, as the flow gives them: something else covers the window every time.
    fn admissions(count: usize) -> Vec<Admission> {
        let pictures = r#"<screenshots enabled="true" maskText="page" minGap="PT0.2S"/>"#;
        let mut stage = Stage::new(rules("a.exe", pictures, r#"columns="all" screenshot="window""#));
        let window = stage.script.window("a.exe", "Order");
        let element = Element { role: Reading::Known("button".into()), ..Element::default() };
        stage.script.focus_element(element.clone());
        for number in 0..count as i32 {
            stage.script.cover([number * 12, 0, 6, 48]);
            stage.script.focus(stage.now, window);
            stage.script.click(stage.now, window, Button::Right, element.clone());
            (0..3).for_each(|_| stage.pass_ms(1_000));
        }
        stage.rest();
        stage.admissions.retain(|admission| admission.picture.is_some());
        assert_eq!(stage.admissions.len(), count);
        stage.admissions
    }

    /// A spool with so many events at second 0, each with a picture of its own; and the ids of these.
    fn spool(folder: &std::path::Path, count: usize) -> (Mutex<Spool>, Vec<Uuid>) {
        let (mut spool, _) = Spool::open(folder, at(0)).unwrap();
        let (mut admissions, mut counters, mut ids) = (admissions(count), Counters::default(), Vec::new());
        for (number, admission) in (0..).zip(&mut admissions) {
            admission.at = at(0);
            let png = admission.picture.as_mut().unwrap();
            png.bytes = format!("png {number}").into_bytes();
            png.note.masks = vec![Mask { x: number, y: 2, width: 3, height: 4, reason: MaskReason::Window }];
            ids.push(png.id);
            counters.admit();
        }
        spool.append(&admissions, &counters, &[], at(0)).unwrap();
        (Mutex::new(spool), ids)
    }

    fn acknowledge(spool: &Mutex<Spool>, seqs: &[u64]) {
        let seqs: SeqRanges = seqs.iter().copied().collect();
        spool.lock().unwrap().settle(&seqs, 1, at(1)).unwrap();
    }

    fn pictures(spool: &Mutex<Spool>) -> (u64, crate::counters::PictureCounters) {
        let spool = spool.lock().unwrap();
        (spool.size().unwrap().pictures, spool.counters().pictures)
    }

    /// One turn at a second, without holding back; what the service says comes first.
    fn step(service: &mut Service<'_>, backoff: &mut Backoff, answer: Option<Option<Reply>>, second: u64) -> Turn {
        service.answers.extend(answer);
        let spool = service.spool;
        turn(backoff, spool, service, "t", 0, at(second)).unwrap()
    }

    #[test]
    fn pictures_go_oldest_first_after_their_events_with_what_was_painted_over() {
        let folder = tempfile::tempdir().unwrap();
        let (spool, ids) = spool(folder.path(), 3);
        let mut service = Service { spool: &spool, answers: VecDeque::new(), came: Vec::new() };
        let mut backoff = Backoff::new(1);
        assert_eq!(step(&mut service, &mut backoff, None, 2), Turn::Nothing, "no event is there yet");
        acknowledge(&spool, &[2, 3]);
        assert_eq!(step(&mut service, &mut backoff, None, 2), Turn::Sent(5));
        acknowledge(&spool, &[1]);
        let duplicate = reply(200, r#"{"result":"duplicate"}"#, None);
        assert_eq!(step(&mut service, &mut backoff, Some(Some(duplicate)), 2), Turn::Sent(5), "there already");
        assert_eq!(step(&mut service, &mut backoff, None, 2), Turn::Sent(5));
        assert_eq!(step(&mut service, &mut backoff, None, 2), Turn::Nothing);
        let came: Vec<&str> = service.came.iter().map(|(call, ..)| call.as_str()).collect();
        assert_eq!(came, [1, 0, 2].map(|number| format!("screenshots/{}", ids[number])));
        let note = br#"{"place":[0,0,64,48],"masks":[{"x":1,"y":2,"width":3,"height":4,"reason":"window"}]}"#;
        assert_eq!((&service.came[0].1[..], &service.came[0].2[..]), (&b"png 1"[..], &note[..]));
        let (left, counted) = pictures(&spool);
        assert_eq!((left, counted.stored, counted.refused), (0, 3, 0));
        assert_eq!(std::fs::read_dir(crate::spool::pictures::folder(folder.path())).unwrap().count(), 0);
    }

    #[test]
    fn p7_a_picture_that_is_refused_for_good_goes_and_is_counted_and_no_other() {
        let conflict = r#"{"error":{"code":"conflict","message":"another","hint":"new id"}}"#;
        for (status, body) in [(422, NOT_A_PICTURE), (409, conflict), (413, "<html>")] {
            let folder = tempfile::tempdir().unwrap();
            let (spool, _) = spool(folder.path(), 2);
            acknowledge(&spool, &[1, 2]);
            let mut service = Service { spool: &spool, answers: VecDeque::new(), came: Vec::new() };
            let mut backoff = Backoff::new(1);
            let turn = step(&mut service, &mut backoff, Some(Some(reply(status, body, None))), 2);
            assert!(matches!(turn, Turn::Refused { bytes: 5, .. }), "{status}: {turn:?}");
            assert_eq!(step(&mut service, &mut backoff, None, 2), Turn::Sent(5), "the next one at once");
            let (left, counted) = pictures(&spool);
            assert_eq!((left, counted.stored, counted.refused), (0, 1, 1), "{status}");
        }
    }

    #[test]
    fn p7_whatever_else_comes_back_the_picture_stays_and_is_sent_later() {
        let others = [
            None,
            Some(reply(200, "<html>please log in</html>", None)),
            Some(reply(200, r#"{"result":"maybe"}"#, None)),
            Some(reply(404, "", None)),
            Some(reply(409, "<html>", None)),
            Some(reply(422, "<html>", None)),
            Some(reply(429, "", Some("700"))),
            Some(reply(500, "", None)),
            Some(reply(503, "", None)),
            Some(reply(507, r#"{"error":{"code":"full","message":"","hint":""}}"#, None)),
        ];
        for other in others {
            let folder = tempfile::tempdir().unwrap();
            let (spool, _) = spool(folder.path(), 1);
            acknowledge(&spool, &[1]);
            let mut service = Service { spool: &spool, answers: VecDeque::new(), came: Vec::new() };
            let mut backoff = Backoff::new(1);
            let Turn::Wait(until_us) = step(&mut service, &mut backoff, Some(other.clone()), 2) else {
                panic!("{other:?}")
            };
            let asked = other.as_ref().and_then(|other| other.retry_after.as_ref()).map_or(1, |_| 700);
            assert!(until_us >= at(2 + asked).uptime_us, "{other:?}");
            assert_eq!(step(&mut service, &mut backoff, None, 2), Turn::Wait(until_us), "and asks nobody meanwhile");
            assert_eq!((service.came.len(), pictures(&spool).0), (1, 1), "{other:?}");
            assert_eq!(step(&mut service, &mut backoff, None, 2_000), Turn::Sent(5), "{other:?}");
        }
    }

    #[test]
    fn p7_a_bad_token_waits_and_a_revoked_client_stops_with_the_picture_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (spool, _) = spool(folder.path(), 1);
        acknowledge(&spool, &[1]);
        let mut service = Service { spool: &spool, answers: VecDeque::new(), came: Vec::new() };
        let mut backoff = Backoff::new(1);
        let turn = step(&mut service, &mut backoff, Some(Some(reply(401, "", None))), 2);
        assert!(matches!(turn, Turn::BadToken(_)));
        let revoked = r#"{"error":{"code":"revoked","message":"","hint":""}}"#;
        assert_eq!(step(&mut service, &mut backoff, Some(Some(reply(403, revoked, None))), 2_000), Turn::Revoked);
        assert_eq!(pictures(&spool).0, 1);
    }

    #[test]
    fn younger_pictures_wait_and_what_the_person_deletes_is_never_sent() {
        let folder = tempfile::tempdir().unwrap();
        let (spool, _) = spool(folder.path(), 2);
        acknowledge(&spool, &[1, 2]);
        let mut service = Service { spool: &spool, answers: VecDeque::new(), came: Vec::new() };
        let mut backoff = Backoff::new(1);
        let held = turn(&mut backoff, &spool, &mut service, "t", 600 * SECOND_US, at(599)).unwrap();
        assert_eq!((held, service.came.len()), (Turn::Nothing, 0));
        let ripe = turn(&mut backoff, &spool, &mut service, "t", 600 * SECOND_US, at(600)).unwrap();
        assert_eq!(ripe, Turn::Sent(5));
        spool.lock().unwrap().forget_last(3_600 * SECOND_US, at(601)).unwrap();
        assert_eq!(step(&mut service, &mut backoff, None, 700), Turn::Nothing);
        assert_eq!((pictures(&spool).0, pictures(&spool).1.erased), (0, 1));
    }

    #[test]
    fn a_picture_is_as_lost_as_the_events_that_name_it_and_a_damaged_one_holds_up_none() {
        let folder = tempfile::tempdir().unwrap();
        let (spool, _) = spool(folder.path(), 4);
        let files = crate::spool::pictures::folder(folder.path());
        acknowledge(&spool, &[1]);
        for entry in std::fs::read_dir(&files).unwrap() {
            std::fs::write(entry.unwrap().path(), b"damaged").unwrap();
        }
        let mut service = Service { spool: &spool, answers: VecDeque::new(), came: Vec::new() };
        let mut backoff = Backoff::new(1);
        assert_eq!(step(&mut service, &mut backoff, None, 2), Turn::Nothing);
        assert_eq!((pictures(&spool).0, pictures(&spool).1.dropped), (3, 1), "the damaged one went");
        // A refused event may come again, and its picture with it.
        spool.lock().unwrap().refuse(2, "bad", at(3)).unwrap();
        assert_eq!(pictures(&spool).0, 3);
        assert_eq!(spool.lock().unwrap().replay_dead_letters(at(3)).unwrap(), 1);
        let again = spool.lock().unwrap().batch(Lane::Backlog, at(9_000), 0, 9, Uuid::nil()).unwrap();
        assert_eq!(again.iter().map(|waiting| waiting.seq).collect::<Vec<_>>(), [3, 4, 5]);
        let storage = Storage {
            events_bytes: 0,
            screenshots_bytes: u64::MAX,
            keep_free_bytes: 0,
            keep_free_percent: 0,
            keep_sent: std::time::Duration::ZERO,
        };
        spool.lock().unwrap().make_room(&storage, None, at(4)).unwrap();
        assert_eq!((pictures(&spool).0, pictures(&spool).1.dropped), (0, 4), "no event names them any more");
        assert!(service.came.is_empty());
    }
}
