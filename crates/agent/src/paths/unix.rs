//! Paths and facts on Linux and its kin: the XDG folders.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use uilog::planted;

/// Where the client keeps what it knows: `$XDG_STATE_HOME/lode`.
pub fn data_folder() -> PathBuf {
    xdg("XDG_STATE_HOME", ".local/state").join("lode")
}

/// Where what lives only while the person is logged in lies: `$XDG_RUNTIME_DIR/lode`.
pub fn runtime_folder() -> PathBuf {
    let given = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    given.map_or_else(|| std::env::temp_dir().join(format!("lode-{}", own_uid())), |path| path.join("lode"))
}

/// The machine settings, weakest first.
pub fn settings_files() -> Vec<PathBuf> {
    vec![PathBuf::from("/etc/lode/agent.toml"), configuration_folder().join("lode/agent.toml")]
}

/// Where programs of this user keep their settings.
pub fn configuration_folder() -> PathBuf {
    xdg("XDG_CONFIG_HOME", ".config")
}

/// The home of this user.
pub fn home_folder() -> PathBuf {
    PathBuf::from(std::env::var_os("HOME").unwrap_or_default())
}

/// The floor, which only an administrator can write.
pub fn floor_file() -> PathBuf {
    PathBuf::from("/etc/lode/floor.xml")
}

fn xdg(variable: &str, below_home: &str) -> PathBuf {
    let given = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    given.unwrap_or_else(|| home_folder().join(below_home))
}

/// Makes a folder that only the user can look into.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        let mode = folder.metadata()?.permissions().mode();
        if mode & 0o077 != 0 {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
        }
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Whether files can be made in a folder.
pub fn is_writable(folder: &Path) -> bool {
    let probe = folder.join(".probe");
    let made = File::create(&probe).is_ok();
    let _ = std::fs::remove_file(probe);
    made
}

/// Writes a file that only the user can read: the old one or the new one, never a part.
///
/// Errors: the disk.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = path.with_extension("new");
    let mode = if planted::is("readable-secret") { 0o644 } else { 0o600 };
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&staged, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// What opens a file as a double click does.
pub fn opener() -> Command {
    Command::new("xdg-open")
}

/// The user's language, such as `de`.
pub fn language() -> Option<String> {
    let language = std::env::var("LANG").ok()?;
    language.split(['_', '.']).next().map(str::to_owned)
}

/// What stays the same for this machine, and differs between machines that were not copied.
pub fn machine_id() -> String {
    let text = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    text.trim().to_owned()
}

/// What stays the same for a file, and differs for a copy of it.
pub fn file_id(path: &Path) -> String {
    path.metadata().map_or_else(|_| String::new(), |meta| format!("{}:{}", meta.dev(), meta.ino()))
}

/// Free and whole size of the disk that holds a folder, in bytes.
pub fn free_bytes(folder: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some((disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize)))
}

/// The name of the user, where the system tells.
pub fn user_name() -> Option<String> {
    let uid = own_uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let listed = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        (id == uid).then(|| name.to_owned())
    });
    listed.or_else(|| std::env::var("USER").ok())
}

/// The name of the machine.
pub fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Parents of a process that are looked at for a browser.
const PARENTS_MAX: usize = 4;

/// The browser that started a process, directly or through a shell.
pub fn browser_above(pid: u32) -> Option<crate::browser::Program> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok().filter(|parent| *parent > 1)
    };
    let above = std::iter::successors(parent(pid), |pid| parent(*pid)).take(PARENTS_MAX);
    above.into_iter().find_map(|pid| {
        let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        (crate::gate::is_browser_name(&name) || planted::is("any-program-a-browser"))
            .then_some(crate::browser::Program { pid, name, path })
    })
}

/// The number of the user.
pub fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// A lock that one process holds; it ends with the process, however that ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "the lock lives as long as the file is open")] File);

/// Takes the lock of a file; `None` if another process has it.
///
/// Errors: the file cannot be made.
pub fn lock(path: &Path) -> io::Result<Option<Lock>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Lock(file))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
