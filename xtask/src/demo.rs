//! `cargo xtask demo`: from a fresh clone to a page in the browser.

use crate::command::{self, cache, lode, program};
use crate::setup;
use anyhow::Result;

/// Sets up, builds, and runs `lode demo` until it is stopped; further arguments go to it.
pub fn run(arguments: &[String]) -> Result<()> {
    setup::for_demo()?;
    setup::build_pages()?;
    command::run(program("cargo").args(["build", "--package", "server", "--bin", "lode"]))?;
    let mut demo = program(lode());
    demo.arg("demo").args(arguments);
    if !arguments.iter().any(|argument| argument == "--data") {
        demo.arg("--data").arg(cache().join("demo-data"));
    }
    command::run(&mut demo)
}
