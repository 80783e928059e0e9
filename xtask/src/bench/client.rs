//! `cargo xtask bench client`: what the real client costs on a real desktop, beside other watchers under the same load.
//!
//! ```text
//! Xvfb, openbox, session bus, editor (allowed), calculator (not allowed)
//!   └─ one after the other: nothing · lode-agent · lode-agent with pictures · ActivityWatch
//!        start ─▶ 30 s at rest ─▶ the load ─▶ what arrived ─▶ end
//! lode-agent replay ◀── eight virtual hours through a pipe: memory and open files hour by hour
//! ```
//! The budgets are those of the client's design. A run is no test: it takes minutes, and on a machine that does other things its
//! figures mean little. Linux only.

mod desktop;
mod http;
mod load;
mod lode;
mod peers;
mod processes;
mod soak;
mod table;
mod watched;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::report;
use crate::{command, setup, test};
use desktop::Desktop;
use lode::Lode;
use peers::ActivityWatch;
use processes::Use;
use soak::{Soaked, soak};
use watched::{Cost, Durations, Measured, Watcher, measure};

const USAGE: &str = "\
cargo xtask bench client [--seconds 60] [--idle 30] [--rate 50] [--agent PATH] [--peers] [--soak-only]

--seconds    how long the load lasts for each candidate
--idle       how long each is left alone before
--rate       slots of the load a second; 171 of 200 slots are inputs, the others rest
--peers      install what the Python package index has of ActivityWatch, and measure it too; without it, what is installed already
--soak-only  only the eight virtual hours
--agent      measure this lode-agent instead of building one in the release profile; LODE_BIN names the service's program";

/// What a candidate may cost: share of a core at rest, under the load, and memory.
const IDLE_PERCENT_MAX: f64 = 0.2;
const LOAD_PERCENT_MAX: f64 = 1.0;
const MEMORY_MB_MAX: f64 = 40.0;
/// By how much memory may grow in eight hours.
const GROWTH_MB_MAX: f64 = 1.0;

/// The candidate whose budgets these are.
const LODE: &str = "lode-agent";

/// What the command line asks for.
struct Options {
    durations: Durations,
    agent: Option<PathBuf>,
    install_peers: bool,
    soak_only: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options> {
        let seconds = Duration::from_secs;
        let durations = Durations { idle: seconds(30), load: seconds(60), slots_per_s: 50 };
        let mut options = Options { durations, agent: None, install_peers: false, soak_only: false };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let flag = match argument.as_str() {
                "--peers" => Some(&mut options.install_peers),
                "--soak-only" => Some(&mut options.soak_only),
                _ => None,
            };
            if let Some(flag) = flag {
                *flag = true;
                continue;
            }
            let value = rest.next().with_context(|| format!("'{argument}' needs a value\n\n{USAGE}"))?;
            let wrong = || format!("'{value}' is no value for {argument}");
            match argument.as_str() {
                "--seconds" => options.durations.load = seconds(value.parse().with_context(wrong)?),
                "--idle" => options.durations.idle = seconds(value.parse().with_context(wrong)?),
                "--rate" => options.durations.slots_per_s = value.parse().with_context(wrong)?,
                "--agent" => options.agent = Some(value.into()),
                _ => bail!("'{argument}' is not known\n\n{USAGE}"),
            }
        }
        Ok(options)
    }
}

/// Runs the benchmark with the arguments behind `bench client`.
///
/// Errors: a step that fails, by name.
pub fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{USAGE}");
        return Ok(());
    }
    let options = Options::parse(arguments)?;
    let agent = match &options.agent {
        Some(given) => std::path::absolute(given)?,
        None => {
            let build = ["build", "--release", "--package", "agent", "--bin", "lode-agent", "--quiet"];
            command::run(command::program("cargo").args(build))?;
            command::target().join("release/lode-agent")
        }
    };
    let folder = command::target().join("bench/client");
    let scratch = Scratch::new()?;
    let at_start = load_average();
    let soaked = soak(&agent, &scratch.0)?;
    table::print_soak(&soaked);
    let mut measured = Vec::new();
    if !options.soak_only {
        setup::for_desktop()?;
        setup::for_sample()?;
        test::build_lode()?;
        if options.install_peers {
            peers::install()?;
        }
        measured = on_a_desktop(&options, &agent, &scratch.0)?;
        table::print(&measured, &peers::absent());
    }
    print_budgets(&soaked, &measured);
    println!("\nload average of the machine: {at_start} at the start, {} at the end; one run of each", load_average());
    let result = json!({
        "machine": report::machine(), "load_average": at_start, "watched": table::json(&measured, &peers::absent()),
        "soak": table::soak_json(&soaked),
    });
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make '{}'", folder.display()))?;
    let path = folder.join("result.json");
    std::fs::write(&path, format!("{result:#}\n")).with_context(|| format!("cannot write '{}'", path.display()))?;
    println!("written to {}", path.display());
    Ok(())
}

/// All candidates, one after the other, on one desktop.
fn on_a_desktop(options: &Options, agent: &std::path::Path, folder: &std::path::Path) -> Result<Vec<Measured>> {
    let service = test::Service::start("demo")?;
    let desktop = Desktop::start(folder)?;
    let watch = |name, watcher: Option<&dyn Watcher>| {
        eprintln!("── {name}");
        measure(&desktop, name, watcher, options.durations)
    };
    let mut measured = vec![watch("nothing", None)?];
    for (name, pictures) in [(LODE, false), ("lode-agent with pictures", true)] {
        let lode = Lode::start(&desktop, &service, agent, pictures)?;
        measured.push(watch(name, Some(&lode))?);
    }
    if let Some(activitywatch) = ActivityWatch::start(&desktop)? {
        measured.push(watch("ActivityWatch, what is there of it", Some(&activitywatch))?);
    }
    Ok(measured)
}

/// Says of each budget whether it is kept; those of the desktop by Lode's client without pictures.
fn print_budgets(soaked: &Soaked, measured: &[Measured]) {
    let mut budgets = vec![
        ("soak: growth of memory after two hours, MB", soaked.growth_mb(), GROWTH_MB_MAX),
        ("soak: more open files", soaked.more_files() as f64, 0.0),
        ("soak: missing in the balance", soaked.missing().abs() as f64, 0.0),
        ("soak: peak of memory, MB", soaked.hours.iter().map(Use::peak_mb).fold(0.0, f64::max), MEMORY_MB_MAX),
    ];
    if let Some(lode) = measured.iter().find(|each| each.name == LODE) {
        let sum = |of: fn(&Cost) -> f64| lode.parts.iter().map(of).sum::<f64>();
        budgets.extend([
            ("idle, % of a core", 100.0 * sum(|part| part.idle_s) / lode.idle_s, IDLE_PERCENT_MAX),
            ("under the load, % of a core", 100.0 * sum(|part| part.load_s) / lode.load_s, LOAD_PERCENT_MAX),
            ("peak of memory, MB", sum(|part| part.end.peak_mb()), MEMORY_MB_MAX),
            ("inputs missed", lode.arrived.missed() as f64, 0.0),
        ]);
    }
    println!();
    for (what, value, most) in budgets {
        let said = if value <= most { "met" } else { "MISSED" };
        println!("budget: {what}: {value:.2} of {most}: {said}");
    }
}

/// The machine's load over the last minute.
fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// A folder that is gone with its guard.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("lode-bench-client-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make '{}'", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
