//! How many events per second `discover` takes, and how its time and memory grow with the log.
//!
//! `cargo bench -p discovery --bench discover`. A made-up mix: each user does five tasks of eight to twenty steps over
//! forty fields, in random order, with pauses between, a tenth of the events dropped and a twentieth foreign. Sizes from
//! a hundred thousand events to ten million; two threads each take half of the users, as a service does with partitions.
//! Each size is a process of its own, so that no memory is counted that another size left behind.

use std::process::Command;
use std::time::Instant;

use discovery::{Field, LogRow, Settings, UiLog, UiLogBuilder, discover};

const SIZES: [usize; 5] = [100_000, 300_000, 1_000_000, 3_000_000, 10_000_000];
const USERS: usize = 50;
const THREADS: usize = 2;

fn main() {
    if let Some(events) = std::env::args().nth(1).and_then(|size| size.parse().ok()) {
        return measure(events);
    }
    println!("{:>10} {:>10} {:>12} {:>10} {:>10}", "events", "seconds", "events/s", "log B/ev", "peak B/ev");
    let program = std::env::current_exe().expect("the bench knows its own program");
    for events in SIZES {
        let ended = Command::new(&program).arg(events.to_string()).status().expect("the bench can be started");
        assert!(ended.success(), "{events} events: {ended}");
    }
}

/// Prints the line of a log of so many events.
fn measure(events: usize) {
    let before_bytes = resident_bytes();
    let logs: Vec<UiLog> = (0..THREADS).map(|part| log(events / THREADS, part as u64 + 1)).collect();
    let log_bytes = resident_bytes().saturating_sub(before_bytes);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for log in &logs {
            scope.spawn(|| discover(log, &Settings::default()).types().len());
        }
    });
    let seconds = begin.elapsed().as_secs_f64();
    let peak_bytes = peak_resident_bytes().saturating_sub(before_bytes);
    let rate = events as f64 / seconds;
    println!("{events:>10} {seconds:>10.2} {rate:>12.0} {:>10} {:>10}", log_bytes / events, peak_bytes / events);
}

/// A log of so many events.
fn log(events: usize, seed: u64) -> UiLog {
    let mut random = Random(seed);
    let names: Vec<String> =
        (0..40).map(|field| format!("field {}", (b'a' + field % 26) as char).repeat(1 + field as usize / 26)).collect();
    let tasks: Vec<Vec<usize>> =
        (0..5).map(|_| (0..8 + random.below(13)).map(|_| random.below(40)).collect()).collect();
    let users: Vec<String> = (0..USERS).map(|user| format!("u{user}")).collect();
    let mut builder = UiLogBuilder::default();
    let (mut time_us, mut rows) = (0, 0);
    'users: for user in &users {
        for _ in 0.. {
            time_us += 5_000_000 + random.below(60_000_000) as i64;
            for &step in &tasks[random.below(5)] {
                let step = if random.below(20) == 0 { random.below(40) } else { step };
                if random.below(10) == 0 {
                    continue;
                }
                time_us += 500_000 + random.below(3_000_000) as i64;
                let fields = [
                    (Field::Application, if step % 2 == 0 { "excel" } else { "crm" }),
                    (Field::EventType, ["copy", "paste", "click"][step % 3]),
                    (Field::Element, names[step].as_str()),
                ];
                builder.push(LogRow { user, time_us: Some(time_us), fields: &fields });
                rows += 1;
                if rows >= events {
                    break 'users;
                }
                if rows % (events / USERS).max(1) == 0 {
                    continue 'users;
                }
            }
        }
    }
    builder.finish()
}

/// A small generator of numbers that look random and are the same every time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn resident_bytes() -> usize {
    status_bytes("VmRSS:")
}

fn peak_resident_bytes() -> usize {
    status_bytes("VmHWM:")
}

/// A line of the kernel's account of this process; 0 where there is none.
fn status_bytes(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
    line.split_whitespace().next().and_then(|text| text.parse::<usize>().ok()).unwrap_or(0) * 1024
}
