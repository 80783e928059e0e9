//! `cargo xtask record-sample`: plays a made-up day at an order desk and lets Lode's own client and extension record it.
//!
//! What is played stands in `xtask/sample/`. Takes some five minutes; the recording goes to `fixtures/sample-data/order-desk`,
//! which is part of the program, so that `cargo xtask demo` shows it after the next build.

use crate::command::{self, lode, program, root, target};
use crate::{setup, test};
use anyhow::Result;

/// Records.
///
/// Errors: what is needed cannot be installed or built; the play did not come to its end, then the old recording stays.
pub fn run() -> Result<()> {
    setup::for_demo()?;
    setup::for_desktop()?;
    setup::for_sample()?;
    setup::build_pages()?;
    setup::build_extension()?;
    test::build_lode()?;
    test::build_client()?;
    let sample = root().join("fixtures/sample-data/order-desk");
    let recorded = command::cache().join("order-desk");
    let mut play = program("dbus-run-session");
    play.args(["--", "node"]).env("GTK_MODULES", "gail:atk-bridge");
    play.arg(root().join("xtask/sample/record.mjs")).arg(&recorded);
    play.env("LODE_BIN", lode()).env("LODE_AGENT_BIN", target().join("debug/lode-agent"));
    command::run(&mut play)?;
    command::run(program("cp").arg("--recursive").arg(recorded.join(".")).arg(&sample))
}
