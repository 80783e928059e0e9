//! Pictures of the spool: sealed files, named by their content, whole or not there.

use super::SpoolError;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of a spool's pictures.
pub fn folder(spool: &Path) -> PathBuf {
    spool.join("pictures")
}

/// Keeps a sealed picture, synced, under a final name; its row comes last, so that a row always has a whole file.
///
/// Errors: the disk.
pub fn keep(spool: &Path, sealed: &[u8]) -> Result<String, SpoolError> {
    let name: String = Sha256::digest(sealed).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let folder = folder(spool);
    let path = folder.join(&name);
    let staged = folder.join(format!("{name}.new"));
    let written = (|| {
        crate::paths::make_private_folder(&folder)?;
        let mut file = File::create(&staged)?;
        file.write_all(sealed)?;
        file.sync_all()?;
        fs::rename(&staged, &path)?;
        sync_folder(&folder)
    })();
    written.map_err(|source| {
        let _ = fs::remove_file(&staged);
        SpoolError::Io { path, source }
    })?;
    Ok(name)
}

/// Removes files that no row names: a kill between file and row leaves one.
pub fn sweep(spool: &Path, named: &[String]) {
    for entry in fs::read_dir(folder(spool)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !named.contains(&name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    // Folders cannot be opened for that; the file system's journal keeps renames in order.
    Ok(())
}
