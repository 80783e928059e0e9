//! Folders, disks and files.

use super::{Access, failed};
use std::io;
use std::os::windows::io::AsRawHandle;
use std::path::{Path, PathBuf};
use windows::Win32::Foundation::HANDLE;
use windows::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, CreateDirectoryW, GetDiskFreeSpaceExW, GetFileInformationByHandle,
};
use windows::Win32::System::Com::CoTaskMemFree;
use windows::Win32::UI::Shell::{FOLDERID_LocalAppData, FOLDERID_ProgramData, KF_FLAG_DEFAULT, SHGetKnownFolderPath};
use windows::core::{GUID, HSTRING};

/// The user's own folder for programs' data.
pub fn local_app_data() -> Option<PathBuf> {
    known_folder(&FOLDERID_LocalAppData)
}

/// The machine's folder for programs' data.
pub fn program_data() -> Option<PathBuf> {
    known_folder(&FOLDERID_ProgramData)
}

/// Asked of the system, not of the environment, which any program may change before it starts this one.
fn known_folder(folder: &GUID) -> Option<PathBuf> {
    // SAFETY: the text that comes back is null-terminated and freed here, as the function demands.
    unsafe {
        let text = SHGetKnownFolderPath(folder, KF_FLAG_DEFAULT, None).ok()?;
        let path = text.to_string().ok().map(PathBuf::from);
        CoTaskMemFree(Some(text.0.cast()));
        path
    }
}

/// Makes one folder that only this user can look into.
///
/// Errors: there is one already, or the disk.
pub fn make_own_folder(path: &Path) -> io::Result<()> {
    let access = Access::own(true)?;
    // SAFETY: path and attributes live during the call.
    unsafe { CreateDirectoryW(&HSTRING::from(path), Some(&access.attributes())) }
        .map_err(|error| failed("cannot make the folder", error))
}

/// Free and whole size of the disk that holds a folder, in bytes.
pub fn free_bytes(folder: &Path) -> Option<(u64, u64)> {
    let (mut free, mut whole) = (0, 0);
    // SAFETY: the numbers live during the call.
    unsafe { GetDiskFreeSpaceExW(&HSTRING::from(folder), Some(&mut free), Some(&mut whole), None) }.ok()?;
    Some((free, whole))
}

/// The number of the volume and the file's number on it.
pub fn file_id(path: &Path) -> Option<(u32, u64)> {
    let file = std::fs::File::open(path).ok()?;
    let mut about = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the file is open during the call, and the place for the answer lives.
    unsafe { GetFileInformationByHandle(HANDLE(file.as_raw_handle()), &mut about) }.ok()?;
    Some((about.dwVolumeSerialNumber, u64::from(about.nFileIndexHigh) << 32 | u64::from(about.nFileIndexLow)))
}
