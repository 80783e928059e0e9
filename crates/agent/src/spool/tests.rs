//! The spool under everything that disks, clocks and copies do to it.

use super::*;
use crate::capture::{Button, Element, Reading};
use crate::flow::tests::{Stage, rules};
use std::collections::BTreeSet;
use std::fs;
use uilog::random::Random;

const AGENT: Uuid = Uuid::from_u128(7);

/// Events as the flow gives them; each is told apart by the name of its element.
fn admissions(from: usize, count: usize) -> Vec<Admission> {
    let mut stage = Stage::new(rules("a.exe", "", r#"columns="all""#));
    let window = stage.script.window("a.exe", "CANARY-TITLE");
    stage.script.focus(stage.now, window);
    for number in from..from + count {
        let element =
            Element { role: Reading::Known("button".into()), name: Some(format!("n{number}")), ..Element::default() };
        stage.script.click(stage.now, window, Button::Right, element);
        stage.pass_ms(60);
    }
    stage.rest();
    stage.admissions.retain(|admission| admission.event.element_name.is_some());
    assert_eq!(stage.admissions.len(), count);
    stage.admissions
}

fn counted(admissions: &[Admission]) -> Counters {
    let mut counters = Counters::default();
    admissions.iter().for_each(|_| counters.admit());
    counters
}

fn at(seconds: u64) -> Moment {
    Moment {
        uptime_us: 2_000_000_000 + seconds * 1_000_000,
        time_us: 1_767_603_700_000_000 + seconds as i64 * 1_000_000,
    }
}

fn fill(spool: &mut Spool, from: usize, count: usize, now: Moment) {
    let admissions = admissions(from, count);
    spool.append(&admissions, &counted(&admissions), &[], now).unwrap();
}

/// The names of the events that wait, in order.
fn names(spool: &mut Spool) -> Vec<String> {
    let waiting = spool.batch(Lane::Backlog, at(1_000_000), 0, 1_000_000, AGENT).unwrap();
    waiting.into_iter().filter_map(|waiting| waiting.event.element_name).collect()
}

/// What a kill leaves of a spool's folder: every byte that was written until that moment, synced or not.
pub(crate) struct Killed {
    folder: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Killed {
    pub(crate) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), files: files_below(folder) }
    }

    /// Puts it back once the killed one is gone, which closed its files as no killed one does. A file that is there keeps its
    /// number, by which it is told from a copy.
    pub(crate) fn put_back(&self) {
        for (path, _) in files_below(&self.folder) {
            if self.files.iter().all(|(kept, _)| *kept != path) {
                fs::remove_file(path).unwrap();
            }
        }
        self.files.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    }
}

fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = paths
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![(path.clone(), fs::read(path).unwrap())] })
        .collect();
    files.sort();
    files
}

fn open(folder: &Path) -> Spool {
    Spool::open(folder, at(0)).unwrap().0
}

#[test]
fn events_get_numbers_without_holes_and_leave_when_the_service_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    fill(&mut spool, 0, 5, at(0));
    fill(&mut spool, 5, 5, at(1));
    let waiting = spool.batch(Lane::Backlog, at(1_000), 0, 100, AGENT).unwrap();
    assert_eq!(waiting.iter().map(|waiting| waiting.seq).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    assert!(waiting.iter().all(|waiting| waiting.event.agent_id == AGENT && waiting.event.epoch == spool.epoch()));
    let acknowledged = [1, 2, 3, 9, 77].into_iter().collect();
    assert_eq!(spool.settle(&acknowledged, 5, at(2)).unwrap(), 4);
    assert_eq!(spool.settle(&acknowledged, 5, at(2)).unwrap(), 0, "twice changes nothing");
    assert_eq!(names(&mut spool), ["n3", "n4", "n5", "n6", "n7", "n9"]);
    let counters = spool.counters().clone();
    assert_eq!((counters.captured, counters.stored, counters.waiting, counters.difference()), (10, 4, 6, 0));
}

#[test]
fn younger_events_wait_and_live_ones_go_their_own_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    let mut admissions = admissions(0, 3);
    let hour = 3_600_000_000;
    for (admission, ago) in admissions.iter_mut().zip([2 * hour, 60_000_000, 1_000_000]) {
        admission.at = Moment { uptime_us: 9 * hour - ago, time_us: (9 * hour - ago) as i64 };
    }
    let now = Moment { uptime_us: 9 * hour, time_us: 9 * hour as i64 };
    spool.append(&admissions, &counted(&admissions), &[], now).unwrap();
    let mut lane = |lane, hold_us| -> Vec<u64> {
        let waiting = spool.batch(lane, now, hold_us, 100, AGENT).unwrap();
        waiting.into_iter().map(|waiting| waiting.seq).collect()
    };
    assert_eq!(lane(Lane::Live, 0), [2, 3]);
    assert_eq!(lane(Lane::Backlog, 0), [1]);
    assert_eq!(lane(Lane::Live, 30_000_000), [2], "the youngest can still be deleted");
    assert_eq!(lane(Lane::Backlog, 30_000_000), [1]);
}

#[test]
fn d13_what_lies_on_the_disk_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    fill(&mut spool, 0, 50, at(0));
    spool.sync(at(1)).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap().flatten() {
        let bytes = fs::read(entry.path()).unwrap();
        for canary in [&b"CANARY"[..], b"element_name", b"a.exe", b"\"n7\""] {
            let found = bytes.windows(canary.len()).any(|window| window == canary);
            assert!(!found, "{:?} in {:?}", String::from_utf8_lossy(canary), entry.path());
        }
    }
}

#[test]
fn p4_room_is_made_oldest_first_counted_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    fill(&mut spool, 0, 900, at(0));
    spool.settle(&[1, 2].into_iter().collect(), 1, at(1)).unwrap();
    let bytes = spool.size().unwrap().event_bytes;
    let storage = Storage {
        events_bytes: bytes / 2,
        screenshots_bytes: 0,
        keep_free_bytes: 0,
        keep_free_percent: 0,
        keep_sent: std::time::Duration::ZERO,
    };
    spool.make_room(&storage, None, at(2)).unwrap();
    assert!(spool.size().unwrap().event_bytes <= bytes / 2);
    let removed = spool.unreported().unwrap();
    assert_eq!((removed.len(), removed[0].first, removed[0].reason.as_str()), (1, 3, "quota"), "{removed:?}");
    let left = names(&mut spool);
    assert_eq!(left.last().unwrap(), "n899");
    let counters = spool.counters().clone();
    assert_eq!(counters.dropped["quota"], removed[0].last - removed[0].first + 1);
    assert_eq!(counters.difference(), 0);
    // A tight disk gives way too, step by step, and ends when nothing is left.
    for second in 0..20 {
        let free = Storage { keep_free_bytes: 100, ..storage.clone() };
        spool.make_room(&free, Some((99, 1_000)), at(3 + second)).unwrap();
    }
    assert_eq!((names(&mut spool).len(), spool.counters().difference()), (0, 0));
}

#[test]
fn p5_a_range_that_grows_while_an_event_tells_of_it_is_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    fill(&mut spool, 0, 10, at(0));
    spool.remove(&[1, 2].into_iter().collect(), "quota", at(1)).unwrap();
    let told = spool.unreported().unwrap()[0].id;
    spool.remove(&[3].into_iter().collect(), "quota", at(2)).unwrap();
    let counters = spool.counters().clone();
    spool.append(&[], &Counters::default(), &[told], at(3)).unwrap();
    let owed: Vec<(u64, u64)> = spool.unreported().unwrap().iter().map(|range| (range.first, range.last)).collect();
    assert_eq!((owed, spool.counters() == &counters), (vec![(1, 3)], true));
}

#[test]
fn d7_the_last_hour_is_deleted_counted_and_gone_from_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    let mut admissions = admissions(0, 10);
    for (minutes, admission) in admissions.iter_mut().rev().enumerate() {
        let ago = minutes as u64 * 10 * 60;
        admission.at = Moment { uptime_us: at(0).uptime_us * 9 - ago * 1_000_000, time_us: 0 };
    }
    let now = Moment { uptime_us: at(0).uptime_us * 9, time_us: 0 };
    spool.append(&admissions, &counted(&admissions), &[], now).unwrap();
    let bodies: Vec<Vec<u8>> = {
        let mut statement = spool.db.prepare("SELECT body FROM event ORDER BY seq DESC LIMIT 7").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(spool.forget_last(3_600_000_000, now).unwrap(), 7, "0 to 60 minutes ago");
    assert_eq!(names(&mut spool), ["n0", "n1", "n2"]);
    assert_eq!((spool.counters().erased, spool.counters().difference()), (7, 0));
    assert_eq!(spool.unreported().unwrap()[0].reason, "deleted_by_user");
    for file in fs::read_dir(folder.path()).unwrap().flatten() {
        let bytes = fs::read(file.path()).unwrap();
        let is_there = |body: &Vec<u8>| bytes.windows(32).any(|window| window == &body[..32]);
        assert!(!bodies.iter().any(is_there), "{:?}", file.path());
    }
}

#[test]
fn p5_refused_events_become_dead_letters_that_can_be_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    fill(&mut spool, 0, 3, at(0));
    spool.refuse(2, "no rule of that name", at(1)).unwrap();
    assert_eq!(names(&mut spool), ["n0", "n2"]);
    assert_eq!(spool.dead_letters().unwrap(), [(2, "no rule of that name".to_owned())]);
    assert_eq!((spool.counters().refused, spool.counters().difference()), (1, 0));
    assert_eq!(spool.replay_dead_letters(at(2)).unwrap(), 1);
    assert_eq!(names(&mut spool), ["n0", "n2", "n1"]);
    assert_eq!(spool.counters().difference(), 0);
}

#[test]
fn tc10_a_second_program_on_the_spool_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path());
    let second = Spool::open(folder.path(), at(0));
    assert!(matches!(second, Err(SpoolError::InUse(_))), "{:?}", second.err());
}

#[test]
fn tc11_a_copied_spool_begins_a_new_epoch_and_keeps_what_waits() {
    for seed in 0..12 {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut spool = open(folder.path());
        fill(&mut spool, 0, 10, at(0));
        let sent = 1 + seed % 9;
        spool.settle(&(1..=sent).collect(), 1, at(1)).unwrap();
        spool.checkpoint().unwrap();
        let epoch = spool.epoch();
        drop(spool);
        assert_eq!(open(folder.path()).epoch(), epoch, "the same file goes on");
        for file in [FILE, KEY_FILE] {
            fs::copy(folder.path().join(file), other.path().join(file)).unwrap();
        }
        let (mut copy, opened) = Spool::open(other.path(), at(2)).unwrap();
        assert!(opened.copied && copy.epoch() != epoch);
        let waiting = copy.batch(Lane::Backlog, at(1_000), 0, 100, AGENT).unwrap();
        assert_eq!(waiting.iter().map(|each| each.seq).collect::<Vec<_>>(), (1..=10 - sent).collect::<Vec<_>>());
        assert!(waiting.iter().all(|each| each.event.epoch == copy.epoch()));
        assert_eq!(copy.counters().difference(), 0);
        drop(copy);
        assert!(!Spool::open(other.path(), at(3)).unwrap().1.copied, "told once");
    }
}

#[test]
fn tc6_turning_the_wall_clock_reorders_and_deletes_nothing() {
    for seed in 0..50 {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = open(folder.path());
        let mut random = Random::new(seed);
        let mut admissions = admissions(0, 20);
        for (number, admission) in admissions.iter_mut().enumerate() {
            let years = random.below(200) as i64 - 100;
            let time_us = 1_767_603_700_000_000 + years * 31_536_000_000_000;
            admission.at = Moment { uptime_us: at(number as u64).uptime_us, time_us };
        }
        for chunk in [0..7, 7..20] {
            let part: Vec<Admission> = admissions.drain(..chunk.len()).collect();
            spool.append(&part, &counted(&part), &[], at(30)).unwrap();
        }
        for lane in [Lane::Live, Lane::Backlog] {
            let soon = Moment { uptime_us: at(60).uptime_us, time_us: random.below(u64::MAX / 4) as i64 };
            let held = spool.batch(lane, soon, 600_000_000, 100, AGENT).unwrap();
            assert!(held.is_empty(), "seed {seed}: ten minutes have not passed, whatever the clock on the wall says");
        }
        let now = Moment { uptime_us: at(7_200).uptime_us, time_us: 0 };
        let seqs: Vec<u64> =
            spool.batch(Lane::Backlog, now, 600_000_000, 100, AGENT).unwrap().iter().map(|each| each.seq).collect();
        assert_eq!(seqs, (1..=20).collect::<Vec<_>>(), "seed {seed}");
        // The local clock says a century later; sent copies end by the service's clock alone.
        spool.settle(&(1..=20).collect(), 1_000, at(7_201)).unwrap();
        spool.forget_sent(1_000, 86_400_000_000, Moment { time_us: i64::MAX / 2, ..now }).unwrap();
        assert_eq!(spool.latest(u64::MAX, 100).unwrap().len(), 20, "seed {seed}");
        spool.forget_sent(1_000 + 86_400_000_000, 86_400_000_000, now).unwrap();
        assert_eq!(spool.latest(u64::MAX, 100).unwrap().len(), 0, "seed {seed}");
    }
}

#[test]
fn tc5_whatever_lies_in_the_folder_the_spool_opens_and_saves_what_can_be_saved() {
    for seed in 0..120 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let rows = 200;
        {
            let mut spool = open(folder.path());
            fill(&mut spool, 0, rows, at(0));
            spool.checkpoint().unwrap();
        }
        let mut random = Random::new(seed);
        let mut bytes = fs::read(&path).unwrap();
        let place = |random: &mut Random, length: usize| random.below((length - 4_096) as u64) as usize;
        let kind = seed % 10;
        match kind {
            0 => {
                let at = place(&mut random, bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
            1 => {
                let at = place(&mut random, bytes.len()) / 4_096 * 4_096;
                bytes[at..at + 4_096].fill(0);
            }
            2 => bytes.truncate(place(&mut random, bytes.len())),
            3 => bytes = (0..random.below(20_000)).map(|_| random.number() as u8).collect(),
            4 => bytes = b"SQLite format 3\0 and then something else entirely".to_vec(),
            5 => bytes.clear(),
            6 => {
                let at = place(&mut random, bytes.len());
                bytes[at..at + 64].fill(0xff);
            }
            _ => {}
        }
        fs::write(&path, &bytes).unwrap();
        match kind {
            7 => {
                fs::remove_file(&path).unwrap();
                fs::create_dir(&path).unwrap();
            }
            8 => {
                fs::remove_file(&path).unwrap();
                let foreign = Connection::open(&path).unwrap();
                foreign.execute_batch("CREATE TABLE other (a); PRAGMA user_version = 99").unwrap();
            }
            9 => fs::remove_file(folder.path().join(KEY_FILE)).unwrap(),
            _ => {}
        }
        let (mut spool, opened) =
            Spool::open(folder.path(), at(1)).unwrap_or_else(|error| panic!("seed {seed}: {error:?}"));
        // Damage that only reading finds is found by reading; then the file is set aside as well.
        if spool.batch(Lane::Backlog, at(1_000), 0, rows, AGENT).is_err() || !spool.is_sound() {
            spool.renew(at(2)).unwrap();
        }
        while spool.salvage_step(at(2)).unwrap() {}
        let saved: BTreeSet<String> = names(&mut spool).into_iter().collect();
        fill(&mut spool, 9_000, 1, at(3));
        assert!(names(&mut spool).contains(&"n9000".to_owned()), "seed {seed}: it works on");
        assert_eq!(spool.counters().difference(), 0, "seed {seed}");
        let least = match kind {
            // A flipped bit costs its row; a page costs the rows on it; pages that hold the tree together can cost more.
            0 | 6 => rows - 20,
            _ => 0,
        };
        assert!(saved.len() >= least || opened.quarantined.is_some(), "seed {seed}: {} saved", saved.len());
    }
}

#[test]
fn tc5_of_the_rows_on_undamaged_pages_nineteen_in_twenty_are_saved() {
    let (mut undamaged, mut saved) = (0, 0);
    for seed in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        {
            let mut spool = open(folder.path());
            fill(&mut spool, 0, 200, at(0));
            spool.checkpoint().unwrap();
        }
        let mut bytes = fs::read(&path).unwrap();
        let pages = bytes.len() / 4_096;
        let page = 1 + Random::new(seed).below(pages as u64 - 1) as usize;
        let range = page * 4_096..(page + 1) * 4_096;
        // Leaves of the tree alone: rows on other pages are undamaged then.
        if bytes[range.start] != 13 {
            continue;
        }
        let on_page = u16::from_be_bytes([bytes[range.start + 3], bytes[range.start + 4]]) as usize;
        bytes[range].fill(0);
        fs::write(&path, &bytes).unwrap();
        let (mut spool, _) = Spool::open(folder.path(), at(1)).unwrap();
        if spool.batch(Lane::Backlog, at(1_000), 0, 1_000, AGENT).is_err() || !spool.is_sound() {
            spool.renew(at(2)).unwrap();
        }
        while spool.salvage_step(at(2)).unwrap() {}
        undamaged += 200 - on_page.min(200);
        saved += names(&mut spool).len();
    }
    assert!(undamaged > 1_000 && saved * 20 >= undamaged * 19, "{saved} of {undamaged}");
}

/// What is on the disk, with the log cut, torn or zeroed behind what was synced: every state in which a power cut can leave it.
#[test]
fn tc3_after_a_power_cut_everything_that_was_synced_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    let wal = folder.path().join("spool.db-wal");
    let mut states = Vec::new();
    let mut random = Random::new(1);
    let events = admissions(0, 120);
    let mut events = events.into_iter();
    let (mut written, mut synced, mut synced_bytes) = (0, 0, 0);
    for step in 0..60 {
        let part: Vec<Admission> = events.by_ref().take(2).collect();
        written += part.len();
        spool.append(&part, &counted(&part), &[], at(1_000)).unwrap();
        if step % 5 == 0 {
            spool.sync(at(2_000)).unwrap();
            (synced, synced_bytes) = (written, fs::metadata(&wal).unwrap().len() as usize);
        }
        let log = fs::read(&wal).unwrap();
        for mode in 0..4 {
            for _ in 0..3 {
                let mut cut = log.clone();
                let keep = synced_bytes + random.below((log.len() - synced_bytes + 1) as u64) as usize;
                match mode {
                    0 => cut.truncate(keep),
                    1 => cut[keep..].fill(0),
                    2 => {
                        // Sectors of 512 bytes arrive in any order.
                        for sector in cut[synced_bytes..].chunks_mut(512) {
                            if random.below(2) == 0 {
                                sector.fill(0);
                            }
                        }
                    }
                    _ => {}
                }
                states.push((cut, synced, written));
            }
        }
    }
    let database = fs::read(folder.path().join(FILE)).unwrap();
    let key = folder.path().join(KEY_FILE);
    assert_eq!(states.len(), 720);
    for (number, (log, synced, written)) in states.into_iter().enumerate() {
        let after = tempfile::tempdir().unwrap();
        fs::write(after.path().join(FILE), &database).unwrap();
        fs::write(after.path().join("spool.db-wal"), log).unwrap();
        fs::copy(&key, after.path().join(KEY_FILE)).unwrap();
        let (mut spool, opened) = Spool::open(after.path(), at(3_000)).unwrap();
        assert_eq!(opened.quarantined, None, "state {number}");
        let found = names(&mut spool);
        let wanted: Vec<String> = (0..found.len()).map(|number| format!("n{number}")).collect();
        assert_eq!(found, wanted, "state {number}: a beginning, in order, without holes");
        assert!((synced..=written).contains(&found.len()), "state {number}: {} of {synced} to {written}", found.len());
        assert_eq!(spool.counters().difference(), 0, "state {number}");
    }
}

#[test]
fn a_picture_row_has_a_whole_file_and_files_without_a_row_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    let mut admissions = admissions(0, 1);
    let id = Uuid::from_u128(5);
    admissions[0].picture =
        Some(crate::screenshot::Png { id, bytes: b"PNG-CANARY".to_vec(), note: crate::screenshot::Note::default() });
    spool.append(&admissions, &counted(&admissions), &[], at(0)).unwrap();
    assert_eq!(spool.picture(id).unwrap(), b"PNG-CANARY");
    let pictures = pictures::folder(folder.path());
    let sealed = fs::read(fs::read_dir(&pictures).unwrap().next().unwrap().unwrap().path()).unwrap();
    assert!(!sealed.windows(6).any(|window| window == b"CANARY"));
    fs::write(pictures.join("orphan"), b"x").unwrap();
    drop(spool);
    let spool = open(folder.path());
    assert!(!pictures.join("orphan").exists());
    assert_eq!(spool.picture(id).unwrap(), b"PNG-CANARY");
}

/// What a client of another version leaves in place of this spool: an older one, or one that nobody here knows.
fn as_version(spool: &Spool, version: i32) {
    let changes = match version {
        1 => {
            "DROP TABLE page; DROP INDEX event_picture; ALTER TABLE event DROP COLUMN picture;
             ALTER TABLE picture DROP COLUMN note; ALTER TABLE picture DROP COLUMN acknowledged;"
        }
        2 => "DROP TABLE page;",
        _ => "ALTER TABLE event ADD COLUMN later TEXT; CREATE TABLE later (id INTEGER PRIMARY KEY);",
    };
    spool.db.execute_batch(&format!("{changes} PRAGMA user_version = {version};")).unwrap();
}

#[test]
fn a_spool_of_the_version_before_opens_with_all_that_is_in_it_and_its_pictures_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    let id = Uuid::from_u128(5);
    let mut older = admissions(0, 3);
    older[0].picture =
        Some(crate::screenshot::Png { id, bytes: b"PNG".to_vec(), note: crate::screenshot::Note::default() });
    spool.append(&older, &counted(&older), &[], at(0)).unwrap();
    as_version(&spool, 1);
    drop(spool);
    for time in 0..2 {
        let (mut spool, opened) = Spool::open(folder.path(), at(1)).unwrap();
        assert_eq!(opened, Opened::default(), "opened {time} times before");
        assert_eq!(names(&mut spool), ["n0", "n1", "n2"]);
        spool.settle(&[1].into_iter().collect(), 1, at(2)).unwrap();
        assert_eq!((spool.picture(id).unwrap(), spool.due_picture(at(9), 0).unwrap()), (b"PNG".to_vec(), None));
        spool.db.execute("UPDATE event SET sent_us = NULL", []).unwrap();
    }
    fill(&mut open(folder.path()), 3, 2, at(3));
}

/// A spool with everything in it that can wait: events, sent and refused ones, a removed range, a picture.
fn with_everything(folder: &Path, random: &mut Random) -> Spool {
    let mut spool = open(folder);
    let mut some = admissions(0, 20);
    let note = crate::screenshot::Note::default();
    some[0].picture = Some(crate::screenshot::Png { id: Uuid::from_u128(5), bytes: b"PNG".to_vec(), note });
    spool.append(&some, &counted(&some), &[], at(0)).unwrap();
    let mut pick = || 2 + random.below(18);
    spool.settle(&[pick(), pick(), pick()].into_iter().collect(), 1, at(1)).unwrap();
    spool.refuse(pick(), "no rule of that name", at(2)).unwrap();
    spool.remove(&[pick(), pick()].into_iter().collect(), "quota", at(3)).unwrap();
    spool
}

/// What is in a spool that must not be lost.
#[derive(Debug, PartialEq)]
struct Content {
    names: Vec<String>,
    counters: Counters,
    letters: Vec<(u64, String)>,
    removed: Vec<Removed>,
    picture: Option<Vec<u8>>,
}

fn content(spool: &mut Spool) -> Content {
    Content {
        names: names(spool),
        counters: spool.counters().clone(),
        letters: spool.dead_letters().unwrap(),
        removed: spool.unreported().unwrap(),
        picture: spool.picture(Uuid::from_u128(5)),
    }
}

#[test]
fn p14_tc13_an_older_spool_is_upgraded_with_all_that_waits_and_a_newer_one_is_refused_and_not_touched() {
    for seed in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let mut random = Random::new(seed);
        let mut spool = with_everything(folder.path(), &mut random);
        let (before, epoch) = (content(&mut spool), spool.epoch());
        let version = [1, 2, VERSION + 1][(seed % 3) as usize];
        as_version(&spool, version);
        let killed = Killed::of(folder.path());
        drop(spool);
        if seed % 2 == 1 {
            // It is all in the log beside the file.
            killed.put_back();
        }
        if version > VERSION {
            let untouched = files_below(folder.path());
            for _ in 0..2 {
                let refused = Spool::open(folder.path(), at(4)).err().map(|error| error.to_string());
                let said = refused.expect("it is refused");
                assert!(said.contains("a newer lode-agent wrote the spool"), "seed {seed}: {said}");
                assert_eq!(files_below(folder.path()), untouched, "seed {seed}");
            }
            let newer = Connection::open(folder.path().join(FILE)).unwrap();
            let back = "ALTER TABLE event DROP COLUMN later; DROP TABLE later;";
            newer.execute_batch(&format!("{back} PRAGMA user_version = {VERSION};")).unwrap();
        }
        let (mut spool, opened) = Spool::open(folder.path(), at(5)).unwrap();
        assert_eq!((opened, spool.epoch()), (Opened::default(), epoch), "seed {seed}");
        assert_eq!(content(&mut spool), before, "seed {seed}: version {version}");
        fill(&mut spool, 20, 2, at(6));
        assert_eq!(spool.counters().difference(), 0, "seed {seed}");
    }
}

#[test]
fn p2_an_event_of_a_page_is_known_when_it_comes_again_after_a_start_until_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let page = |seq| PageId { document: Uuid::from_u128(7), seq };
    let mut spool = open(folder.path());
    let some = admissions(0, 1);
    spool.append_of_pages(&some, &counted(&some), &[], &[page(1), page(3)], at(1)).unwrap();
    drop(spool);
    let mut spool = open(folder.path());
    assert_eq!([1, 2, 3].map(|seq| spool.has_page(page(seq)).unwrap()), [true, false, true]);
    let later = Moment { time_us: at(1).time_us + PAGES_KNOWN_US + 1, ..at(2) };
    spool.forget_pages(later).unwrap();
    assert!(!spool.has_page(page(1)).unwrap());
}
