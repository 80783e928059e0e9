//! What Windows tells of its own accord: the window in front, titles, the clipboard, the lock. Received by a hidden window.

use super::{failed, number};
use std::cell::RefCell;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::sync::Arc;
use std::time::Duration;
use windows::Win32::Foundation::{HANDLE, HWND, LPARAM, LRESULT, WPARAM};
use windows::Win32::System::DataExchange::{AddClipboardFormatListener, RemoveClipboardFormatListener};
use windows::Win32::System::LibraryLoader::GetModuleHandleW;
use windows::Win32::System::RemoteDesktop::{
    NOTIFY_FOR_THIS_SESSION, WTSRegisterSessionNotification, WTSUnRegisterSessionNotification,
};
use windows::Win32::System::Threading::{CreateEventW, SetEvent};
use windows::Win32::UI::Accessibility::{HWINEVENTHOOK, SetWinEventHook, UnhookWinEvent};
use windows::Win32::UI::WindowsAndMessaging::{
    CHILDID_SELF, CW_USEDEFAULT, CreateWindowExW, DefWindowProcW, DestroyWindow, DispatchMessageW,
    EVENT_OBJECT_NAMECHANGE, EVENT_SYSTEM_FOREGROUND, MSG, MWMO_INPUTAVAILABLE, MsgWaitForMultipleObjectsEx,
    OBJID_WINDOW, PM_REMOVE, PeekMessageW, QS_ALLINPUT, RegisterClassW, WINEVENT_OUTOFCONTEXT, WINEVENT_SKIPOWNPROCESS,
    WM_CLIPBOARDUPDATE, WM_WTSSESSION_CHANGE, WNDCLASSW, WS_EX_TOOLWINDOW, WS_POPUP, WTS_SESSION_LOCK,
    WTS_SESSION_UNLOCK,
};
use windows::core::{PCWSTR, w};

/// Notices that wait at most; the newest are left out. The poll finds what a notice would have told.
const NOTICES_MAX: usize = 1_024;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Another window may be in front.
    Front,
    /// The window may have another title.
    Title(u64),
    /// The clipboard has another content.
    Clipboard,
    /// The screen was locked.
    Locked,
    /// The screen was unlocked.
    Unlocked,
}

thread_local! {
    /// Callbacks come on the thread that waits, so nobody else uses it.
    static NOTICES: RefCell<Vec<Notice>> = const { RefCell::new(Vec::new()) };
}

/// Wakes the thread that waits. It takes no lock.
#[derive(Clone)]
pub struct Bell(Arc<OwnedHandle>);

impl Bell {
    /// A bell that nobody rang yet.
    ///
    /// Errors: the system has no handle left.
    pub fn new() -> io::Result<Self> {
        // SAFETY: what comes back is a handle of our own.
        unsafe {
            let event = CreateEventW(None, false, false, PCWSTR::null())
                .map_err(|error| failed("cannot make an event", error))?;
            Ok(Self(Arc::new(OwnedHandle::from_raw_handle(event.0))))
        }
    }

    /// Wakes.
    pub fn ring(&self) {
        // SAFETY: the handle is open as long as the bell lives.
        let _ = unsafe { SetEvent(self.raw()) };
    }

    /// Waits until it rings or a message came for a window of this thread, and lets the windows' procedures run.
    pub(super) fn wait(&self, time_max: Duration) {
        let wait_ms = u32::try_from(time_max.as_millis()).unwrap_or(u32::MAX - 1);
        let mut message = MSG::default();
        // SAFETY: the handle is open while the bell lives, the structure during the calls.
        unsafe {
            MsgWaitForMultipleObjectsEx(Some(&[self.raw()]), wait_ms, QS_ALLINPUT, MWMO_INPUTAVAILABLE);
            while PeekMessageW(&mut message, None, 0, 0, PM_REMOVE).as_bool() {
                DispatchMessageW(&message);
            }
        }
    }

    fn raw(&self) -> HANDLE {
        HANDLE(self.0.as_raw_handle())
    }
}

/// The hidden window; it belongs to the thread that opened it.
pub struct Post {
    window: HWND,
    front: HWINEVENTHOOK,
    titles: HWINEVENTHOOK,
}

impl Post {
    /// Opens it.
    ///
    /// Errors: there is no desktop.
    pub fn open() -> io::Result<Self> {
        let window = hidden_window(w!("LodePost"), on_message)?;
        let events = WINEVENT_OUTOFCONTEXT | WINEVENT_SKIPOWNPROCESS;
        // SAFETY: window and callback live until `drop`. What cannot be had is found by polling.
        let front = unsafe {
            let _ = WTSRegisterSessionNotification(window, NOTIFY_FOR_THIS_SESSION);
            SetWinEventHook(EVENT_SYSTEM_FOREGROUND, EVENT_SYSTEM_FOREGROUND, None, Some(on_event), 0, 0, events)
        };
        Ok(Self { window, front, titles: HWINEVENTHOOK::default() })
    }

    /// Whether changes of the clipboard are told.
    pub fn listen_to_clipboard(&self, on: bool) {
        // SAFETY: the window is ours. To stop twice does no harm.
        let _ = unsafe {
            if on { AddClipboardFormatListener(self.window) } else { RemoveClipboardFormatListener(self.window) }
        };
    }

    /// Of which process and thread titles are told; of none without.
    pub fn listen_to_titles(&mut self, of: Option<(u32, u32)>) {
        // SAFETY: a hook that this thread set, removed once.
        unsafe {
            let _ = UnhookWinEvent(self.titles);
        }
        self.titles = HWINEVENTHOOK::default();
        if let Some((pid, thread)) = of {
            let event = EVENT_OBJECT_NAMECHANGE;
            // SAFETY: as in `open`.
            self.titles =
                unsafe { SetWinEventHook(event, event, None, Some(on_event), pid, thread, WINEVENT_OUTOFCONTEXT) };
        }
    }

    /// Waits until something happens or the bell rings; gives what happened.
    pub fn wait(&self, bell: &Bell, time_max: Duration) -> Vec<Notice> {
        bell.wait(time_max);
        NOTICES.take()
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        // SAFETY: made by this thread, taken away once.
        unsafe {
            let _ = UnhookWinEvent(self.front);
            let _ = UnhookWinEvent(self.titles);
            let _ = WTSUnRegisterSessionNotification(self.window);
            let _ = DestroyWindow(self.window);
        }
    }
}

/// A window's own procedure, as Windows calls it.
type Procedure = unsafe extern "system" fn(HWND, u32, WPARAM, LPARAM) -> LRESULT;

/// A window that is never shown, and belongs to this thread.
///
/// Errors: there is no desktop.
pub(super) fn hidden_window(class: PCWSTR, procedure: Procedure) -> io::Result<HWND> {
    // SAFETY: class name and procedure live as long as the program. Registering a class twice does no harm.
    unsafe {
        let module = GetModuleHandleW(None).map_err(|error| failed("cannot find the own program", error))?;
        let about = WNDCLASSW {
            lpfnWndProc: Some(procedure),
            hInstance: module.into(),
            lpszClassName: class,
            ..Default::default()
        };
        RegisterClassW(&about);
        let (at, size) = (CW_USEDEFAULT, 0);
        let module = Some(module.into());
        CreateWindowExW(WS_EX_TOOLWINDOW, class, w!("Lode"), WS_POPUP, at, at, size, size, None, None, module, None)
            .map_err(|error| failed("cannot make a window on this desktop", error))
    }
}

fn note(notice: Notice) {
    NOTICES.with_borrow_mut(|notices| {
        if notices.len() < NOTICES_MAX && notices.last() != Some(&notice) {
            notices.push(notice);
        }
    });
}

/// # Safety
///
/// Called by Windows alone.
unsafe extern "system" fn on_message(window: HWND, message: u32, first: WPARAM, second: LPARAM) -> LRESULT {
    match (message, first.0 as u32) {
        (WM_CLIPBOARDUPDATE, _) => note(Notice::Clipboard),
        (WM_WTSSESSION_CHANGE, WTS_SESSION_LOCK) => note(Notice::Locked),
        (WM_WTSSESSION_CHANGE, WTS_SESSION_UNLOCK) => note(Notice::Unlocked),
        _ => {}
    }
    // SAFETY: the parameters are passed on as they came.
    unsafe { DefWindowProcW(window, message, first, second) }
}

/// # Safety
///
/// Called by Windows alone.
unsafe extern "system" fn on_event(
    _hook: HWINEVENTHOOK,
    event: u32,
    window: HWND,
    object: i32,
    child: i32,
    _thread: u32,
    _time_ms: u32,
) {
    match event {
        EVENT_SYSTEM_FOREGROUND => note(Notice::Front),
        EVENT_OBJECT_NAMECHANGE if object == OBJID_WINDOW.0 && child == CHILDID_SELF as i32 => {
            note(Notice::Title(number(window)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_wakes_and_is_quiet_afterwards() {
        let (post, bell) = (Post::open().unwrap(), Bell::new().unwrap());
        assert!(crate::win32::window::exists(number(post.window)));
        let other = bell.clone();
        std::thread::spawn(move || other.ring()).join().unwrap();
        let long = Duration::from_secs(60);
        let began = std::time::Instant::now();
        post.wait(&bell, long);
        assert!(began.elapsed() < long);
    }
}
