//! Two clocks: the wall for people, the monotonic one for durations and order. Everything that needs time gets it from here
//! or as an argument, so that tests can turn the hands.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Microseconds on a clock that never goes back while the machine runs. It goes first: it orders.
    pub uptime_us: u64,
    /// Microseconds since 1970-01-01T00:00:00 UTC, as right as the desktop's clock is.
    pub time_us: i64,
}

impl Moment {
    /// How long ago an earlier moment was, in microseconds; zero if it is not earlier.
    pub fn since_us(self, earlier: Moment) -> u64 {
        self.uptime_us.saturating_sub(earlier.uptime_us)
    }
}

/// What tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Moment;
}

/// The clocks of the machine.
pub struct SystemClock {
    began: Instant,
    /// What the machine's uptime was when this clock began, as far as it is known.
    offset_us: u64,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { began: Instant::now(), offset_us: machine_uptime_us() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let elapsed = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Moment { uptime_us: self.offset_us.saturating_add(elapsed), time_us: wall_us() }
    }
}

/// The wall clock; a clock before 1970 counts as 1970.
fn wall_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Microseconds since the machine was started; zero where the system does not tell.
#[cfg(target_os = "linux")]
fn machine_uptime_us() -> u64 {
    let text = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds: f64 = text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default();
    (seconds * 1e6) as u64
}

#[cfg(windows)]
fn machine_uptime_us() -> u64 {
    crate::win32::process::uptime_us()
}

#[cfg(not(any(target_os = "linux", windows)))]
fn machine_uptime_us() -> u64 {
    0
}

/// What tells one start of the machine from another: `uptime_us` of one boot says nothing about another.
#[cfg(target_os = "linux")]
pub fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// What tells one start of the machine from another: Windows counts its starts.
#[cfg(windows)]
pub fn boot_id() -> String {
    let key = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters";
    let number = crate::win32::registry::machine_number(key, "BootId");
    // Where it does not tell, every start of the program counts as one.
    number.map_or_else(|| uuid::Uuid::new_v4().to_string(), |number| number.to_string())
}

/// What tells one start of the machine from another; unknown here, so every start of the program counts as one.
#[cfg(not(any(target_os = "linux", windows)))]
pub fn boot_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Clocks that are turned by hand: for replays and tests.
#[derive(Clone, Default)]
pub struct VirtualClock(Arc<(AtomicU64, AtomicI64)>);

impl VirtualClock {
    /// Clocks that show this moment.
    pub fn at(moment: Moment) -> Self {
        let clock = Self::default();
        clock.set(moment);
        clock
    }

    /// Shows this moment.
    pub fn set(&self, moment: Moment) {
        self.0.0.store(moment.uptime_us, Ordering::SeqCst);
        self.0.1.store(moment.time_us, Ordering::SeqCst);
    }

    /// Lets time pass on both clocks.
    pub fn pass_us(&self, us: u64) {
        self.0.0.fetch_add(us, Ordering::SeqCst);
        self.0.1.fetch_add(i64::try_from(us).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Turns the wall clock alone, as a person or a time server does.
    pub fn turn_wall_us(&self, us: i64) {
        self.0.1.fetch_add(us, Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Moment {
        Moment { uptime_us: self.0.0.load(Ordering::SeqCst), time_us: self.0.1.load(Ordering::SeqCst) }
    }
}
