//! Paths and facts on Windows: `%LOCALAPPDATA%\Lode` for the user, `%ProgramData%\Lode` for the administrator.

use crate::win32::{files, process, registry};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the client keeps what it knows.
pub fn data_folder() -> PathBuf {
    files::local_app_data().unwrap_or_else(std::env::temp_dir).join("Lode")
}

/// Where what lives only while the person is logged in lies. The control pipe is named after it.
pub fn runtime_folder() -> PathBuf {
    data_folder().join("run")
}

/// The machine settings, weakest first.
pub fn settings_files() -> Vec<PathBuf> {
    let machine = files::program_data().map(|folder| folder.join(r"Lode\agent.toml"));
    machine.into_iter().chain([data_folder().join("agent.toml")]).collect()
}

/// The floor, in the machine's folder.
pub fn floor_file() -> PathBuf {
    files::program_data().unwrap_or_else(|| PathBuf::from(r"C:\ProgramData")).join(r"Lode\floor.xml")
}

/// Makes a folder that only the user can look into.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match files::make_own_folder(folder) {
        Err(_) if folder.is_dir() => Ok(()),
        made => made,
    }
}

/// Whether files can be made in a folder.
pub fn is_writable(folder: &Path) -> bool {
    let probe = folder.join(".probe");
    let made = File::create(&probe).is_ok();
    let _ = std::fs::remove_file(probe);
    made
}

/// Writes a file of a private folder: the old one or the new one, never a part.
///
/// Errors: the disk.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = path.with_extension("new");
    let mut file = File::create(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&staged, path)
}

/// What opens a file as a double click does.
pub fn opener() -> Command {
    Command::new("explorer.exe")
}

/// The user's language, such as `de`.
pub fn language() -> Option<String> {
    Some(process::language()?.split('-').next()?.to_owned())
}

/// Parents of a process that are looked at for a browser: it starts relays through the command processor.
const PARENTS_MAX: usize = 4;

/// The browser that started a process, directly or through a shell.
pub fn browser_above(pid: u32) -> Option<crate::browser::Program> {
    let above = std::iter::successors(process::parent(pid), |pid| process::parent(*pid)).take(PARENTS_MAX);
    above.into_iter().find_map(|pid| {
        let path = process::program(pid)?;
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        crate::gate::is_browser_name(&name).then_some(crate::browser::Program { pid, name, path })
    })
}

/// What stays the same for this machine, and differs between machines that were not copied.
pub fn machine_id() -> String {
    registry::machine_text(r"SOFTWARE\Microsoft\Cryptography", "MachineGuid").unwrap_or_default()
}

/// What stays the same for a file, and differs for a copy of it.
pub fn file_id(path: &Path) -> String {
    files::file_id(path).map_or_else(String::new, |(volume, number)| format!("{volume}:{number}"))
}

/// Free and whole size of the disk that holds a folder, in bytes.
pub fn free_bytes(folder: &Path) -> Option<(u64, u64)> {
    files::free_bytes(folder)
}

/// The name of the user, where the system tells.
pub fn user_name() -> Option<String> {
    process::user_name()
}

/// The name of the machine.
pub fn machine_name() -> Option<String> {
    process::machine_name()
}

/// A lock that one process holds; it ends with the process, however that ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "the lock lives as long as the file is open")] File);

/// Takes the lock of a file; `None` if another process has it.
///
/// Errors: the file cannot be made.
pub fn lock(path: &Path) -> io::Result<Option<Lock>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
