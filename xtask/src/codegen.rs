//! `cargo xtask codegen`: files that are generated from code, written or compared.
//!
//! The OpenAPI document comes from the server, which takes minutes to build, and the types of the pages' client come from
//! the document: here both are only written. Whether they are fresh say a test of the server
//! (`interface::the_checked_in_document_is_fresh`) and one of the pages (`web/generator/fresh.test.mjs`).

use crate::command::{self, ask, program, root};
use crate::setup;
use anyhow::{Context, Result, bail};

/// Where the OpenAPI document is checked in.
const OPENAPI: &str = "schemas/openapi.json";

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
    if !check {
        let document =
            ask(program("cargo").args(["run", "--quiet", "--package", "server", "--bin", "lode", "--", "openapi"]));
        let document = document.context("`lode openapi` did not print the document")?;
        std::fs::write(root().join(OPENAPI), document.trim_end().to_owned() + "\n")
            .with_context(|| format!("cannot write '{OPENAPI}'"))?;
        let web = setup::web_packages()?;
        command::run(program("npm").args(["run", "--silent", "generate"]).current_dir(web))?;
    }
    if stale.is_empty() { Ok(()) } else { bail!("not fresh, run cargo xtask codegen: {}", stale.join(", ")) }
}
