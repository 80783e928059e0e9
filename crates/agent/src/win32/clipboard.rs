//! What lies in the clipboard: its kinds, and its text for who asks for it.

use super::failed;
use std::io;
use std::time::{Duration, Instant};
use windows::Win32::Foundation::HGLOBAL;
use windows::Win32::System::DataExchange::{
    CloseClipboard, GetClipboardData, IsClipboardFormatAvailable, OpenClipboard, RegisterClipboardFormatW,
};
use windows::Win32::System::Memory::{GlobalLock, GlobalSize, GlobalUnlock};
use windows::Win32::System::Ole::{CF_BITMAP, CF_DIB, CF_HDROP, CF_UNICODETEXT};
use windows::core::{PCWSTR, w};
use zeroize::Zeroizing;

/// How long another program may keep the clipboard open.
const OPEN_TIME_MAX: Duration = Duration::from_millis(200);

/// How often it is tried again.
const AGAIN: Duration = Duration::from_millis(5);

/// Characters of a text that are read.
const TEXT_CHARS_MAX: usize = 32 << 10;

/// What is there.
#[derive(Debug, Default)]
pub struct Content {
    /// Files.
    pub has_files: bool,
    /// A picture.
    pub has_image: bool,
    /// Text with its form.
    pub has_html: bool,
    /// The program that put it there asks not to be looked at.
    pub concealed: bool,
    /// The text; only if it was asked for and is not concealed.
    pub text: Option<Zeroizing<String>>,
}

/// Reads it. It may wait for the program that put it there, so it belongs on a thread of its own.
///
/// Errors: another program keeps it open.
pub fn read(with_text: bool) -> io::Result<Content> {
    let has = |format: u32| {
        // SAFETY: a number goes in.
        unsafe { IsClipboardFormatAvailable(format) }.is_ok()
    };
    let has_named = |name: PCWSTR| {
        // SAFETY: the name is a constant.
        has(unsafe { RegisterClipboardFormatW(name) })
    };
    let concealed =
        has_named(w!("ExcludeClipboardContentFromMonitorProcessing")) || has_named(w!("Clipboard Viewer Ignore"));
    let content = Content {
        has_files: has(CF_HDROP.0.into()),
        has_image: has(CF_DIB.0.into()) || has(CF_BITMAP.0.into()),
        has_html: has_named(w!("HTML Format")),
        concealed,
        text: None,
    };
    if concealed || !with_text || !has(CF_UNICODETEXT.0.into()) {
        return Ok(content);
    }
    let _open = Open::new()?;
    Ok(Content { text: text(), ..content })
}

/// The clipboard while this thread has it open.
struct Open;

impl Open {
    fn new() -> io::Result<Self> {
        let until = Instant::now() + OPEN_TIME_MAX;
        loop {
            // SAFETY: it is closed in `drop`.
            match unsafe { OpenClipboard(None) } {
                Ok(()) => return Ok(Self),
                Err(error) if Instant::now() >= until => {
                    return Err(failed("another program keeps the clipboard open", error));
                }
                Err(_) => std::thread::sleep(AGAIN),
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: opened by this thread.
        let _ = unsafe { CloseClipboard() };
    }
}

fn text() -> Option<Zeroizing<String>> {
    // SAFETY: the clipboard is open, so the memory stays; it is locked while it is read, and no more is read than it has.
    unsafe {
        let memory = HGLOBAL(GetClipboardData(CF_UNICODETEXT.0.into()).ok()?.0);
        let start = GlobalLock(memory).cast::<u16>();
        if start.is_null() {
            return None;
        }
        let units = (GlobalSize(memory) / 2).min(TEXT_CHARS_MAX);
        let units = std::slice::from_raw_parts(start, units);
        let length = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
        let text = Zeroizing::new(String::from_utf16_lossy(&units[..length]));
        let _ = GlobalUnlock(memory);
        Some(text)
    }
}
