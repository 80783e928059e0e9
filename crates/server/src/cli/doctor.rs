//! `lode doctor`: looks at everything a healthy installation needs and says what to do about the rest.

use super::{ExitKind, print};
use crate::jobs::catalog::Catalog;
use crate::scripts::Scripts;
use anyhow::Result;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::files::hex;
use store::{Settings, Store, StoreError};

/// One thing that was looked at.
struct Finding {
    name: &'static str,
    well: bool,
    said: String,
}

pub async fn run(settings: &Settings, scripts: &Scripts, as_json: bool) -> Result<ExitKind> {
    let mut findings = vec![folder(settings), python(scripts).await];
    match Store::open(settings.clone()).await {
        Ok(store) => {
            findings.push(Finding {
                name: "control database",
                well: true,
                said: format!("{} answers", store.control().kind()),
            });
            findings.push(files(&store).await?);
            findings.push(jobs(&store).await?);
        }
        Err(error @ StoreError::Locked(_)) => findings.push(Finding {
            name: "data folder",
            well: true,
            said: format!("{error}; what it holds was not looked at"),
        }),
        Err(error) => findings.push(Finding { name: "data folder", well: false, said: error.to_string() }),
    }
    let well = findings.iter().all(|finding| finding.well);
    let value: Vec<Value> = findings
        .iter()
        .map(|finding| json!({ "check": finding.name, "well": finding.well, "said": finding.said }))
        .collect();
    print(as_json, &json!({ "well": well, "checks": value }), || {
        let row = |finding: &Finding| {
            format!("{} {:18} {}", if finding.well { "ok " } else { "BAD" }, finding.name, finding.said)
        };
        findings.iter().map(row).collect::<Vec<_>>().join("\n")
    });
    Ok(if well { ExitKind::Done } else { ExitKind::Unwell })
}

fn folder(settings: &Settings) -> Finding {
    let folder = &settings.folder;
    let probe = folder.join(".lode-doctor");
    let result = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&probe, b"probe"))
        .and_then(|()| std::fs::remove_file(&probe));
    match result {
        Ok(()) => Finding { name: "folder", well: true, said: format!("'{}' can be written", folder.display()) },
        Err(error) => Finding {
            name: "folder",
            well: false,
            said: format!("'{}' cannot be written: {error}; choose another with --data", folder.display()),
        },
    }
}

/// The interpreter of jobs that are scripts. Not to have one is well.
async fn python(scripts: &Scripts) -> Finding {
    let (well, said) = match scripts.python().await {
        _ if !scripts.has_python() => {
            (true, "none is set; jobs in Python are refused until --python names one".to_owned())
        }
        Ok(python) => (true, format!("'{}' is Python {}", python.program.display(), python.version)),
        Err(error) => (false, error.to_string()),
    };
    Finding { name: "python", well, said }
}

async fn files(store: &Store) -> Result<Finding> {
    let Some(folder) = store.files().folder() else {
        return Ok(Finding { name: "files", well: true, said: "in an object store; not looked at".into() });
    };
    let (mut count, mut damaged) = (0, Vec::new());
    for (path, _, sha256, live) in store.control().known_files().await? {
        if !live {
            continue;
        }
        count += 1;
        let found = std::fs::read(folder.join(&path)).map(|bytes| hex(&Sha256::digest(&bytes)));
        if !found.is_ok_and(|found| found == sha256) {
            damaged.push(path);
        }
    }
    let said = match damaged.first() {
        None => format!("{count} files are as they were written"),
        Some(first) => format!(
            "{} of {count} files are damaged or missing, the first is '{first}'; restore them from a backup, or import the logs again",
            damaged.len()
        ),
    };
    Ok(Finding { name: "files", well: damaged.is_empty(), said })
}

async fn jobs(store: &Store) -> Result<Finding> {
    let mut wrong = Vec::new();
    for project in store.control().projects().await? {
        if let Err(error) = Catalog::new(&store.control().job_overrides(&project.id).await?) {
            wrong.push(format!("{}: {error}", project.name));
        }
        for run in store.control().last_runs(&project.id).await? {
            if let Some(error) = run.error.filter(|_| run.state == "failed") {
                wrong.push(format!("{}: job {}: {error}", project.name, run.job));
            }
        }
    }
    let well = wrong.is_empty();
    Ok(Finding {
        name: "jobs",
        well,
        said: if well { "no job failed in its last run".into() } else { wrong.join("; ") },
    })
}
