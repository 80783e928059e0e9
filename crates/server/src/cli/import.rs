//! `lode import`: logs into a project, with a bar, a report, and an exit code that tells of rejected rows.

use super::remote::Remote;
use super::upload::{self, Upload};
use super::{ExitKind, new_batch};
use crate::importing::{self, Progress, Request, rejects_path};
use crate::jobs::runner::{Outcome, Runner, Selection, now_us};
use crate::scripts::Scripts;
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use store::Store;
use store::control::projects::ProjectKind;

/// How often the bar is drawn.
const BAR_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub struct Import {
    /// The logs: Action Logger CSV, SmartRPA CSV, ActivityWatch JSON, XES, Lode Parquet, plain or mapped CSV; .gz and .zst too
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The project; made if it is not there
    #[arg(long)]
    project: String,
    /// For a CSV of no known form: which of its columns is which field, such as --map time=Timestamp
    #[arg(long, value_name = "COLUMN=NAME")]
    map: Vec<String>,
    /// Do not run the jobs afterwards; at a service, do not wait for them
    #[arg(long)]
    no_jobs: bool,
}

impl Import {
    pub async fn run(self, store: &Store, scripts: Scripts, as_json: bool) -> Result<ExitKind> {
        let map = importing::parse_map(&self.map.join(",")).map_err(|message| anyhow!(message))?;
        let control = store.control();
        let project = match control.find_project(&self.project).await? {
            Some(project) => project,
            None => control.create_project(&self.project, ProjectKind::Imported, now_us()).await?,
        };
        let mut told = Told::new(as_json);
        for file in &self.files {
            let (id, name) = (new_batch(), name_of(file));
            let request = Request { id, project: project.id.clone(), name, path: file.clone(), map: map.clone() };
            told.one(file, import_one(store, &request, file).await);
        }
        let jobs_ok = self.no_jobs || run_jobs(store, scripts, &project.id).await?;
        told.end(&project.slug, jobs_ok)
    }

    /// The same into a project of a service, which runs the jobs itself; `--no-jobs` does not wait for them.
    pub async fn run_at(self, remote: &Remote, as_json: bool) -> Result<ExitKind> {
        let map = self.map.join(",");
        importing::parse_map(&map).map_err(|message| anyhow!(message))?;
        let slug = upload::project_at(remote, &self.project).await?;
        let mut told = Told::new(as_json);
        for file in &self.files {
            let name = name_of(file);
            let log = Upload { project: &slug, file, name: &name, map: &map, with_jobs: !self.no_jobs };
            told.one(file, send_one(remote, &log).await);
        }
        told.end(&slug, true)
    }
}

fn name_of(file: &Path) -> String {
    file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// What is said of each log, and of all at the end.
struct Told {
    as_json: bool,
    reports: Vec<Value>,
    rejected: i64,
    failed: Option<anyhow::Error>,
}

impl Told {
    fn new(as_json: bool) -> Self {
        Self { as_json, reports: Vec::new(), rejected: 0, failed: None }
    }

    fn one(&mut self, file: &Path, done: Result<Value>) {
        match done {
            Ok(report) => {
                if !self.as_json {
                    println!("{}", said(&report));
                }
                self.rejected += report["rows_rejected"].as_i64().unwrap_or(0);
                self.reports.push(report);
            }
            Err(error) => {
                eprintln!("lode: {}: {error:#}", file.display());
                let message = format!("{error:#}");
                self.reports.push(json!({ "file": file.display().to_string(), "state": "failed", "message": message }));
                self.failed.get_or_insert(error);
            }
        }
    }

    fn end(self, slug: &str, jobs_ok: bool) -> Result<ExitKind> {
        if self.as_json {
            println!("{}", json!({ "project": slug, "imports": self.reports }));
        }
        match self.failed {
            Some(error) => Err(error.context("not every file was imported")),
            None if self.rejected > 0 => Ok(ExitKind::Rejects),
            None if !jobs_ok => Ok(ExitKind::Job),
            None => Ok(ExitKind::Done),
        }
    }
}

/// Sends a log, and tells of it like [`import_one`].
async fn send_one(remote: &Remote, log: &Upload<'_>) -> Result<Value> {
    let bar = bar(log.name);
    let started = Instant::now();
    let sent = log.run(remote, &bar).await;
    bar.finish_and_clear();
    let import = sent?;
    if import["state"] == "failed" {
        bail!("{}", import["message"].as_str().unwrap_or("the service could not read it"));
    }
    let mut rejects_file = None;
    if import["rows_rejected"].as_i64() > Some(0) {
        // The log is in the project whether this side can write beside it or not.
        match log.save_rejects(remote, &import).await {
            Ok(beside) => rejects_file = Some(beside),
            Err(error) => eprintln!("lode: the rejected rows are on the project's page Import: {error:#}"),
        }
    }
    Ok(report(log.name, &import, rejects_file, started.elapsed()))
}

async fn import_one(store: &Store, request: &Request, file: &Path) -> Result<Value> {
    let progress = Arc::new(Progress::default());
    let bar = bar(&request.name);
    let started = Instant::now();
    let work = importing::import_file(store, request, &progress);
    tokio::pin!(work);
    let record = loop {
        tokio::select! {
            record = &mut work => break record,
            () = tokio::time::sleep(BAR_INTERVAL) => draw(&bar, &progress),
        }
    };
    bar.finish_and_clear();
    let record = record?;
    let mut rejects_file = None;
    if record.rows_rejected > 0 {
        // Beside the log, where the person looks; in the data folder if that cannot be written.
        let kept = rejects_path(store, &record.id);
        let beside = file.with_file_name(format!("{}.rejects.csv", request.name));
        rejects_file = Some(if std::fs::copy(&kept, &beside).is_ok() { beside } else { kept });
    }
    let shown = progress.first_rejects.lock().map(|rejects| rejects.clone()).unwrap_or_default();
    let import = json!({
        "state": record.state.as_str(),
        "format": record.format,
        "rows_read": record.rows_read,
        "rows_stored": record.rows_stored,
        "rows_rejected": record.rows_rejected,
        "first_rejects": shown.iter().map(|reject| json!({ "line": reject.line, "reason": reject.reason })).collect::<Vec<_>>(),
        "message": record.message,
    });
    Ok(report(&request.name, &import, rejects_file, started.elapsed()))
}

/// An import that is over, as the interface shows it, with what only this side knows.
fn report(file: &str, import: &Value, rejects_file: Option<PathBuf>, took: Duration) -> Value {
    let seconds = took.as_secs_f64();
    let rows = import["rows_read"].as_f64().unwrap_or(0.0);
    json!({
        "file": file,
        "state": import["state"],
        "format": import["format"],
        "rows_read": import["rows_read"],
        "rows_stored": import["rows_stored"],
        "rows_rejected": import["rows_rejected"],
        "rejects_file": rejects_file.map(|path| path.display().to_string()),
        "first_rejects": import["first_rejects"],
        "message": import["message"],
        "seconds": seconds,
        "rows_per_second": if import["state"] == "duplicate" { 0.0 } else { (rows / seconds).round() },
    })
}

/// A report in words.
fn said(report: &Value) -> String {
    let number = |name: &str| HumanCount(report[name].as_u64().unwrap_or(0));
    let file = report["file"].as_str().unwrap_or_default();
    if report["state"] == "duplicate" {
        return format!("{file}: {}", report["message"].as_str().unwrap_or_default());
    }
    let mut text = format!(
        "{file}: {} rows read, {} stored, {} rejected ({}, {:.1} s)",
        number("rows_read"),
        number("rows_stored"),
        number("rows_rejected"),
        report["format"].as_str().unwrap_or("unknown form"),
        report["seconds"].as_f64().unwrap_or(0.0),
    );
    for reject in report["first_rejects"].as_array().into_iter().flatten() {
        text.push_str(&format!("\n  line {}: {}", reject["line"], reject["reason"].as_str().unwrap_or_default()));
    }
    if let Some(path) = report["rejects_file"].as_str() {
        text.push_str(&format!("\n  all rejected rows: {path}"));
    }
    text
}

async fn run_jobs(store: &Store, scripts: Scripts, project: &str) -> Result<bool> {
    let ok = Runner::new(store.clone(), scripts)
        .run(project, &new_batch(), &Selection::Stale, |job, outcome| {
            if let Outcome::Failed(error) = outcome {
                eprintln!("lode: job {job}: {error}");
            }
        })
        .await
        .context("the log is imported, but the jobs could not run")?;
    Ok(ok)
}

pub(super) fn bar(name: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3} %  {msg}  {elapsed}");
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(name.to_owned());
    bar
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.bytes_total.load(Ordering::Relaxed).max(0) as u64);
    bar.set_position(progress.bytes_read.load(Ordering::Relaxed).max(0) as u64);
    let storing = progress.storing.load(Ordering::Relaxed);
    let rows = HumanCount(progress.rows_read.load(Ordering::Relaxed).max(0) as u64);
    bar.set_message(if storing { format!("{rows} rows, storing") } else { format!("{rows} rows") });
}
