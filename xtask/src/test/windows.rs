//! The step `windows`: the client for Windows, built and linted; with `LODE_WINE=1` also packed, and its unit tests and stories run
//! under Wine, on an X server and in a Wine of their own. Without it the step counts as skipped.

use super::{Outcome, build_lode, scratch};
use crate::command::{self, lode, program, root};
use crate::{dist, setup, windows};
use anyhow::Result;
use std::path::Path;

/// Makes a Wine that is ready, runs the tests inside, and ends with it. `$0` is a folder of its own, `$1` the program of the unit
/// tests. Wine 8 has no 32-bit half here, of which it complains without harm.
const SESSION: &str = r#"
export WINEPREFIX="$0/wine" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
unset WAYLAND_DISPLAY
Xvfb -displayfd 3 -screen 0 1280x800x24 3>"$0/display" 2>/dev/null &
server=$!
trap 'wineserver -k; kill $server' EXIT
until [ -s "$0/display" ]; do kill -0 $server || exit 1; done
export DISPLAY=:$(cat "$0/display")
openbox 2>/dev/null &
wineboot -i 2>/dev/null || exit 1
cp -n "$0/bcryptprimitives.dll" "$WINEPREFIX/drive_c/windows/system32/" || exit 1
wine "$1" --quiet || exit 1
cargo test --package agent --test it --quiet -- --ignored --test-threads 1 wine
"#;

/// Builds the client for Windows and runs its tests.
///
/// Errors: a test failed. Where compiler, target or Wine are missing and cannot be installed, the step is skipped.
pub(super) fn run() -> Result<Outcome> {
    if let Err(error) = setup::for_windows().and_then(|()| windows::prepare()) {
        return Ok(Outcome::Skipped(format!("{error:#}")));
    }
    build_lode()?;
    let lint = ["clippy", "--package", "agent", "--all-targets", "--quiet"];
    command::run(windows::cargo(&lint).args(["--", "--deny", "warnings"]))?;
    if std::env::var_os("LODE_WINE").is_none() {
        run_build()?;
        return Ok(Outcome::Skipped(
            "the client for Windows is built and linted; its tests under Wine are not steady yet and run with LODE_WINE=1".into(),
        ));
    }
    let packages = dist::for_windows(true)?;
    let unit_tests = windows::unit_tests()?;
    command::run(program("cargo").args(["test", "--package", "agent", "--test", "it", "--no-run", "--quiet"]))?;
    let folder = scratch("windows");
    std::fs::create_dir_all(&folder)?;
    let tools = root().join("crates/agent/tests/wine");
    compile(&tools.join("bcryptprimitives.c"), &folder.join("bcryptprimitives.dll"), &["-shared"], &["-ladvapi32"])?;
    compile(&tools.join("fields.c"), &folder.join("fields.exe"), &["-municode", "-mwindows"], &[])?;
    let mut session = program("bash");
    session.args(["-c", SESSION]).arg(&folder).arg(&unit_tests).env("LODE_BIN", lode());
    session.env("LODE_AGENT_EXE", &packages.program).env("LODE_FIELDS_EXE", folder.join("fields.exe"));
    session.env("LODE_AGENT_MSI", &packages.package).env("LODE_AGENT_FOLDER", &packages.folder);
    let ran = command::run(&mut session);
    let _ = std::fs::remove_dir_all(&folder);
    ran.map(|()| Outcome::Passed)
}

/// The client and its tests, compiled.
fn run_build() -> Result<()> {
    command::run(&mut windows::cargo(&["test", "--package", "agent", "--no-run", "--quiet"]))
}

/// Compiles one of the helpers that are written in C.
fn compile(source: &Path, to: &Path, kind: &[&str], libraries: &[&str]) -> Result<()> {
    command::run(program(windows::LINKER).args(kind).args(["-O1", "-s", "-o"]).arg(to).arg(source).args(libraries))
}
