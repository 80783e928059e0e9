//! The harness: a fleet of simulated clients, faults, and a judge who compares what was acknowledged with what is stored.
//!
//! Ordinary runs take a dose that fits into a test run; `LODE_TEST_DOSE=night` multiplies it. Moments come from what was
//! acknowledged so far, never from a clock.

mod chaosproxy;
mod judge;
mod killed;
mod postgres;

use crate::support::Client;
use chaosproxy::{ChaosProxy, Fault};
use judge::{Field, times};
use killed::Killed;
use postgres::Postgres;
use std::time::{Duration, Instant};

/// TS1: `kill -9` while a fleet sends, some of it twice. Afterwards every acknowledged event is there, once, as it was sent.
#[test]
fn p1_p2_p5_what_a_fleet_was_told_is_stored_is_there_after_kill_9() {
    let (kills, clients) = (times(40), 200);
    let folder = tempfile::tempdir().unwrap();
    let mut service = Killed::start(folder.path(), &[]);
    let field = Field::new(service.client(), service.client(), clients);
    for kill in 1..=kills {
        // The moment comes when some more was acknowledged, another number each time.
        field.wait_for_more(100 + kill * 37 % 400);
        service.kill();
        let began = Instant::now();
        service.start_again(folder.path(), &[]);
        assert!(began.elapsed() < Duration::from_secs(20), "the service took {:?} to come back", began.elapsed());
    }
    field.judge();
}

/// The same through a network that cuts, repeats, delays and lies.
#[test]
fn p2_p7_a_bad_network_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let service = Killed::start(folder.path(), &[]);
    for fault in Fault::ALL {
        let proxy = ChaosProxy::start(service.client().0, *fault);
        let field = Field::new(service.client(), Client(proxy.address()), 12);
        field.wait_for_more(times(600));
        assert!(proxy.faults() > 0, "{fault:?} never happened");
        field.judge();
    }
}

/// TS18: what clients send stands in no log, whatever the log is asked to hold.
#[test]
fn s14_a_log_of_everything_holds_no_content() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let service = Killed::start_logging(&folder.path().join("data"), &log);
    let field = Field::new(service.client(), service.client(), 3);
    field.wait_for_more(200);
    let contents = field.contents();
    assert!(contents.len() > 5, "{contents:?}");
    field.judge();
    let log = std::fs::read_to_string(log).unwrap();
    for content in contents {
        assert!(!log.contains(&content), "the log holds '{content}'");
    }
}

/// PostgreSQL goes away in the middle and comes back.
#[test]
fn p1_a_restart_of_postgresql_costs_no_acknowledged_event() {
    let Some(postgres) = Postgres::start() else {
        println!("skipped: PostgreSQL is not installed, or LODE_TEST_POSTGRES is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let url = postgres.url();
    let service = Killed::start(folder.path(), &["--control", &url]);
    let field = Field::new(service.client(), service.client(), 40);
    for _ in 0..times(2) {
        field.wait_for_more(1_000);
        postgres.restart();
    }
    field.wait_for_more(1_000);
    field.judge();
}
