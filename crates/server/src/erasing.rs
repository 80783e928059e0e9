//! Erases a participant: rows, tables, what is on its way, then a signed certificate of what was found (promise D8).
//!
//! An erasure is written down before it begins and stays open until its certificate is kept; one that was interrupted is
//! taken up again at the next start ([`repeat`]), or with the next round of [`crate::retention`]. Doing it twice finds nothing the
//! second time. Data that is older, from a backup, is erased again at the start too.

use crate::api::AppState;
use crate::audit;
use crate::erasure_list::ErasureList;
use crate::jobs::runner::{Selection, now_us};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::StoreError;
use store::control::erasures::Erasure;
use store::files::hex;
use uilog::planted;

/// What stands before a certificate in the signed bytes.
const CERTIFICATE_CONTEXT: &str = "lode-erasure-1\n";

/// Erases what an erasure names, and ends it.
///
/// Errors: the store's; the erasure stays open then.
pub async fn erase(state: &AppState, erasure: &Erasure) -> Result<()> {
    let store = &state.store;
    let pictures = store.remove_pictures_of(&erasure.project, &erasure.subject).await?;
    let erased = store.erase_agent(&erasure.project, &erasure.subject, now_us()).await?;
    store.leave_no_trace().await?;
    // A run that had begun before may have made a table from the old files: this one comes after it.
    let batch = uuid::Uuid::now_v7().to_string();
    state.runner.run(&erasure.project, &batch, &Selection::Stale, |_, _| {}).await.context("the tables")?;
    store.leave_no_trace().await?;
    let done_us = now_us();
    let found = json!({
        "erasure": erasure.id,
        "project": erasure.project,
        "subject": erasure.subject,
        "asked_at_us": erasure.asked_at_us,
        "done_at_us": done_us,
        "rows": erased.rewritten.rows_removed,
        "marts": erased.tables,
        "pictures": pictures,
        "dead_letters": erased.removed.dead_letters,
        "batches": erased.removed.batches,
        "files_rewritten": erased.rewritten.files_before,
    });
    let text = found.to_string();
    let (key, signature) =
        audit::sign(store.control(), &state.identity.sealer, &format!("{CERTIFICATE_CONTEXT}{text}")).await?;
    let digest = hex(&Sha256::digest(&text));
    let mut certificate = found;
    for (name, value) in [("text", text), ("sha256", digest.clone()), ("key", key), ("signature", signature)] {
        certificate[name] = Value::String(value);
    }
    let detail = json!({ "sha256": digest, "rows": erased.rewritten.rows_removed });
    let subject = Some(("erasure", erasure.id.as_str()));
    let (control, project) = (store.control(), Some(erasure.project.as_str()));
    audit::record(control, audit::service(), "erasure.done", project, subject, detail, done_us).await?;
    control.end_erasure(&erasure.id, &certificate.to_string(), done_us).await?;
    Ok(())
}

/// Erases without anybody waiting.
pub fn in_background(state: AppState, erasure: Erasure) {
    tokio::spawn(async move {
        if let Err(error) = erase(&state, &erasure).await {
            let error = format!("{error:#}");
            tracing::error!(
                error,
                erasure = erasure.id,
                "an erasure is not complete; it is tried again within the hour"
            );
        }
    });
}

/// The list of erasures that outlives the data.
pub fn list(state: &AppState) -> ErasureList {
    ErasureList::beside(state.identity.sealer.path())
}

/// Erases once more whom a backup brought back that was made before: every erasure of the list which the control data does not
/// know as complete. Nobody is let in before this is done.
///
/// Errors: the list cannot be read; one could not be erased.
pub async fn repeat(state: &AppState) -> Result<()> {
    let control = state.store.control();
    for erasure in list(state).read()? {
        let known = if_there(control.erasure(&erasure.project, &erasure.id).await)?;
        let is_complete = known.as_ref().is_some_and(|known| known.done_at_us.is_some());
        let project = if_there(control.project(&erasure.project).await)?;
        if is_complete || project.is_none() || planted::is("backup-undoes-erasure") {
            continue;
        }
        if known.is_none() {
            tracing::warn!(erasure = erasure.id, "the data is older than an erasure: it is done once more");
            control.put_erasure(&erasure).await?;
        }
        erase(state, &erasure).await.with_context(|| format!("erasure {} at the start", erasure.id))?;
    }
    Ok(())
}

/// What was found, if it is there; a database that cannot tell is an error, and not an absence.
fn if_there<T>(found: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes up every erasure that is not complete.
///
/// Errors: of the last one that failed; the others are done all the same.
pub async fn resume(state: &AppState) -> Result<()> {
    let mut result = Ok(());
    for erasure in state.store.control().open_erasures().await? {
        if let Err(error) = erase(state, &erasure).await {
            result = Err(error.context(format!("erasure {}", erasure.id)));
        }
    }
    result
}
