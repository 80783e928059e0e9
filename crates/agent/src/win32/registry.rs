//! The few values of the registry that the client reads, and the ones that its installer left.

use super::failed;
use std::io;
use windows::Win32::Foundation::ERROR_SUCCESS;
use windows::Win32::System::Registry::{
    HKEY, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, KEY_READ, REG_ROUTINE_FLAGS, REG_SZ, RRF_RT_REG_DWORD, RRF_RT_REG_SZ,
    RRF_SUBKEY_WOW6464KEY, RegCloseKey, RegDeleteTreeW, RegGetValueW, RegOpenKeyExW, RegSetKeyValueW,
};
use windows::core::{HSTRING, PCWSTR};

/// Bytes of a text that are read at most.
const TEXT_BYTES_MAX: usize = 4_096;

/// A text of the machine's part.
pub fn machine_text(key: &str, name: &str) -> Option<String> {
    text(HKEY_LOCAL_MACHINE, key, name)
}

/// A number of the machine's part.
pub fn machine_number(key: &str, name: &str) -> Option<u32> {
    let mut bytes = [0; 4];
    let flags = RRF_RT_REG_DWORD | RRF_SUBKEY_WOW6464KEY;
    read(HKEY_LOCAL_MACHINE, key, name, flags, &mut bytes).filter(|length| *length == 4)?;
    Some(u32::from_le_bytes(bytes))
}

/// A text of the user's part.
pub fn own_text(key: &str, name: &str) -> Option<String> {
    text(HKEY_CURRENT_USER, key, name)
}

/// Whether the user's part has a key.
pub fn is_own_key(key: &str) -> bool {
    let mut opened = HKEY::default();
    // SAFETY: the name lives during the call; a key that was opened is closed.
    unsafe {
        let is_there =
            RegOpenKeyExW(HKEY_CURRENT_USER, &HSTRING::from(key), None, KEY_READ, &mut opened) == ERROR_SUCCESS;
        if is_there {
            let _ = RegCloseKey(opened);
        }
        is_there
    }
}

/// Writes the nameless text of a key of the user's part, and makes the key.
///
/// Errors: the registry refuses.
pub fn set_own_text(key: &str, text: &str) -> io::Result<()> {
    let text = HSTRING::from(text);
    let bytes = (text.len() as u32 + 1) * 2;
    // SAFETY: names and text live during the call; the text ends with a null, which its length counts.
    let said = unsafe {
        RegSetKeyValueW(
            HKEY_CURRENT_USER,
            &HSTRING::from(key),
            PCWSTR::null(),
            REG_SZ.0,
            Some(text.as_ptr().cast()),
            bytes,
        )
    };
    said.ok().map_err(|error| failed("cannot write to the registry", error))
}

/// Takes a key of the user's part away, with all that is in it.
pub fn forget_own(key: &str) {
    // SAFETY: the name lives during the call. What is not there need not be taken away.
    unsafe {
        let _ = RegDeleteTreeW(HKEY_CURRENT_USER, &HSTRING::from(key));
    }
}

fn text(root: HKEY, key: &str, name: &str) -> Option<String> {
    let mut bytes = [0; TEXT_BYTES_MAX];
    let length = read(root, key, name, RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, &mut bytes)?;
    let characters: Vec<u16> =
        bytes.get(..length)?.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16_lossy(&characters).trim_end_matches('\0').to_owned();
    Some(text).filter(|text| !text.is_empty())
}

fn read(root: HKEY, key: &str, name: &str, flags: REG_ROUTINE_FLAGS, bytes: &mut [u8]) -> Option<usize> {
    let mut length = bytes.len() as u32;
    // SAFETY: the buffer is as long as the length says.
    let said = unsafe {
        RegGetValueW(
            root,
            &HSTRING::from(key),
            &HSTRING::from(name),
            flags,
            None,
            Some(bytes.as_mut_ptr().cast()),
            Some(&mut length),
        )
    };
    (said == ERROR_SUCCESS).then_some(length as usize)
}
