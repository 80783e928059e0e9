//! The list of parts of a package: every crate that the client links on a system, with version and licence, in CycloneDX.

use super::{folder, version};
use crate::command::{ask, program};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

/// Writes the list; gives the name of its file.
///
/// Errors: cargo does not tell, or the disk.
pub fn list(system: &str, target: &str) -> Result<String> {
    let tree = ask(program("cargo")
        .args(["tree", "--offline", "--package", "agent", "--target", target])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}|{l}"]))
    .context("cargo tree could not list the client's parts")?;
    let lines: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    let parts: Vec<Value> = lines.into_iter().filter_map(part).filter(|part| part["name"] != "agent").collect();
    let client = json!({ "type": "application", "name": "lode-agent", "version": version()? });
    let whole = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": { "component": client }, "components": parts,
    });
    let name = format!("lode-agent-{}-{system}.cdx.json", version()?);
    fs::write(folder().join(&name), serde_json::to_string_pretty(&whole)?)?;
    Ok(name)
}

/// One part, from `name v1.2.3 (where)|licence`.
fn part(line: &str) -> Option<Value> {
    let (what, licence) = line.split_once('|')?;
    let mut words = what.split(' ');
    let (name, version) = (words.next()?, words.next()?.trim_start_matches('v'));
    // Old manifests write a slash where SPDX writes OR.
    let licence = licence.replace('/', " OR ");
    Some(json!({
        "type": "library", "name": name, "version": version, "purl": format!("pkg:cargo/{name}@{version}"),
        "licenses": [{ "expression": licence }],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_cargo_tree_becomes_a_part_with_a_licence_that_spdx_knows() {
        let part = part("zstd-sys v2.0.16+zstd.1.5.7 (proc-macro)|MIT/Apache-2.0").unwrap();
        assert_eq!(part["purl"], "pkg:cargo/zstd-sys@2.0.16+zstd.1.5.7");
        assert_eq!(part["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert!(super::part("nothing").is_none());
    }
}
