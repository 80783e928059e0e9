//! `lode backup` and `lode restore`.

use super::import::bar;
use super::{ExitKind, print};
use crate::jobs::runner::now_us;
use anyhow::Result;
use clap::Args;
use indicatif::HumanBytes;
use serde_json::json;
use std::path::{Path, PathBuf};
use store::{Store, backup};

/// What stands for standard output or input.
const STANDARD: &str = "-";

/// The file that is standard input.
const STANDARD_INPUT: &str = "/dev/stdin";

#[derive(Debug, Args)]
pub struct Backup {
    /// The archive to write, such as lode-2026-03-31.tar.zst; - for standard output
    file: PathBuf,
}

impl Backup {
    pub async fn run(self, store: &Store, as_json: bool) -> Result<ExitKind> {
        let bar = bar("saving");
        let progress = Box::new({
            let bar = bar.clone();
            move |done, total| {
                bar.set_length(total);
                bar.set_position(done);
            }
        });
        if self.file == Path::new(STANDARD) {
            store.write_backup(std::io::stdout(), now_us(), progress).await?;
            bar.finish_and_clear();
            return Ok(ExitKind::Done);
        }
        let list = store.backup(&self.file, now_us(), progress).await?;
        bar.finish_and_clear();
        report(as_json, "saved", &list);
        Ok(ExitKind::Done)
    }
}

#[derive(Debug, Args)]
pub struct Restore {
    /// The archive; - for standard input
    file: PathBuf,
    /// Only compare the archive with its own list of sizes and hashes
    #[arg(long)]
    check: bool,
}

impl Restore {
    pub async fn run(self, folder: &Path, as_json: bool) -> Result<ExitKind> {
        let file = if self.file == Path::new(STANDARD) { Path::new(STANDARD_INPUT) } else { &self.file };
        if self.check {
            return Ok(match backup::check(file) {
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
        let list = backup::restore(file, folder).await?;
        report(as_json, "restored", &list);
        Ok(ExitKind::Done)
    }
}

fn report(as_json: bool, what: &str, list: &backup::BackupList) {
    let bytes: u64 = list.files.iter().map(|file| file.bytes).sum();
    let value = json!({ "state": what, "files": list.files.len(), "bytes": bytes });
    print(as_json, &value, || format!("{} files, {}: {what}", list.files.len(), HumanBytes(bytes)));
}
