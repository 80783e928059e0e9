//! The step `windows`: the client for Windows, built, linted and packed; its unit tests and its stories under Wine, on an X server
//! and in a Wine of their own.
//!
//! Making a Wine takes longer than any story, so one is made for each version and kept; each run works on a copy.

use super::{Outcome, build_lode};
use crate::command::{self, ask, cache, lode, program, root};
use crate::{dist, setup, windows};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// How the session ends when Wine does not start.
const NO_WINE: i32 = 77;

/// What every program here knows of Wine: where it is, that it says nothing, and that it installs nothing.
const WINE: &str = r#"export WINEPREFIX="$0/wine" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
"#;

/// Makes a Wine in the folder `$0`. It needs no screen.
const MAKE: &str = r#"
unset DISPLAY WAYLAND_DISPLAY
trap 'wineserver -k' EXIT
wineboot -i 2>/dev/null && wineserver -w && test -f "$WINEPREFIX/system.reg"
"#;

/// Runs the tests in the Wine of the folder `$0`; `$1` is the program of the unit tests. A command processor that waits for its input
/// holds Wine and its taskbar up from the first test to the last; a taskbar that a test's program started would keep the output of that
/// program open, for whose end the test waits. The window manager gives the keyboard to nobody by itself: Wine's
/// taskbar is a window that comes and goes with the client's symbol, and would take it from whoever is being typed to. Wine 8 has no
/// 32-bit half here, of which it complains without harm.
const SESSION: &str = r#"
unset WAYLAND_DISPLAY
Xvfb -displayfd 3 -screen 0 1280x800x24 3>"$0/display" 2>/dev/null &
server=$!
trap 'wineserver -k; kill $server' EXIT
until [ -s "$0/display" ]; do kill -0 $server || exit 77; done
export DISPLAY=:$(cat "$0/display")
printf '<openbox_config xmlns="http://openbox.org/3.4/rc"><focus><focusNew>no</focusNew></focus></openbox_config>' > "$0/openbox.xml"
openbox --config-file "$0/openbox.xml" 2>/dev/null &
exec 4> >(exec wine cmd >/dev/null 2>&1)
wine explorer /desktop >/dev/null 2>&1 4>&- &
wine cmd /c ver >/dev/null 2>&1 || exit 77
wine "$1" --quiet || exit 1
cargo test --package agent --test it --quiet -- --ignored --test-threads 1 wine
"#;

/// Builds the client for Windows and runs its tests.
///
/// Errors: a test failed. Where compiler, target or Wine are missing and cannot be installed, or Wine does not start, the step is skipped.
pub(super) fn run() -> Result<Outcome> {
    if let Err(error) = setup::for_windows().and_then(|()| windows::prepare()) {
        return Ok(Outcome::Skipped(format!("{error:#}")));
    }
    build_lode()?;
    let lint = ["clippy", "--package", "agent", "--all-targets", "--quiet"];
    command::run(windows::cargo(&lint).args(["--", "--deny", "warnings"]))?;
    let packages = dist::for_windows(true)?;
    let unit_tests = windows::unit_tests()?;
    command::run(program("cargo").args(["test", "--package", "agent", "--test", "it", "--no-run", "--quiet"]))?;
    let folder = match copied_wine() {
        Ok(folder) => folder,
        Err(error) => {
            return Ok(Outcome::Skipped(format!("the client for Windows is built and linted, but {error:#}")));
        }
    };
    let tools = root().join("crates/agent/tests/wine");
    let system = folder.0.join("wine/drive_c/windows/system32");
    compile(&tools.join("bcryptprimitives.c"), &system.join("bcryptprimitives.dll"), &["-shared"], &["-ladvapi32"])?;
    let (fields, browser) = (folder.0.join("fields.exe"), folder.0.join("chrome.exe"));
    compile(&tools.join("fields.c"), &fields, &["-municode", "-mwindows"], &[])?;
    compile(&tools.join("browser.c"), &browser, &["-municode"], &["-lshlwapi"])?;
    let mut session = program("bash");
    session.args(["-c", &[WINE, SESSION].concat()]).arg(&folder.0).arg(&unit_tests).env("LODE_BIN", lode());
    session.env("LODE_AGENT_EXE", &packages.program).env("LODE_FIELDS_EXE", fields).env("LODE_BROWSER_EXE", browser);
    session.env("LODE_AGENT_MSI", &packages.package).env("LODE_AGENT_FOLDER", &packages.folder);
    match session.status()?.code() {
        Some(0) => Ok(Outcome::Passed),
        Some(NO_WINE) => {
            Ok(Outcome::Skipped("the client for Windows is built and linted, but Wine does not start here".into()))
        }
        _ => bail!("the tests under Wine failed"),
    }
}

/// A folder that goes with the run.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A folder with a Wine of its own. Windows' own files, nearly all of it, are links to the kept one: nobody writes into them.
///
/// Errors: Wine cannot be made, or the disk.
fn copied_wine() -> Result<Folder> {
    let kept = kept_wine()?;
    let folder = Folder(beside(&kept, "run"));
    let to = folder.0.join("wine");
    fs::create_dir_all(&to)?;
    command::run(
        program("cp").args(["--archive", "--no-target-directory"]).arg(kept.join("wine")).arg(&to).arg("--link"),
    )?;
    for own in fs::read_dir(kept.join("wine"))?.flatten().filter(|entry| entry.path().is_file()) {
        fs::remove_file(to.join(own.file_name()))?;
        fs::copy(own.path(), to.join(own.file_name()))?;
    }
    Ok(folder)
}

/// A name for a folder of this run, on the same disk.
fn beside(kept: &Path, what: &str) -> PathBuf {
    let name = kept.file_name().unwrap_or_default().to_string_lossy();
    kept.with_file_name(format!("{name}-{what}-{}", std::process::id()))
}

/// The Wine of this version that is kept, which is made if it is not there.
///
/// Errors: Wine does not start.
fn kept_wine() -> Result<PathBuf> {
    let version = ask(program("wine").arg("--version")).context("Wine does not say which one it is")?;
    let version = version.split_whitespace().next().unwrap_or("wine").to_owned();
    let kept = cache().join("wine").join(version);
    if kept.exists() {
        return Ok(kept);
    }
    let made = Folder(beside(&kept, "new"));
    fs::create_dir_all(&made.0)?;
    eprintln!("Making a Wine in {}, once.", kept.display());
    let mut make = program("bash");
    command::run(make.args(["-c", &[WINE, MAKE].concat()]).arg(&made.0)).context("Wine does not start here")?;
    // Whoever was quicker has made the same.
    let _ = fs::rename(&made.0, &kept);
    Ok(kept)
}

/// Compiles one of the helpers that are written in C.
fn compile(source: &Path, to: &Path, kind: &[&str], libraries: &[&str]) -> Result<()> {
    command::run(program(windows::LINKER).args(kind).args(["-O1", "-s", "-o"]).arg(to).arg(source).args(libraries))
}
