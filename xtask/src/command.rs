//! Running other programs: shown before they run, named when they fail.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Where builds, tools and caches of this project are kept between clones.
pub fn cache() -> PathBuf {
    let given = std::env::var_os("LODE_CACHE").map(PathBuf::from);
    let system = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    given.unwrap_or_else(|| system.or_else(home).unwrap_or_else(std::env::temp_dir).join("lode"))
}

/// Where cargo builds: the caller's choice, else a folder that clones share.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| cache().join("target"), PathBuf::from)
}

/// The service's program: the one that `LODE_BIN` names, else the one that cargo built.
pub fn lode() -> PathBuf {
    if let Some(given) = given_lode() {
        return given;
    }
    target().join("debug").join(format!("lode{}", std::env::consts::EXE_SUFFIX))
}

/// The program that the caller wants to be used, instead of one that is built.
pub fn given_lode() -> Option<PathBuf> {
    std::env::var_os("LODE_BIN").map(PathBuf::from)
}

/// The same as [`program`], but killed by the kernel when the thread that starts it ends, however it ends; other
/// systems than Linux have no such bond.
pub fn bound(name: impl AsRef<std::ffi::OsStr>) -> Command {
    if !cfg!(target_os = "linux") {
        return program(name);
    }
    let mut command = program("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(name);
    command
}

/// A program to run in the root of the repository, with our target folder and our tools first on the path.
pub fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = [cache().join("node/node_modules/node/bin"), cache().join("venv/bin")];
    let joined = std::env::join_paths(own.into_iter().filter(|path| path.exists()).chain(std::env::split_paths(&path)));
    if let Ok(joined) = joined {
        command.env("PATH", joined);
    }
    // What cargo told this program about itself is no news about others; build scripts that look at it (ring's) would run
    // again, and all that stands on them.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_about_this_program) {
            command.env_remove(name);
        }
    }
    command.current_dir(root()).env("CARGO_TARGET_DIR", target());
    command
}

/// Whether cargo sets a variable for each program that it runs, with what it knows of that program.
fn is_about_this_program(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

/// Runs a command to its end.
///
/// Errors: it cannot be started, or does not end well.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    eprintln!("    {shown}");
    let status = command.status().with_context(|| format!("cannot start: {shown}"))?;
    if !status.success() {
        bail!("failed ({status}): {shown}");
    }
    Ok(())
}

/// Runs a command and returns what it printed; `None` if it cannot be started or does not end well.
pub fn ask(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
