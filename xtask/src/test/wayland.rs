//! The step `wayland`: the client with real windows on a Wayland desktop of its own, sway without a screen.

use super::{Outcome, build_lode, scratch};
use crate::command::{self, lode, program};
use crate::setup;
use anyhow::{Result, bail};

/// How the session ends when the desktop does not start.
const NO_DESKTOP: i32 = 77;

/// Starts sway, runs the tests on it, and ends with them. `$0` is a folder of its own. Sway refuses root, so there it runs as
/// nobody; everything else stays who it is, and reaches sway by its socket.
const SESSION: &str = r#"
export XDG_RUNTIME_DIR="$0"
unset DISPLAY WAYLAND_DISPLAY SWAYSOCK
as_person=()
if [ "$(id -u)" = 0 ]; then
    as_person=(setpriv --reuid="$(id -u nobody)" --regid="$(id -g nobody)" --clear-groups)
    chown nobody: "$0"
fi
printf 'xwayland disable\noutput HEADLESS-1 resolution 1280x800\n' > "$0/sway.conf"
chmod 700 "$0"
HOME="$0" WLR_BACKENDS=headless WLR_LIBINPUT_NO_DEVICES=1 WLR_RENDERER=pixman \
    "${as_person[@]}" sway -c "$0/sway.conf" > "$0/sway.log" 2>&1 &
desktop=$!
trap 'kill $desktop 2>/dev/null' EXIT
export SWAYSOCK="$0/sway-ipc.$(id -u nobody).$desktop.sock"
[ "$(id -u)" = 0 ] || SWAYSOCK="$0/sway-ipc.$(id -u).$desktop.sock"
until swaymsg -t get_outputs 2>/dev/null | grep -q HEADLESS-1; do
    kill -0 $desktop 2>/dev/null || { cat "$0/sway.log" >&2; exit 77; }
done
export WAYLAND_DISPLAY="$(cd "$0" && ls -d wayland-*[0-9])"
cargo test --package agent --test it --quiet -- --ignored --test-threads 1 wayland
"#;

/// Runs the tests that need a Wayland desktop.
///
/// Errors: a test failed. Where the desktop cannot be installed or does not start, the step is skipped.
pub(super) fn run() -> Result<Outcome> {
    if let Err(error) = setup::for_wayland() {
        return Ok(Outcome::Skipped(format!("{error:#}")));
    }
    build_lode()?;
    // Compiled before the session begins, so that nothing waits for the compiler with a desktop open.
    command::run(program("cargo").args(["test", "--package", "agent", "--test", "it", "--no-run", "--quiet"]))?;
    let folder = scratch("wayland");
    std::fs::create_dir_all(&folder)?;
    let mut session = program("dbus-run-session");
    session.args(["--", "bash", "-c", SESSION]).arg(&folder).env("LODE_BIN", lode());
    let ended = session.status();
    let _ = std::fs::remove_dir_all(&folder);
    match ended?.code() {
        Some(0) => Ok(Outcome::Passed),
        Some(NO_DESKTOP) => Ok(Outcome::Skipped("sway does not start here; it says above why".into())),
        _ => bail!("the tests on a Wayland desktop failed"),
    }
}
