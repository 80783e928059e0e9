//! Many simulated agents in one process, and the ledger of what the service acknowledged to them.

use super::client::{Sent, SimulatedClient};
use crate::jobs::runner::now_us;
use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use uilog::SeqRanges;

/// How a fleet behaves.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// Address of the service.
    pub server: String,
    /// The app key with which all enrol.
    pub app_key: String,
    /// How many agents.
    pub clients: usize,
    /// Events of one envelope.
    pub batch: usize,
    /// Time between two envelopes of one agent.
    pub every: Duration,
    /// The share of envelopes that are sent a second time, in percent.
    pub repeat_percent: u32,
    /// Time between two heartbeats; `None`: as the service says.
    pub beat_every: Option<Duration>,
    /// Whether the ledger keeps what was sent, to compare it with what is stored.
    pub remember: bool,
}

/// What happened to a fleet.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Ledger {
    /// Per agent and epoch: the numbers that were acknowledged. Each of them is an obligation of the service.
    #[serde(skip)]
    pub obligations: BTreeMap<(String, String), SeqRanges>,
    /// What was sent, acknowledged or not: the content of each number, by agent.
    #[serde(skip)]
    pub sent: BTreeMap<String, BTreeMap<u64, Content>>,
    /// Agents that enrolled.
    pub enrolled: u64,
    /// Envelopes that were acknowledged.
    pub envelopes: u64,
    /// Events that were acknowledged, each once.
    pub acknowledged: u64,
    /// Events that were refused for good.
    pub rejected: u64,
    /// Answers that were no acknowledgement, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Exchanges that ended without an answer.
    pub broken: u64,
    /// Heartbeats that were answered.
    pub heartbeats: u64,
    /// Times from sending an envelope to its acknowledgement, in microseconds.
    #[serde(skip)]
    pub times_us: Vec<u64>,
    /// Likewise of heartbeats.
    #[serde(skip)]
    pub beat_times_us: Vec<u64>,
}

/// What of an event no rule takes away, and which therefore must come back as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Microseconds since 1970, UTC.
    pub time_us: i64,
    /// As columns name it.
    pub event_type: String,
}

impl Ledger {
    fn remember(&mut self, events: &[uilog::Event]) {
        for event in events {
            let content = Content { time_us: event.time_us, event_type: event.event_type.name().to_owned() };
            self.sent.entry(event.agent_id.to_string()).or_default().insert(event.seq, content);
        }
    }

    /// The time within which a share of the envelopes was acknowledged, in milliseconds.
    pub fn percentile_ms(times_us: &[u64], share: f64) -> f64 {
        let mut times = times_us.to_vec();
        times.sort_unstable();
        let place = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len().max(1)) - 1;
        times.get(place).map_or(0.0, |time| *time as f64 / 1_000.0)
    }
}

/// Runs a fleet until `end`; what cannot be sent is tried again, the same bytes, until it is acknowledged or refused for good.
pub async fn run(behaviour: Behaviour, ledger: Arc<Mutex<Ledger>>, end: CancellationToken) -> Result<()> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).redirect(reqwest::redirect::Policy::none());
    let http = http.pool_max_idle_per_host(behaviour.clients).build()?;
    let mut agents = tokio::task::JoinSet::new();
    for number in 0..behaviour.clients {
        let (behaviour, ledger, end, http) = (behaviour.clone(), ledger.clone(), end.clone(), http.clone());
        agents.spawn(async move {
            // Not all at once: a fleet is switched on over its first interval.
            let share = behaviour.every.mul_f64(number as f64 / behaviour.clients.max(1) as f64);
            tokio::select! {
                () = end.cancelled() => {}
                () = tokio::time::sleep(share) => live(&behaviour, &ledger, &end, &http).await,
            }
        });
    }
    while agents.join_next().await.is_some() {}
    Ok(())
}

/// One agent's life.
async fn live(behaviour: &Behaviour, ledger: &Mutex<Ledger>, end: &CancellationToken, http: &reqwest::Client) {
    let Some(mut client) = enrolled(behaviour, ledger, end, http).await else { return };
    let mut next_beat = Instant::now();
    let mut round = 0_u32;
    while !end.is_cancelled() {
        if Instant::now() >= next_beat {
            let (began, before) = (Instant::now(), client.revision());
            let state = if before.is_some() { "recording" } else { "needs_consent" };
            next_beat = match client.beat(state).await {
                Ok(next_s) => {
                    note(ledger, |ledger| {
                        ledger.heartbeats += 1;
                        ledger.beat_times_us.push(began.elapsed().as_micros() as u64);
                    });
                    let wait = behaviour.beat_every.unwrap_or(Duration::from_secs(next_s));
                    match (before, client.revision()) {
                        // Nothing to obey yet: it is asked for soon. A new configuration is told at once.
                        (_, None) => Instant::now() + wait.min(Duration::from_secs(1)),
                        (old, new) if old != new => Instant::now(),
                        _ => Instant::now() + wait,
                    }
                }
                Err(_) => {
                    note(ledger, |ledger| ledger.broken += 1);
                    Instant::now() + Duration::from_millis(200)
                }
            };
        }
        let began = Instant::now();
        if client.revision().is_some() && behaviour.batch > 0 {
            round += 1;
            let events = client.capture(behaviour.batch, now_us());
            if !events.is_empty() && !deliver(behaviour, ledger, end, &mut client, &events, round).await {
                return;
            }
            if client.send_pictures().await.is_err() {
                note(ledger, |ledger| ledger.broken += 1);
            }
        }
        let pause = behaviour.every.saturating_sub(began.elapsed());
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn enrolled(
    behaviour: &Behaviour,
    ledger: &Mutex<Ledger>,
    end: &CancellationToken,
    http: &reqwest::Client,
) -> Option<SimulatedClient> {
    loop {
        match SimulatedClient::enrol(http, &behaviour.server, &behaviour.app_key).await {
            Ok(client) => {
                note(ledger, |ledger| ledger.enrolled += 1);
                return Some(client);
            }
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), "a simulated client could not enrol");
                note(ledger, |ledger| ledger.broken += 1);
            }
        }
        tokio::select! {
            () = end.cancelled() => return None,
            () = tokio::time::sleep(Duration::from_millis(300)) => {}
        }
    }
}

/// Sends events until the service answered for all of them; `false` if the end came first.
async fn deliver(
    behaviour: &Behaviour,
    ledger: &Mutex<Ledger>,
    end: &CancellationToken,
    client: &mut SimulatedClient,
    events: &[uilog::Event],
    round: u32,
) -> bool {
    let Ok(packed) = client.pack(events) else { return true };
    if behaviour.remember {
        note(ledger, |ledger| ledger.remember(events));
    }
    let mut again = behaviour.repeat_percent > 0 && round * behaviour.repeat_percent % 100 < behaviour.repeat_percent;
    loop {
        let began = Instant::now();
        let wait = match client.send(packed.clone()).await {
            Ok(Sent::Acknowledged(answer)) => {
                let stream = (client.agent_id.to_string(), client.epoch.to_string());
                note(ledger, |ledger| {
                    ledger.envelopes += 1;
                    ledger.acknowledged += answer.accepted.count();
                    ledger.rejected += answer.rejected.len() as u64;
                    ledger.times_us.push(began.elapsed().as_micros() as u64);
                    ledger.obligations.insert(stream, client.acknowledged.clone());
                });
                if !std::mem::take(&mut again) {
                    return true;
                }
                Duration::ZERO
            }
            Ok(Sent::Refused(status, retry_after_s)) => {
                note(ledger, |ledger| *ledger.refused.entry(status.as_u16()).or_default() += 1);
                if status.as_u16() == 401 && client.renew().await.is_ok() {
                    Duration::ZERO
                } else {
                    Duration::from_secs(retry_after_s.unwrap_or(1))
                }
            }
            Err(_) => {
                note(ledger, |ledger| ledger.broken += 1);
                Duration::from_millis(100)
            }
        };
        tokio::select! {
            () = end.cancelled() => return false,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn note(ledger: &Mutex<Ledger>, change: impl FnOnce(&mut Ledger)) {
    if let Ok(mut ledger) = ledger.lock() {
        change(&mut ledger);
    }
}
