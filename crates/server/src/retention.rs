//! Data end on time, by the service's clock, whether jobs run or fail (promise D9).
//!
//! Days are whole: today and as many days before it as make the number are kept, so nothing is ever kept longer and files
//! are written anew once a day, not once an hour. Logs that somebody brought along have no clock of this service; they stay
//! until somebody removes them.
//!
//! The same hourly round renews the keys that hash, takes up erasures that were interrupted, and looks for silent clients.

use crate::api::AppState;
use crate::jobs::runner::{Selection, now_us};
use crate::pictures::first_day;
use crate::{alerts, erasing};
use anyhow::{Context, Result};
use std::time::Duration;
use store::columns::EVENTS;
use store::control::project_settings::Retention;
use store::control::projects::{Project, ProjectKind};
use store::ingest::landing::HASHES_DAYS;

/// How often it is looked whether something is over.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// A day, in microseconds.
const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// A month as tables count it, in days: never longer than a calendar month by much, and the same everywhere.
const MONTH_DAYS: i64 = 30;

/// Looks every hour, and once at once, until the process ends.
pub async fn keep(state: AppState) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        if let Err(error) = erasing::resume(&state).await {
            tracing::error!(error = format!("{error:#}"), "an erasure is not complete");
        }
        if let Err(error) = round(&state, now_us()).await {
            tracing::error!(error = format!("{error:#}"), "data whose time is over are still there");
        }
        if let Err(error) = alerts::round(&state, now_us()).await {
            tracing::warn!(error = format!("{error:#}"), "silent clients could not be reported");
        }
    }
}

/// Ends what is over at `now_us` in every project of recorded desktops.
///
/// Errors: of the last project that failed; the others are done all the same.
pub async fn round(state: &AppState, now_us: i64) -> Result<()> {
    let mut result = Ok(());
    for project in state.store.control().projects().await? {
        if project.kind != ProjectKind::Enrolled {
            continue;
        }
        if let Err(error) = end(state, &project, now_us).await {
            result = Err(error.context(format!("project {}", project.slug)));
        }
    }
    result
}

async fn end(state: &AppState, project: &Project, now_us: i64) -> Result<()> {
    let store = &state.store;
    let kept = store.control().project_settings(&project.id).await?.retention;
    let cutoff_us = cutoff_us(&kept, now_us);
    store.ingest().expire(&project.id, cutoff_us, now_us - HASHES_DAYS * DAY_US).await.context("what waits")?;
    store.expire_pictures(&project.id, first_day(kept.picture_days, now_us)).await.context("pictures")?;
    let retired = store.retire(&project.id, cutoff_us, now_us).await.context("events")?;
    if retired.rows_removed > 0 {
        drop_tables(state, project, i64::MAX).await?;
        store.leave_no_trace().await?;
        let batch = uuid::Uuid::now_v7().to_string();
        state.runner.run(&project.id, &batch, &Selection::Stale, |_, _| {}).await.context("tables")?;
    }
    drop_tables(state, project, now_us - i64::from(kept.aggregate_months) * MONTH_DAYS * DAY_US).await?;
    store.leave_no_trace().await?;
    state.fleet.keyring.renew(&project.id, cutoff_us, now_us).await.context("keys")?;
    Ok(())
}

/// The first moment of the oldest day that is kept.
fn cutoff_us(kept: &Retention, now_us: i64) -> i64 {
    let today_us = now_us - now_us.rem_euclid(DAY_US);
    today_us - (i64::from(kept.raw_days) - 1) * DAY_US
}

/// Takes away the tables that were made before a moment. A table made from rows that are gone must not outlive them, even
/// if the job that would make it anew fails.
async fn drop_tables(state: &AppState, project: &Project, built_before_us: i64) -> Result<()> {
    let control = state.store.control();
    for table in control.tables(&project.id).await? {
        if table.name != EVENTS && table.built_at_us < built_before_us {
            control.drop_table(&project.id, &table.name).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d9_today_and_the_days_before_it_are_kept_and_never_one_more() {
        let kept = Retention { raw_days: 30, ..Retention::default() };
        let noon = 100 * DAY_US + DAY_US / 2;
        assert_eq!(cutoff_us(&kept, noon), 71 * DAY_US);
        assert!(noon - cutoff_us(&kept, noon) <= 30 * DAY_US);
        assert_eq!(cutoff_us(&kept, 101 * DAY_US), 72 * DAY_US);
    }
}
