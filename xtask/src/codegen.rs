//! `cargo xtask codegen`: files that are generated from code, written or compared.

use crate::command::root;
use anyhow::{Context, Result, bail};

/// Writes the generated files; with `--check` only compares them.
///
/// Errors: with `--check`, the files that are not fresh.
pub fn run(arguments: &[String]) -> Result<()> {
    let check = arguments.iter().any(|argument| argument == "--check");
    let mut stale = Vec::new();
    for (path, text) in uilog::schema::generated() {
        let file = root().join(path);
        if std::fs::read_to_string(&file).is_ok_and(|found| found == text) {
            continue;
        }
        if check {
            stale.push(path);
        } else {
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&file, text).with_context(|| format!("cannot write '{}'", file.display()))?;
            eprintln!("wrote {path}");
        }
    }
    if stale.is_empty() { Ok(()) } else { bail!("not fresh, run cargo xtask codegen: {}", stale.join(", ")) }
}
