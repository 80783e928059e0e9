//! A project with a fleet, and the judge: obligations ⊆ stored, content equal, nothing unknown, nothing twice, balance exact.

use crate::support::Client;
use serde_json::json;
use server::simulation::fleet::{Behaviour, Ledger, run};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long anything may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(120);

/// A dose, multiplied at night.
pub fn times(dose: u64) -> u64 {
    if std::env::var("LODE_TEST_DOSE").is_ok_and(|dose| dose == "night") { dose * 25 } else { dose }
}

/// A project whose clients send until they are judged.
pub struct Field {
    service: Client,
    slug: String,
    ledger: Arc<Mutex<Ledger>>,
    end: CancellationToken,
    fleet: Option<tokio::task::JoinHandle<anyhow::Result<()>>>,
    threads: tokio::runtime::Runtime,
    clients: usize,
}

impl Field {
    /// Makes a project on `service` whose clients reach it at `reached`.
    pub fn new(service: Client, reached: Client, clients: usize) -> Self {
        let name = format!("Orders {}", uuid::Uuid::new_v4().simple());
        let slug = crate::fleet::study(&|method, path, body| service.change(method, path, body), &name);
        let key = service.post(&format!("/projects/{slug}/app-keys"), &json!({ "name": "fleet" })).expect(201);
        let behaviour = Behaviour {
            server: format!("http://{}", reached.0),
            app_key: key["key"].as_str().unwrap().into(),
            clients,
            batch: 25,
            every: Duration::from_millis(if clients > 100 { 700 } else { 150 }),
            repeat_percent: 20,
            beat_every: Some(Duration::from_secs(2)),
            remember: true,
        };
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (ledger, end) = (Arc::new(Mutex::new(Ledger::default())), CancellationToken::new());
        let fleet = Some(threads.spawn(run(behaviour, ledger.clone(), end.clone())));
        Self { service, slug, ledger, end, fleet, threads, clients }
    }

    fn told(&self) -> u64 {
        self.ledger.lock().unwrap().acknowledged
    }

    /// Waits until so many more events were acknowledged.
    pub fn wait_for_more(&self, events: u64) {
        let (before, limit) = (self.told(), Instant::now() + STUCK);
        while self.told() < before + events {
            assert!(Instant::now() < limit, "the fleet does not get through: {}", self.summary());
            std::thread::yield_now();
        }
    }

    fn summary(&self) -> String {
        serde_json::to_string(&*self.ledger.lock().unwrap()).unwrap()
    }

    /// Titles, names and texts that the clients have sent and that are stored.
    pub fn contents(&self) -> Vec<String> {
        let sql = "SELECT DISTINCT window_title FROM events WHERE length(window_title) > 8";
        let path = format!("/projects/{}/query", self.slug);
        let limit = Instant::now() + STUCK;
        loop {
            let answer = self.service.post(&path, &json!({ "sql": sql }));
            let rows = if answer.status == 200 { answer.json()["rows"].clone() } else { json!([]) };
            if rows.as_array().is_some_and(|rows| !rows.is_empty()) {
                return rows.as_array().unwrap().iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
            }
            assert!(Instant::now() < limit, "nothing is visible: {}", answer.text());
            std::thread::yield_now();
        }
    }

    /// Ends the fleet and compares.
    pub fn judge(mut self) {
        self.end.cancel();
        self.threads.block_on(self.fleet.take().unwrap()).unwrap().unwrap();
        let ledger = self.ledger.lock().unwrap().clone();
        let limit = Instant::now() + STUCK;
        while let Some(missing) = self.missing(&ledger) {
            assert!(Instant::now() < limit, "{missing} of {} acknowledged events are not there", ledger.acknowledged);
            std::thread::yield_now();
        }
        let balance = self.service.get(&format!("/projects/{}/balance", self.slug)).expect(200);
        assert_eq!(balance["lost"], 0, "{balance}");
        let (acknowledged, broken) = (ledger.acknowledged, ledger.broken);
        println!("{acknowledged} events of {} clients, {broken} broken exchanges: none lost, none twice", self.clients);
    }

    /// How many acknowledged events are not stored (yet), by agent. What is stored must have been sent, once, like that.
    fn missing(&self, ledger: &Ledger) -> Option<u64> {
        let mut stored: HashMap<String, HashMap<u64, (i64, String)>> = HashMap::new();
        let sql = "SELECT agent_id, seq, CAST(time AS BIGINT), event_type FROM events";
        let path = format!("/projects/{}/query", self.slug);
        let answer = self.service.post(&path, &json!({ "sql": sql, "limit": 1_000_000 }));
        if answer.status == 422 {
            return Some(ledger.acknowledged);
        }
        let answer = answer.expect(200);
        assert_eq!(answer["truncated"], false, "too many events for one comparison");
        for row in answer["rows"].as_array().unwrap() {
            let (agent, seq) = (row[0].as_str().unwrap(), row[1].as_u64().unwrap());
            let time_us = row[2].as_i64().or_else(|| row[2].as_str()?.parse().ok()).unwrap();
            let content = (time_us, row[3].as_str().unwrap().to_owned());
            let twice = stored.entry(agent.to_owned()).or_default().insert(seq, content.clone());
            assert_eq!(twice, None, "event {seq} of agent {agent} is there twice");
            let sent = ledger.sent.get(agent).and_then(|sent| sent.get(&seq));
            let sent = sent.map(|sent| (sent.time_us, sent.event_type.clone()));
            assert_eq!(sent, Some(content), "event {seq} of agent {agent} is not the one that was sent");
        }
        let is_there = |agent: &str, seq| stored.get(agent).is_some_and(|events| events.contains_key(&seq));
        let obligations = ledger.obligations.iter().flat_map(|((agent, _), told)| {
            told.ranges().iter().flat_map(|(first, last)| *first..=*last).map(move |seq| (agent.as_str(), seq))
        });
        let missing = obligations.filter(|(agent, seq)| !is_there(agent, *seq)).count() as u64;
        (missing > 0).then_some(missing)
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        self.end.cancel();
        if std::thread::panicking() {
            eprintln!("{}: {}", self.slug, self.summary());
        }
    }
}
