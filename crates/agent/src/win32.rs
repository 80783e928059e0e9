//! All that is said to Windows: the only module with `unsafe`, behind functions that are safe to call.
//!
//! One file for each subject. Windows are plain numbers here, texts are `String`s, handles close themselves; a call that fails is
//! `None` or an [`std::io::Error`] that names what failed. Nothing here decides anything: what may be asked is the gate's, what is done with it
//! the callers'. Why it is one module: `docs/decisions/0010-one-module-speaks-to-windows.md`.

pub mod clipboard;
pub mod console;
pub mod dialog;
pub mod elements;
pub mod files;
pub mod hooks;
pub mod keyboard;
pub mod pictures;
pub mod pipe;
pub mod post;
pub mod process;
pub mod registry;
pub mod secrets;
pub mod tray;
pub mod window;

use std::io;
use windows::Win32::Foundation::{HLOCAL, HWND, LocalFree};
use windows::Win32::Security::Authorization::ConvertStringSecurityDescriptorToSecurityDescriptorW;
use windows::Win32::Security::{PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES};
use windows::core::{HSTRING, PWSTR};

/// The handle behind a window's number.
fn handle(window: u64) -> HWND {
    HWND(window as usize as *mut core::ffi::c_void)
}

/// The number of a window's handle.
fn number(window: HWND) -> u64 {
    window.0 as usize as u64
}

/// The system's error by its own number, so that its kind is known.
fn io_error(error: &windows::core::Error) -> io::Error {
    /// The upper half of numbers that wrap an error of the system.
    const FROM_WIN32: u32 = 0x8007_0000;
    let number = error.code().0.cast_unsigned();
    let own = if number & 0xffff_0000 == FROM_WIN32 { number & 0xffff } else { number };
    io::Error::from_raw_os_error(own.cast_signed())
}

/// What failed, with what the system says.
fn failed(what: &str, error: windows::core::Error) -> io::Error {
    io::Error::new(io_error(&error).kind(), format!("{what}: {}", error.message()))
}

/// A text that Windows allocated, which is freed.
fn taken(text: PWSTR) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller got a null-terminated text from a function that says it is to be freed with `LocalFree`.
    unsafe {
        let owned = text.to_string().ok();
        LocalFree(Some(HLOCAL(text.0.cast())));
        owned
    }
}

/// Who may use something, in the words of Windows; freed when dropped.
struct Access(PSECURITY_DESCRIPTOR);

impl Access {
    /// For the user of this process alone; with `inherited`, also for what will lie inside.
    fn own(inherited: bool) -> io::Result<Self> {
        let flags = if inherited { "OICI" } else { "" };
        let words = HSTRING::from(format!("D:P(A;{flags};GA;;;{})", process::own_sid()?));
        let mut descriptor = PSECURITY_DESCRIPTOR::default();
        /// The only revision of that language.
        const SDDL_REVISION: u32 = 1;
        // SAFETY: the pointers are to values that live during the call; what comes back is freed in `drop`.
        unsafe { ConvertStringSecurityDescriptorToSecurityDescriptorW(&words, SDDL_REVISION, &mut descriptor, None) }
            .map_err(|error| failed("cannot say that only this user has access", error))?;
        Ok(Self(descriptor))
    }

    fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0.0,
            bInheritHandle: false.into(),
        }
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        // SAFETY: allocated by the conversion, and nobody else holds it.
        unsafe { LocalFree(Some(HLOCAL(self.0.0))) };
    }
}
