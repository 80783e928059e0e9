//! The power goes while the client records: of what it kept, nothing is lost that is older than a second.

#[path = "../../../server/tests/it/harness/disk.rs"]
#[allow(dead_code, reason = "the service's stories fail the disk too, and write words between its changes")]
mod disk;

use crate::support::{command, printed};
use agent::clock::Moment;
use agent::spool::Spool;
use disk::{Disk, Loss};
use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
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
    let (played, log, spool) = (beside.path().join("played"), beside.path().join("log"), folder.join("spool"));
    let events = (0..EVENTS).map(|n| format!("09:{:02}:{:02} excel right_click n{n}", n / 60, n % 60));
    std::fs::write(&played, events.collect::<Vec<_>>().join(" | ")).unwrap();
    let mut replay = command(&folder, &["replay", played.to_str().unwrap(), "--spool", spool.to_str().unwrap()]);
    replay.env("LD_PRELOAD", disk::preload()).env("LODE_DISK_ROOT", &folder).env("LODE_DISK_LOG", &log);
    printed(&replay.output().unwrap());

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
