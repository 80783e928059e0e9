//! `kill -9` at random moments: afterwards the old state or the new one, never something between (P14, P15).
//!
//! The seed is printed; `LODE_TEST_SEED` replays it. A moment is waited for, which is the one sleep of these tests.

use crate::support::{lode, number, plain_log, run, run_json};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Random numbers that a seed repeats (xorshift).
struct Dice(u64);

impl Dice {
    fn new(story: &str) -> Self {
        let seed = std::env::var("LODE_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
        let seed = seed.unwrap_or_else(now);
        println!("{story}: LODE_TEST_SEED={seed}");
        Self(seed)
    }

    /// A moment up to `longest`.
    fn moment(&mut self, longest: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        longest.mul_f64((self.0 % 10_000) as f64 / 10_000.0)
    }
}

/// Starts the program and kills it at a moment; says whether it was still at work.
fn kill_at(folder: &Path, arguments: &[&str], moment: Duration) -> bool {
    let mut child = lode(folder, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(moment);
    let at_work = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    at_work
}

/// How long the program takes when nobody kills it.
fn whole(folder: &Path, arguments: &[&str]) -> Duration {
    let began = Instant::now();
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    began.elapsed()
}

fn is_well(folder: &Path) {
    let (code, answer) = run_json(folder, &["doctor"]);
    assert!(code == 0 && answer["well"] == true, "{answer}");
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn p14_an_import_that_is_killed_is_there_whole_or_not_at_all() {
    const ROWS: i64 = 200_000;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.csv");
    std::fs::write(&log, plain_log(0..20, ROWS as usize / 20)).unwrap();
    let import = ["import", log.to_str().unwrap(), "--project", "orders", "--no-jobs"];
    let longest = whole(&folder.path().join("whole"), &import);
    let (mut dice, mut data) = (Dice::new("import"), folder.path().join("0"));
    let (mut killed, mut stored) = (0, 0);
    for round in 1..=20 {
        killed += i32::from(kill_at(&data, &import, dice.moment(longest.mul_f64(1.1))));
        is_well(&data);
        let (code, answer) = run_json(&data, &["project", "list"]);
        assert_eq!(code, 0, "{answer}");
        let there = answer["projects"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"))
            .iter()
            .any(|project| project["slug"] == "orders");
        // Before the first commit of an import there is no table to ask.
        let rows = if there { events(&data) } else { 0 };
        assert!(rows == 0 || rows == ROWS, "{rows} of {ROWS} rows");
        if rows == ROWS {
            stored += 1;
            let (code, again) = run_json(&data, &import);
            assert_eq!((code, again["imports"][0]["state"].as_str()), (0, Some("duplicate")), "{again}");
            data = folder.path().join(round.to_string());
        }
    }
    println!("{killed} of 20 were killed at work, {stored} had committed before");
    let (code, answer) = run_json(&data, &import);
    assert!(code == 0 && answer["imports"][0]["rows_stored"] == ROWS, "{answer}");
    assert_eq!(events(&data), ROWS);
    assert_eq!(std::fs::read_dir(data.join("staging")).unwrap().count(), 0);
}

/// Rows of the event table; none if there is no such table yet.
fn events(folder: &Path) -> i64 {
    let (code, answer) = run_json(folder, &["sql", "SELECT count(*) FROM events", "--project", "orders"]);
    if code == 5 {
        assert!(answer["error"]["message"].as_str().unwrap().contains("not found"), "{answer}");
        return 0;
    }
    answer["rows"][0][0].as_i64().unwrap_or_else(|| panic!("{answer}"))
}

/// What tables hold, in one number each.
fn tables(folder: &Path) -> Vec<Value> {
    let sums = "SELECT (SELECT count(*) FROM int_labeled_events) AS a, \
                (SELECT CAST(sum(active_us) AS BIGINT) FROM int_labeled_events) AS b, \
                (SELECT count(*) FROM int_sessions) AS c, (SELECT count(*) FROM app_usage) AS d, \
                (SELECT CAST(sum(frequency) AS BIGINT) FROM activity_graph) AS e, (SELECT sum(events) FROM coverage) AS f";
    let (code, answer) = run_json(folder, &["sql", sums, "--project", "orders"]);
    assert_eq!(code, 0, "{answer}");
    answer["rows"][0].as_array().unwrap().clone()
}

#[test]
fn p15_jobs_that_are_killed_leave_old_tables_or_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new, data) = (folder.path().join("old"), folder.path().join("new"), folder.path().join("data"));
    for (name, users, jobs) in [("one.csv", 0..3, true), ("two.csv", 3..8, false)] {
        let log = folder.path().join(name);
        std::fs::write(&log, plain_log(users, 3_000)).unwrap();
        let arguments = ["import", log.to_str().unwrap(), "--project", "orders", "--no-jobs"];
        assert!(run(&old, &arguments[..if jobs { 4 } else { 5 }]).status.success());
    }
    copy(&old, &new);
    let jobs = ["job", "run", "--project", "orders"];
    let longest = whole(&new, &jobs);
    let (before, after) = (tables(&old), tables(&new));
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");
    let (mut dice, mut killed) = (Dice::new("jobs"), 0);
    for _ in 0..20 {
        copy(&old, &data);
        killed += i32::from(kill_at(&data, &jobs, dice.moment(longest)));
        is_well(&data);
        for (now, (before, after)) in tables(&data).iter().zip(before.iter().zip(&after)) {
            assert!(now == before || now == after, "{now} is neither {before} nor {after}");
        }
        let (_, history) = run_json(&data, &["job", "history", "--project", "orders", "--limit", "100"]);
        let runs = history["runs"].as_array().unwrap();
        assert!(runs.iter().all(|run| run["state"] != "running" && run["state"] != "queued"), "{history}");
    }
    println!("{killed} of 20 were killed at work");
    whole(&data, &jobs);
    assert_eq!(tables(&data), after);
}

#[test]
fn p14_a_compaction_that_is_killed_loses_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new, data) = (folder.path().join("old"), folder.path().join("new"), folder.path().join("data"));
    for user in 0..6 {
        let log = folder.path().join("log.csv");
        std::fs::write(&log, plain_log(user..user + 1, 10_000)).unwrap();
        let arguments = ["import", log.to_str().unwrap(), "--project", "orders", "--no-jobs"];
        assert!(run(&old, &arguments).status.success());
    }
    let rows = |folder: &Path| {
        let sums = "SELECT CAST(count(*) + sum(event_order % 1000003) AS BIGINT) FROM events";
        number(folder, "orders", sums)
    };
    let files = |folder: &Path| {
        let (_, answer) = run_json(folder, &["doctor"]);
        answer["checks"].as_array().unwrap().iter().find(|check| check["check"] == "files").unwrap()["said"].clone()
    };
    copy(&old, &new);
    let compact = ["project", "compact", "orders"];
    let longest = whole(&new, &compact);
    let (before, after) = (files(&old), files(&new));
    assert_ne!(before, after, "nothing was compacted");
    let (mut dice, mut killed) = (Dice::new("compaction"), 0);
    for _ in 0..10 {
        copy(&old, &data);
        killed += i32::from(kill_at(&data, &compact, dice.moment(longest)));
        is_well(&data);
        assert_eq!(rows(&data), rows(&old));
        let now = files(&data);
        assert!(now == before || now == after, "{now}");
    }
    println!("{killed} of 10 were killed at work");
    whole(&data, &compact);
    assert_eq!((files(&data), rows(&data)), (after, rows(&old)));
}
