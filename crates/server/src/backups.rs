//! Backups of a service that goes on running: made on time or because somebody asks, one after the other; the oldest go.
//!
//! ```text
//! every 24 h, or asked for ─▶ archive ─▶ (a program that encrypts it) ─▶ lode-20261130-214500-000.tar.zst.partial ─▶ its name
//! ```
//! An archive has its name when it is complete and synced, and not before. What is absent: nothing here sends archives
//! anywhere, and the master key is in none of them.

use anyhow::{Context, Result, anyhow, bail};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Serialize;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::Store;
use utoipa::ToSchema;

use crate::api::paging::time_text;
use crate::jobs::runner::now_us;

/// How often it is looked whether a backup is due.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How long to wait after one that failed.
const RETRY_US: i64 = 15 * 60 * 1_000_000;

/// An hour, in microseconds.
const HOUR_US: i64 = 3_600 * 1_000_000;

/// What the names of archives begin with, how the moment is written in them, and what follows it.
const NAME_BEGIN: &str = "lode-";
const NAME_TIME: &str = "%Y%m%d-%H%M%S-%3f";
const NAME_END: &str = ".tar.zst";

/// Name of an archive that is not complete.
const PARTIAL: &str = "partial";

/// Where backups go, and when.
#[derive(Debug, Clone)]
pub struct BackupPlan {
    /// The folder; on another disk, best.
    pub folder: PathBuf,
    /// Hours from one to the next; 0: only when somebody asks.
    pub every_hours: u32,
    /// How many are kept.
    pub kept: usize,
    /// A command of the shell that reads the archive and writes what is kept, such as `age -r age1…`.
    pub through: Option<String>,
}

/// One backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BackupMade {
    /// Name of its file.
    pub name: String,
    /// When it was made.
    pub made_at: Option<String>,
    /// Size of its file.
    pub bytes: u64,
}

/// How the last one failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BackupFailure {
    /// When.
    pub at: Option<String>,
    /// Why, and what to do.
    pub message: String,
}

/// Makes backups, and knows how far it is.
pub struct Backups {
    store: Store,
    plan: BackupPlan,
    running: AtomicBool,
    /// Bytes read, of how many.
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    /// The last failure since the last success, and its moment.
    failure: Mutex<Option<(i64, String)>>,
}

impl Backups {
    /// Backups of a store.
    ///
    /// Errors: a folder that cannot be written, or that lies in the data folder.
    pub fn new(store: Store, plan: BackupPlan) -> Result<Self> {
        let folder = &plan.folder;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder '{}'", folder.display()))?;
        let (folder, data) = (folder.canonicalize()?, store.settings().folder.canonicalize()?);
        if folder.starts_with(&data) {
            bail!("backups must lie outside the data folder, not in '{}': choose another --backups", folder.display());
        }
        for left in entries(&folder)?.filter(|path| is_left(path)) {
            std::fs::remove_file(&left).with_context(|| format!("cannot write in '{}'", folder.display()))?;
        }
        Ok(Self {
            store,
            plan: BackupPlan { folder, ..plan },
            running: AtomicBool::new(false),
            done: Arc::default(),
            total: Arc::default(),
            failure: Mutex::default(),
        })
    }

    /// Where they go, and when.
    pub fn plan(&self) -> &BackupPlan {
        &self.plan
    }

    /// The backups that are there, the newest first.
    ///
    /// Errors: of the folder.
    pub fn made(&self) -> Result<Vec<BackupMade>> {
        let mut made: Vec<(i64, BackupMade)> = Vec::new();
        for path in entries(&self.plan.folder)? {
            let Some((name, at_us)) = moment_in(&path) else { continue };
            let bytes = path.metadata().map_or(0, |file| file.len());
            made.push((at_us, BackupMade { name, made_at: time_text(at_us), bytes }));
        }
        made.sort_by_key(|(at_us, _)| std::cmp::Reverse(*at_us));
        Ok(made.into_iter().map(|(_, made)| made).collect())
    }

    /// How much of the one under way is done, from 0 to 1; none if none is.
    pub fn progress(&self) -> Option<f64> {
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        let share = if total == 0 { 0.0 } else { done as f64 / total as f64 };
        self.running.load(Ordering::Relaxed).then_some(share.min(1.0))
    }

    /// How the last one failed, if none was made since.
    pub fn failure(&self) -> Option<BackupFailure> {
        let failure = self.failure.lock().ok()?.clone();
        failure.map(|(at_us, message)| BackupFailure { at: time_text(at_us), message })
    }

    /// Begins one, unless one is under way; says whether.
    pub fn begin(self: &Arc<Self>, now_us: i64) -> bool {
        if self.running.swap(true, Ordering::AcqRel) {
            return false;
        }
        let this = self.clone();
        tokio::spawn(async move {
            let made = this.make(now_us).await;
            if let Err(error) = &made {
                tracing::error!(error = format!("{error:#}"), "a backup failed");
            }
            if let Ok(mut failure) = this.failure.lock() {
                *failure = made.err().map(|error| (now_us, format!("{error:#}")));
            }
            this.running.store(false, Ordering::Release);
        });
        true
    }

    /// Makes one; the oldest go beyond those that are kept.
    async fn make(&self, now_us: i64) -> Result<()> {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(0, Ordering::Relaxed);
        let target = self.plan.folder.join(name_at(now_us, self.plan.through.as_deref()));
        let partial = self.plan.folder.join(format!("{}.{PARTIAL}", name_at(now_us, None)));
        let written = self.write(&partial, now_us).await.and_then(|()| {
            std::fs::rename(&partial, &target)?;
            Ok(File::open(&self.plan.folder)?.sync_all()?)
        });
        if let Err(error) = written {
            let _ = std::fs::remove_file(&partial);
            return Err(error.context(format!("the backup '{}' was not made", target.display())));
        }
        for old in self.made()?.into_iter().skip(self.plan.kept) {
            std::fs::remove_file(self.plan.folder.join(&old.name))
                .with_context(|| format!("the old backup '{}' cannot be removed", old.name))?;
        }
        Ok(())
    }

    async fn write(&self, partial: &Path, now_us: i64) -> Result<()> {
        let file = File::create(partial)?;
        let (done, total) = (self.done.clone(), self.total.clone());
        let progress = Box::new(move |read, of| {
            done.store(read, Ordering::Relaxed);
            total.store(of, Ordering::Relaxed);
        });
        let Some(command) = &self.plan.through else {
            let (_, file) = self.store.write_backup(file, now_us, progress).await?;
            return Ok(file.sync_all()?);
        };
        let through = Through::start(command, file.try_clone()?)?;
        let written = self.store.write_backup(through, now_us, progress).await;
        let (_, mut through) = written.with_context(|| format!("what is written goes through '{command}'"))?;
        tokio::task::spawn_blocking(move || through.end()).await??;
        Ok(file.sync_all()?)
    }

    /// Whether the next one is due.
    fn is_due(&self, now_us: i64) -> Result<bool> {
        let failed_at_us = self.failure.lock().ok().and_then(|failure| failure.as_ref().map(|(at_us, _)| *at_us));
        let newest_us = entries(&self.plan.folder)?.filter_map(|path| Some(moment_in(&path)?.1)).max();
        let every_us = i64::from(self.plan.every_hours) * HOUR_US;
        let is_over = newest_us.is_none_or(|at_us| now_us - at_us >= every_us);
        Ok(every_us > 0 && is_over && failed_at_us.is_none_or(|at_us| now_us - at_us >= RETRY_US))
    }
}

/// Makes them on time, until the process ends.
pub async fn keep(backups: Arc<Backups>) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        match backups.is_due(now_us()) {
            Ok(true) => {
                backups.begin(now_us());
            }
            Ok(false) => {}
            Err(error) => tracing::error!(error = format!("{error:#}"), "the folder of the backups cannot be read"),
        }
    }
}

/// A command that an archive goes through.
struct Through {
    command: String,
    child: Child,
}

impl Through {
    /// Starts it; what it writes goes into `file`, what it says into the service's own error output.
    fn start(command: &str, file: File) -> Result<Self> {
        let started = Command::new("sh").arg("-c").arg(command).stdin(Stdio::piped()).stdout(file).spawn();
        let child = started.with_context(|| format!("'{command}' cannot be started"))?;
        Ok(Self { command: command.to_owned(), child })
    }

    /// Nothing more comes; waits until it has written everything.
    fn end(&mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let ended = self.child.wait()?;
        if !ended.success() {
            bail!("'{}' ended with {ended}; what it said is in the service's log", self.command);
        }
        Ok(())
    }
}

impl Write for Through {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.child.stdin.as_mut().map_or(Ok(0), |input| input.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.child.stdin.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Through {
    /// Whoever gives up half way leaves no process behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The name of an archive made at a moment; what it goes through gives it one more ending: `.age`.
fn name_at(at_us: i64, through: Option<&str>) -> String {
    let at = DateTime::<Utc>::from_timestamp_micros(at_us).unwrap_or_default().format(NAME_TIME);
    let program = through.and_then(|command| command.split_whitespace().next());
    let ending = program.and_then(|program| Path::new(program).file_stem()).and_then(OsStr::to_str);
    ending.map_or(format!("{NAME_BEGIN}{at}{NAME_END}"), |ending| format!("{NAME_BEGIN}{at}{NAME_END}.{ending}"))
}

/// Name and moment of a file that is a complete archive.
fn moment_in(path: &Path) -> Option<(String, i64)> {
    let is_whole = path.extension() != Some(OsStr::new(PARTIAL));
    is_whole.then(|| named(path)).flatten()
}

/// Whether a file was left when a service ended in the middle of it.
fn is_left(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(PARTIAL)) && named(path).is_some()
}

/// Name and moment of a file that is called as our archives are; nobody else's file is listed, or removed.
fn named(path: &Path) -> Option<(String, i64)> {
    let name = path.file_name()?.to_str()?;
    let (time, _) = name.strip_prefix(NAME_BEGIN)?.split_once(NAME_END)?;
    let at = NaiveDateTime::parse_from_str(time, NAME_TIME).ok()?;
    Some((name.to_owned(), at.and_utc().timestamp_micros()))
}

fn entries(folder: &Path) -> Result<impl Iterator<Item = PathBuf>> {
    let unreadable = || anyhow!("cannot read the folder '{}'", folder.display());
    Ok(std::fs::read_dir(folder).with_context(unreadable)?.flatten().map(|entry| entry.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT_US: i64 = 1_796_000_000_123_000;

    #[test]
    fn a_name_tells_its_moment_and_an_archive_that_is_not_complete_is_none() {
        for (through, ending) in [(None, "tar.zst"), (Some("/usr/bin/age -r age1xyz"), "tar.zst.age")] {
            let name = name_at(MOMENT_US, through);
            assert_eq!(name, format!("lode-20261130-005320-123.{ending}"));
            let path = Path::new("backups").join(&name);
            assert_eq!(moment_in(&path), Some((name.clone(), MOMENT_US)));
            assert_eq!(moment_in(&path.with_file_name(format!("{name}.partial"))), None);
        }
        assert_eq!(moment_in(Path::new("lode-notes.txt")), None);
    }

    #[test]
    fn what_is_left_of_an_archive_is_ours_and_another_programs_file_is_not() {
        let left = |name: &str| is_left(Path::new(name));
        assert!(left("lode-20261130-005320-123.tar.zst.partial"));
        assert!(!left("film.mkv.partial") && !left("lode-notes.partial") && !left("lode-20261130-005320-123.tar.zst"));
    }
}
