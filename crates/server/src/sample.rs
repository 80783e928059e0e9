//! The sample projects: two published recordings, and a made-up order desk with pictures, all of which ship with Lode.
//!
//! In the first, one person fills in a form from a spreadsheet, fifty times each: a reimbursement, and a student record. The
//! logs were published by V. Leno and others under Apache-2.0; the people in them are made up. The second was recorded by
//! Lode's own client and extension (`cargo xtask record-sample`).

use crate::importing::{self, Progress, Request};
use crate::jobs::runner::{Runner, Selection, now_us};
use crate::pictures::{Area, Note, Pictures, Sent};
use crate::scripts::Scripts;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt, TryStreamExt};
use include_dir::{Dir, File, include_dir};
use serde::Deserialize;
use std::sync::Arc;
use store::Store;
use store::control::projects::{CaseRule, Project, ProjectKind};
use uuid::Uuid;

static FORMS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/sample-data/leno-real");

/// The order desk's log, as `lode export` gives it.
const ORDER_DESK: &[u8] = include_bytes!("../../../fixtures/sample-data/order-desk/events.parquet");

/// Its pictures: one JSON object a line, packed; a file for each would make the compiler read them all as one text.
const ORDER_DESK_PICTURES: &[u8] = include_bytes!("../../../fixtures/sample-data/order-desk/pictures.jsonl.zst");

/// Name of the sample project without pictures.
pub const SAMPLE_PROJECT: &str = "Sample: two form-filling tasks";

/// Name of the sample project with pictures.
pub const ORDER_DESK_PROJECT: &str = "Sample: an order desk with pictures";

/// Pictures that are encoded at once.
const ENCODED_AT_ONCE: usize = 4;

/// What is known of a picture of the sample.
#[derive(Deserialize)]
struct Shown {
    screenshot_id: Uuid,
    agent_id: Uuid,
    place: Option<[i32; 4]>,
    masks: Vec<Area>,
    /// The PNG, base64.
    png: String,
}

/// Puts the sample recordings into a store and brings their tables up to date; does nothing twice.
pub async fn install(store: &Store) -> Result<Project> {
    let desk = project(store, ORDER_DESK_PROJECT, "Click Save order").await?;
    import(store, &desk, [("events.parquet", ORDER_DESK)]).await?;
    // Each form is sent once, so that is what a case is.
    let forms = project(store, SAMPLE_PROJECT, "Click Submit").await?;
    let packed = FORMS.files().filter(|file| file.path().extension().is_some_and(|ending| ending == "zst"));
    let named = |file: &'static File<'_>| Some((file.path().file_name()?.to_str()?, file.contents()));
    import(store, &forms, packed.filter_map(named)).await?;
    Ok(forms)
}

/// Puts the pictures of the order desk beside its events; those that are there already stay.
pub async fn install_pictures(store: &Store, pictures: &Pictures) -> Result<()> {
    let lines = zstd::decode_all(ORDER_DESK_PICTURES)?;
    let shown: Vec<Shown> =
        serde_json::Deserializer::from_slice(&lines).into_iter().collect::<Result<_, serde_json::Error>>()?;
    let project = store.control().find_project(ORDER_DESK_PROJECT).await?.context("the sample project is gone")?.id;
    let keep = |Shown { screenshot_id, agent_id, place, masks, png }: Shown| {
        let project = project.clone();
        async move {
            let png = STANDARD.decode(png)?;
            let sent = Sent { project, agent_id, screenshot_id, png, note: Note { place, masks } };
            pictures.keep(sent, now_us()).await.map(drop).map_err(anyhow::Error::from)
        }
    };
    futures::stream::iter(shown.into_iter().map(keep)).buffer_unordered(ENCODED_AT_ONCE).try_collect().await
}

/// The project of that name, made where there is none.
async fn project(store: &Store, name: &str, end_activity: &str) -> Result<Project> {
    let control = store.control();
    if let Some(project) = control.find_project(name).await? {
        return Ok(project);
    }
    let project = control.create_project(name, ProjectKind::Sample, now_us()).await?;
    let rule = CaseRule::Activities { start_activity: None, end_activity: Some(end_activity.into()) };
    control.update_project(&project.id, &project.name, &rule).await?;
    Ok(project)
}

async fn import(
    store: &Store,
    project: &Project,
    logs: impl IntoIterator<Item = (&'static str, &'static [u8])>,
) -> Result<()> {
    for (name, log) in logs {
        let path = store.settings().folder.join("staging").join(format!("sample-{name}"));
        std::fs::write(&path, log)?;
        let id = Uuid::now_v7().to_string();
        let request = Request { id, project: project.id.clone(), name: name.to_owned(), path, map: Vec::new() };
        let record = importing::import_file(store, &request, &Arc::new(Progress::default())).await;
        std::fs::remove_file(&request.path)?;
        record?;
    }
    let batch = Uuid::now_v7().to_string();
    let runner = Runner::new(store.clone(), Scripts::none(store.settings()));
    runner.run(&project.id, &batch, &Selection::Stale, |_, _| {}).await?;
    Ok(())
}
