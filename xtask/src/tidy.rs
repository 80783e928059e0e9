//! `cargo xtask tidy`: facts about the repository that no compiler checks.
//!
//! - every Rust file begins with what it is for;
//! - only `store` names the engine, and the client links neither engine nor server;
//! - every job has a head and a test beside it;
//! - nothing is left for later without an issue.

use crate::command::{ask, program, root};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// Checks every fact.
///
/// Errors: all that do not hold, one a line.
pub fn run() -> Result<()> {
    let mut wrong = Vec::new();
    let files = tracked();
    for path in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let text = std::fs::read_to_string(root().join(path)).unwrap_or_default();
        check_rust(path, &text, &mut wrong);
    }
    for path in
        files.iter().filter(|path| path.starts_with("jobs") && path.extension().is_some_and(|ending| ending == "sql"))
    {
        let text = std::fs::read_to_string(root().join(path)).unwrap_or_default();
        if !text.starts_with("-- ") {
            wrong.push(format!("{}: begins without a sentence of purpose", path.display()));
        }
        let is_job =
            ["staging", "intermediate", "marts"].iter().any(|layer| path.starts_with(Path::new("jobs").join(layer)));
        if is_job && !root().join(path).with_extension("slt").exists() {
            wrong.push(format!("{}: has no .slt test beside it", path.display()));
        }
    }
    agent_links_little(&mut wrong);
    if wrong.is_empty() { Ok(()) } else { bail!("{} facts do not hold:\n{}", wrong.len(), wrong.join("\n")) }
}

fn check_rust(path: &Path, text: &str, wrong: &mut Vec<String>) {
    let name = path.display();
    if !text.starts_with("//! ") {
        wrong.push(format!("{name}: begins without a sentence that says what it is for"));
    }
    let in_store = path.starts_with("crates/store");
    if !in_store && (text.contains("use datafusion") || text.contains("datafusion::")) && !path.starts_with("xtask") {
        wrong.push(format!("{name}: names the engine, which only store may"));
    }
    let later = ["TO", "FIX"].map(|start| format!("{start}{}", if start == "TO" { "DO" } else { "ME" }));
    if later.iter().any(|word| text.contains(word.as_str())) {
        wrong.push(format!("{name}: leaves something for later; file an issue and take the mark out"));
    }
}

/// Every package that the client links on Linux, one a line.
const CLIENT_LINKS: &str = "crates/agent/dependencies.txt";

/// The client's dependencies are few and known: engine, algorithms and server are none of them.
fn agent_links_little(wrong: &mut Vec<String>) {
    let tree = ask(program("cargo").args([
        "tree",
        "--offline",
        "--package",
        "agent",
        "--target",
        "x86_64-unknown-linux-gnu",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]));
    let Some(tree) = tree else {
        wrong.push("cargo tree could not list the client's dependencies".into());
        return;
    };
    let mut linked: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    linked.sort_unstable();
    linked.dedup();
    let known = std::fs::read_to_string(root().join(CLIENT_LINKS)).unwrap_or_default();
    let known: Vec<&str> = known.lines().filter(|line| !line.starts_with('#')).collect();
    for name in linked.iter().filter(|name| !known.contains(name)) {
        wrong.push(format!("the client links '{name}', which is not in {CLIENT_LINKS}: give the reason in the commit"));
    }
    for name in known.iter().filter(|name| !linked.contains(name)) {
        wrong.push(format!("{CLIENT_LINKS} names '{name}', which the client does not link any more"));
    }
    for line in tree.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let forbidden = ["store", "server", "discovery"].contains(&name)
            || name.starts_with("datafusion")
            || name.starts_with("arrow");
        if forbidden {
            wrong.push(format!("the client links '{name}'"));
        }
    }
}

fn tracked() -> Vec<PathBuf> {
    let list = ask(program("git").args(["ls-files", "--cached", "--others", "--exclude-standard"])).unwrap_or_default();
    list.lines().map(PathBuf::from).filter(|path| root().join(path).exists()).collect()
}
