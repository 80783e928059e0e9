//! The harness: a fleet of simulated clients, faults, and a judge who compares what was acknowledged with what is stored.
//!
//! Ordinary runs take a dose that fits into a test run; `LODE_TEST_DOSE=night` multiplies it. Moments come from what was
//! acknowledged so far, never from a clock.

mod chaosproxy;
mod disk;
mod flood;
mod judge;
mod killed;
mod postgres;
mod power;

use crate::support::{Client, open, run};
use chaosproxy::{ChaosProxy, Fault};
use judge::{Field, times};
pub use killed::Killed;
use postgres::Postgres;
use serde_json::json;
use server::simulation::client::SimulatedClient;
use std::path::Path;
use std::time::{Duration, Instant};
use store::control::erasures::Erasure;
use uuid::Uuid;

/// How long anything may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

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

/// D8: who was erased after a backup was made is not there when it is brought back, from the first answer on.
#[test]
fn d8_a_backup_brings_nobody_back_who_was_erased_since() {
    let folder = tempfile::tempdir().unwrap();
    let (data, archive) = (folder.path().join("data"), folder.path().join("saved.tar.zst"));
    let archive = archive.to_str().unwrap();
    let mut service = Killed::start(&data, &[]);
    let (reached, threads) = (service.client(), threads());
    let (slug, mut clients) = clients(reached, &threads, 2);
    for client in &mut clients {
        let packed = captured(client, 5);
        threads.block_on(client.send(packed)).unwrap();
    }
    reached.rows_until(&slug, "SELECT count(*) FROM events", &json!([[10]]), STUCK);
    service.kill();
    assert!(run(&data, &["backup", archive]).status.success());
    service.start_again(&data, &[]);
    let erasures = format!("/projects/{slug}/erasures");
    let asked = reached.post(&erasures, &json!({ "agent_id": clients[0].agent_id })).expect(202);
    let path = format!("{erasures}/{}", asked["id"].as_str().unwrap());
    reached.until(&path, |erasure| erasure["state"] == "done");
    service.kill();

    // Once as it comes back, and once as a start leaves it that was killed after it had written the erasure down.
    for is_begun in [false, true] {
        let back = folder.path().join(format!("back-{is_begun}"));
        assert!(run(&back, &["restore", archive]).status.success());
        if is_begun {
            threads.block_on(begin_erasure(&back, &slug, asked["id"].as_str().unwrap(), clients[0].agent_id));
        }
        service.start_again(&back, &[]);
        let left =
            reached.post(&format!("/projects/{slug}/query"), &json!({ "sql": "SELECT DISTINCT agent_id FROM events" }));
        assert_eq!(left.expect(200)["rows"], json!([[clients[1].agent_id]]));
        let again = reached.get(&path).expect(200);
        assert_eq!((&again["state"], &again["certificate"]["rows"]), (&json!("done"), &json!(5)), "{again}");
        service.kill();
    }
}

/// Writes an erasure down in a data folder, and does nothing more of it.
async fn begin_erasure(folder: &Path, slug: &str, id: &str, agent: Uuid) {
    let store = open(folder).await;
    let project = store.control().project(slug).await.unwrap().id;
    let (id, subject) = (id.to_owned(), agent.to_string());
    let erasure = Erasure { id, project, subject, asked_at_us: 1, done_at_us: None, certificate: None };
    store.control().put_erasure(&erasure).await.unwrap();
    store.ingest().close().await;
    store.control().close().await;
}

/// A project and some clients that obey its configuration.
fn clients(service: Client, threads: &tokio::runtime::Runtime, count: usize) -> (String, Vec<SimulatedClient>) {
    let slug = crate::fleet::study(&|method, path, body| service.change(method, path, body), "Orders");
    let key = service.post(&format!("/projects/{slug}/app-keys"), &json!({ "name": "fleet" })).expect(201);
    let key = key["key"].as_str().unwrap();
    let (http, server) = (reqwest::Client::new(), format!("http://{}", service.0));
    let enrolled = async || {
        let mut client = SimulatedClient::enrol(&http, &server, key).await.unwrap();
        client.beat("recording").await.unwrap();
        client
    };
    (slug, (0..count).map(|_| threads.block_on(enrolled())).collect())
}

fn threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// An envelope with so many events that a client has just captured.
fn captured(client: &mut SimulatedClient, events: usize) -> Vec<u8> {
    let events = client.capture(events, server::jobs::runner::now_us());
    client.pack(&events).unwrap()
}
