//! The few values of the registry that the client reads, and the ones that its installer left.

use windows::Win32::Foundation::ERROR_SUCCESS;
use windows::Win32::System::Registry::{
    HKEY, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, REG_ROUTINE_FLAGS, RRF_RT_REG_DWORD, RRF_RT_REG_SZ,
    RRF_SUBKEY_WOW6464KEY, RegDeleteTreeW, RegGetValueW,
};
use windows::core::HSTRING;

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
