//! A question with two answers, in a dialog of the system.

use windows::Win32::UI::WindowsAndMessaging::{
    IDNO, IDYES, MB_DEFBUTTON2, MB_ICONQUESTION, MB_SETFOREGROUND, MB_YESNO, MessageBoxW,
};
use windows::core::HSTRING;

/// Asks and waits; `None` if no dialog could be shown or it was closed.
pub fn yes_or_no(title: &str, text: &str) -> Option<bool> {
    let style = MB_YESNO | MB_ICONQUESTION | MB_SETFOREGROUND | MB_DEFBUTTON2;
    // SAFETY: both texts live during the call.
    match unsafe { MessageBoxW(None, &HSTRING::from(text), &HSTRING::from(title), style) } {
        IDYES => Some(true),
        IDNO => Some(false),
        _ => None,
    }
}
