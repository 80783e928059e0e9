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

mod desktop;
mod extension;
mod wayland;
mod windows;

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
    ("client", client),
    ("desktop", desktop::run),
    ("wayland", wayland::run),
    ("extension", extension::run),
    ("windows", windows::run),
    ("lints", lints),
    ("licences", licences),
    ("oracle", oracle),
    ("clients", clients),
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
    let arguments = ["test", "--workspace", "--exclude", "agent", "--quiet"];
    command::run(program("cargo").args(arguments).env("LODE_TEST_POSTGRES", postgres.url()))?;
    Ok(Outcome::Passed)
}

/// The desktop client, built alone: its features together with the engine's would compile the engine anew.
fn client() -> Result<Outcome> {
    let no_strace = setup::for_client().err();
    build_lode()?;
    let mut cargo = program("cargo");
    cargo.args(["test", "--package", "agent", "--quiet"]).env("LODE_BIN", lode());
    if no_strace.is_some() {
        cargo.args(["--", "--skip", "contacts::"]);
    }
    command::run(&mut cargo)?;
    Ok(match no_strace {
        Some(error) => {
            Outcome::Skipped(format!("all passed, but whom the client connects to was not looked at: {error:#}"))
        }
        None => Outcome::Passed,
    })
}

fn lints() -> Result<Outcome> {
    for packages in [&["--workspace", "--exclude", "agent"][..], &["--package", "agent"]] {
        let mut clippy = program("cargo");
        clippy.arg("clippy").args(packages).args(["--all-targets", "--quiet", "--", "--deny", "warnings"]);
        command::run(&mut clippy)?;
    }
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

/// Other programs read a project's tables: clients of PostgreSQL, and the Python package.
fn clients() -> Result<Outcome> {
    build_lode()?;
    let clients = root().join("crates/server/tests/clients");
    let python = || {
        let mut python = program(setup::venv().join("bin/python"));
        python.env("LODE_BIN", lode()).env("PYTHONDONTWRITEBYTECODE", "1");
        python
    };
    command::run(python().arg(clients.join("clients.py")))?;
    let path = std::env::join_paths([root().join("python/src"), clients])?;
    let package = root().join("python/tests");
    command::run(python().env("PYTHONPATH", path).args(["-m", "unittest", "discover"]).arg(package))?;
    Ok(Outcome::Passed)
}

/// The pages, in a real browser, on the real service: those that show a log over `lode demo`, those of people and fleet over
/// `lode serve`, from the first account on, and those of pictures.
fn browser() -> Result<Outcome> {
    setup::build_pages()?;
    build_lode()?;
    let walk = |script: &str, service: &Service| {
        let mut npm = program("npm");
        npm.args(["run", "--silent", script]).current_dir(root().join("web")).env("LODE_URL", &service.url);
        if let Some(token) = &service.setup_token {
            npm.env("LODE_SETUP_TOKEN", token).env("LODE_FLEET", fleet());
        }
        command::run(&mut npm)
    };
    walk("e2e", &Service::start("demo")?)?;
    walk("e2e:service", &Service::start("serve")?)?;
    walk("e2e:viewer", &Service::start("serve")?)?;
    Ok(Outcome::Passed)
}

/// The command that runs simulated clients for as long as the walk takes; address and app key follow it.
fn fleet() -> String {
    let simulate = "simulate --clients 3 --every-ms 500 --seconds 300";
    format!("sh -c 'exec {} {simulate} --server \"$0\" --key \"$1\"'", lode().display())
}

pub fn build_client() -> Result<()> {
    command::run(program("cargo").args(["build", "--package", "agent", "--bin", "lode-agent", "--quiet"]))
}

/// Builds the service's program, unless one is given.
pub fn build_lode() -> Result<()> {
    if command::given_lode().is_some() {
        return Ok(());
    }
    command::run(program("cargo").args(["build", "--package", "server", "--bin", "lode", "--quiet"]))
}

/// `lode demo` or `lode serve` on a free port with a new data folder; gone with the guard.
pub struct Service {
    process: Child,
    folder: PathBuf,
    /// Where it listens.
    pub url: String,
    /// With which the first account is made, where accounts are needed.
    setup_token: Option<String>,
}

impl Service {
    /// Starts one in a new folder and waits until it says where it listens.
    pub fn start(mode: &str) -> Result<Self> {
        let folder = scratch(mode);
        std::fs::create_dir_all(&folder)?;
        let mut lode = command::bound(lode());
        lode.args([mode, "--listen", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
        lode.arg("--master-key").arg(folder.join("master.key"));
        if mode == "serve" {
            lode.args(["--backup-every", "0", "--backups"]).arg(folder.join("backups"));
        }
        let mut process = lode.stdout(Stdio::piped()).spawn().context("cannot start lode")?;
        let output = process.stdout.take().context("lode has no output")?;
        let mut lines = BufReader::new(output).lines();
        let mut said = || -> Result<String> { Ok(lines.next().context("lode said nothing more")??) };
        let word = |line: &str| line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned);
        let url = word(&said()?).context("lode did not say where it listens")?;
        let setup_token = match mode {
            "serve" => {
                let link = word(&said()?).context("lode did not say how the first account is made")?;
                Some(link.split_once("/setup#").context("the link holds no token")?.1.to_owned())
            }
            _ => None,
        };
        Ok(Self { process, folder, url, setup_token })
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
pub struct Postgres {
    folder: PathBuf,
    bin: PathBuf,
}

impl Postgres {
    /// Starts one in a new folder.
    pub fn start() -> Result<Self> {
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

    /// How it is reached.
    pub fn url(&self) -> String {
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
