//! `cargo xtask bench`: how fast Lode answers seven questions over a large log, beside other engines.
//!
//! ```text
//! generate_log ─▶ log.parquet ─▶ lode import ─▶ lode job run ─▶ int_labeled_events/*.parquet
//!                                                                  │ the same files for all
//!                              lode sql ◀──────────────────────────┴──────▶ peers.py ENGINE
//! ```
//! Every answer comes from a process of its own; engines take turns; the median of three counts. Time is taken inside the
//! process around the question, and around the whole process. Answers must agree, or the bench fails. A run is no
//! test: it takes many minutes, and on a machine that does other things its figures mean nothing.

mod client;
mod measure;
mod questions;
mod report;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{command, setup, test};
use measure::{Measured, measure};
use questions::{QUESTIONS, Question};

/// Runs of each engine per question.
const RUNS: usize = 3;
/// PM4Py gets this share of the agents: it holds a log as Python objects.
const SAMPLE_SHARE: usize = 40;
const PROJECT: &str = "bench";

const USAGE: &str = "\
cargo xtask bench [--events 20000000] [--users 2000] [--days 30] [--seed 1] [--runs 3]
                  [--peers] [--only QUESTION,…] [--lode PATH] [--generator PATH] [--memory-mib 4096]

cargo xtask bench discovery [--curve] [FOLDER…]
                             scores on logs with known tasks, and how alike the tasks come out without half of the people; with
                             --curve the same under more and more noise; then events a second and bytes an event by size of the log
cargo xtask bench ingest [CLIENTS]
                             how many events a second the service takes in, and how long an acknowledgement takes; with so many
                             enrolled clients, also how long a heartbeat and a page of their list take
cargo xtask bench client     what lode-agent costs on a desktop at rest and at work, beside ActivityWatch; `client --help` says more
cargo xtask bench viewer     frames a second while 100,000 events scroll, and how soon the next picture is there

--peers      install DuckDB, Polars, chDB, DataFusion and PM4Py into a virtual environment and ask them too;
             without it those that are installed there already are asked
--only       ask these questions only: usage, sessions, directly_follows, variants, switches, copy_paste, people,
             directly_follows_sample, variants_sample
--lode       measure this program instead of building one; likewise --generator";

/// Scores discovery on the logs that ship and on those in the folders that are named, then measures speed and memory.
fn discovery(folders: &[String]) -> Result<()> {
    let shipped = command::root().join("crates/discovery/tests/data");
    let score = ["run", "--quiet", "-p", "discovery", "--example", "score", "--"];
    run_command(command::program(cargo()).args(score).arg(shipped).args(folders))?;
    run_command(command::program(cargo()).args(["bench", "--quiet", "-p", "discovery", "--bench", "discover"]))
}

/// Measures the viewer in Chromium over `lode demo`, whose sample has pictures.
fn viewer() -> Result<()> {
    setup::for_demo()?;
    setup::for_tests()?;
    setup::build_pages()?;
    test::build_lode()?;
    let service = test::Service::start("demo")?;
    let script = command::root().join("web/bench/viewer.mjs");
    command::run(command::program("node").arg(script).env("LODE_URL", &service.url))
}

/// What the command line asks for.
struct Options {
    events: usize,
    users: usize,
    days: usize,
    seed: u64,
    runs: usize,
    memory_mib: usize,
    install_peers: bool,
    only: Vec<String>,
    lode: Option<PathBuf>,
    generator: Option<PathBuf>,
}

/// Runs the benchmark with the arguments behind `bench`.
///
/// Errors: a step that fails, by name; answers that disagree.
pub fn run(arguments: &[String]) -> Result<()> {
    if arguments.first().is_some_and(|argument| argument == "client") {
        return client::run(&arguments[1..]);
    }
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{USAGE}");
        return Ok(());
    }
    if arguments.first().is_some_and(|argument| argument == "ingest") {
        let run = ["run", "-p", "server", "--example", "ingest", "--"];
        return run_command(command::program(cargo()).args(run).args(&arguments[1..]));
    }
    if arguments.first().is_some_and(|argument| argument == "discovery") {
        return discovery(&arguments[1..]);
    }
    if arguments.first().is_some_and(|argument| argument == "viewer") {
        return viewer();
    }
    let options = Options::parse(arguments)?;
    let bench = Bench::prepare(&options)?;
    let asked: Vec<&Question> = QUESTIONS.iter().filter(|question| options.asks(question.name)).collect();
    let mut results = Vec::new();
    let mut disagree = Vec::new();
    for question in asked {
        println!("\n{}: {}", question.name, question.title);
        let answers = bench.ask(question, options.runs)?;
        report::print_question(&answers);
        disagree.extend(answers.iter().filter(|answer| !answer.agrees).map(|answer| (question.name, answer.engine)));
        results.push(report::question_json(question.name, &answers));
    }
    let result = json!({
        "commit": bench.commit, "seed": options.seed, "events": options.events, "users": options.users,
        "days": options.days, "machine": report::machine(), "import": bench.import, "questions": results,
    });
    let path = bench.folder.join("result.json");
    std::fs::write(&path, format!("{result:#}\n")).with_context(|| format!("cannot write '{}'", path.display()))?;
    println!("\nwritten to {}", path.display());
    if let Some((question, engine)) = disagree.first() {
        bail!("{engine} and lode give different answers to '{question}' ({} in all)", disagree.len());
    }
    Ok(())
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options> {
        let mut options = Options {
            events: 20_000_000,
            users: 2_000,
            days: 30,
            seed: 1,
            runs: RUNS,
            memory_mib: 4_096,
            install_peers: false,
            only: Vec::new(),
            lode: None,
            generator: None,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--peers" {
                options.install_peers = true;
                continue;
            }
            let value = rest.next().with_context(|| format!("'{argument}' needs a value\n\n{USAGE}"))?;
            let wrong = || format!("'{value}' is no value for {argument}");
            match argument.as_str() {
                "--events" => options.events = value.parse().with_context(wrong)?,
                "--users" => options.users = value.parse().with_context(wrong)?,
                "--days" => options.days = value.parse().with_context(wrong)?,
                "--seed" => options.seed = value.parse().with_context(wrong)?,
                "--runs" => options.runs = value.parse().with_context(wrong)?,
                "--memory-mib" => options.memory_mib = value.parse().with_context(wrong)?,
                "--only" => options.only = value.split(',').map(str::to_owned).collect(),
                "--lode" => options.lode = Some(value.into()),
                "--generator" => options.generator = Some(value.into()),
                _ => bail!("'{argument}' is not known\n\n{USAGE}"),
            }
        }
        let unknown = options.only.iter().find(|name| QUESTIONS.iter().all(|question| question.name != **name));
        if let Some(unknown) = unknown {
            bail!("there is no question '{unknown}'\n\n{USAGE}");
        }
        Ok(options)
    }

    fn asks(&self, question: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == question)
    }
}

/// Everything that stands before the first question is asked.
struct Bench {
    lode: PathBuf,
    /// The virtual environment's Python, and the engines it has; none if there is no environment.
    python: PathBuf,
    engines: Vec<&'static str>,
    /// Where this log, its data folder and the result are.
    folder: PathBuf,
    data: PathBuf,
    /// The Parquet files all engines read.
    table: PathBuf,
    memory_mib: usize,
    sample_agents: usize,
    commit: String,
    /// How long import and labelling took; null if they were done by an earlier run.
    import: Value,
}

/// What one engine said to one question.
pub(crate) struct Answer {
    pub engine: &'static str,
    pub version: String,
    pub runs: Vec<Measured>,
    pub agrees: bool,
}

impl Bench {
    fn prepare(options: &Options) -> Result<Bench> {
        let target = command::target();
        if options.lode.is_none() || options.generator.is_none() {
            run_command(command::program(cargo()).args([
                "build",
                "-p",
                "server",
                "--bins",
                "--example",
                "generate_log",
            ]))?;
        }
        let lode = options.lode.clone().unwrap_or_else(|| target.join("debug/lode"));
        let generator = options.generator.clone().unwrap_or_else(|| target.join("debug/examples/generate_log"));
        let name = format!("{}-{}-{}-{}", options.events, options.users, options.days, options.seed);
        let folder = target.join("bench").join(name);
        let data = folder.join("data");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make '{}'", folder.display()))?;
        let log = generate(options, &generator, &folder)?;
        let import = import(options, &lode, &log, &data)?;
        let table = find_folder(&data, "int_labeled_events")
            .with_context(|| format!("'{}' holds no table int_labeled_events", data.display()))?;
        let python = setup::venv().join("bin/python");
        if options.install_peers {
            install_peers(&python)?;
        }
        let engines = installed_engines(&python);
        println!("engines beside lode: {}", if engines.is_empty() { "none".into() } else { engines.join(", ") });
        let commit = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
        let commit = commit.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
        let sample_agents = options.users.div_ceil(SAMPLE_SHARE);
        let memory_mib = options.memory_mib;
        Ok(Bench { lode, python, engines, folder, data, table, memory_mib, sample_agents, commit, import })
    }

    /// Asks everyone, in turns; the first answer is Lode's.
    fn ask(&self, question: &Question, runs: usize) -> Result<Vec<Answer>> {
        let peers = question.peers.iter().filter(|peer| self.engines.contains(*peer));
        let engines: Vec<&'static str> = ["lode"].into_iter().chain(peers.copied()).collect();
        let new = |engine| Answer { engine, version: String::new(), runs: Vec::new(), agrees: true };
        let mut answers: Vec<Answer> = engines.into_iter().map(new).collect();
        for _ in 0..runs {
            for answer in answers.iter_mut() {
                let asked = measure(self.command(answer.engine, question), &self.folder)
                    .with_context(|| format!("{} cannot answer '{}'", answer.engine, question.name));
                match asked {
                    Ok(measured) => answer.runs.push(measured),
                    Err(error) if answer.engine == "lode" => return Err(error),
                    // A peer that fails is reported and not asked again; Lode is measured all the same.
                    Err(error) => eprintln!("{error:#}"),
                }
            }
            answers.retain(|answer| !answer.runs.is_empty());
        }
        let expected = answers.first().and_then(|lode| lode.runs.first()).map(|run| run.rows.clone());
        for answer in &mut answers {
            answer.version = answer.runs.last().map(|run| run.version.clone()).unwrap_or_default();
            answer.agrees = answer.runs.iter().all(|run| Some(&run.rows) == expected.as_ref());
        }
        Ok(answers)
    }

    fn command(&self, engine: &str, question: &Question) -> Command {
        if engine != "lode" {
            let mut command = Command::new(&self.python);
            command.arg(peers_script()).args([engine, question.name]).arg(&self.table);
            command.arg(self.sample_agents.to_string());
            return command;
        }
        let sql = question.sql.replace("{sample}", &format!("agent_key < {}", self.sample_agents));
        let mut command = Command::new(&self.lode);
        command.arg("--data").arg(&self.data).args(["--query-memory-mib", &self.memory_mib.to_string()]);
        command.args(["sql", "--project", PROJECT, "--json", &sql]);
        command
    }
}

/// Makes the log, unless an earlier run has.
fn generate(options: &Options, generator: &Path, folder: &Path) -> Result<PathBuf> {
    let log = folder.join("log.parquet");
    if log.exists() {
        return Ok(log);
    }
    println!("generating {} events", options.events);
    let partial = folder.join("log.partial");
    let mut command = Command::new(generator);
    command.arg(&partial);
    for (flag, value) in [("--events", options.events), ("--users", options.users), ("--days", options.days)] {
        command.args([flag, &value.to_string()]);
    }
    run_command(command.args(["--seed", &options.seed.to_string()]))?;
    std::fs::rename(&partial, &log).with_context(|| format!("cannot write '{}'", log.display()))?;
    Ok(log)
}

/// Imports and labels the log, unless an earlier run has; tells how long each took.
fn import(options: &Options, lode: &Path, log: &Path, data: &Path) -> Result<Value> {
    let done = data.join("bench-is-ready");
    if done.exists() {
        return Ok(Value::Null);
    }
    if data.exists() {
        std::fs::remove_dir_all(data).with_context(|| format!("cannot remove '{}'", data.display()))?;
    }
    let timed = |arguments: &[&str]| -> Result<f64> {
        let mut command = Command::new(lode);
        command.arg("--data").arg(data).args(["--query-memory-mib", &options.memory_mib.to_string()]).args(arguments);
        let start = std::time::Instant::now();
        run_command(&mut command)?;
        Ok(start.elapsed().as_secs_f64())
    };
    println!("importing");
    let import_s = timed(&["import", &log.display().to_string(), "--project", PROJECT, "--no-jobs"])?;
    println!("labelling");
    let label_s = timed(&["job", "run", "--project", PROJECT, "int_labeled_events"])?;
    std::fs::write(&done, "").with_context(|| format!("cannot write '{}'", done.display()))?;
    let rows_per_s = options.events as f64 / import_s;
    println!("imported in {import_s:.1} s ({:.2} M rows/s), labelled in {label_s:.1} s", rows_per_s / 1e6);
    Ok(json!({ "import_s": import_s, "rows_per_s": rows_per_s, "label_s": label_s }))
}

/// The folder with this name, somewhere below.
fn find_folder(below: &Path, name: &str) -> Option<PathBuf> {
    let folders = std::fs::read_dir(below).ok()?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.sort();
    let here = folders.iter().find(|path| path.ends_with(name)).cloned();
    here.or_else(|| folders.iter().find_map(|folder| find_folder(folder, name)))
}

fn install_peers(python: &Path) -> Result<()> {
    println!("installing peers beside {}", python.display());
    setup::install_python(&bench_folder().join("requirements.txt"))
}

fn installed_engines(python: &Path) -> Vec<&'static str> {
    let is_installed = |engine: &&str| {
        let found = Command::new(python)
            .args(["-c", &format!("import importlib.metadata as m; m.version('{engine}')")])
            .output();
        found.is_ok_and(|output| output.status.success())
    };
    ["duckdb", "polars", "chdb", "datafusion", "pm4py"].into_iter().filter(is_installed).collect()
}

fn bench_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bench")
}

fn peers_script() -> PathBuf {
    bench_folder().join("peers.py")
}

fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// Runs a command to its end; its output goes where ours goes.
fn run_command(command: &mut Command) -> Result<()> {
    let said = format!("{command:?}");
    let status = command.status().with_context(|| format!("cannot start {said}"))?;
    if status.success() { Ok(()) } else { bail!("{said} ended with {status}") }
}
