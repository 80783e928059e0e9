//! Power that goes, and disks that are full or broken: what was acknowledged stays, what cannot be kept is not acknowledged.

use super::disk::{self, Change, Disk, Loss};
use super::judge::times;
use super::killed::Killed;
use super::{STUCK, captured, clients, threads};
use crate::pictures::png;
use crate::support::{Client, SAMPLE, open};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::json;
use server::simulation::client::{Sent, SimulatedClient};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use store::Store;
use store::engine::Question;
use store::operator::RowFunctions;
use uilog::random::Random;
use uuid::Uuid;

/// Clients that send at once, so that commits are shared.
const CLIENTS: usize = 6;

/// TS2: the power goes at any moment while clients send and their events become tables. Every acknowledged event and picture
/// is there, once; no table names a file that is not.
#[test]
fn p1_p14_a_power_cut_costs_nothing_that_was_acknowledged() {
    let seed = std::env::var("LODE_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("LODE_TEST_SEED={seed}");
    let mut random = Random::new(seed);
    let beside = tempfile::tempdir().unwrap();
    // The system may know the folder by another name, and it is the system that tells names.
    let folder = beside.path().canonicalize().unwrap().join("data");
    let log = beside.path().join("log");
    let variables = [("LD_PRELOAD", disk::preload()), ("LODE_DISK_ROOT", &folder), ("LODE_DISK_LOG", &log)];
    let service = Killed::start_with(&folder, &variables);
    record(service.client(), &log);
    drop(service);

    let changes = disk::changes(&std::fs::read(&log).unwrap());
    let first = changes.iter().position(|change| matches!(change, Change::Word(_))).unwrap();
    let moments: BTreeSet<usize> =
        (0..times(30)).map(|_| first + random.below((changes.len() - first) as u64) as usize).collect();
    let threads = threads();
    let (mut after, mut told) = (Disk::default(), BTreeSet::new());
    for (number, change) in changes.iter().enumerate() {
        after.apply(change);
        if let Change::Word(word) = change {
            told.insert(word.clone());
        }
        for loss in [Loss::Nothing, Loss::Everything, Loss::Torn] {
            if moments.contains(&number) {
                let state = tempfile::tempdir().unwrap();
                after.after_a_power_cut(loss, &mut random, &folder, state.path());
                let missing = threads.block_on(missing(state.path(), &told));
                assert_eq!(missing, [] as [&String; 0], "after change {number}, {change:.80?}, {loss:?} being lost");
            }
        }
    }
    println!("{} changes, {} acknowledgements, {} moments", changes.len(), told.len(), moments.len());
}

/// Clients send until their events have become tables several times; each acknowledgement is a word in the log.
fn record(service: Client, log: &Path) {
    let threads = threads();
    let (slug, mut clients) = clients(service, &threads, CLIENTS);
    let mut visible = BTreeSet::new();
    let limit = Instant::now() + STUCK;
    while visible.len() < 4 {
        assert!(Instant::now() < limit, "no more than {visible:?} events became visible");
        let sending = clients.iter_mut().map(|client| send(client, log));
        threads.block_on(futures::future::join_all(sending));
        let counted = json!({ "sql": "SELECT count(*) FROM events" });
        let answer = service.post(&format!("/projects/{slug}/query"), &counted);
        if answer.status == 200 {
            visible.insert(answer.json()["rows"][0][0].as_u64().unwrap());
        }
    }
}

/// Sends some events and a picture, and writes down what was acknowledged.
async fn send(client: &mut SimulatedClient, log: &Path) {
    let packed = captured(client, 10);
    let Sent::Acknowledged(answer) = client.send(packed).await.unwrap() else { panic!("refused") };
    let mut words: Vec<String> = Vec::new();
    for (first, last) in answer.accepted.ranges() {
        words.extend((*first..=*last).map(|seq| format!("event {} {seq}", client.agent_id)));
    }
    if client.acknowledged.count().is_multiple_of(3) {
        let id = Uuid::new_v4();
        let (status, answer) = client.send_picture(id, png(2, 2, 120), [0, 0, 2, 2], &[]).await.unwrap();
        assert!(status < 300, "{status}: {answer}");
        words.push(format!("picture {id}"));
    }
    let records: Vec<u8> = words.iter().flat_map(|text| disk::word(text)).collect();
    std::fs::OpenOptions::new().append(true).open(log).unwrap().write_all(&records).unwrap();
}

/// The acknowledged things that a store over this folder does not have.
async fn missing<'a>(folder: &Path, told: &'a BTreeSet<String>) -> Vec<&'a String> {
    let store = open(folder).await;
    let project =
        store.control().projects().await.unwrap().into_iter().find(|project| project.name == "Orders").unwrap();
    while store.fold(&project.id, server::jobs::runner::now_us()).await.unwrap().more {}
    let events = events(&store, &project.id).await;
    let once: BTreeSet<&String> = events.iter().collect();
    assert_eq!(once.len(), events.len(), "an event is there twice");
    let mut missing = Vec::new();
    for word in told {
        let is_there = match word.strip_prefix("picture ") {
            Some(id) => match store.ingest().picture(&project.id, id).await {
                Ok(picture) => store.read_picture(&picture.path).await.is_ok_and(|bytes| !bytes.is_empty()),
                Err(_) => false,
            },
            None => once.contains(word),
        };
        if !is_there {
            missing.push(word);
        }
    }
    missing
}

async fn events(store: &Store, project: &str) -> Vec<String> {
    let snapshot = store.snapshot(project).await.unwrap();
    let question = Question::of_lode("SELECT agent_id, seq FROM events");
    let answer = store.engine().ask(&snapshot, question, &RowFunctions::default()).await.unwrap();
    let (batches, _, _) = answer.collect(usize::MAX).await.unwrap();
    let options = FormatOptions::default();
    let text = |batch: &arrow::array::RecordBatch| {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        (0..batch.num_rows())
            .map(|row| format!("event {} {}", columns[0].value(row), columns[1].value(row)))
            .collect::<Vec<_>>()
    };
    batches.iter().flat_map(text).collect()
}

/// TS13: while the disk is full, and while it cannot sync, nothing is acknowledged and pages can be read; afterwards
/// everything goes on by itself.
#[test]
fn p1_a_disk_that_is_full_or_broken_acknowledges_nothing_and_goes_on_afterwards() {
    let beside = tempfile::tempdir().unwrap();
    let folder = beside.path().canonicalize().unwrap().join("data");
    let fault = beside.path().join("fault");
    let variables = [("LD_PRELOAD", disk::preload()), ("LODE_DISK_ROOT", &folder), ("LODE_DISK_FAULT", &fault)];
    let service = Killed::start_with(&folder, &variables);
    let reached = service.client();
    let threads = threads();
    let (slug, mut clients) = clients(reached, &threads, 1);
    let (client, mut acknowledged) = (&mut clients[0], 0);
    for letter in ["F", "E"] {
        let packed = captured(client, 10);
        std::fs::write(&fault, letter).unwrap();
        for attempt in 0..3 {
            match threads.block_on(client.send(packed.clone())).unwrap() {
                Sent::Refused(status, wait_s) => {
                    assert_eq!((status.as_u16(), wait_s.is_some()), (503, true), "{letter}, attempt {attempt}");
                }
                Sent::Acknowledged(answer) => panic!("{letter}: acknowledged, and nothing can be kept: {answer:?}"),
            }
        }
        let (status, answer) =
            threads.block_on(client.send_picture(Uuid::new_v4(), png(2, 2, 120), [0, 0, 2, 2], &[])).unwrap();
        assert_eq!(status, 503, "{letter}: {answer}");
        let beaten = threads.block_on(client.beat("recording"));
        let refused = beaten.expect_err("a heartbeat was kept").to_string();
        assert!(refused.contains("503"), "{letter}: {refused}");
        assert_eq!(reached.get("/status").expect(200)["storing"], false, "pages say so");
        reached.get("/projects").expect(200);
        reached.get(&format!("/projects/{SAMPLE}/analyses/overview")).expect(200);
        reached.get(&format!("/projects/{slug}/clients")).expect(200);

        std::fs::remove_file(&fault).unwrap();
        let limit = Instant::now() + STUCK;
        loop {
            match threads.block_on(client.send(packed.clone())).unwrap() {
                Sent::Acknowledged(answer) => {
                    acknowledged += answer.accepted.count() + answer.duplicates.count();
                    break;
                }
                Sent::Refused(status, _) => {
                    assert!(Instant::now() < limit, "{letter}: still {status} with a sound disk")
                }
            }
        }
        let wanted = json!([[acknowledged, acknowledged]]);
        assert_eq!(reached.get("/status").expect(200)["storing"], true);
        reached.rows_until(&slug, "SELECT count(*), count(DISTINCT seq) FROM events", &wanted, STUCK);
    }
}
