//! The sample project: two real recordings that ship with Lode.
//!
//! One person fills in a form from a spreadsheet, fifty times each: a reimbursement, and a student record. The logs were
//! published by V. Leno and others under Apache-2.0; the people in them are made up.

use crate::importing::{self, Progress, Request};
use crate::jobs::runner::{Runner, Selection, now_us};
use anyhow::Result;
use include_dir::{Dir, include_dir};
use std::sync::Arc;
use store::Store;
use store::control::projects::{CaseRule, Project, ProjectKind};

static LOGS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/sample-data/leno-real");

/// Name of the sample project.
pub const SAMPLE_PROJECT: &str = "Sample: two form-filling tasks";

/// Puts the sample recordings into a store and brings its tables up to date; does nothing twice.
pub async fn install(store: &Store) -> Result<Project> {
    let control = store.control();
    let project = match control.find_project(SAMPLE_PROJECT).await? {
        Some(project) => project,
        None => {
            let project = control.create_project(SAMPLE_PROJECT, ProjectKind::Sample, now_us()).await?;
            // Each form is sent once, so that is what a case is.
            let rule = CaseRule::Activities { start_activity: None, end_activity: Some("Click Submit".into()) };
            control.update_project(&project.id, &project.name, &rule).await?;
            project
        }
    };
    for log in LOGS.files().filter(|file| file.path().extension().is_some_and(|ending| ending == "zst")) {
        let name = log.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = store.settings().folder.join("staging").join(format!("sample-{name}"));
        std::fs::write(&path, log.contents())?;
        let id = uuid::Uuid::now_v7().to_string();
        let request = Request { id, project: project.id.clone(), name, path, map: Vec::new() };
        let record = importing::import_file(store, &request, &Arc::new(Progress::default())).await;
        std::fs::remove_file(&request.path)?;
        record?;
    }
    let batch = uuid::Uuid::now_v7().to_string();
    Runner::new(store.clone()).run(&project.id, &batch, &Selection::Stale, |_, _| {}).await?;
    Ok(project)
}
