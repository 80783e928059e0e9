//! `lode config`: client configurations as files: check them, run them over a recorded log, print the XML Schema.

use super::{ExitKind, print};
use crate::configuring::check;
use crate::import::{self, Options, Reader};
use crate::jobs::runner::now_us;
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use serde_json::json;
use std::fmt::Write;
use std::fs::File;
use std::path::{Path, PathBuf};
use uilog::policy::{self, Configuration, Policy, Preview, Variables};
use uilog::{Event, schema};

/// Events of a sample at most.
const SAMPLE_EVENTS_MAX: usize = 2_000_000;

/// Events that are read at once.
const CHUNK_EVENTS: usize = 4_096;

/// Name of the XML Schema among the generated files.
const XSD: &str = "schemas/lode-config-1.xsd";

/// What to do with a configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a configuration: every error with line and column, its tests, what it changes
    Check {
        /// The configuration
        file: PathBuf,
        /// The one that is obeyed now
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
    /// Run a configuration over a recorded log, and show what would be sent
    Test {
        /// The configuration
        file: PathBuf,
        /// A log in any format that `lode import` reads, but Parquet
        #[arg(long, value_name = "FILE")]
        log: PathBuf,
    },
    /// Print the XML Schema
    Schema,
}

impl ConfigCommand {
    /// Does it. A configuration with errors ends with exit code 2.
    pub fn run(self, as_json: bool) -> Result<ExitKind> {
        match self {
            Self::Check { file, against } => check_file(&file, against.as_deref(), as_json),
            Self::Test { file, log } => test_file(&file, &log, as_json),
            Self::Schema => {
                let files = schema::generated();
                let (_, text) = files.iter().find(|(path, _)| *path == XSD).context("there is no schema")?;
                print!("{text}");
                Ok(ExitKind::Done)
            }
        }
    }
}

fn check_file(file: &Path, against: Option<&Path>, as_json: bool) -> Result<ExitKind> {
    let xml = read(file)?;
    let published = against.map(parse_file).transpose()?;
    let checked = check(&xml, published.as_ref(), now_us());
    let name = file.display().to_string();
    let answer = json!({
        "valid": checked.valid(), "problems": checked.problems, "tests": checked.tests, "changes": checked.changes,
    });
    print(as_json, &answer, || {
        let mut text: String = checked.problems.iter().map(|problem| problem.in_file(&name) + "\n").collect();
        for change in &checked.changes {
            let _ = writeln!(text, "{} {}", if change.widens { "+" } else { " " }, change.text);
        }
        let passed = checked.tests.iter().filter(|test| test.passed).count();
        let verdict = if checked.valid() { "valid" } else { "not valid" };
        let _ = write!(text, "{name}: {verdict}; {passed} of {} tests passed", checked.tests.len());
        text
    });
    Ok(if checked.valid() { ExitKind::Done } else { ExitKind::Usage })
}

fn test_file(file: &Path, log: &Path, as_json: bool) -> Result<ExitKind> {
    let configuration = parse_file(file)?;
    let compiled = Policy::compile(&configuration, &Variables::default());
    let policy = compiled.map_err(|problems| described(file, &problems))?;
    let tests = policy::run_tests(&configuration).map_err(|problems| described(file, &problems))?;
    let (events, rejected) = read_log(log)?;
    let preview = policy::preview(&policy, events);
    let passed = tests.iter().filter(|test| test.passed).count();
    print(as_json, &json!({ "preview": preview, "tests": tests, "rejected": rejected }), || {
        table(&preview, passed, tests.len(), rejected)
    });
    Ok(if passed == tests.len() { ExitKind::Done } else { ExitKind::Usage })
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read the configuration '{}'", file.display()))
}

fn parse_file(file: &Path) -> Result<Configuration> {
    policy::parse(&read(file)?).map_err(|problems| described(file, &problems))
}

fn described(file: &Path, problems: &[policy::Problem]) -> anyhow::Error {
    let name = file.display().to_string();
    let lines: Vec<String> = problems.iter().map(|problem| problem.in_file(&name)).collect();
    anyhow::anyhow!("the configuration has errors:\n{}", lines.join("\n"))
}

/// Events of a log, and how many rows are none.
fn read_log(log: &Path) -> Result<(Vec<Event>, usize)> {
    let file = File::open(log).with_context(|| format!("cannot open '{}'", log.display()))?;
    let Reader::Rows(mut rows) = import::open_file(file, &Options::default())? else {
        bail!("'{}' is a Parquet file; give a log as it was recorded: CSV, JSON or XES", log.display());
    };
    let (mut events, mut rejected) = (Vec::new(), 0);
    loop {
        let mut bad = Vec::new();
        let read = rows.next(&mut events, &mut bad, CHUNK_EVENTS)?;
        rejected += bad.len();
        if read == 0 || events.len() >= SAMPLE_EVENTS_MAX {
            return Ok((events, rejected));
        }
    }
}

fn table(preview: &Preview, passed: usize, tests: usize, rejected: usize) -> String {
    let mut text = format!(
        "{} events, {} users, {} days; {passed} of {tests} tests passed; never matched: {} rules",
        preview.events,
        preview.users,
        preview.days,
        preview.never_matched.len()
    );
    if rejected > 0 {
        let _ = write!(text, "; {rejected} rows could not be read");
    }
    let wide = preview.rules.iter().map(|rule| rule.rule.chars().count()).max().unwrap_or(0).max(24);
    let _ = write!(
        text,
        "\n{:<wide$} {:>9} {:>8} {:>7} {:>9} {:>8} {:>12} {:>15}",
        "rule", "admitted", "columns", "hashed", "replaced", "dropped", "screenshots", "bytes/day/user"
    );
    for rule in &preview.rules {
        let _ = write!(
            text,
            "\n{:<wide$} {:>9} {:>8} {:>7} {:>9} {:>8} {:>12} {:>15}",
            rule.rule,
            rule.admitted,
            rule.columns,
            rule.hashed,
            rule.replaced,
            rule.dropped,
            rule.screenshots,
            rule.bytes_per_day_user
        );
    }
    text.push_str("\nWhat the log was recorded without, this cannot show.");
    text
}
