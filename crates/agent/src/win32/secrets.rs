//! DPAPI: bytes that only this Windows user can open again.

use super::failed;
use std::io;
use windows::Win32::Foundation::{HLOCAL, LocalFree};
use windows::Win32::Security::Cryptography::{
    CRYPT_INTEGER_BLOB, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData, CryptUnprotectData,
};
use windows::core::PCWSTR;
use zeroize::{Zeroize, Zeroizing};

/// Closes bytes.
///
/// Errors: the system has no key for this user.
pub fn seal(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = CRYPT_INTEGER_BLOB::default();
    // SAFETY: the blob points to bytes that live during the call and are not written to; what comes back is taken over.
    unsafe {
        CryptProtectData(&blob(bytes), PCWSTR::null(), None, None, None, CRYPTPROTECT_UI_FORBIDDEN, &mut out)
            .map_err(|error| failed("Windows does not seal the secret", error))?;
        Ok(take(out).to_vec())
    }
}

/// Opens bytes that were closed by the same user.
///
/// Errors: they are another user's, another machine's, or damaged.
pub fn open(bytes: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut out = CRYPT_INTEGER_BLOB::default();
    // SAFETY: as in `seal`.
    unsafe {
        CryptUnprotectData(&blob(bytes), None, None, None, None, CRYPTPROTECT_UI_FORBIDDEN, &mut out)
            .map_err(|error| failed("Windows does not open the secret", error))?;
        Ok(take(out))
    }
}

fn blob(bytes: &[u8]) -> CRYPT_INTEGER_BLOB {
    CRYPT_INTEGER_BLOB { cbData: bytes.len() as u32, pbData: bytes.as_ptr().cast_mut() }
}

/// Copies what Windows allocated, overwrites it and gives it back.
///
/// # Safety
///
/// The blob must come from DPAPI, and nobody else may hold it.
unsafe fn take(out: CRYPT_INTEGER_BLOB) -> Zeroizing<Vec<u8>> {
    // SAFETY: see above; the length is the one that came with the pointer.
    unsafe {
        let theirs = std::slice::from_raw_parts_mut(out.pbData, out.cbData as usize);
        let own = Zeroizing::new(theirs.to_vec());
        theirs.zeroize();
        LocalFree(Some(HLOCAL(out.pbData.cast())));
        own
    }
}
