//! Makes tables of what clients sent, soon and without anybody asking: folds, merges, and the jobs that run on new data.
//!
//! A fold every [`FOLD_EVERY`] keeps what was acknowledged visible within ten seconds (promise P12). Jobs that run when data
//! arrive follow when the project has been folded and their last run is not too recent: never more than half of the time
//! goes into them.

use crate::api::AppState;
use crate::jobs::runner::{Selection, now_us};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use uilog::planted;

/// How often landed batches become files.
pub const FOLD_EVERY: Duration = Duration::from_secs(2);

/// The least time between two runs of a project's jobs on new data.
const JOBS_EVERY_MIN: Duration = Duration::from_secs(10);

/// Folds of one project in one round; a backlog is worked off in the next ones.
const FOLDS_MAX: usize = 20;

/// When a project's jobs may run again, and whether there is reason to.
#[derive(Debug, Clone, Copy)]
struct Due {
    /// Not before.
    next: Instant,
    /// New data came since the last run began.
    wanted: bool,
    /// A run is under way.
    running: bool,
}

/// Folds until the process ends.
pub async fn keep(state: AppState) {
    let due: Arc<Mutex<HashMap<String, Due>>> = Arc::default();
    let mut rounds = tokio::time::interval(FOLD_EVERY);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        if planted::is("stale-views") {
            continue;
        }
        let folded = match round(&state).await {
            Ok(folded) => folded,
            Err(error) => {
                tracing::error!(%error, "what clients sent could not be made into tables; it is kept and tried again");
                continue;
            }
        };
        for project in folded {
            mark(&due, &project, |due| due.wanted = true);
        }
        for project in ready(&due) {
            tokio::spawn(run_jobs(state.clone(), project, due.clone()));
        }
        state.fleet.live.forget_silent(now_us());
        state.fleet.limits.forget_idle();
    }
}

/// One fold of everything that waits; returns the projects that have new rows.
///
/// Errors: of the last project that failed; the others are folded all the same.
pub async fn round(state: &AppState) -> Result<Vec<String>, store::StoreError> {
    let (mut folded, mut failed) = (Vec::new(), None);
    for (project, _) in state.store.ingest().waiting().await? {
        for _ in 0..FOLDS_MAX {
            match state.store.fold(&project, now_us()).await {
                Ok(done) if done.more => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, project, "a fold failed");
                    failed = Some(error);
                    break;
                }
            }
        }
        if let Err(error) = state.store.merge_recent(&project, now_us()).await {
            tracing::warn!(%error, project, "recent files could not be merged");
        }
        folded.push(project);
    }
    if !folded.is_empty() {
        state.store.collect_garbage().await?;
    }
    failed.map_or(Ok(folded), Err)
}

async fn run_jobs(state: AppState, project: String, due: Arc<Mutex<HashMap<String, Due>>>) {
    let began = Instant::now();
    let batch = uuid::Uuid::now_v7().to_string();
    if let Err(error) = state.runner.run(&project, &batch, &Selection::Stale, |_, _| {}).await {
        tracing::warn!(%error, project, "jobs could not run on new data");
    }
    mark(&due, &project, |due| {
        due.running = false;
        due.next = Instant::now() + JOBS_EVERY_MIN.max(began.elapsed());
    });
}

fn mark(due: &Mutex<HashMap<String, Due>>, project: &str, change: impl FnOnce(&mut Due)) {
    if let Ok(mut due) = due.lock() {
        change(due.entry(project.to_owned()).or_insert(Due { next: Instant::now(), wanted: false, running: false }));
    }
}

/// Projects whose jobs are to run now; they count as running from here on.
fn ready(due: &Mutex<HashMap<String, Due>>) -> Vec<String> {
    let Ok(mut due) = due.lock() else { return Vec::new() };
    let now = Instant::now();
    let ready = |due: &Due| due.wanted && !due.running && due.next <= now;
    let found: Vec<String> = due.iter().filter(|(_, due)| ready(due)).map(|(project, _)| project.clone()).collect();
    for project in &found {
        if let Some(due) = due.get_mut(project) {
            (due.wanted, due.running) = (false, true);
        }
    }
    found
}
