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
    let python = setup::venv().join("bin/python");
    if !arguments.iter().any(|argument| argument == "--python") && runs_jobs(&python) {
        demo.arg("--python").arg(&python);
    }
    command::run(&mut demo)
}

/// Whether jobs in Python can run in the environment that the tests made, where they did.
fn runs_jobs(python: &std::path::Path) -> bool {
    let needed = "import pyarrow, sys; sys.exit(sys.version_info < (3, 11))";
    command::ask(program(python).args(["-c", needed])).is_some()
}
