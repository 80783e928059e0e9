//! Brings the tables of a project up to date, one commit per table.
//!
//! A table is fresh if it was made from what is there now by the text that is there now; others are made anew, in order. A
//! job that fails leaves its last good table in place, and what depends on it is not touched in that run.

use super::catalog::{Catalog, CatalogError, Job};
use super::head::Language;
use crate::labels;
use crate::scripts::{self, Script, Scripts};
use crate::tasks;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use store::control::projects::{CaseRule, Project};
use store::control::runs::RunRecord;
use store::engine::{Parameter, QUESTION_SECONDS_MAX};
use store::marts::{Build, Built};
use store::operator::RowFunctions;
use store::snapshot::Snapshot;
use store::{Position, Store, StoreError};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Runs jobs; one run per project at a time, others wait their turn.
#[derive(Clone)]
pub struct Runner {
    store: Store,
    scripts: Scripts,
    turns: Arc<Mutex<HashMap<String, Arc<Mutex<()>>>>>,
    /// Runs that can be cancelled, by project (as it was named) and batch.
    active: Arc<std::sync::Mutex<HashMap<(String, String), CancellationToken>>>,
}

/// Which jobs to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All that are not fresh.
    Stale,
    /// All, fresh or not.
    All,
    /// These, fresh or not, and what they read as far as it is stale.
    Named(BTreeSet<String>),
}

/// State of a job's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Made from what is there now.
    Fresh,
    /// Made from something older.
    Stale,
    /// Never made.
    Never,
}

/// How one job of a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// The table was made.
    Done(Built),
    /// It was fresh.
    Fresh,
    /// It failed, or was cancelled.
    Failed(StoreError),
    /// A job that it reads failed.
    Waiting,
}

/// The parameter of a job that wants the smallest group of people that the project's pages may show.
const PEOPLE_MIN_PARAMETER: &str = "people_min";

/// What a project's jobs are made of at one moment.
pub struct Workshop {
    /// The jobs.
    pub catalog: Catalog,
    project: Project,
    functions: RowFunctions,
    /// What people said of the tasks that were found, as a parameter.
    corrections: String,
}

/// Jobs or rules that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WorkshopError {
    /// A job.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The labelling rules.
    #[error("labelling rules: {0}")]
    Rules(#[from] labels::RuleError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Workshop {
    /// Reads jobs and rules of a project.
    pub async fn open(store: &Store, project: &str) -> Result<Self, WorkshopError> {
        let project = store.control().project(project).await?;
        let catalog = Catalog::new(&store.control().job_overrides(&project.id).await?)?;
        let own = store.control().label_rules(&project.id).await?.map(|(text, _)| text).unwrap_or_default();
        let functions = RowFunctions { functions: labels::functions_of(&own)?, source: own };
        let corrections = tasks::Correction::write_all(&store.control().task_corrections(&project.id).await?);
        Ok(Self { catalog, project, functions, corrections })
    }

    /// The project's tables now, with its views.
    pub async fn snapshot(&self, store: &Store) -> Result<Snapshot, StoreError> {
        let mut snapshot = store.snapshot(&self.project.id).await?;
        snapshot.views = self.catalog.views();
        Ok(snapshot)
    }

    /// Functions that the project's SQL can use besides the operators.
    pub fn functions(&self) -> &RowFunctions {
        &self.functions
    }

    /// A job that is a script, reading what its head names of `snapshot` and nothing else.
    pub fn script(&self, job: &Job, snapshot: Snapshot) -> Script {
        Script {
            name: Some(job.name.clone()),
            text: job.text.clone(),
            snapshot: scripts::only(snapshot, &self.catalog.readable(&job.head.reads)),
            functions: self.functions.clone(),
        }
    }

    /// What the store needs to make a job's table.
    pub fn build(&self, job: &Job) -> Build {
        let (reads, through) = self.catalog.stored_reads(job);
        let mut params = job.head.params.clone();
        if params.contains_key("case_rule") {
            params.extend(case_params(&self.project.case_rule));
        }
        if let Some(corrections) = params.get_mut(tasks::PARAMETER) {
            corrections.clone_from(&self.corrections);
        }
        if let Some(people_min) = params.get_mut(PEOPLE_MIN_PARAMETER) {
            *people_min = self.project.min_group_size.to_string();
        }
        let labelled =
            self.functions.functions.iter().any(|function| job.text.contains(&format!("{}(", function.name)));
        let rules =
            if labelled { format!("{}\n{}", self.functions.source, labels::DEFAULT_RULES) } else { String::new() };
        let revision = format!("{}\n{through}\n{params:?}\n{rules}", job.text);
        Build {
            table: job.name.clone(),
            sql: job.text.clone(),
            author: job.origin.author(),
            parameters: parameters(&params),
            row_functions: self.functions.clone(),
            reads,
            per_agent: job.head.per_agent,
            revision,
            seconds_max: QUESTION_SECONDS_MAX,
        }
    }

    /// State of a job's table; a view is as fresh as what it reads.
    pub async fn freshness(
        &self,
        store: &Store,
        snapshot: &Snapshot,
    ) -> Result<BTreeMap<String, Freshness>, StoreError> {
        let stored: HashMap<String, String> = store
            .control()
            .tables(&self.project.id)
            .await?
            .into_iter()
            .map(|table| (table.name, table.fingerprint))
            .collect();
        let mut found = BTreeMap::new();
        for job in &self.catalog.jobs {
            let below =
                job.head.reads.iter().any(|read| matches!(found.get(read), Some(Freshness::Stale | Freshness::Never)));
            let own = match stored.get(&job.name) {
                _ if job.head.view => Freshness::Fresh,
                None => Freshness::Never,
                Some(fingerprint) if *fingerprint == Store::table_fingerprint(snapshot, &self.build(job)) => {
                    Freshness::Fresh
                }
                Some(_) => Freshness::Stale,
            };
            found.insert(job.name.clone(), if below && own == Freshness::Fresh { Freshness::Stale } else { own });
        }
        Ok(found)
    }
}

/// A head's parameters as the engine takes them: whole numbers as numbers, nothing as null.
pub fn parameters(params: &BTreeMap<String, String>) -> HashMap<String, Parameter> {
    params
        .iter()
        .map(|(name, value)| {
            let value = match value.parse::<i64>() {
                Ok(number) => Parameter::Integer(Some(number)),
                Err(_) => Parameter::Text(Some(value.clone()).filter(|value| !value.is_empty())),
            };
            (name.clone(), value)
        })
        .collect()
}

fn case_params(rule: &CaseRule) -> [(String, String); 3] {
    let (rule, start, end) = match rule {
        CaseRule::Auto => ("auto", "", ""),
        CaseRule::Session => ("session", "", ""),
        CaseRule::CaseId => ("case_id", "", ""),
        CaseRule::Activities { start_activity, end_activity } => {
            ("activities", start_activity.as_deref().unwrap_or(""), end_activity.as_deref().unwrap_or(""))
        }
    };
    [("case_rule".into(), rule.into()), ("start_activity".into(), start.into()), ("end_activity".into(), end.into())]
}

impl Runner {
    /// A runner over a store; jobs that are scripts run as `scripts` says.
    pub fn new(store: Store, scripts: Scripts) -> Self {
        Self { store, scripts, turns: Arc::default(), active: Arc::default() }
    }

    /// What runs jobs that are scripts.
    pub fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    /// Runs jobs and tells `report` of each one as it ends; returns the batch that names the runs in the history.
    ///
    /// Errors: only what keeps every job from running; a job that fails is an [`Outcome::Failed`].
    pub async fn run(
        &self,
        project: &str,
        batch: &str,
        selection: &Selection,
        mut report: impl FnMut(&str, &Outcome),
    ) -> Result<bool, WorkshopError> {
        let key = (project.to_owned(), batch.to_owned());
        let cancel = self.announce(key.clone());
        let result = self.run_in_turn(project, batch, selection, &cancel, &mut report).await;
        if let Ok(mut active) = self.active.lock() {
            active.remove(&key);
        }
        result
    }

    /// Cancels a batch of runs of a project, named as it was to [`Runner::run`]; says whether it was there.
    pub fn cancel(&self, project: &str, batch: &str) -> bool {
        let key = (project.to_owned(), batch.to_owned());
        let token = self.active.lock().ok().and_then(|active| active.get(&key).cloned());
        if let Some(token) = &token {
            token.cancel();
        }
        token.is_some()
    }

    fn announce(&self, key: (String, String)) -> CancellationToken {
        let cancel = CancellationToken::new();
        if let Ok(mut active) = self.active.lock() {
            active.insert(key, cancel.clone());
        }
        cancel
    }

    async fn run_in_turn(
        &self,
        project: &str,
        batch: &str,
        selection: &Selection,
        cancel: &CancellationToken,
        report: &mut impl FnMut(&str, &Outcome),
    ) -> Result<bool, WorkshopError> {
        let workshop = Workshop::open(&self.store, project).await?;
        let turn = self.turns.lock().await.entry(workshop.project.id.clone()).or_default().clone();
        let _turn = turn.lock().await;
        let mut failed: BTreeSet<String> = BTreeSet::new();
        for job in workshop.catalog.jobs.iter().filter(|job| job.enabled && !job.head.view) {
            let outcome = if job.head.reads.iter().any(|read| failed.contains(read)) {
                Outcome::Waiting
            } else {
                self.run_one(&workshop, job, batch, selection, cancel).await?
            };
            if matches!(outcome, Outcome::Failed(_) | Outcome::Waiting) {
                failed.insert(job.name.clone());
                failed.extend(
                    workshop
                        .catalog
                        .jobs
                        .iter()
                        .filter(|view| view.head.view && view.head.reads.contains(&job.name))
                        .map(|view| view.name.clone()),
                );
            }
            report(&job.name, &outcome);
        }
        self.store.control().trim_runs(&workshop.project.id).await?;
        self.store.collect_garbage().await?;
        Ok(failed.is_empty())
    }

    async fn run_one(
        &self,
        workshop: &Workshop,
        job: &Job,
        batch: &str,
        selection: &Selection,
        cancel: &CancellationToken,
    ) -> Result<Outcome, WorkshopError> {
        let snapshot = workshop.snapshot(&self.store).await?;
        let build = workshop.build(job);
        let stored =
            self.store.control().tables(&workshop.project.id).await?.into_iter().find(|table| table.name == job.name);
        let fresh = stored.is_some_and(|table| table.fingerprint == Store::table_fingerprint(&snapshot, &build));
        let wanted = match selection {
            Selection::Stale => !fresh,
            Selection::All => true,
            Selection::Named(names) => {
                names.contains(&job.name)
                    || (!fresh && names.iter().any(|name| workshop.catalog.dependents(&job.name).contains(name)))
            }
        };
        if !wanted {
            return Ok(Outcome::Fresh);
        }
        // With nothing imported there is nothing to make tables from.
        if build.reads.iter().any(|read| !snapshot.tables.contains_key(read))
            && !snapshot.tables.contains_key(store::columns::EVENTS)
        {
            return Ok(Outcome::Fresh);
        }
        let mut run = started(&workshop.project.id, batch, &job.name);
        self.store.control().put_run(&run).await?;
        let result = tokio::select! {
            () = cancel.cancelled() => Err(StoreError::Cancelled("cancelled; the table is the one before".into())),
            result = self.make(workshop, job, &snapshot, &build) => result,
        };
        run.finished_at_us = Some(now_us());
        match &result {
            Ok(built) => {
                run.state = "done".into();
                run.rows_in = Some(built.rows_in);
                run.rows_out = Some(built.rows_out);
                // Nobody accounts for the memory of a script.
                let is_counted = job.head.language == Language::Sql;
                run.peak_memory_bytes = is_counted.then_some(built.peak_memory_bytes as i64);
                run.partitions = Some(built.parts as i64);
                run.partitions_reused = Some(built.parts_kept as i64);
            }
            Err(error) => {
                run.state = if matches!(error, StoreError::Cancelled(_)) { "cancelled" } else { "failed" }.into();
                run.error = Some(error.to_string());
                run.position = position(error);
            }
        }
        self.store.control().put_run(&run).await?;
        Ok(match result {
            Ok(built) => Outcome::Done(built),
            Err(error) => Outcome::Failed(error),
        })
    }

    /// Makes the table of a job and commits it.
    async fn make(
        &self,
        workshop: &Workshop,
        job: &Job,
        snapshot: &Snapshot,
        build: &Build,
    ) -> Result<Built, StoreError> {
        if job.head.language == Language::Sql {
            return self.store.build_table(snapshot, build, now_us()).await;
        }
        build.check_reads(snapshot)?;
        let script = workshop.script(job, snapshot.clone());
        let written = self.scripts.run(&self.store, script).await.written;
        let staged = written.map_err(|error| kept_error(error, workshop.project.min_group_size))?;
        self.store.commit_made(snapshot, build, staged, now_us()).await
    }
}

/// An error as the history keeps it. What a script says may name people whom the project's smallest group protects, and the
/// history is for everybody who works with jobs.
fn kept_error(error: StoreError, people_min: i64) -> StoreError {
    let StoreError::Script { message, position } = error else { return error };
    if people_min <= 1 || position.is_none() {
        return StoreError::Script { message, position };
    }
    let kind = message.split(':').next().filter(|kind| kind.chars().all(char::is_alphanumeric)).unwrap_or("an error");
    let message = format!(
        "{kind}; what it says is not kept, because it may name people: try the job in its editor, where you see what you may see"
    );
    StoreError::Script { message, position }
}

fn started(project: &str, batch: &str, job: &str) -> RunRecord {
    RunRecord {
        id: format!("{batch}/{job}"),
        project: project.to_owned(),
        job: job.to_owned(),
        state: "running".into(),
        started_at_us: now_us(),
        finished_at_us: None,
        rows_in: None,
        rows_out: None,
        peak_memory_bytes: None,
        partitions: None,
        partitions_reused: None,
        error: None,
        position: None,
    }
}

fn position(error: &StoreError) -> Option<Position> {
    match error {
        StoreError::Sql { position, .. } | StoreError::Script { position, .. } => *position,
        _ => None,
    }
}

/// The wall clock, microseconds since 1970, UTC.
pub fn now_us() -> i64 {
    chrono::Utc::now().timestamp_micros()
}
