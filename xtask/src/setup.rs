//! Installs what a fresh Debian or Ubuntu machine lacks, and nothing else; says what it installs, and why it stops.

use crate::command::{ask, cache, program, root, run};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The web build needs at least this Node.js.
const NODE_MAJOR_MIN: u32 = 20;

/// The lists of Python packages that were installed, one after the other.
const INSTALLED: &str = "installed.txt";

/// What building and the demo need.
pub fn for_demo() -> Result<()> {
    need("cc", &["build-essential"], "a C compiler, for SQLite and zstd")?;
    node()
}

/// What the tests need beyond that.
pub fn for_tests() -> Result<()> {
    need("chromium", &["chromium"], "a browser, for the end-to-end tests")?;
    need("zstd", &["zstd"], "to read compressed logs in the oracle tests")?;
    need("psql", &["postgresql-client"], "a client of PostgreSQL, which reads tables of Lode")?;
    if postgres_folder().is_none() {
        install(&["postgresql"], "PostgreSQL, for the tests of the control database")?;
    }
    python()
}

/// What the client's tests need on any machine.
///
/// Errors: it is missing and cannot be installed here.
pub fn for_client() -> Result<()> {
    need("strace", &["strace"], "to see whom the client connects to, in its tests")
}

/// What the client's tests on a real X server need: server, window manager, buses, applications, and who presses their keys.
///
/// Errors: they are missing and cannot be installed here.
pub fn for_desktop() -> Result<()> {
    let wanted = [
        ("Xvfb", "xvfb"),
        ("openbox", "openbox"),
        ("xdotool", "xdotool"),
        ("xwininfo", "x11-utils"),
        ("xprop", "x11-utils"),
        ("dbus-run-session", "dbus"),
        ("dbus-send", "dbus-bin"),
        ("mousepad", "mousepad"),
        ("gtk3-demo", "gtk-3-examples"),
    ];
    for (program, package) in wanted {
        need(program, &[package], "for the client's tests on a desktop")?;
    }
    if !Path::new("/usr/libexec/at-spi-bus-launcher").exists() {
        install(&["at-spi2-core", "libatk-adaptor"], "the accessibility bus, for the client's tests on a desktop")?;
    }
    Ok(())
}

/// Firefox, in which the extension is tried too.
///
/// Errors: it is missing and cannot be installed here.
pub fn for_firefox() -> Result<()> {
    need("firefox-esr", &["firefox-esr"], "the other browser in which the extension is tested")
}

/// What the client's tests on a Wayland desktop need: the desktop, one that tells less, and who opens windows and presses a key.
///
/// Errors: they are missing and cannot be installed here.
pub fn for_wayland() -> Result<()> {
    let wanted = [
        ("sway", "sway"),
        ("weston", "weston"),
        ("Xwayland", "xwayland"),
        ("foot", "foot"),
        ("wtype", "wtype"),
        ("dbus-run-session", "dbus"),
        ("setpriv", "util-linux"),
    ];
    for (program, package) in wanted {
        need(program, &[package], "for the client's tests on a Wayland desktop")?;
    }
    if !Path::new("/usr/share/fonts/truetype/dejavu").exists() {
        install(&["fonts-dejavu-core"], "letters for the terminal, in the client's tests on a Wayland desktop")?;
    }
    Ok(())
}

/// What playing the sample needs beyond a desktop.
pub fn for_sample() -> Result<()> {
    need("chromium", &["chromium"], "the browser in which the sample is played")?;
    need("galculator", &["galculator"], "the calculator with which the sample is played")?;
    need("optipng", &["optipng"], "to keep the pictures of the sample small")
}

/// What the client for Windows needs on Linux: a compiler and linker, Wine and an X server to run it, and what makes packages.
///
/// Errors: they are missing and cannot be installed here.
pub fn for_windows() -> Result<()> {
    for (program, package) in [("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64-win32"), ("wixl", "wixl")] {
        need(program, &[package], "to build the client and its package for Windows")?;
    }
    let wanted = [("Xvfb", "xvfb"), ("openbox", "openbox"), ("xdotool", "xdotool"), ("xwininfo", "x11-utils")];
    for (program, package) in wanted {
        need(program, &[package], "for the client's tests under Wine")?;
    }
    need("wine", &["wine", "wine64"], "for the client's tests under Wine")
}

/// Where PostgreSQL's server programs are.
pub fn postgres_folder() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin"));
    versions.filter(|bin| bin.join("initdb").exists()).max()
}

/// Brings the packages of the pages to what the lock file says, and gives the folder they belong to.
pub fn web_packages() -> Result<PathBuf> {
    let web = root().join("web");
    let installed = web.join("node_modules/.package-lock.json");
    if modified(&installed) < modified(&web.join("package-lock.json")) {
        run(program("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&web))?;
    }
    Ok(web)
}

/// Builds the pages into `web/dist`, unless they are newer than everything they are made of: new pages mean that the
/// program they are part of is compiled again.
pub fn build_pages() -> Result<()> {
    let web = web_packages()?;
    let sources = ["src", "public", "index.html", "package-lock.json", "vite.config.ts", "tsconfig.json"];
    if modified(&web.join("dist/index.html")) < sources.into_iter().map(|name| newest(&web.join(name))).max().flatten()
    {
        run(program("npm").args(["run", "--silent", "build"]).current_dir(&web))?;
    }
    Ok(())
}

/// Builds the browser extension into `extension/dist`, with the tools of the pages; it takes a second.
///
/// Errors: its types or texts are wrong; the build says where.
pub fn build_extension() -> Result<()> {
    run(program("node").arg(root().join("extension/build.mjs")))
}

/// When a file was changed; `None`, which is before everything, if it is not there.
fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|meta| meta.modified()).ok()
}

/// When the newest file of a tree was changed.
fn newest(path: &Path) -> Option<SystemTime> {
    let below = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| newest(&entry.path()));
    below.max().flatten().max(modified(path))
}

fn node() -> Result<()> {
    let major = || -> Option<u32> {
        ask(program("node").arg("--version"))?.trim_start_matches('v').split('.').next()?.parse().ok()
    };
    if major().is_some_and(|major| major >= NODE_MAJOR_MIN) && ask(program("npm").arg("--version")).is_some() {
        return Ok(());
    }
    if ask(program("npm").arg("--version")).is_none() {
        install(&["nodejs", "npm"], "Node.js and npm, for the web pages")?;
    }
    if major().is_none_or(|major| major < NODE_MAJOR_MIN) {
        let folder = cache().join("node");
        std::fs::create_dir_all(&folder)?;
        eprintln!(
            "Installing Node.js 22 from the npm registry into {}: the system's is too old for the web build.",
            folder.display()
        );
        run(program("npm").args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).arg("node@22"))?;
    }
    match major() {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        _ => bail!(
            "Node.js {NODE_MAJOR_MIN} or newer is needed for the web pages and could not be installed; install it and run this again"
        ),
    }
}

/// The virtual environment for everything written in Python.
pub fn venv() -> PathBuf {
    cache().join("venv")
}

/// The packages of the oracle and of the clients; nothing is asked of the package index when they are there.
fn python() -> Result<()> {
    let tests = root().join("crates/server/tests");
    install_python(&tests.join("oracle/requirements.txt"))?;
    install_python(&tests.join("clients/requirements.txt"))
}

/// Makes the virtual environment, if it is not there, and installs what a list names, unless it did before.
///
/// Errors: Python 3 or the package index cannot be reached; pip says which.
pub fn install_python(requirements: &Path) -> Result<()> {
    let text =
        std::fs::read_to_string(requirements).with_context(|| format!("cannot read '{}'", requirements.display()))?;
    let mut done = std::fs::read_to_string(venv().join(INSTALLED)).unwrap_or_default();
    if done.contains(&text) {
        return Ok(());
    }
    if ask(program("python3").args(["-c", "import venv, ensurepip"])).is_none() {
        install(&["python3", "python3-venv"], "Python, for the oracle tests")?;
    }
    eprintln!("Installing Python packages into {}.", venv().display());
    if !venv().join("bin/python").exists() {
        run(program("python3").args(["-m", "venv"]).arg(venv()))?;
    }
    run(program(venv().join("bin/pip")).args(["install", "--quiet", "--requirement"]).arg(requirements))?;
    done.push_str(&text);
    std::fs::write(venv().join(INSTALLED), done)?;
    Ok(())
}

fn need(command: &str, packages: &[&str], why: &str) -> Result<()> {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(command).exists()));
    if found { Ok(()) } else { install(packages, why) }
}

/// Installs system packages.
///
/// Errors: where that is not possible, the command to run by hand.
fn install(packages: &[&str], why: &str) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = format!("install {list} by hand ({why}), then run this again");
    if ask(program("apt-get").arg("--version")).is_none() {
        bail!("this is no Debian or Ubuntu machine: {by_hand}");
    }
    let root_user = ask(program("id").arg("-u")).as_deref() == Some("0");
    if !root_user && ask(program("sudo").args(["-n", "true"])).is_none() {
        bail!(
            "system packages are missing and this user may not install them: {by_hand}, for example: sudo apt-get install {list}"
        );
    }
    eprintln!("Installing {list}: {why}.");
    let apt = |arguments: &[&str]| {
        let mut command = if root_user { program("apt-get") } else { program("sudo") };
        if !root_user {
            command.arg("apt-get");
        }
        run(command
            .args(arguments)
            .args(packages.iter().filter(|_| arguments[0] == "install"))
            .env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "-qq"])?;
    apt(&["install", "-y", "-qq", "--no-install-recommends"]).with_context(|| by_hand)
}
