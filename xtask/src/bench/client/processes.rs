//! What processes cost, as Linux tells it: processor time, memory, threads, open files.

use std::collections::BTreeMap;
use std::path::Path;

/// Kernel ticks of a second, as `/proc` counts.
const TICKS_PER_S: f64 = 100.0;

/// What a process and everything it started use at a moment.
#[derive(Clone, Debug, Default)]
pub struct Use {
    /// Processor time since the start, children that ended included.
    pub cpu_s: f64,
    /// Resident memory now.
    pub rss_kib: u64,
    /// The highest it was; of several processes the sum, which they may not have reached together.
    pub peak_kib: u64,
    /// Threads.
    pub threads: u64,
    /// Open files, sockets and pipes.
    pub files: u64,
    /// Processor time by name of thread, finer than ticks where the kernel gives it.
    pub cpu_by_thread_s: BTreeMap<String, f64>,
}

impl Use {
    /// Of a process and its descendants; nothing of one that is gone.
    pub fn of(process: u32) -> Self {
        let mut sum = Self::default();
        for id in with_descendants(process) {
            sum.add(&Self::of_one(id));
        }
        sum
    }

    fn of_one(process: u32) -> Self {
        let folder = format!("/proc/{process}");
        let status = std::fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
        let number = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        let mut cpu_by_thread_s = BTreeMap::new();
        for thread in std::fs::read_dir(format!("{folder}/task")).into_iter().flatten().flatten() {
            let read = |name: &str| std::fs::read_to_string(thread.path().join(name)).unwrap_or_default();
            let on_cpu_ns: f64 =
                read("schedstat").split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0.0);
            *cpu_by_thread_s.entry(read("comm").trim().to_owned()).or_default() += on_cpu_ns / 1e9;
        }
        Self {
            // Own time in user and kernel mode, then that of children that ended.
            cpu_s: stat_fields(process).iter().skip(11).take(4).sum::<u64>() as f64 / TICKS_PER_S,
            rss_kib: number("VmRSS:"),
            peak_kib: number("VmHWM:"),
            threads: number("Threads:"),
            files: std::fs::read_dir(format!("{folder}/fd")).map_or(0, |files| files.count() as u64),
            cpu_by_thread_s,
        }
    }

    fn add(&mut self, other: &Self) {
        self.cpu_s += other.cpu_s;
        self.rss_kib += other.rss_kib;
        self.peak_kib += other.peak_kib;
        self.threads += other.threads;
        self.files += other.files;
        for (name, seconds) in &other.cpu_by_thread_s {
            *self.cpu_by_thread_s.entry(name.clone()).or_default() += seconds;
        }
    }

    /// Resident memory now.
    pub fn rss_mb(&self) -> f64 {
        self.rss_kib as f64 / 1_024.0
    }

    /// The highest it was.
    pub fn peak_mb(&self) -> f64 {
        self.peak_kib as f64 / 1_024.0
    }

    /// Threads that took processor time since then, the most first.
    pub fn threads_since(&self, earlier: &Self) -> Vec<(String, f64)> {
        let before = |name: &str| earlier.cpu_by_thread_s.get(name).copied().unwrap_or(0.0);
        let mut threads: Vec<(String, f64)> =
            self.cpu_by_thread_s.iter().map(|(name, seconds)| (name.clone(), seconds - before(name))).collect();
        threads.sort_by(|one, other| other.1.total_cmp(&one.1));
        threads
    }
}

/// The numbers behind the name in `/proc/PID/stat`; what is no number counts as 0.
fn stat_fields(process: u32) -> Vec<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    behind_name.split_whitespace().map(|word| word.parse().unwrap_or(0)).collect()
}

fn with_descendants(process: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u64)> = processes.map(|id| (id, stat_fields(id).get(1).copied().unwrap_or(0))).collect();
    let mut found = vec![process];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, of)| *of == u64::from(parent)).map(|(id, _)| *id));
        next += 1;
    }
    found
}

/// Bytes of all files below a folder.
pub fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn of_this_process_it_tells_memory_threads_files_and_of_one_that_is_gone_nothing() {
        let own = Use::of(std::process::id());
        assert!(own.rss_kib > 0 && own.peak_kib >= own.rss_kib && own.threads > 0 && own.files > 2);
        let gone = Use::of(u32::MAX);
        assert_eq!((gone.cpu_s, gone.rss_kib, gone.threads, gone.files), (0.0, 0, 0, 0));
    }
}
