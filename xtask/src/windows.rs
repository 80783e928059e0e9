//! Building for Windows on Linux: the standard library of the target, from rustup or built here, and cargo with it.

use crate::command::{ask, cache, program, root, run, target};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// What is built for.
pub const TRIPLE: &str = "x86_64-pc-windows-gnu";

/// Compiles C for it, and links.
pub const LINKER: &str = "x86_64-w64-mingw32-gcc";

/// Makes the target's standard library available: as it is installed, by rustup, or built from Debian's sources of it.
///
/// Errors: none of the three is possible here; the last one says why.
pub fn prepare() -> Result<()> {
    if is_installed() {
        return Ok(());
    }
    if ask(program("rustup").args(["target", "add", TRIPLE])).is_some() && is_installed() {
        return Ok(());
    }
    if own_sysroot().join("complete").exists() {
        return Ok(());
    }
    eprintln!(
        "Building Rust's standard library for {TRIPLE} into {}: rustup cannot fetch it here.",
        own_folder().display()
    );
    let mut script = program("bash");
    run(script.arg(root().join("xtask/windows-std.sh")).args([TRIPLE]).arg(own_folder()))
        .with_context(|| format!("{TRIPLE} is missing and could not be built; with rustup: rustup target add {TRIPLE}"))
}

/// Cargo for that target.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = program("cargo");
    cargo.args(arguments).args(["--target", TRIPLE]).env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", LINKER);
    if !is_installed() {
        let flags = format!("--sysroot {}", own_sysroot().display());
        cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS", flags);
    }
    cargo
}

/// Builds the client's unit tests; gives the program that runs them.
///
/// Errors: they do not compile.
pub fn unit_tests() -> Result<PathBuf> {
    let build = ["test", "--package", "agent", "--lib", "--no-run", "--quiet"];
    run(&mut cargo(&build))?;
    let said = ask(cargo(&build).args(["--message-format", "json"])).context("cargo does not say what it built")?;
    let marker = "\"executable\":\"";
    let path = said.lines().filter_map(|line| line.split_once(marker)?.1.split_once('"')).next_back();
    match path {
        Some((path, _)) => Ok(path.into()),
        None => bail!("cargo built no program of unit tests"),
    }
}

/// Where a program for that target lies.
pub fn built(name: &str, is_debug: bool) -> PathBuf {
    target().join(TRIPLE).join(if is_debug { "debug" } else { "release" }).join(name)
}

fn is_installed() -> bool {
    let folder = ask(program("rustc").args(["--print", "target-libdir", "--target", TRIPLE])).map(PathBuf::from);
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
    entries.is_some_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

/// One for each compiler: a standard library fits no other.
fn own_folder() -> PathBuf {
    let version = ask(program("rustc").arg("--version")).unwrap_or_default();
    let version = version.split(' ').nth(1).unwrap_or("unknown");
    cache().join(format!("windows-std-{version}"))
}

fn own_sysroot() -> PathBuf {
    own_folder().join("sysroot")
}
