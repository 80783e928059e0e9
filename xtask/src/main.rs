//! `cargo xtask …`: everything a person does with this repository, in the project's own language.
//!
//! | command | does |
//! | --- | --- |
//! | `demo` | sets up, builds, starts `lode` on the sample recordings, prints the address |
//! | `test` | sets up and runs every test; `test NAME…` runs those steps only |
//! | `setup` | installs what is missing, and says what |
//! | `codegen` | writes the files that are generated from code; `--check` compares them |
//! | `tidy` | checks facts about the repository |
//! | `planted` | turns on bugs that are there on purpose, one by one, and runs the tests that must find them |
//! | `dist` | packs for people: the client for Linux and Windows, checksums, lists of parts; and the browser extension |
//! | `record-sample` | records the sample with pictures anew, with the real client in a real browser |
//! | `bench` | measures; see `xtask/README.md` |

mod bench;
mod codegen;
mod command;
mod demo;
mod dist;
mod planted;
mod record_sample;
mod setup;
mod test;
mod tidy;
mod windows;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask demo | test [STEP…] | setup | codegen [--check] | tidy | planted [BUG…] | dist [--debug] | record-sample | bench [OPTIONS]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let result = match arguments.first().map(String::as_str) {
        Some("demo") => demo::run(rest),
        Some("test") => test::run(rest),
        Some("setup") => setup::for_demo().and_then(|()| setup::for_tests()),
        Some("codegen") => codegen::run(rest),
        Some("tidy") => tidy::run(),
        Some("planted") => planted::run(rest),
        Some("dist") => dist::run(rest),
        Some("record-sample") => record_sample::run(),
        Some("bench") => bench::run(rest),
        _ => Err(anyhow::anyhow!(USAGE)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
