//! `lode export`: a project's event log for other tools.

use super::{ExitKind, print};
use crate::exporting::{self, LogFormat};
use anyhow::{Result, anyhow};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
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
        let project = store.control().project(&self.project).await?;
        let partial = self.out.with_extension("partial");
        let written = exporting::export_log(store, &project.id, self.format, &partial).await;
        let events = written.inspect_err(|_| {
            let _ = std::fs::remove_file(&partial);
        })?;
        std::fs::rename(&partial, &self.out)
            .map_err(|error| anyhow!("cannot write '{}': {error}", self.out.display()))?;
        let value = json!({ "file": self.out.display().to_string(), "format": self.format.name(), "events": events });
        print(as_json, &value, || format!("{events} events written to {}", self.out.display()));
        Ok(ExitKind::Done)
    }
}
