//! `lode simulate`: clients without desktops, to see a project come alive, or to load a service.

use super::{ExitKind, print};
use crate::simulation::fleet::{Behaviour, Ledger, run};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Where a service is unless said otherwise.
const SERVER_DEFAULT: &str = "http://127.0.0.1:7700";

/// Simulated clients that record a made-up day.
#[derive(Debug, Args)]
pub struct Simulate {
    /// The app key to enrol with
    #[arg(
        long,
        value_name = "KEY",
        env = "LODE_APP_KEY",
        hide_env_values = true,
        required_unless_present = "key_file"
    )]
    key: Option<String>,
    /// A file with the app key
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    key_file: Option<PathBuf>,
    /// How many clients
    #[arg(long, default_value_t = 5)]
    clients: usize,
    /// Events of one envelope
    #[arg(long, default_value_t = 20)]
    batch: usize,
    /// Milliseconds between two envelopes of one client
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    every_ms: u64,
    /// Percent of the envelopes that are sent twice
    #[arg(long, value_name = "PERCENT", default_value_t = 0)]
    repeat: u32,
    /// Milliseconds between two heartbeats; without it, as the service says
    #[arg(long, value_name = "MS")]
    beat_ms: Option<u64>,
    /// Seconds to run; without it, until ctrl+c
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
}

impl Simulate {
    /// Runs the clients against the service at `server`, then says what happened.
    pub async fn run(self, server: Option<&str>, as_json: bool) -> Result<ExitKind> {
        let app_key = match (&self.key, &self.key_file) {
            (Some(key), _) => key.clone(),
            (None, Some(file)) => std::fs::read_to_string(file)
                .map_err(|error| anyhow::anyhow!("cannot read the app key '{}': {error}", file.display()))?
                .trim()
                .to_owned(),
            (None, None) => anyhow::bail!("an app key is needed: --key or --key-file"),
        };
        let behaviour = Behaviour {
            server: server.unwrap_or(SERVER_DEFAULT).trim_end_matches('/').to_owned(),
            app_key,
            clients: self.clients,
            batch: self.batch,
            every: Duration::from_millis(self.every_ms.max(1)),
            repeat_percent: self.repeat.min(100),
            beat_every: self.beat_ms.map(Duration::from_millis),
            remember: false,
        };
        let (ledger, end, began) = (Arc::new(Mutex::new(Ledger::default())), CancellationToken::new(), Instant::now());
        if !as_json {
            eprintln!("{} simulated clients of {}. Stop with ctrl+c.", behaviour.clients, behaviour.server);
        }
        let fleet = tokio::spawn(run(behaviour, ledger.clone(), end.clone()));
        let limit = self.seconds.map_or(Duration::from_secs(u64::MAX / 4), Duration::from_secs);
        tokio::select! {
            () = tokio::time::sleep(limit) => {}
            () = crate::serve::end_of_process() => {}
            () = told(&ledger, as_json) => {}
        }
        end.cancel();
        fleet.await??;
        let ledger = ledger.lock().map(|ledger| ledger.clone()).unwrap_or_default();
        let seconds = began.elapsed().as_secs_f64();
        let times = |times_us: &[u64]| json!({ "p50_ms": Ledger::percentile_ms(times_us, 0.5), "p99_ms": Ledger::percentile_ms(times_us, 0.99) });
        let mut summary = json!(ledger);
        summary["seconds"] = json!(seconds);
        summary["events_per_s"] = json!(ledger.acknowledged as f64 / seconds);
        summary["envelope"] = times(&ledger.times_us);
        summary["heartbeat"] = times(&ledger.beat_times_us);
        print(as_json, &summary, || {
            format!(
                "{} clients enrolled; {} events acknowledged in {} envelopes ({:.0} per s, p99 {:.1} ms), {} refused for good; {} heartbeats",
                ledger.enrolled,
                ledger.acknowledged,
                ledger.envelopes,
                ledger.acknowledged as f64 / seconds,
                Ledger::percentile_ms(&ledger.times_us, 0.99),
                ledger.rejected,
                ledger.heartbeats
            )
        });
        Ok(ExitKind::Done)
    }
}

/// Says every few seconds how far it is; never ends.
async fn told(ledger: &Mutex<Ledger>, quiet: bool) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Ok(ledger) = ledger.lock()
            && !quiet
        {
            eprintln!(
                "{} clients, {} events acknowledged, {} answers refused, {} broken",
                ledger.enrolled,
                ledger.acknowledged,
                ledger.refused.values().sum::<u64>(),
                ledger.broken
            );
        }
    }
}
