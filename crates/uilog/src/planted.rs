//! Bugs that are put in on purpose, so that tests can show that they would find them.
//!
//! A program built with the feature `planted` holds all of them; `LODE_PLANTED` turns one on. `cargo xtask planted` builds
//! such a program and runs, for each bug, the test that must fail. Without the feature nothing of this is there:
//! [`is`] is `false`, known while compiling.

/// Whether this bug is turned on.
#[cfg(feature = "planted")]
pub fn is(bug: &str) -> bool {
    static TURNED_ON: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TURNED_ON.get_or_init(|| std::env::var("LODE_PLANTED").unwrap_or_default()) == bug
}

/// No bug is, in a program that people run.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn is(_bug: &str) -> bool {
    false
}
