//! `cargo xtask dist`: the desktop client as a person gets it. Archives and a package that install themselves for one user, without
//! administrator rights, and their checksums; and the browser extension.
//!
//! | file | for | made by |
//! | --- | --- | --- |
//! | `lode-agent-VERSION-linux-ARCH.tar.gz` | Linux: `install.sh` | `tar` |
//! | `lode-agent_VERSION_ARCH.deb` | Debian and its kin, for all users: needs an administrator to install | `dpkg-deb` |
//! | `lode-agent-VERSION-windows-x86_64.zip` | Windows: `install.cmd`, or unpacked and run | Python |
//! | `lode-agent-VERSION-windows-x86_64.msi` | Windows: `msiexec /qn`, Intune, group policies | `wixl` |
//! | `lode-extension…` | Chrome and Edge, and Firefox: a folder to load or pack, a zip, samples of policies | `extension/pack.mjs` |
//!
//! | `lode-agent-VERSION-SYSTEM.cdx.json` | what is in it: names, versions, licences (CycloneDX) | [`parts`] |
//!
//! `--debug` packs the ordinary build, to try the packages without compiling everything for speed. Where the tools for Windows cannot
//! be installed, its packages are left out, and it is said.

mod parts;

use crate::command::{ask, program, root, run as run_program, target};
use crate::{setup, windows};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Where packages go, below the target folder.
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
    for made in for_linux(is_debug)? {
        println!("{}", made.display());
    }
    println!("{}", pack_extension()?);
    if let Err(error) = setup::for_windows().and_then(|()| windows::prepare()) {
        eprintln!("The packages for Windows are left out: {error:#}");
        return Ok(());
    }
    let packages = for_windows(is_debug)?;
    println!("{}\n{}", packages.archive.display(), packages.package.display());
    Ok(())
}

/// The extension: a folder that can be loaded, or packed with the key as `chromium --pack-extension` does; the same as a zip.
fn pack_extension() -> Result<String> {
    setup::build_pages()?;
    setup::build_extension()?;
    ask(program("node").arg(root().join("extension/pack.mjs")).arg(folder())).context("the extension cannot be packed")
}

fn for_linux(is_debug: bool) -> Result<Vec<PathBuf>> {
    run_program(program("cargo").args(build(is_debug)))?;
    let binary = target().join(if is_debug { "debug" } else { "release" }).join("lode-agent");
    let staged = stage("linux", &[(&binary, "lode-agent"), (&packaging("install.sh"), "install.sh")])?;
    let archive = format!("lode-agent-{}-linux-{}.tar.gz", version()?, std::env::consts::ARCH);
    let mut tar = program("tar");
    tar.args(["--create", "--gzip", "--owner=0", "--group=0", "--directory"]).arg(staged);
    run_program(tar.arg("--file").arg(folder().join(&archive)).arg("lode-agent"))?;
    let made = [archive, for_debian(&binary)?, parts::list("linux", "x86_64-unknown-linux-gnu")?];
    made.iter().map(|name| with_checksum(name)).collect()
}

/// A package for all users of a machine; nothing in it runs before a person logs in, and nothing is recorded before that person said yes.
fn for_debian(binary: &Path) -> Result<String> {
    let architecture = ask(program("dpkg").arg("--print-architecture")).context("dpkg is missing")?;
    let staged = folder().join("debian");
    let _ = fs::remove_dir_all(&staged);
    for part in ["DEBIAN", "usr/bin", "etc/xdg/autostart", "usr/share/doc/lode-agent"] {
        fs::create_dir_all(staged.join(part))?;
    }
    let control = format!(
        "Package: lode-agent\nVersion: {}\nArchitecture: {architecture}\nMaintainer: Lode\nDepends: libc6\nSection: utils\n\
         Priority: optional\nDescription: the desktop client of Lode\n Records work where it is allowed to, and shows that it does.\n",
        version()?
    );
    fs::write(staged.join("DEBIAN/control"), control)?;
    fs::write(staged.join("DEBIAN/conffiles"), "/etc/xdg/autostart/lode-agent.desktop\n")?;
    fs::copy(binary, staged.join("usr/bin/lode-agent"))?;
    fs::copy(packaging("lode-agent.desktop"), staged.join("etc/xdg/autostart/lode-agent.desktop"))?;
    fs::copy(root().join("LICENSE"), staged.join("usr/share/doc/lode-agent/copyright"))?;
    let package = format!("lode-agent_{}_{architecture}.deb", version()?);
    let mut deb = program("dpkg-deb");
    deb.args(["--root-owner-group", "-Zxz", "--build"]).arg(&staged).arg(folder().join(&package));
    run_program(&mut deb)?;
    Ok(package)
}

/// What was made for Windows.
pub struct WindowsPackages {
    /// The bare program.
    pub program: PathBuf,
    /// The folder that the archive was made of.
    pub folder: PathBuf,
    /// The portable archive.
    pub archive: PathBuf,
    /// The package for `msiexec`.
    pub package: PathBuf,
}

/// Makes archive and package for Windows; the tools must be there.
///
/// Errors: the build, or a program that failed.
pub fn for_windows(is_debug: bool) -> Result<WindowsPackages> {
    run_program(&mut windows::cargo(&build(is_debug)))?;
    let binary = windows::built("lode-agent.exe", is_debug);
    let staged = stage("windows", &[(&binary, "lode-agent.exe")])?;
    // Windows' command processor finds no label behind lines that end without a carriage return.
    let install = fs::read_to_string(packaging("install.cmd"))?.replace('\n', "\r\n");
    fs::write(staged.join("lode-agent/install.cmd"), install)?;
    let name = format!("lode-agent-{}-windows-x86_64", version()?);
    let archive = format!("{name}.zip");
    let mut zip = program("python3");
    run_program(zip.args(["-m", "zipfile", "--create"]).arg(folder().join(&archive)).arg(staged.join("lode-agent")))?;
    let package = format!("{name}.msi");
    // It takes files from the folder that it works in.
    let mut wixl = program("wixl");
    wixl.current_dir(staged.join("lode-agent")).args(["--arch", "x64", "--define"]);
    wixl.arg(format!("VERSION={}", version()?)).arg("--output").arg(folder().join(&package));
    run_program(wixl.arg(packaging("lode-agent.wxs")))?;
    with_checksum(&parts::list("windows", windows::TRIPLE)?)?;
    let (archive, package) = (with_checksum(&archive)?, with_checksum(&package)?);
    Ok(WindowsPackages { program: binary, folder: staged.join("lode-agent"), archive, package })
}

/// The words after `cargo` that build the client, for speed unless it is for trials.
fn build(is_debug: bool) -> Vec<&'static str> {
    let words = ["build", "--package", "agent", "--bin", "lode-agent", "--quiet"];
    words.into_iter().chain((!is_debug).then_some("--release")).collect()
}

/// A folder `lode-agent` with what the archive holds, the same documents in each; gives the folder around it.
fn stage(system: &str, files: &[(&Path, &str)]) -> Result<PathBuf> {
    let around = folder().join(system);
    let staged = around.join("lode-agent");
    let _ = fs::remove_dir_all(&staged);
    fs::create_dir_all(&staged)?;
    let (licence, guide) = (root().join("LICENSE"), root().join("docs/guide/client.md"));
    for (from, to) in files.iter().copied().chain([(licence.as_path(), "LICENSE"), (guide.as_path(), "README.md")]) {
        fs::copy(from, staged.join(to)).with_context(|| format!("cannot copy '{}'", from.display()))?;
    }
    Ok(around)
}

/// Writes a package's checksum beside it; gives where the package lies.
fn with_checksum(package: &str) -> Result<PathBuf> {
    let sum = ask(program("sha256sum").arg(package).current_dir(folder())).context("sha256sum is missing")?;
    fs::write(folder().join(format!("{package}.sha256")), format!("{sum}\n"))?;
    Ok(folder().join(package))
}

/// The version that all programs of the project have.
fn version() -> Result<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    Ok(version.context("Cargo.toml names no version")?.to_owned())
}

fn folder() -> PathBuf {
    target().join(FOLDER)
}

fn packaging(name: &str) -> PathBuf {
    root().join("crates/agent/packaging").join(name)
}
