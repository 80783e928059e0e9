//! Processes: this one, its user, and whose program a window's process is.

use super::{failed, taken};
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::PathBuf;
use windows::Win32::Foundation::{FILETIME, HANDLE};
use windows::Win32::Globalization::GetUserDefaultLocaleName;
use windows::Win32::Security::Authorization::ConvertSidToStringSidW;
use windows::Win32::Security::{
    GetSidSubAuthority, GetSidSubAuthorityCount, GetTokenInformation, PSID, TOKEN_INFORMATION_CLASS,
    TOKEN_MANDATORY_LABEL, TOKEN_QUERY, TOKEN_USER, TokenIntegrityLevel, TokenUser,
};
use windows::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};
use windows::Win32::System::ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS};
use windows::Win32::System::RemoteDesktop::ProcessIdToSessionId;
use windows::Win32::System::SystemInformation::{ComputerNamePhysicalDnsHostname, GetComputerNameExW, GetTickCount64};
use windows::Win32::System::Threading::{
    GetCurrentProcess, GetCurrentProcessId, GetProcessTimes, OpenProcess, OpenProcessToken, PROCESS_NAME_WIN32,
    PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
};
use windows::Win32::System::WindowsProgramming::GetUserNameW;
use windows::core::PWSTR;

/// Characters of a path, a name or a language at most.
const PATH_CHARS_MAX: usize = 32_768;
const NAME_CHARS_MAX: usize = 512;

/// Bytes of what a token tells at most.
const TOKEN_BYTES_MAX: usize = 1_024;

/// The full path of a process's program; unknown if it may not be asked.
pub fn program(pid: u32) -> Option<PathBuf> {
    let process = open(pid).ok()?;
    let mut path = vec![0_u16; PATH_CHARS_MAX];
    let mut length = path.len() as u32;
    // SAFETY: the buffer is as long as the length says, and the length that comes back is what was written.
    unsafe {
        QueryFullProcessImageNameW(raw(&process), PROCESS_NAME_WIN32, PWSTR(path.as_mut_ptr()), &mut length).ok()?;
    }
    Some(PathBuf::from(String::from_utf16_lossy(path.get(..length as usize)?)))
}

/// The process that started another, as far as it still runs.
pub fn parent(pid: u32) -> Option<u32> {
    // SAFETY: the snapshot is a handle of our own, the entry says its own size, and both live during the calls.
    unsafe {
        let snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0).ok()?;
        let snapshot = OwnedHandle::from_raw_handle(snapshot.0);
        let mut entry = PROCESSENTRY32W { dwSize: size_of::<PROCESSENTRY32W>() as u32, ..Default::default() };
        let mut found = Process32FirstW(raw(&snapshot), &mut entry);
        while found.is_ok() {
            if entry.th32ProcessID == pid {
                return Some(entry.th32ParentProcessID).filter(|parent| *parent != 0);
            }
            found = Process32NextW(raw(&snapshot), &mut entry);
        }
    }
    None
}

/// The user of this process, as Windows writes its number.
///
/// Errors: the system does not tell.
pub fn own_sid() -> io::Result<String> {
    // SAFETY: the pseudo handle of the own process needs no closing.
    sid(unsafe { GetCurrentProcess() })
}

/// Whether a process belongs to the user of this one.
pub fn is_own(pid: u32) -> bool {
    let theirs = open(pid).and_then(|process| sid(raw(&process)));
    matches!((theirs, own_sid()), (Ok(theirs), Ok(own)) if theirs == own)
}

fn sid(process: HANDLE) -> io::Result<String> {
    token(process, TokenUser, |bytes| {
        // SAFETY: for this class the system writes a `TOKEN_USER` at the beginning, with a pointer into the same bytes.
        unsafe {
            let user = &*bytes.as_ptr().cast::<TOKEN_USER>();
            let mut text = PWSTR::null();
            ConvertSidToStringSidW(user.User.Sid, &mut text)?;
            Ok(taken(text).unwrap_or_default())
        }
    })
}

/// Whether a process runs with higher rights than this one, so that Windows shows this one neither its input nor its elements.
pub fn is_above(pid: u32) -> bool {
    // SAFETY: as in `own_sid`.
    let own = integrity(unsafe { GetCurrentProcess() });
    match open(pid).and_then(|process| integrity(raw(&process))) {
        Ok(theirs) => own.is_ok_and(|own| theirs > own),
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

fn integrity(process: HANDLE) -> io::Result<u32> {
    token(process, TokenIntegrityLevel, |bytes| {
        // SAFETY: for this class the system writes a `TOKEN_MANDATORY_LABEL`, whose SID lies in the same bytes.
        unsafe {
            let sid: PSID = (*bytes.as_ptr().cast::<TOKEN_MANDATORY_LABEL>()).Label.Sid;
            let last = u32::from(*GetSidSubAuthorityCount(sid)).saturating_sub(1);
            Ok(*GetSidSubAuthority(sid, last))
        }
    })
}

/// What the token of a process tells, in a buffer that is aligned for every structure.
fn token<T>(
    process: HANDLE,
    class: TOKEN_INFORMATION_CLASS,
    read: impl FnOnce(&[u64]) -> windows::core::Result<T>,
) -> io::Result<T> {
    let mut token = HANDLE::default();
    let mut bytes = vec![0_u64; TOKEN_BYTES_MAX / size_of::<u64>()];
    let mut length = 0;
    // SAFETY: the token is closed by its owner; the buffer is as long as is said.
    let told = unsafe {
        OpenProcessToken(process, TOKEN_QUERY, &mut token).and_then(|()| {
            let _closes = OwnedHandle::from_raw_handle(token.0);
            GetTokenInformation(token, class, Some(bytes.as_mut_ptr().cast()), TOKEN_BYTES_MAX as u32, &mut length)
        })
    };
    told.and_then(|()| read(&bytes)).map_err(|error| failed("cannot read whose process it is", error))
}

fn open(pid: u32) -> io::Result<OwnedHandle> {
    // SAFETY: what comes back is a handle of our own.
    unsafe {
        let process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, false, pid);
        process
            .map(|handle| OwnedHandle::from_raw_handle(handle.0))
            .map_err(|error| failed("cannot look at the process", error))
    }
}

fn raw(handle: &OwnedHandle) -> HANDLE {
    HANDLE(handle.as_raw_handle())
}

/// The number of this process's log-in session.
pub fn session() -> u32 {
    let mut session = 0;
    // SAFETY: the number lives during the call.
    let told = unsafe { ProcessIdToSessionId(GetCurrentProcessId(), &mut session) };
    told.map_or(0, |()| session)
}

/// The name of the user.
pub fn user_name() -> Option<String> {
    let mut name = [0_u16; NAME_CHARS_MAX];
    let mut length = name.len() as u32;
    // SAFETY: the buffer is as long as the length says; the length that comes back counts the null.
    unsafe { GetUserNameW(Some(PWSTR(name.as_mut_ptr())), &mut length) }.ok()?;
    text(name.get(..(length as usize).saturating_sub(1))?)
}

/// The name of the machine.
pub fn machine_name() -> Option<String> {
    let mut name = [0_u16; NAME_CHARS_MAX];
    let mut length = name.len() as u32;
    // SAFETY: as above; here the length does not count the null.
    unsafe { GetComputerNameExW(ComputerNamePhysicalDnsHostname, Some(PWSTR(name.as_mut_ptr())), &mut length) }.ok()?;
    text(name.get(..length as usize)?)
}

/// The user's language, such as `de-DE`.
pub fn language() -> Option<String> {
    let mut name = [0_u16; NAME_CHARS_MAX];
    // SAFETY: the slice says how long it is; the length that comes back counts the null.
    let length = unsafe { GetUserDefaultLocaleName(&mut name) };
    text(name.get(..usize::try_from(length).ok()?.checked_sub(1)?)?)
}

fn text(characters: &[u16]) -> Option<String> {
    Some(String::from_utf16_lossy(characters)).filter(|text| !text.is_empty())
}

/// Microseconds since the machine was started.
pub fn uptime_us() -> u64 {
    // SAFETY: it takes nothing and always answers.
    unsafe { GetTickCount64() }.saturating_mul(1_000)
}

/// Memory in use in bytes, and processor time since the start in milliseconds.
pub fn own_use() -> (u64, u64) {
    let mut memory = PROCESS_MEMORY_COUNTERS::default();
    let (mut began, mut ended, mut kernel, mut user) =
        (FILETIME::default(), FILETIME::default(), FILETIME::default(), FILETIME::default());
    // SAFETY: the places for the answers live during the calls and have the sizes that are said.
    unsafe {
        let size = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
        if !K32GetProcessMemoryInfo(GetCurrentProcess(), &mut memory, size).as_bool() {
            memory = PROCESS_MEMORY_COUNTERS::default();
        }
        let _ = GetProcessTimes(GetCurrentProcess(), &mut began, &mut ended, &mut kernel, &mut user);
    }
    /// Units of a `FILETIME` in a millisecond.
    const UNITS_MS: u64 = 10_000;
    let units = |time: FILETIME| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    (memory.WorkingSetSize as u64, (units(kernel) + units(user)) / UNITS_MS)
}
