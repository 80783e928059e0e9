//! Runs jobs by themselves: those with a cron expression when their minute comes.
//!
//! Jobs that run when data arrive need no clock: whoever stored the data starts them.

use super::catalog::{Catalog, Schedule};
use super::runner::{Runner, Selection};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::time::Duration;
use store::Store;

/// How often the clock is looked at. Cron knows minutes.
const TICK: Duration = Duration::from_secs(20);

/// Runs until the process ends.
pub async fn keep(store: Store, runner: Runner) {
    let mut last = Utc::now();
    loop {
        tokio::time::sleep(TICK).await;
        let now = Utc::now();
        if let Err(error) = tick(&store, &runner, last, now).await {
            tracing::warn!(%error, "scheduled jobs could not be started");
        }
        last = now;
    }
}

async fn tick(store: &Store, runner: &Runner, last: DateTime<Utc>, now: DateTime<Utc>) -> anyhow::Result<()> {
    for project in store.control().projects().await? {
        let catalog = Catalog::new(&store.control().job_overrides(&project.id).await?)?;
        let due = due(&catalog, last, now);
        if !due.is_empty() {
            runner.run(&project.id, &uuid::Uuid::now_v7().to_string(), &Selection::Named(due), |_, _| {}).await?;
        }
    }
    Ok(())
}

/// Jobs whose time came after `last` and not after `now`.
fn due(catalog: &Catalog, last: DateTime<Utc>, now: DateTime<Utc>) -> BTreeSet<String> {
    let comes = |cron: &str| {
        let next = cron.parse::<croner::Cron>().ok().and_then(|cron| cron.find_next_occurrence(&last, false).ok());
        next.is_some_and(|next| next <= now)
    };
    let jobs = catalog.jobs.iter().filter(|job| job.enabled);
    jobs.filter(|job| matches!(&job.schedule, Schedule::Cron(cron) if comes(cron)))
        .map(|job| job.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::control::jobs::JobOverride;

    #[test]
    fn a_job_is_due_once_when_its_minute_comes() {
        let own =
            JobOverride { name: "app_usage".into(), text: None, enabled: true, schedule: Some("30 6 * * *".into()) };
        let catalog = Catalog::new(&[own]).unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert!(due(&catalog, at("2026-03-02T06:29:50Z"), at("2026-03-02T06:30:10Z")).contains("app_usage"));
        assert!(due(&catalog, at("2026-03-02T06:30:10Z"), at("2026-03-02T06:30:30Z")).is_empty());
    }
}
