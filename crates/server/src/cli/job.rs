//! `lode job`: what there is, what a project changes, running by hand, history.

use super::remote::Remote;
use super::sql::read_text;
use super::{ExitKind, new_batch, print};
use crate::jobs::catalog::{Catalog, Schedule, is_table_name};
use crate::jobs::check::check_file;
use crate::jobs::runner::{Outcome, Runner, Selection, Workshop};
use crate::scripts::Scripts;
use anyhow::{Result, anyhow, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use store::control::jobs::JobOverride;
use store::{Store, StoreError};

#[derive(Debug, Subcommand)]
pub enum Job {
    /// Jobs in the order they run, with the state of their tables
    List(Project),
    /// Replace a shipped job or add one: from a file, or - for standard input
    Put {
        #[command(flatten)]
        project: Project,
        /// Name of the job and its table
        name: String,
        /// Its text, with its head: SQL, or a Python script whose first line begins with #
        #[arg(required_unless_present_any = ["disable", "enable", "schedule"])]
        file: Option<String>,
        /// on-data, manual, or a cron expression in UTC
        #[arg(long)]
        schedule: Option<String>,
        /// Switch the job off
        #[arg(long, conflicts_with = "enable")]
        disable: bool,
        /// Switch the job on
        #[arg(long)]
        enable: bool,
    },
    /// Take the project's own text away: a shipped job comes back, another goes with its table
    Remove {
        #[command(flatten)]
        project: Project,
        /// Name of the job
        name: String,
    },
    /// Run jobs: those that are stale, or the named ones with what they read
    Run {
        #[command(flatten)]
        project: Project,
        /// Names of jobs
        jobs: Vec<String>,
        /// All, fresh or not
        #[arg(long, conflicts_with = "jobs")]
        all: bool,
    },
    /// Run the tests of jobs: .slt files, each in an empty store of its own
    Test {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Write the rows that come out into the files; read them before you keep them
        #[arg(long)]
        fill_in: bool,
    },
    /// What ran, newest first
    History {
        #[command(flatten)]
        project: Project,
        /// Only this job
        #[arg(long)]
        job: Option<String>,
        /// Runs to show
        #[arg(long, default_value_t = 20)]
        limit: i64,
    },
}

#[derive(Debug, Args)]
pub struct Project {
    /// The project
    #[arg(long)]
    project: String,
}

impl Job {
    pub async fn run(self, store: &Store, scripts: Scripts, as_json: bool) -> Result<ExitKind> {
        match self {
            Self::List(project) => list(store, &project.project, as_json).await,
            Self::Put { project, name, file, schedule, disable, enable } => {
                let change = Change {
                    name,
                    file,
                    schedule,
                    enabled: if disable { Some(false) } else { enable.then_some(true) },
                };
                put(store, &project.project, change, as_json).await
            }
            Self::Remove { project, name } => remove(store, &project.project, &name).await,
            Self::Run { project, jobs, all } => {
                let runner = Runner::new(store.clone(), scripts);
                run(store, runner, &project.project, jobs, all, as_json).await
            }
            Self::Test { files, fill_in } => test(&files, fill_in).await,
            Self::History { project, job, limit } => history(store, &project.project, job, limit, as_json).await,
        }
    }
}

impl Job {
    /// The same at a service, under the rights of a token.
    pub async fn run_at(self, remote: &Remote, as_json: bool) -> Result<ExitKind> {
        match self {
            Self::List(Project { project }) => {
                let listed = remote.json(Method::GET, &format!("/projects/{project}/jobs"), None).await?;
                print(as_json, &listed, || lines(&listed["jobs"], job_line));
            }
            Self::Put { project: Project { project }, name, file, schedule, disable, enable } => {
                let text = file.as_deref().map(read_text).transpose()?;
                let enabled = if disable { Some(false) } else { enable.then_some(true) };
                let change = json!({ "text": text, "schedule": schedule, "enabled": enabled });
                let path = format!("/projects/{project}/jobs/{name}");
                let kept = remote.json(Method::PUT, &path, Some(&change)).await?;
                print(as_json, &kept, || {
                    format!("{name} is kept; run it with: lode job run --project {project} {name}")
                });
            }
            Self::Remove { project: Project { project }, name } => {
                remote.json(Method::DELETE, &format!("/projects/{project}/jobs/{name}"), None).await?;
            }
            Self::Run { project: Project { project }, jobs, all } => {
                let start = json!({ "jobs": jobs, "all": all });
                let started = remote.json(Method::POST, &format!("/projects/{project}/runs"), Some(&start)).await?;
                print(as_json, &started, || {
                    format!("started; how it ends is told by: lode job history --project {project}")
                });
            }
            Self::Test { .. } => bail!("tests of jobs need no service: leave --server and LODE_SERVER out"),
            Self::History { project: Project { project }, job, limit } => {
                let filter = job.map_or(String::new(), |job| format!("&job={job}"));
                let path = format!("/projects/{project}/runs?limit={limit}{filter}");
                let runs = remote.json(Method::GET, &path, None).await?;
                print(as_json, &runs, || lines(&runs["runs"], run_line));
            }
        }
        Ok(ExitKind::Done)
    }
}

/// A list of the interface, one line each.
fn lines(list: &Value, line: impl Fn(&Value) -> String) -> String {
    list.as_array().into_iter().flatten().map(line).collect::<Vec<_>>().join("\n")
}

/// A job in a line.
fn job_line(job: &Value) -> String {
    let text = |name: &str| job[name].as_str().unwrap_or("").to_owned();
    let state = if job["enabled"] == false { "off".to_owned() } else { text("state") };
    let rows = job["rows"].as_i64().map_or(String::new(), |rows| rows.to_string());
    format!(
        "{:24} {:13} {:9} {:6} {:>12}  {}",
        text("name"),
        text("layer"),
        text("origin"),
        state,
        rows,
        text("description")
    )
}

/// A run in a line.
fn run_line(run: &Value) -> String {
    let error = run["error"].as_str().or_else(|| run["error"]["message"].as_str()).unwrap_or("");
    format!(
        "{:24} {:10} {:>8} ms {:>12} rows  {error}",
        run["job"].as_str().unwrap_or(""),
        run["state"].as_str().unwrap_or(""),
        run["duration_ms"],
        run["rows_out"]
    )
}

async fn list(store: &Store, project: &str, as_json: bool) -> Result<ExitKind> {
    let workshop = Workshop::open(store, project).await?;
    let snapshot = workshop.snapshot(store).await?;
    let freshness = workshop.freshness(store, &snapshot).await?;
    let jobs: Vec<_> = workshop
        .catalog
        .jobs
        .iter()
        .map(|job| {
            json!({
                "name": job.name, "layer": job.layer, "origin": job.origin, "enabled": job.enabled, "schedule": job.schedule.as_str(),
                "state": freshness.get(&job.name), "rows": snapshot.tables.get(&job.name).map(|table| table.rows()),
                "reads": job.head.reads, "description": job.head.description,
            })
        })
        .collect();
    let listed = json!({ "jobs": jobs });
    print(as_json, &listed, || lines(&listed["jobs"], job_line));
    Ok(ExitKind::Done)
}

struct Change {
    name: String,
    file: Option<String>,
    schedule: Option<String>,
    enabled: Option<bool>,
}

async fn put(store: &Store, project: &str, change: Change, as_json: bool) -> Result<ExitKind> {
    if !is_table_name(&change.name) {
        bail!("'{}' cannot name a table: begin with a small letter, then small letters, digits and _", change.name);
    }
    let project = store.control().project(project).await?;
    let mut overrides = store.control().job_overrides(&project.id).await?;
    let before = overrides.iter().find(|own| own.name == change.name).cloned();
    let text = change.file.as_deref().map(read_text).transpose()?;
    if let Some(schedule) = &change.schedule {
        Schedule::parse(schedule).map_err(|message| anyhow!(message))?;
    }
    let own = JobOverride {
        text: text.or_else(|| before.as_ref().and_then(|own| own.text.clone())),
        enabled: change.enabled.unwrap_or_else(|| before.as_ref().is_none_or(|own| own.enabled)),
        schedule: change.schedule.or_else(|| before.as_ref().and_then(|own| own.schedule.clone())),
        name: change.name,
    };
    overrides.retain(|other| other.name != own.name);
    overrides.push(own.clone());
    let catalog = Catalog::new(&overrides)?;
    if catalog.job(&own.name).is_none() {
        return Err(StoreError::Missing { kind: "job", name: own.name }.into());
    }
    store.control().put_job(&project.id, &own).await?;
    print(as_json, &json!({ "job": own.name }), || {
        format!("{} is kept; run it with: lode job run --project {} {}", own.name, project.slug, own.name)
    });
    Ok(ExitKind::Done)
}

async fn remove(store: &Store, project: &str, name: &str) -> Result<ExitKind> {
    let project = store.control().project(project).await?;
    let mut left = store.control().job_overrides(&project.id).await?;
    left.retain(|own| own.name != name);
    let shipped = Catalog::new(&left)?.job(name).is_some();
    if !store.control().delete_job(&project.id, name).await? {
        return Err(StoreError::Missing { kind: "job of the project's own", name: name.into() }.into());
    }
    if !shipped {
        store.control().drop_table(&project.id, name).await?;
    }
    Ok(ExitKind::Done)
}

async fn run(
    store: &Store,
    runner: Runner,
    project: &str,
    jobs: Vec<String>,
    all: bool,
    as_json: bool,
) -> Result<ExitKind> {
    let workshop = Workshop::open(store, project).await?;
    if let Some(unknown) = jobs.iter().find(|name| workshop.catalog.job(name).is_none()) {
        return Err(StoreError::Missing { kind: "job", name: unknown.clone() }.into());
    }
    let selection = match (all, jobs.is_empty()) {
        (true, _) => Selection::All,
        (false, true) => Selection::Stale,
        (false, false) => Selection::Named(jobs.into_iter().collect::<BTreeSet<_>>()),
    };
    let batch = new_batch();
    let stop = {
        let (runner, project, batch) = (runner.clone(), project.to_owned(), batch.clone());
        async move {
            let _ = tokio::signal::ctrl_c().await;
            runner.cancel(&project, &batch);
        }
    };
    let stop = tokio::spawn(stop);
    let mut done = Vec::new();
    let ok = runner
        .run(project, &batch, &selection, |job, outcome| {
            let (state, text) = match outcome {
                Outcome::Done(built) => {
                    ("done", format!("{} rows, {} of {} parts kept", built.rows_out, built.parts_kept, built.parts))
                }
                Outcome::Fresh => ("fresh", String::new()),
                Outcome::Failed(error) => ("failed", error.to_string()),
                Outcome::Waiting => ("waiting", "a job that it reads failed".to_owned()),
            };
            if !as_json && state != "fresh" {
                println!("{job:24} {state:8} {text}");
            }
            done.push(json!({ "job": job, "state": state, "detail": text }));
        })
        .await?;
    stop.abort();
    if as_json {
        println!("{}", json!({ "run": batch, "jobs": done }));
    }
    Ok(if ok { ExitKind::Done } else { ExitKind::Job })
}

/// Runs the tests of jobs; needs no data folder.
pub async fn test(files: &[PathBuf], fill_in: bool) -> Result<ExitKind> {
    let mut failed = 0;
    for file in files {
        match check_file(file, fill_in).await {
            Ok(()) => println!("ok   {}", file.display()),
            Err(error) => {
                failed += 1;
                println!("FAIL {}\n{error:#}", file.display());
            }
        }
    }
    Ok(if failed == 0 { ExitKind::Done } else { ExitKind::Job })
}

async fn history(store: &Store, project: &str, job: Option<String>, limit: i64, as_json: bool) -> Result<ExitKind> {
    let project = store.control().project(project).await?;
    let (runs, total) = store.control().runs(&project.id, job.as_deref(), None, limit, 0).await?;
    let runs: Vec<_> = runs
        .iter()
        .map(|run| {
            json!({
                "job": run.job, "state": run.state, "started_at_us": run.started_at_us, "rows_in": run.rows_in, "rows_out": run.rows_out,
                "duration_ms": run.finished_at_us.map(|end_us| (end_us - run.started_at_us) / 1_000), "error": run.error,
            })
        })
        .collect();
    let listed = json!({ "runs": runs, "total": total });
    print(as_json, &listed, || lines(&listed["runs"], run_line));
    Ok(ExitKind::Done)
}
