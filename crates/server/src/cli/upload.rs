//! A log on its way to a service: sent as it lies on the disk, then followed until the tables made of it are there. What is in it
//! is not looked at on this side: the service recognises the form, and tells of the rows that it could not read.

use super::remote::Remote;
use anyhow::{Context, Result};
use futures::StreamExt;
use indicatif::ProgressBar;
use reqwest::{Body, Method};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio_util::io::ReaderStream;

/// How often the service is asked how far it is.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(300);

/// The project that is meant by a name or a slug; made where the caller has none of that name.
///
/// Errors: the service's; it refuses a name that somebody else's project has.
pub async fn project_at(remote: &Remote, name: &str) -> Result<String> {
    let listed = remote.json(Method::GET, "/projects", None).await?;
    let mut projects = listed["projects"].as_array().into_iter().flatten();
    let known =
        projects.find(|project| [&project["slug"], &project["name"], &project["id"]].iter().any(|it| *it == name));
    let project = match known {
        Some(project) => project.clone(),
        None => remote.json(Method::POST, "/projects", Some(&json!({ "name": name, "kind": "imported" }))).await?,
    };
    project["slug"].as_str().map(str::to_owned).context("the service named no project")
}

/// A log that is to be sent.
pub struct Upload<'a> {
    /// The project's slug.
    pub project: &'a str,
    pub file: &'a Path,
    /// The name under which it is imported.
    pub name: &'a str,
    /// Which of its columns is which field, as the command line has it.
    pub map: &'a str,
    /// Whether the tables must be there too.
    pub with_jobs: bool,
}

impl Upload<'_> {
    /// Sends and follows; answers with the import as the service shows it at the end.
    ///
    /// Errors: the file's; the network's; the service's. A log that it could not read is no error here but an import that failed.
    pub async fn run(&self, remote: &Remote, bar: &ProgressBar) -> Result<Value> {
        let cannot = || format!("cannot read '{}'", self.file.display());
        let file = tokio::fs::File::open(self.file).await.with_context(cannot)?;
        bar.set_length(file.metadata().await.with_context(cannot)?.len());
        bar.set_message("sending");
        let sent = bar.clone();
        let chunks = ReaderStream::new(file).inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                sent.inc(chunk.len() as u64);
            }
        });
        let query = [("file", self.name), ("map", self.map)];
        let path = format!("/projects/{}/imports", self.project);
        let mut import = remote.send_file(&path, &query, Body::wrap_stream(chunks)).await?;
        let id = import["id"].as_str().context("the service named no import")?.to_owned();
        while !self.is_over(&import) {
            bar.set_position(import["bytes_read"].as_u64().unwrap_or(0));
            bar.set_message(import["state"].as_str().unwrap_or_default().replace('_', " "));
            tokio::time::sleep(FOLLOW_INTERVAL).await;
            let asked = remote.json(Method::GET, &format!("{path}/{id}"), None).await;
            import =
                asked.with_context(|| format!("the service has the log as import {id}, and goes on without us"))?;
        }
        Ok(import)
    }

    fn is_over(&self, import: &Value) -> bool {
        match import["state"].as_str() {
            Some("reading" | "storing") => false,
            Some("running_jobs") => !self.with_jobs,
            _ => true,
        }
    }

    /// Saves the rows that an import could not read beside the log.
    ///
    /// Errors: the service's; the disk's.
    pub async fn save_rejects(&self, remote: &Remote, import: &Value) -> Result<std::path::PathBuf> {
        let id = import["id"].as_str().unwrap_or_default();
        let beside = self.file.with_file_name(format!("{}.rejects.csv", self.name));
        remote.save(&format!("/projects/{}/imports/{id}/rejects", self.project), &beside).await?;
        Ok(beside)
    }
}
