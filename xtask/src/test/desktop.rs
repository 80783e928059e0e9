//! The step `desktop`: the client with real applications on an X server of its own, with a session bus, a window manager and
//! the accessibility bus; driven by a program that presses keys and buttons.

use super::{Outcome, build_lode, scratch};
use crate::command::{self, lode, program};
use crate::setup;
use anyhow::Result;

/// Starts what a desktop session has, runs the tests inside, and ends with them. `$0` is a folder of its own.
const SESSION: &str = r#"
export XDG_RUNTIME_DIR="$0" GTK_MODULES=gail:atk-bridge
unset WAYLAND_DISPLAY
Xvfb -displayfd 3 -screen 0 1280x800x24 3>"$0/display" 2>/dev/null &
server=$!
trap 'kill $server' EXIT
until [ -s "$0/display" ]; do kill -0 $server || exit 1; done
export DISPLAY=:$(cat "$0/display")
openbox 2>/dev/null &
dbus-send --session --print-reply --dest=org.a11y.Bus /org/a11y/bus org.a11y.Bus.GetAddress >/dev/null || exit 1
cargo test --package agent --test it --quiet -- --ignored --test-threads 1 x11
"#;

/// Runs the tests that need a desktop.
///
/// Errors: a test failed, or the session could not be started. Where its programs cannot be installed, the step is skipped.
pub(super) fn run() -> Result<Outcome> {
    if let Err(error) = setup::for_desktop() {
        return Ok(Outcome::Skipped(format!("{error:#}")));
    }
    build_lode()?;
    // Compiled before the session begins, so that nothing waits for the compiler with a desktop open.
    command::run(program("cargo").args(["test", "--package", "agent", "--test", "it", "--no-run", "--quiet"]))?;
    let folder = scratch("desktop");
    std::fs::create_dir_all(&folder)?;
    let mut session = program("dbus-run-session");
    session.args(["--", "bash", "-c", SESSION]).arg(&folder).env("LODE_BIN", lode());
    let ran = command::run(&mut session);
    let _ = std::fs::remove_dir_all(&folder);
    ran.map(|()| Outcome::Passed)
}
