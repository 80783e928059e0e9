//! What the client says of itself: to the person in `status`, to the service in the heartbeat. Numbers and names of rules, never
//! contents (promise S14).

use crate::capture::Capabilities;
use crate::counters::Counters;
use crate::spool::Size;
use crate::standing::State;
use serde::Serialize;
use std::collections::VecDeque;
use uuid::Uuid;

/// Gaps that are shown at most.
pub const GAPS_MAX: usize = 20;

/// Bytes of a status as the service takes it.
const STATUS_BYTES_MAX: usize = 60_000;

/// The whole status.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Status {
    /// Who.
    pub agent_id: Option<Uuid>,
    /// What it does.
    pub state: State,
    /// Why, where the state does not say it.
    pub why: Option<String>,
    /// Version of the program.
    pub version: &'static str,
    /// Kind of desktop.
    pub os: &'static str,
    /// Revision that it obeys.
    pub config_revision: Option<u32>,
    /// Hash of the floor, if there is one.
    pub floor_hash: Option<String>,
    /// Version of the consent text that was accepted.
    pub consent: Option<u32>,
    /// This stretch of recording.
    pub session_id: Uuid,
    /// This life of the spool.
    pub epoch: Uuid,
    /// Id of the key with which values are hashed.
    pub client_key: Option<String>,
    /// The desktop's clock, microseconds since 1970.
    pub time_us: i64,
    /// What is in the spool.
    pub spool: SpoolStatus,
    /// What became of everything.
    pub counters: Counters,
    /// What can be seen.
    pub capabilities: Capabilities,
    /// What shows on the screen that the client is there.
    pub indicator: String,
    /// When capture was blind, newest last.
    pub gaps: VecDeque<Gap>,
    /// Browsers with the extension.
    pub extension: Vec<serde_json::Value>,
    /// The program's own use of the machine.
    #[serde(rename = "self")]
    pub own: Figures,
    /// The last error.
    pub last_error: Option<Fault>,
}

/// What is in the spool.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SpoolStatus {
    /// Events that wait.
    pub events: u64,
    /// Bytes.
    pub bytes: u64,
    /// Pictures.
    pub screenshots: u64,
    /// Time of the oldest event that waits.
    pub oldest: Option<String>,
    /// Where its key lies.
    pub sealed_by: &'static str,
}

impl SpoolStatus {
    /// In the words of the status.
    pub fn of(size: Size) -> Self {
        let time = |us: i64| chrono::DateTime::from_timestamp_micros(us).map(|time| time.to_rfc3339());
        Self {
            events: size.events,
            bytes: size.event_bytes + size.picture_bytes,
            screenshots: size.pictures,
            oldest: size.oldest_us.and_then(time),
            sealed_by: crate::secrets::PROTECTION,
        }
    }
}

/// A time without capture.
#[derive(Clone, Debug, Serialize)]
pub struct Gap {
    /// When it was told, microseconds since 1970.
    pub at_us: i64,
    /// Why.
    pub reason: String,
    /// Events that were lost, where known.
    pub lost: Option<u64>,
}

/// An error that somebody may do something about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// A stable name.
    pub code: &'static str,
    /// What failed, and on what.
    pub message: String,
}

/// The program's own use of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Memory in use.
    pub rss_bytes: u64,
    /// Processor time since the start, in milliseconds.
    pub cpu_ms: u64,
    /// The same per minute of running.
    pub cpu_ms_per_min: u64,
}

impl Figures {
    /// What the system says of this process, after so many microseconds of running.
    #[cfg(target_os = "linux")]
    pub fn now(running_us: u64) -> Self {
        /// Kernel ticks of a second, as `/proc` counts.
        const TICK_MS: u64 = 10;
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident_kib: u64 = resident.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: u64 =
            after_name.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum();
        let cpu_ms = ticks * TICK_MS;
        Self {
            rss_bytes: resident_kib << 10,
            cpu_ms,
            cpu_ms_per_min: cpu_ms.saturating_mul(60_000_000) / running_us.max(1_000_000),
        }
    }

    /// What the system says of this process, after so many microseconds of running.
    #[cfg(windows)]
    pub fn now(running_us: u64) -> Self {
        let (rss_bytes, cpu_ms) = crate::win32::process::own_use();
        Self { rss_bytes, cpu_ms, cpu_ms_per_min: cpu_ms.saturating_mul(60_000_000) / running_us.max(1_000_000) }
    }

    /// Not known here.
    #[cfg(not(any(target_os = "linux", windows)))]
    pub fn now(_running_us: u64) -> Self {
        Self::default()
    }
}

impl Status {
    /// As the service takes it: names of rules beyond its size are left out, sums stay.
    pub fn for_service(&self) -> serde_json::Value {
        let mut status = self.clone();
        let whole = |status: &Status| serde_json::to_value(status).unwrap_or_default();
        if whole(&status).to_string().len() > STATUS_BYTES_MAX {
            for map in [&mut status.counters.filtered, &mut status.counters.dropped] {
                let sum = map.values().sum();
                map.clear();
                map.insert("all".into(), sum);
            }
            status.gaps.clear();
        }
        whole(&status)
    }
}
