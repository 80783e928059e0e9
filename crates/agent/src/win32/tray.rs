//! The symbol in the taskbar's notification area, with its menu, on a thread of its own.

use super::post::{Bell, hidden_window};
use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use windows::Win32::Foundation::{HWND, LPARAM, LRESULT, POINT, WPARAM};
use windows::Win32::UI::Shell::{
    NIF_ICON, NIF_MESSAGE, NIF_TIP, NIM_ADD, NIM_DELETE, NIM_MODIFY, NOTIFYICONDATAW, Shell_NotifyIconW,
};
use windows::Win32::UI::WindowsAndMessaging::{
    AppendMenuW, CreateIcon, CreatePopupMenu, DefWindowProcW, DestroyIcon, DestroyMenu, DestroyWindow, FindWindowW,
    GetCursorPos, HICON, MF_GRAYED, MF_SEPARATOR, MF_STRING, SetForegroundWindow, TPM_NONOTIFY, TPM_RETURNCMD,
    TrackPopupMenu, WM_APP, WM_CONTEXTMENU, WM_LBUTTONUP, WM_RBUTTONUP,
};
use windows::core::{HSTRING, PCWSTR, w};

/// How often is looked whether the symbol is still there: the taskbar comes and goes with Explorer.
const LOOK: Duration = Duration::from_secs(1);

/// What the symbol sends to its window.
const FROM_SYMBOL: u32 = WM_APP + 1;

/// Pixels of the symbol's sides.
pub const SIZE: i32 = 32;

/// A line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Text that cannot be chosen.
    Label(String),
    /// Text that can be chosen.
    Item(String),
    /// A line between two groups.
    Separator,
}

/// What the symbol shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// What it says when pointed at.
    pub tip: String,
    /// Blue, green, red and opacity of each pixel, row by row.
    pub pixels: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    shown: Mutex<Shown>,
    is_visible: AtomicBool,
    ends: AtomicBool,
}

/// The thread with the symbol.
pub struct Tray {
    shared: Arc<Shared>,
    bell: Bell,
    thread: Option<JoinHandle<()>>,
}

type Menu = Box<dyn Fn() -> Vec<Line>>;
type Chosen = Box<dyn Fn(usize)>;

thread_local! {
    /// The window's procedure runs on the thread of the symbol, so nobody else uses it.
    static HANDLERS: RefCell<Option<(Menu, Chosen)>> = const { RefCell::new(None) };
}

impl Tray {
    /// Shows the symbol as soon as there is a taskbar. `chosen` gets the position of the line in `menu`.
    ///
    /// Errors: no thread could be started.
    pub fn start(
        shown: Shown,
        menu: impl Fn() -> Vec<Line> + Send + 'static,
        chosen: impl Fn(usize) + Send + 'static,
    ) -> io::Result<Self> {
        let (shared, bell) = (Arc::new(Shared { shown: Mutex::new(shown), ..Default::default() }), Bell::new()?);
        let (theirs, theirs_bell) = (shared.clone(), bell.clone());
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("lode-tray".into()).spawn(move || {
            HANDLERS.with_borrow_mut(|handlers| *handlers = Some((Box::new(menu), Box::new(chosen))));
            if let Ok(window) = hidden_window(w!("LodeTray"), on_message) {
                keep(&theirs, &theirs_bell, window, || {
                    let _ = ready.send(());
                });
            }
        })?;
        // The first look decides whether recording may begin; a thread that ended shows nothing.
        let _ = is_ready.recv();
        Ok(Self { shared, bell, thread: Some(thread) })
    }

    /// Shows something else.
    pub fn show(&self, shown: Shown) {
        let mut known = self.shared.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != shown {
            *known = shown;
            drop(known);
            self.bell.ring();
        }
    }

    /// Whether the taskbar has the symbol.
    pub fn is_visible(&self) -> bool {
        self.shared.is_visible.load(Ordering::SeqCst)
    }

    /// Takes it away.
    pub fn close(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Keeps the symbol in the taskbar and up to date, until it is to end.
fn keep(shared: &Shared, bell: &Bell, window: HWND, looked: impl Fn()) {
    let mut taskbar_before = HWND::default();
    let mut known = Shown::default();
    let mut icon: Option<HICON> = None;
    while !shared.ends.load(Ordering::SeqCst) {
        // SAFETY: constants go in.
        let taskbar = unsafe { FindWindowW(w!("Shell_TrayWnd"), None) }.unwrap_or_default();
        let wanted = shared.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if wanted != known {
            let before = icon.replace(paint(&wanted.pixels));
            destroy(before);
            known = wanted;
        }
        let is_new = taskbar != taskbar_before || !shared.is_visible.load(Ordering::SeqCst);
        let data = symbol(window, icon.unwrap_or_default(), &known.tip);
        let what = if is_new { NIM_ADD } else { NIM_MODIFY };
        // SAFETY: the structure lives during the call and says its size.
        let is_there = !taskbar.is_invalid() && unsafe { Shell_NotifyIconW(what, &data) }.as_bool();
        shared.is_visible.store(is_there, Ordering::SeqCst);
        taskbar_before = taskbar;
        looked();
        bell.wait(LOOK);
    }
    shared.is_visible.store(false, Ordering::SeqCst);
    // SAFETY: the symbol and the window are this thread's, and are taken away once.
    unsafe {
        let _ = Shell_NotifyIconW(NIM_DELETE, &symbol(window, HICON::default(), ""));
        let _ = DestroyWindow(window);
    }
    destroy(icon);
}

fn symbol(window: HWND, icon: HICON, tip: &str) -> NOTIFYICONDATAW {
    let mut data = NOTIFYICONDATAW {
        cbSize: size_of::<NOTIFYICONDATAW>() as u32,
        hWnd: window,
        uID: 1,
        uFlags: NIF_ICON | NIF_MESSAGE | NIF_TIP,
        uCallbackMessage: FROM_SYMBOL,
        hIcon: icon,
        ..Default::default()
    };
    let room = data.szTip.len() - 1;
    for (place, unit) in data.szTip.iter_mut().take(room).zip(tip.encode_utf16()) {
        *place = unit;
    }
    data
}

/// A symbol of these pixels; none if there are too few.
fn paint(pixels: &[u8]) -> HICON {
    let sides = SIZE as usize * SIZE as usize;
    if pixels.len() != sides * 4 {
        return HICON::default();
    }
    // One bit a pixel, rows padded to 16 bits: transparent where nothing is painted.
    let mask: Vec<u8> = pixels
        .chunks_exact(4 * 8)
        .map(|eight| eight.chunks_exact(4).fold(0, |bits, pixel| bits << 1 | u8::from(pixel[3] == 0)))
        .collect();
    // SAFETY: both lists have the lengths that the sizes ask for.
    unsafe { CreateIcon(None, SIZE, SIZE, 1, 32, mask.as_ptr(), pixels.as_ptr()) }.unwrap_or_default()
}

fn destroy(icon: Option<HICON>) {
    if let Some(icon) = icon.filter(|icon| !icon.is_invalid()) {
        // SAFETY: made by `paint`, and no longer shown.
        let _ = unsafe { DestroyIcon(icon) };
    }
}

/// # Safety
///
/// Called by Windows alone.
unsafe extern "system" fn on_message(window: HWND, message: u32, first: WPARAM, second: LPARAM) -> LRESULT {
    if message == FROM_SYMBOL && [WM_RBUTTONUP, WM_LBUTTONUP, WM_CONTEXTMENU].contains(&(second.0 as u32 & 0xffff)) {
        // A second click while the menu is open finds the handlers in use, and opens none.
        HANDLERS.with(|handlers| {
            if let Ok(mut handlers) = handlers.try_borrow_mut()
                && let Some((menu, chosen)) = handlers.as_mut()
            {
                let lines = menu();
                if let Some(position) = choose(window, &lines) {
                    chosen(position);
                }
            }
        });
        return LRESULT(0);
    }
    // SAFETY: the parameters are passed on as they came.
    unsafe { DefWindowProcW(window, message, first, second) }
}

/// Opens the menu and waits for what is chosen.
fn choose(window: HWND, lines: &[Line]) -> Option<usize> {
    // SAFETY: menu and texts live during the calls; the menu is destroyed at the end.
    unsafe {
        let menu = CreatePopupMenu().ok()?;
        for (position, line) in lines.iter().enumerate() {
            // Zero means that nothing was chosen.
            let number = position + 1;
            let _ = match line {
                Line::Label(text) => AppendMenuW(menu, MF_STRING | MF_GRAYED, number, &HSTRING::from(text)),
                Line::Item(text) => AppendMenuW(menu, MF_STRING, number, &HSTRING::from(text)),
                Line::Separator => AppendMenuW(menu, MF_SEPARATOR, 0, PCWSTR::null()),
            };
        }
        let mut at = POINT::default();
        let _ = GetCursorPos(&mut at);
        // Without it the menu stays open when the person clicks elsewhere.
        let _ = SetForegroundWindow(window);
        let chosen = TrackPopupMenu(menu, TPM_RETURNCMD | TPM_NONOTIFY, at.x, at.y, None, window, None);
        let _ = DestroyMenu(menu);
        usize::try_from(chosen.0).ok()?.checked_sub(1)
    }
}
