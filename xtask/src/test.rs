//! `cargo xtask test`: every test, in steps; the last line counts them.
//!
//! A step that this machine cannot run is named and counted as skipped, never as passed.

use crate::command::{self, ask, lode, program, root};
use crate::{codegen, setup, tidy};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Instant;

/// How a step ended.
enum Outcome {
    Passed,
    Skipped(String),
}

type Step = (&'static str, fn() -> Result<Outcome>);

/// Every step, cheapest first.
const STEPS: &[Step] = &[
    ("format", format),
    ("generated", generated),
    ("tidy", tidied),
    ("web", web),
    ("rust", rust),
    ("lints", lints),
    ("licences", licences),
    ("oracle", oracle),
    ("browser", browser),
];

/// Sets up and runs every step, or those named.
///
/// Errors: the steps that failed; all of them are run first.
pub fn run(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|(step, _)| step != name)) {
        bail!(
            "there is no step '{unknown}'; there are {}",
            STEPS.iter().map(|(step, _)| *step).collect::<Vec<_>>().join(", ")
        );
    }
    setup::for_demo()?;
    setup::for_tests()?;
    let (mut passed, mut failed, mut skipped) = (0, Vec::new(), 0);
    for (name, step) in STEPS.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|wanted| wanted == name)) {
        eprintln!("── {name}");
        let started = Instant::now();
        let seconds = || started.elapsed().as_secs();
        match step() {
            Ok(Outcome::Passed) => {
                passed += 1;
                eprintln!("── {name}: passed ({} s)", seconds());
            }
            Ok(Outcome::Skipped(why)) => {
                skipped += 1;
                eprintln!("── {name}: SKIPPED: {why}");
            }
            Err(error) => {
                eprintln!("── {name}: FAILED ({} s): {error:#}", seconds());
                failed.push(*name);
            }
        }
    }
    println!("steps: {passed} passed, {} failed, {skipped} skipped", failed.len());
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}

fn format() -> Result<Outcome> {
    command::run(program("cargo").args(["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed)
}

fn generated() -> Result<Outcome> {
    codegen::run(&["--check".to_owned()])?;
    Ok(Outcome::Passed)
}

fn tidied() -> Result<Outcome> {
    tidy::run()?;
    Ok(Outcome::Passed)
}

fn web() -> Result<Outcome> {
    setup::build_pages()?;
    for script in ["lint", "test", "size"] {
        command::run(program("npm").args(["run", "--silent", script]).current_dir(root().join("web")))?;
    }
    Ok(Outcome::Passed)
}

/// Unit, integration and documentation tests; those of the control database run on PostgreSQL too.
fn rust() -> Result<Outcome> {
    setup::build_pages()?;
    let postgres = Postgres::start()?;
    command::run(program("cargo").args(["test", "--workspace", "--quiet"]).env("LODE_TEST_POSTGRES", postgres.url()))?;
    Ok(Outcome::Passed)
}

fn lints() -> Result<Outcome> {
    command::run(program("cargo").args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "--deny",
        "warnings",
    ]))?;
    Ok(Outcome::Passed)
}

fn licences() -> Result<Outcome> {
    if ask(program("cargo").args(["deny", "--version"])).is_none() {
        return Ok(Outcome::Skipped("cargo-deny is not installed; cargo install cargo-deny".into()));
    }
    command::run(program("cargo").args(["deny", "--offline", "check", "licenses", "bans", "sources"]))?;
    Ok(Outcome::Passed)
}

/// Answers and exports compared with other programs' on the same logs.
fn oracle() -> Result<Outcome> {
    build_lode()?;
    let logs = root().join("fixtures/sample-data/leno-real");
    let mut oracle = program(setup::venv().join("bin/python"));
    oracle.arg(root().join("crates/server/tests/oracle/oracle.py")).env("LODE_BIN", lode());
    command::run(oracle.args(["Reimbursement.csv.zst", "StudentRecord.csv.zst"].map(|log| logs.join(log))))?;
    Ok(Outcome::Passed)
}

/// The pages, in a real browser, on the real service.
fn browser() -> Result<Outcome> {
    setup::build_pages()?;
    build_lode()?;
    let service = Service::start()?;
    command::run(
        program("npm").args(["run", "--silent", "e2e"]).current_dir(root().join("web")).env("LODE_URL", &service.url),
    )?;
    Ok(Outcome::Passed)
}

fn build_lode() -> Result<()> {
    command::run(program("cargo").args(["build", "--package", "server", "--bin", "lode", "--quiet"]))
}

/// `lode demo` on a free port with a new data folder; gone with the guard.
struct Service {
    process: Child,
    folder: PathBuf,
    url: String,
}

impl Service {
    fn start() -> Result<Self> {
        let folder = scratch("service");
        let mut process = program(lode())
            .args(["demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(&folder)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start lode")?;
        let mut line = String::new();
        let output = process.stdout.take().context("lode has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .context("lode did not say where it listens")?;
        Ok(Self { process, folder, url: url.to_owned() })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A PostgreSQL of its own, reachable through a socket in its folder.
struct Postgres {
    folder: PathBuf,
    bin: PathBuf,
}

impl Postgres {
    fn start() -> Result<Self> {
        let bin = setup::postgres_folder().context("PostgreSQL's server programs are not in /usr/lib/postgresql")?;
        let server = Self { folder: scratch("postgres"), bin };
        std::fs::create_dir_all(&server.folder)?;
        let data = server.folder.join("data");
        server.command("initdb", &["-A", "trust", "-U", "lode", "--no-sync", "-D"], &data)?;
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{}'", server.folder.display());
        server.command(
            "pg_ctl",
            &["-w", "-s", "-l", &server.folder.join("log").display().to_string(), "-o", &options, "start", "-D"],
            &data,
        )?;
        Ok(server)
    }

    fn url(&self) -> String {
        format!("postgres://lode@localhost/postgres?host={}", self.folder.display())
    }

    /// PostgreSQL refuses to run as root; then it runs as its own user.
    fn command(&self, name: &str, arguments: &[&str], data: &std::path::Path) -> Result<()> {
        let as_root = ask(program("id").arg("-u")).as_deref() == Some("0");
        let mut command = if as_root {
            command::run(program("chown").arg("-R").arg("postgres").arg(&self.folder))?;
            let mut command = program("runuser");
            command.args(["-u", "postgres", "--"]).arg(self.bin.join(name));
            command
        } else {
            program(self.bin.join(name))
        };
        command::run(command.args(arguments).arg(data).current_dir("/").stdout(Stdio::null()))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        let _ = self.command("pg_ctl", &["-m", "immediate", "-s", "stop", "-D"], &data);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("lode-{name}-{}", std::process::id()))
}
