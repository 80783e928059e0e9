//! `lode backup` and `lode restore`.

use super::{ExitKind, print};
use crate::jobs::runner::now_us;
use anyhow::Result;
use clap::Args;
use indicatif::HumanBytes;
use serde_json::json;
use std::path::{Path, PathBuf};
use store::{Store, backup};

#[derive(Debug, Args)]
pub struct Backup {
    /// The archive to write, such as lode-2026-03-31.tar.zst
    file: PathBuf,
}

impl Backup {
    pub async fn run(self, store: &Store, as_json: bool) -> Result<ExitKind> {
        let list = store.backup(&self.file, now_us()).await?;
        report(as_json, "saved", &list);
        Ok(ExitKind::Done)
    }
}

#[derive(Debug, Args)]
pub struct Restore {
    /// The archive
    file: PathBuf,
    /// Only compare the archive with its own list of sizes and hashes
    #[arg(long)]
    check: bool,
}

impl Restore {
    pub async fn run(self, folder: &Path, as_json: bool) -> Result<ExitKind> {
        if self.check {
            return Ok(match backup::check(&self.file) {
                Ok(list) => {
                    report(as_json, "whole", &list);
                    ExitKind::Done
                }
                Err(error) => {
                    eprintln!("lode: {error}");
                    ExitKind::Unwell
                }
            });
        }
        let list = backup::restore(&self.file, folder).await?;
        report(as_json, "restored", &list);
        Ok(ExitKind::Done)
    }
}

fn report(as_json: bool, what: &str, list: &backup::BackupList) {
    let bytes: u64 = list.files.iter().map(|file| file.bytes).sum();
    let value = json!({ "state": what, "files": list.files.len(), "bytes": bytes });
    print(as_json, &value, || format!("{} files, {}: {what}", list.files.len(), HumanBytes(bytes)));
}
