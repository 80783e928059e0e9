//! Windows: which is where, whose it is, what it is called. None of these calls sends a message to the window, so none waits for its program.

use super::{handle, number};
use windows::Win32::Foundation::{HWND, LPARAM, POINT, RECT};
use windows::Win32::Graphics::Dwm::{DWMWA_EXTENDED_FRAME_BOUNDS, DwmGetWindowAttribute};
use windows::Win32::UI::HiDpi::{DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2, SetProcessDpiAwarenessContext};
use windows::Win32::UI::WindowsAndMessaging::{
    EnumChildWindows, GA_ROOT, GA_ROOTOWNER, GUITHREADINFO, GWL_STYLE, GetAncestor, GetClassNameW, GetDlgCtrlID,
    GetForegroundWindow, GetGUIThreadInfo, GetWindowLongW, GetWindowRect, GetWindowThreadProcessId,
    InternalGetWindowText, IsWindow, IsWindowVisible, WS_CAPTION, WindowFromPoint,
};
use windows::core::BOOL;

/// Characters of a title that are read.
const TITLE_CHARS_MAX: usize = 4_096;

/// Characters of a class name, as Windows bounds them.
const CLASS_CHARS_MAX: usize = 256;

/// Controls of a window that are looked at.
const CHILDREN_MAX: usize = 4_096;

/// The style of edit controls that show dots.
const ES_PASSWORD: u32 = 0x20;

/// From now on, pixels are those of the screen, whatever its scale. To be called before the first window is made.
pub fn see_physical_pixels() {
    // SAFETY: a constant goes in. Where it fails, a manifest has said it before.
    let _ = unsafe { SetProcessDpiAwarenessContext(DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2) };
}

/// The window in front.
pub fn front() -> Option<u64> {
    // SAFETY: it takes nothing.
    some(unsafe { GetForegroundWindow() })
}

/// The innermost window under a point.
pub fn at(x: i32, y: i32) -> Option<u64> {
    // SAFETY: numbers go in.
    some(unsafe { WindowFromPoint(POINT { x, y }) })
}

/// The top-level window that a control lies in.
pub fn root(window: u64) -> Option<u64> {
    // SAFETY: a number that is no window gives none.
    some(unsafe { GetAncestor(handle(window), GA_ROOT) })
}

/// The top-level window that a menu, list or dialog belongs to in the end.
pub fn root_owner(window: u64) -> Option<u64> {
    // SAFETY: as in `root`.
    some(unsafe { GetAncestor(handle(window), GA_ROOTOWNER) })
}

/// Whether there is such a window.
pub fn exists(window: u64) -> bool {
    // SAFETY: any number may be asked about.
    unsafe { IsWindow(Some(handle(window))) }.as_bool()
}

/// Whether it has a title bar, so that it stands for itself.
pub fn has_caption(window: u64) -> bool {
    style(window) & WS_CAPTION.0 == WS_CAPTION.0
}

/// The process and the thread of a window.
pub fn process_and_thread(window: u64) -> Option<(u32, u32)> {
    let mut pid = 0;
    // SAFETY: the number lives during the call.
    let thread = unsafe { GetWindowThreadProcessId(handle(window), Some(&mut pid)) };
    (thread != 0 && pid != 0).then_some((pid, thread))
}

/// The first process among a window's controls that is not the window's own: whom a frame of the shell shows.
pub fn guest(window: u64) -> Option<u32> {
    let (own, _) = process_and_thread(window)?;
    children(window).into_iter().find_map(|child| Some(process_and_thread(child)?.0).filter(|pid| *pid != own))
}

/// What the window is called; for a control, what its program called it when it was made, never its content.
pub fn title(window: u64) -> Option<String> {
    let mut text = vec![0; TITLE_CHARS_MAX];
    // SAFETY: the slice says how long it is. The text comes from the system, not from the window's program.
    let length = unsafe { InternalGetWindowText(handle(window), &mut text) };
    exists(window)
        .then(|| String::from_utf16_lossy(text.get(..usize::try_from(length).unwrap_or(0)).unwrap_or_default()))
}

/// The class of the window.
pub fn class(window: u64) -> Option<String> {
    let mut text = [0; CLASS_CHARS_MAX];
    // SAFETY: the slice says how long it is.
    let length =
        usize::try_from(unsafe { GetClassNameW(handle(window), &mut text) }).ok().filter(|length| *length > 0)?;
    Some(String::from_utf16_lossy(text.get(..length)?))
}

/// The style bits of the window.
pub fn style(window: u64) -> u32 {
    // SAFETY: a number that is no window gives zero.
    unsafe { GetWindowLongW(handle(window), GWL_STYLE) }.cast_unsigned()
}

/// The number of a control in its dialog.
pub fn control_id(window: u64) -> Option<u32> {
    // SAFETY: as in `style`.
    u32::try_from(unsafe { GetDlgCtrlID(handle(window)) }).ok().filter(|id| (1..0xffff).contains(id))
}

/// Whether it is an edit control that shows dots instead of characters.
pub fn is_password(window: u64) -> bool {
    let is_edit = class(window).is_some_and(|class| class.to_ascii_lowercase().contains("edit"));
    is_edit && style(window) & ES_PASSWORD != 0
}

/// The control that has the focus in the program of a window.
pub fn focused_of(window: u64) -> Option<u64> {
    let (_, thread) = process_and_thread(window)?;
    let mut about = GUITHREADINFO { cbSize: size_of::<GUITHREADINFO>() as u32, ..Default::default() };
    // SAFETY: the structure lives during the call and says its size.
    unsafe { GetGUIThreadInfo(thread, &mut about) }.ok()?;
    some(about.hwndFocus)
}

/// x, y, width, height on the screen, without the shadow where the system tells.
pub fn place(window: u64) -> Option<[i32; 4]> {
    let mut bounds = RECT::default();
    // SAFETY: the structure lives during the calls and has the size that is said.
    unsafe {
        let size = size_of::<RECT>() as u32;
        DwmGetWindowAttribute(handle(window), DWMWA_EXTENDED_FRAME_BOUNDS, (&raw mut bounds).cast(), size)
            .or_else(|_| GetWindowRect(handle(window), &mut bounds))
            .ok()?;
    }
    let [width, height] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
    (width > 0 && height > 0).then_some([bounds.left, bounds.top, width, height])
}

/// Where the password fields of a window lie, as far as they are controls of the system.
pub fn password_fields(window: u64) -> Vec<[i32; 4]> {
    // SAFETY: a number that is no window is not visible.
    let is_visible = |child: &u64| unsafe { IsWindowVisible(handle(*child)) }.as_bool();
    let fields = children(window).into_iter().filter(is_visible).filter(|child| is_password(*child));
    fields.filter_map(place).collect()
}

/// All controls below a window.
fn children(window: u64) -> Vec<u64> {
    let mut found: Vec<u64> = Vec::new();
    // SAFETY: the list lives during the call, which alone uses the pointer.
    unsafe {
        let _ = EnumChildWindows(Some(handle(window)), Some(collect), LPARAM((&raw mut found) as isize));
    }
    found
}

/// # Safety
///
/// Called by an enumeration of windows alone, with a pointer to a list that lives meanwhile.
pub(super) unsafe extern "system" fn collect(window: HWND, list: LPARAM) -> BOOL {
    // SAFETY: see above.
    let list = unsafe { &mut *(list.0 as *mut Vec<u64>) };
    list.push(number(window));
    (list.len() < CHILDREN_MAX).into()
}

fn some(window: HWND) -> Option<u64> {
    (!window.is_invalid()).then(|| number(window))
}
