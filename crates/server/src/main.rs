//! The door of `lode`: reads the command line, calls, turns the result into an exit code.

use clap::Parser;
use server::cli::{self, Arguments};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(Arguments::parse())
}
