//! The power goes while the client records: of what it kept, nothing is lost that is older than a second. It goes while the client
//! upgrades its spool too: all of it is there, in the old layout or in the new one.

#[path = "../../../server/tests/it/harness/disk.rs"]
#[allow(dead_code, reason = "the service's stories fail the disk too, and write words between its changes")]
mod disk;

use crate::support::{command, printed};
use agent::clock::Moment;
use agent::spool::Spool;
use disk::{Change, Disk, Loss};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use uilog::random::Random;

/// Events of the log, one a second by the log's own clock.
const EVENTS: usize = 300;

/// TC3, P3: every change that the program makes to its disk is written down, and the power goes at any of them.
#[test]
fn p3_tc3_a_power_cut_costs_the_last_second_and_nothing_that_was_kept_before() {
    let seed = std::env::var("LODE_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("LODE_TEST_SEED={seed}");
    let beside = tempfile::tempdir().unwrap();
    // The system may know the folder by another name, and it is the system that tells names.
    let folder = beside.path().canonicalize().unwrap().join("data");
    let log = beside.path().join("log");
    printed(&watched(replay(beside.path(), &folder, EVENTS), &folder, &log).output().unwrap());

    let changes = disk::changes(&std::fs::read(&log).unwrap());
    let mut random = Random::new(seed);
    let mut moments: BTreeSet<usize> = (0..60).map(|_| random.below(changes.len() as u64) as usize).collect();
    moments.insert(changes.len() - 1);
    let mut after = Disk::default();
    for (number, change) in changes.iter().enumerate() {
        after.apply(change);
        if !moments.contains(&number) {
            continue;
        }
        let [all, torn, synced] = [Loss::Nothing, Loss::Torn, Loss::Everything].map(|loss| {
            let state = tempfile::tempdir().unwrap();
            after.after_a_power_cut(loss, &mut random, &folder, state.path());
            kept(&state.path().join("spool"))
        });
        let is_within = synced <= torn && torn <= all && all - synced <= 1;
        assert!(is_within, "after change {number}, {change:.80?}: {synced} and {torn} of {all} events");
        assert!(number + 1 < changes.len() || synced == EVENTS, "at the end {synced} of {EVENTS} events");
    }
    println!("{} changes, {} moments", changes.len(), moments.len());
}

/// TC13, P14: the program upgrades a spool in which data wait, and is killed or loses power at every change that it makes.
#[test]
fn p14_tc13_an_upgrade_that_ends_anywhere_leaves_the_old_spool_or_the_new_one_with_all_that_waits() {
    const WAITING: usize = 40;
    for version in [1, 2] {
        let beside = tempfile::tempdir().unwrap();
        let folder = beside.path().canonicalize().unwrap().join("data");
        printed(&replay(beside.path(), &folder, WAITING).output().unwrap());
        downgrade(&folder.join("spool"), version);
        let mut after = Disk::default();
        before(&folder).iter().for_each(|change| after.apply(change));
        let (log, exported) = (beside.path().join("log"), beside.path().join("exported"));
        let export = command(&folder, &["export", exported.to_str().unwrap()]);
        printed(&watched(export, &folder, &log).output().unwrap());
        let changes = disk::changes(&std::fs::read(&log).unwrap());
        assert!(changes.len() > 5, "version {version}: it was upgraded");
        let mut random = Random::new(u64::from(version));
        for (number, change) in changes.iter().enumerate() {
            after.apply(change);
            for loss in [Loss::Nothing, Loss::Torn, Loss::Everything] {
                let state = tempfile::tempdir().unwrap();
                after.after_a_power_cut(loss, &mut random, &folder, state.path());
                let there = kept(&state.path().join("spool"));
                assert_eq!(there, WAITING, "version {version}, {loss:?} after change {number}, {change:.80?}");
            }
        }
        println!("version {version}: {} changes", changes.len());
    }
}

/// What a client of an older version left in place of this spool.
fn downgrade(spool: &Path, version: u32) {
    let to_2 = "DROP TABLE page; PRAGMA user_version = 2;";
    let to_1 = "DROP INDEX event_picture; ALTER TABLE event DROP COLUMN picture; ALTER TABLE picture DROP COLUMN note;
        ALTER TABLE picture DROP COLUMN acknowledged; PRAGMA user_version = 1;";
    let db = Connection::open(spool.join("spool.db")).unwrap();
    db.execute_batch(to_2).unwrap();
    if version == 1 {
        db.execute_batch(to_1).unwrap();
    }
}

/// The changes that make what lies below a folder now, all of it synced.
fn before(folder: &Path) -> Vec<Change> {
    let mut changes = vec![Change::FolderMade { path: folder.to_owned() }];
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            changes.extend(before(&path));
            continue;
        }
        let (file, data) = (entry.metadata().unwrap().ino(), std::fs::read(&path).unwrap());
        changes.extend([
            Change::Created { file, path },
            Change::Written { file, offset: 0, data },
            Change::Synced { file },
        ]);
    }
    changes.push(Change::FolderSynced { path: folder.to_owned() });
    changes
}

/// The program playing so many events into the spool of a folder, not started yet.
fn replay(beside: &Path, folder: &Path, events: usize) -> Command {
    let (played, spool) = (beside.join("played"), folder.join("spool"));
    let lines = (0..events).map(|n| format!("09:{:02}:{:02} excel right_click n{n}", n / 60, n % 60));
    std::fs::write(&played, lines.collect::<Vec<_>>().join(" | ")).unwrap();
    command(folder, &["replay", played.to_str().unwrap(), "--spool", spool.to_str().unwrap()])
}

/// The program with every change that it makes below a folder written down.
fn watched(mut program: Command, folder: &Path, log: &Path) -> Command {
    program.env("LD_PRELOAD", disk::preload()).env("LODE_DISK_ROOT", folder).env("LODE_DISK_LOG", log);
    program
}

/// How many events are in a spool, which are the first ones, without a hole.
fn kept(folder: &Path) -> usize {
    // What is made anew of the changes has no rights, and nobody else may read a key.
    let key = folder.join("spool.key");
    if key.exists() {
        std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    }
    let now = Moment { uptime_us: u64::MAX / 4, time_us: i64::MAX / 4 };
    let (spool, opened) = Spool::open(folder, now).unwrap();
    assert_eq!((opened.quarantined, spool.is_sound(), spool.counters().difference()), (None, true, 0));
    let events = spool.latest(u64::MAX, usize::MAX).unwrap().into_iter().rev();
    let names: Vec<String> = events.filter_map(|(event, _)| event.element_name).collect();
    assert_eq!(names, (0..names.len()).map(|n| format!("n{n}")).collect::<Vec<_>>());
    names.len()
}
