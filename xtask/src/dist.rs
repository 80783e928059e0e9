//! `cargo xtask dist`: the desktop client as a person gets it. An archive that installs itself into a home folder, without
//! administrator rights, and its checksum; and the browser extension, as a folder, as a zip, and with samples of policies.
//!
//! `--debug` packs the ordinary build, to try the archive without compiling everything for speed.

use crate::command::{ask, program, root, run as run_program, target};
use crate::setup;
use anyhow::{Context, Result, bail};
use std::fs;

/// Where archives go, below the target folder.
const FOLDER: &str = "dist";

/// Packs.
///
/// Errors: the build, or a program that is missing.
pub fn run(arguments: &[String]) -> Result<()> {
    let is_debug = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--debug"] => true,
        _ => bail!("usage: cargo xtask dist [--debug]"),
    };
    let mut build = program("cargo");
    build.args(["build", "--package", "agent", "--bin", "lode-agent", "--quiet"]);
    if !is_debug {
        build.arg("--release");
    }
    run_program(&mut build)?;
    let extension = pack_extension()?;
    let binary = target().join(if is_debug { "debug" } else { "release" }).join("lode-agent");
    let said = ask(program(&binary).arg("--version")).context("the program does not start")?;
    let version = said.split(' ').next_back().unwrap_or("0");
    let folder = target().join(FOLDER);
    let staged = folder.join("lode-agent");
    let _ = fs::remove_dir_all(&staged);
    fs::create_dir_all(&staged)?;
    fs::copy(&binary, staged.join("lode-agent"))?;
    fs::copy(root().join("crates/agent/packaging/install.sh"), staged.join("install.sh"))?;
    for (from, to) in [("LICENSE", "LICENSE"), ("docs/guide/client.md", "README.md")] {
        fs::copy(root().join(from), staged.join(to))?;
    }
    let archive = format!("lode-agent-{version}-linux-{}.tar.gz", std::env::consts::ARCH);
    let mut tar = program("tar");
    tar.args(["--create", "--gzip", "--owner=0", "--group=0", "--file", &archive, "lode-agent"]).current_dir(&folder);
    run_program(&mut tar)?;
    let sum = ask(program("sha256sum").arg(&archive).current_dir(&folder)).context("sha256sum is missing")?;
    fs::write(folder.join(format!("{archive}.sha256")), format!("{sum}\n"))?;
    println!("{}", folder.join(&archive).display());
    println!("{extension}");
    Ok(())
}

/// The extension: a folder that can be loaded, or packed with the key as `chromium --pack-extension` does; the same as a zip.
fn pack_extension() -> Result<String> {
    setup::build_pages()?;
    setup::build_extension()?;
    let folder = target().join(FOLDER);
    ask(program("node").arg(root().join("extension/pack.mjs")).arg(&folder)).context("the extension cannot be packed")
}
