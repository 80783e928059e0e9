//! `cargo xtask tidy`: facts about the repository that no compiler checks.
//!
//! - every Rust file begins with what it is for;
//! - only `store` names the engine, and the client links neither engine nor server;
//! - only the client's `win32` speaks to Windows, and only there is `unsafe` allowed;
//! - every job has a head and a test beside it;
//! - nothing is left for later without an issue.

use crate::command::{ask, program, root};
use anyhow::{Result, bail};
use std::collections::BTreeSet;
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
    let in_win32 = path.starts_with("crates/agent/src/win32") || name.to_string() == "crates/agent/src/win32.rs";
    let speaks = ["windows::Win32", "windows::core"].iter().any(|word| text.contains(word));
    if !in_win32 && speaks && !path.starts_with("xtask") {
        wrong.push(format!("{name}: speaks to Windows, which only the client's win32 may"));
    }
    let later = ["TO", "FIX"].map(|start| format!("{start}{}", if start == "TO" { "DO" } else { "ME" }));
    if later.iter().any(|word| text.contains(word.as_str())) {
        wrong.push(format!("{name}: leaves something for later; file an issue and take the mark out"));
    }
}

/// Every package that the client links, one a line: those of Linux, then those of Windows alone.
const CLIENT_LINKS: &str = "crates/agent/dependencies.txt";

/// How the line begins that stands between the two.
const WINDOWS_ALONE: &str = "# Windows alone";

/// The client's dependencies are few and known: engine, algorithms and server are none of them.
fn agent_links_little(wrong: &mut Vec<String>) {
    let (Some(linux), Some(windows)) = (linked("x86_64-unknown-linux-gnu"), linked("x86_64-pc-windows-gnu")) else {
        wrong.push("cargo tree could not list the client's dependencies".into());
        return;
    };
    let known = std::fs::read_to_string(root().join(CLIENT_LINKS)).unwrap_or_default();
    let (known_linux, known_windows) = known.split_once(WINDOWS_ALONE).unwrap_or((&known, ""));
    // What follows the marker on its own line is still the comment.
    let known_windows = known_windows.split_once('\n').map_or("", |(_, lines)| lines);
    let names = |part: &str| part.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let windows_alone = windows.difference(&linux).cloned().collect();
    for (system, linked, known) in
        [("Linux", &linux, names(known_linux)), ("Windows alone", &windows_alone, names(known_windows))]
    {
        let known: BTreeSet<String> = known;
        for name in linked.difference(&known) {
            wrong.push(format!(
                "the client links '{name}' on {system}, which is not in {CLIENT_LINKS}: give the reason in the commit"
            ));
        }
        for name in known.difference(linked) {
            wrong.push(format!("{CLIENT_LINKS} names '{name}' for {system}, which the client does not link any more"));
        }
    }
    for name in linux.union(&windows) {
        let forbidden = ["store", "server", "discovery"].contains(&name.as_str())
            || name.starts_with("datafusion")
            || name.starts_with("arrow");
        if forbidden {
            wrong.push(format!("the client links '{name}'"));
        }
    }
}

/// The packages that the client links on a system.
fn linked(target: &str) -> Option<BTreeSet<String>> {
    let tree = ask(program("cargo")
        .args(["tree", "--locked", "--package", "agent", "--target", target])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]))?;
    Some(tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

fn tracked() -> Vec<PathBuf> {
    let list = ask(program("git").args(["ls-files", "--cached", "--others", "--exclude-standard"])).unwrap_or_default();
    list.lines().map(PathBuf::from).filter(|path| root().join(path).exists()).collect()
}
