//! The step `extension`: the browser extension, built, and tried in the real Chromium and the real Firefox with the real client, on a
//! screen of its own.

use super::{Outcome, build_client, build_lode};
use crate::command::{self, lode, program, root, target};
use crate::setup;
use anyhow::Result;

/// How long one file of tests may take, in milliseconds; what waits for something that never comes ends then.
const TEST_MS_MAX: u32 = 240_000;

/// The files of tests, quickest first; one after the other, for each has a browser and a screen.
const FILES: [&str; 7] = ["rules", "bridge", "pages", "managed", "desktop", "service", "burst"];

/// The file of tests in Firefox.
const FIREFOX: &str = "firefox";

/// Says why settings by policy cannot be tried on this machine, if they cannot.
const POLICIES_MISSING: &str = "import { Policies } from './test/support.mjs'; console.log(Policies.missing() || '')";

/// Builds the extension and runs its tests.
///
/// Errors: it does not build, or a test failed. Where screen or browser cannot be installed, the step is skipped; so it counts too
/// where a part of it could not be tried.
pub(super) fn run() -> Result<Outcome> {
    if let Err(error) = setup::for_desktop() {
        return Ok(Outcome::Skipped(format!("{error:#}")));
    }
    let no_firefox = setup::for_firefox().err();
    setup::build_pages()?;
    setup::build_extension()?;
    build_client()?;
    build_lode()?;
    let files = FILES.into_iter().chain(no_firefox.is_none().then_some(FIREFOX));
    let mut node = program("node");
    node.args(["--test", "--test-concurrency=1", &format!("--test-timeout={TEST_MS_MAX}")]);
    node.args(files.map(|name| format!("test/{name}.test.mjs"))).current_dir(root().join("extension"));
    node.env("LODE_AGENT_BIN", target().join("debug/lode-agent")).env("LODE_BIN", lode());
    command::run(&mut node)?;
    // Node counts what it skips as passed; here it is said.
    let mut missing = program("node");
    missing.args(["--input-type=module", "--eval", POLICIES_MISSING]).current_dir(root().join("extension"));
    let no_policies = command::ask(&mut missing).filter(|reason| !reason.is_empty());
    let untried: Vec<_> = no_policies
        .map(|reason| format!("the settings by policy were not tried: {reason}"))
        .into_iter()
        .chain(no_firefox.map(|error| format!("Firefox was not tried: {error:#}")))
        .collect();
    if untried.is_empty() {
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::Skipped(format!("all passed, but {}", untried.join("; "))))
}
