//! Which characters a keyboard layout makes, and when there was input last.

use std::collections::BTreeMap;
use windows::Win32::System::SystemInformation::GetTickCount;
use windows::Win32::UI::Input::KeyboardAndMouse::{
    GetAsyncKeyState, GetKeyState, GetKeyboardLayout, GetLastInputInfo, HKL, LASTINPUTINFO, VK_CAPITAL, VkKeyScanExW,
};
use windows::Win32::UI::WindowsAndMessaging::{GetForegroundWindow, GetWindowThreadProcessId};

/// Modifiers of a character, as Windows numbers them.
pub const SHIFT: u8 = 1;
/// Control and alt together, which is what AltGr is.
pub const ALT_GR: u8 = 6;

/// Characters that a layout is asked for: Latin, Greek, Cyrillic, punctuation and currencies.
const ALPHABETS: [std::ops::RangeInclusive<u16>; 6] =
    [0x20..=0x7e, 0xa0..=0x24f, 0x370..=0x3ff, 0x400..=0x45f, 0x2010..=0x2026, 0x20a0..=0x20bf];

/// Characters by key and modifiers. Dead keys and input methods are beyond it.
pub type Characters = BTreeMap<(u8, u8), char>;

/// The layout of the window in front, as a number.
pub fn layout() -> usize {
    // SAFETY: numbers go in and out; a window that is gone gives the layout of this thread.
    unsafe { GetKeyboardLayout(GetWindowThreadProcessId(GetForegroundWindow(), None)) }.0 as usize
}

/// What a layout makes. It is asked which key makes a character: the other way round changes the state of dead keys.
pub fn characters(layout: usize) -> Characters {
    let mut characters = Characters::new();
    for character in ALPHABETS.into_iter().flatten() {
        // SAFETY: numbers go in and out.
        let found = unsafe { VkKeyScanExW(character, HKL(layout as *mut core::ffi::c_void)) };
        let [key, modifiers] = found.to_le_bytes();
        if found != -1
            && let Some(character) = char::from_u32(character.into())
        {
            characters.entry((key, modifiers)).or_insert(character);
        }
    }
    characters
}

/// Whether capitals are locked, as far as the calling thread knows.
pub fn is_caps_locked() -> bool {
    // SAFETY: a number goes in and one comes out.
    unsafe { GetKeyState(i32::from(VK_CAPITAL.0)) & 1 != 0 }
}

/// Whether a key is down now.
pub fn is_down(virtual_key: u16) -> bool {
    // SAFETY: as above. The highest bit says it.
    unsafe { GetAsyncKeyState(i32::from(virtual_key)) < 0 }
}

/// The machine's milliseconds at the last input of this session, and now; they wrap every 49 days.
pub fn last_input_ms() -> Option<(u32, u32)> {
    let mut last = LASTINPUTINFO { cbSize: size_of::<LASTINPUTINFO>() as u32, dwTime: 0 };
    // SAFETY: the structure lives during the call and says its size.
    unsafe { GetLastInputInfo(&mut last).as_bool().then(|| (last.dwTime, GetTickCount())) }
}
