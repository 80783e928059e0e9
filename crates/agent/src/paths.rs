//! Where things lie on this system, and what the system tells of files and disks.

use std::path::{Path, PathBuf};

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{
    Lock, browser_above, configuration_folder, data_folder, file_id, floor_file, free_bytes, home_folder, is_writable,
    language, lock, machine_id, machine_name, make_private_folder, opener, own_uid, runtime_folder, settings_files,
    user_name, write_private,
};
#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{
    Lock, browser_above, data_folder, file_id, floor_file, free_bytes, is_writable, language, lock, machine_id,
    machine_name, make_private_folder, opener, runtime_folder, settings_files, user_name, write_private,
};

/// The folder of the spool inside the data folder.
pub fn spool_folder(data: &Path) -> PathBuf {
    data.join("spool")
}
