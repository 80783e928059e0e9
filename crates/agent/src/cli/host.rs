//! `lode-agent install-browser-host`: says for each browser what was written or taken away.

use crate::browser::host::{self, Form};
use anyhow::{Context, Result};
use std::path::Path;

/// Registers the running program with every browser that is found, and in a folder of its own if one is given.
///
/// Errors: a folder cannot be written; those before it stay as they are.
pub(super) fn run(folder: Option<(&Path, Form)>, only: bool, remove: bool) -> Result<u8> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let places = if only { Vec::new() } else { host::places() };
    for place in &places {
        let cannot = || format!("cannot change '{}'", place.folder.display());
        if remove {
            if host::unregister(place).with_context(cannot)? {
                println!("{}: taken away", place.browser);
            }
        } else if place.is_used {
            let path = host::register(place, &program).with_context(cannot)?;
            println!("{}: {}", place.browser, path.display());
        }
    }
    if let Some((folder, form)) = folder {
        let cannot = || format!("cannot change '{}'", folder.display());
        if remove {
            host::remove(folder).with_context(cannot)?;
        } else {
            println!("{}", host::write(folder, form, &program).with_context(cannot)?.display());
        }
    } else if !remove && places.iter().all(|place| !place.is_used) {
        println!("no Chromium, Chrome, Edge or Firefox was found; name a folder with --folder");
    }
    Ok(0)
}
