//! `lode export`: a project's event log for other tools.

use super::remote::Remote;
use super::{ExitKind, print};
use crate::exporting::{self, LogFormat};
use anyhow::{Context, Result};
use clap::Args;
use indicatif::HumanBytes;
use serde_json::json;
use std::path::{Path, PathBuf};
use store::Store;

#[derive(Debug, Args)]
pub struct Export {
    /// The project
    #[arg(long)]
    project: String,
    /// parquet, csv, xes, ocel-json or ocel-sqlite (ocel is ocel-json)
    #[arg(long, value_parser = LogFormat::parse)]
    format: LogFormat,
    /// The file to write; it appears when it is complete
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Export {
    pub async fn run(self, store: &Store, as_json: bool) -> Result<ExitKind> {
        let partial = self.out.with_extension("partial");
        let project = store.control().project(&self.project).await?;
        let events =
            self.completed(&partial, exporting::export_log(store, &project.id, self.format, &partial).await)?;
        let value = json!({ "file": self.out.display().to_string(), "format": self.format.name(), "events": events });
        print(as_json, &value, || format!("{events} events written to {}", self.out.display()));
        Ok(ExitKind::Done)
    }

    /// The same from a service, under the rights of a token.
    pub async fn run_at(self, remote: &Remote, as_json: bool) -> Result<ExitKind> {
        let partial = self.out.with_extension("partial");
        let path = format!("/projects/{}/export?format={}", self.project, self.format.name());
        let bytes = self.completed(&partial, remote.save(&path, &partial).await)?;
        let value = json!({ "file": self.out.display().to_string(), "format": self.format.name(), "bytes": bytes });
        print(as_json, &value, || format!("{} written to {}", HumanBytes(bytes), self.out.display()));
        Ok(ExitKind::Done)
    }

    /// Gives a file that was written its name; nothing is left of one that was not.
    fn completed<T, E: Into<anyhow::Error>>(&self, partial: &Path, written: Result<T, E>) -> Result<T> {
        let written = written.map_err(Into::into).and_then(|written| {
            std::fs::rename(partial, &self.out).with_context(|| format!("cannot write '{}'", self.out.display()))?;
            Ok(written)
        });
        written.inspect_err(|_| {
            let _ = std::fs::remove_file(partial);
        })
    }
}
