//! Low-level hooks for mouse and keyboard, on a thread that does nothing else.
//!
//! The callback copies a fixed record, hands it over and returns: Windows waits for it before anybody else gets the input, and
//! removes a hook that takes too long without a word.

use super::failed;
use std::cell::RefCell;
use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;
use windows::Win32::Foundation::{LPARAM, LRESULT, WPARAM};
use windows::Win32::System::Threading::{
    GetCurrentThread, GetCurrentThreadId, SetThreadPriority, THREAD_PRIORITY_HIGHEST,
};
use windows::Win32::UI::WindowsAndMessaging::{
    CallNextHookEx, DispatchMessageW, GetMessageW, HC_ACTION, HHOOK, KBDLLHOOKSTRUCT, LLKHF_EXTENDED, LLKHF_INJECTED,
    LLKHF_UP, LLMHF_INJECTED, MSG, MSLLHOOKSTRUCT, PM_NOREMOVE, PeekMessageW, PostThreadMessageW, SetWindowsHookExW,
    UnhookWindowsHookEx, WH_KEYBOARD_LL, WH_MOUSE_LL, WM_APP, WM_LBUTTONDOWN, WM_LBUTTONUP, WM_MBUTTONDOWN,
    WM_MBUTTONUP, WM_MOUSEHWHEEL, WM_MOUSEWHEEL, WM_QUIT, WM_RBUTTONDOWN, WM_RBUTTONUP,
};

/// Installs the hooks anew if the first parameter is not zero, else takes them away.
const SET: u32 = WM_APP + 1;

/// One movement of a hand, as Windows said it. It holds no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Whether a program made it.
    pub injected: bool,
    /// What.
    pub kind: InputKind,
}

/// What was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A key went down or up.
    Key {
        /// Windows' number of the key.
        virtual_key: u16,
        /// The keyboard's number of it, or the character of a key that a program made up.
        scan: u16,
        /// Whether it is one of the keys that were added to the first keyboards, such as the right control.
        extended: bool,
        /// Down or up.
        pressed: bool,
    },
    /// A button: 0 left, 1 middle, 2 right.
    Button {
        /// Which.
        button: u8,
        /// Down or up.
        pressed: bool,
        /// Physical pixels.
        x: i32,
        /// Physical pixels.
        y: i32,
    },
    /// The wheel.
    Wheel {
        /// Along or across.
        across: bool,
        /// In parts of a notch, of which there are 120.
        delta: i16,
        /// Physical pixels.
        x: i32,
        /// Physical pixels.
        y: i32,
    },
    /// The pointer moved: only a sign that the hook lives.
    Moved,
}

type Receiver = Box<dyn Fn(Input)>;

thread_local! {
    /// Callbacks come on the thread that installed the hook, so nobody else uses it.
    static RECEIVER: RefCell<Option<Receiver>> = const { RefCell::new(None) };
}

/// The thread with the hooks.
pub struct Hooks {
    thread_id: u32,
    thread: Option<JoinHandle<()>>,
}

impl Hooks {
    /// Starts the thread; no hook is installed yet. `receive` must not wait for anything.
    ///
    /// Errors: no thread could be started.
    pub fn start(receive: impl Fn(Input) + Send + 'static) -> io::Result<Self> {
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::Builder::new().name("lode-input".into()).spawn(move || {
            RECEIVER.with_borrow_mut(|receiver| *receiver = Some(Box::new(receive)));
            // SAFETY: the call makes the thread's message queue, so that messages find it; the structure lives.
            let thread_id = unsafe {
                let _ = PeekMessageW(&mut MSG::default(), None, 0, 0, PM_NOREMOVE);
                let _ = SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_HIGHEST);
                GetCurrentThreadId()
            };
            let _ = ready.send(thread_id);
            obey();
        })?;
        let thread_id = is_ready.recv().map_err(|_| io::Error::other("the input thread ended at once"))?;
        Ok(Self { thread_id, thread: Some(thread) })
    }

    /// Installs the hooks, anew if they are there, or takes them away.
    pub fn set(&self, on: bool) {
        self.post(SET, usize::from(on));
    }

    fn post(&self, message: u32, value: usize) {
        // SAFETY: only numbers are passed. A thread that has ended has no hooks either.
        let _ = unsafe { PostThreadMessageW(self.thread_id, message, WPARAM(value), LPARAM(0)) };
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        self.post(WM_QUIT, 0);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Installs and removes as it is told, until it is told to end.
fn obey() {
    let mut installed: Option<Installed> = None;
    let mut message = MSG::default();
    // SAFETY: the structure lives during each call; hooks are removed by the thread that installed them.
    while unsafe { GetMessageW(&mut message, None, 0, 0) }.0 > 0 {
        if message.message == SET && message.hwnd.is_invalid() {
            drop(installed.take());
            if message.wParam.0 != 0 {
                installed = Installed::new().inspect_err(|error| eprintln!("lode-agent: {error}")).ok();
            }
        } else {
            // SAFETY: the message came from this thread's queue.
            unsafe { DispatchMessageW(&message) };
        }
    }
}

/// The two hooks; removed when dropped.
struct Installed([HHOOK; 2]);

impl Installed {
    fn new() -> io::Result<Self> {
        let failed = |error| failed("cannot listen to mouse and keyboard", error);
        // SAFETY: the callbacks live as long as the program and keep the contract of hooks.
        unsafe {
            let mouse = SetWindowsHookExW(WH_MOUSE_LL, Some(on_mouse), None, 0).map_err(failed)?;
            match SetWindowsHookExW(WH_KEYBOARD_LL, Some(on_key), None, 0) {
                Ok(keyboard) => Ok(Self([mouse, keyboard])),
                Err(error) => {
                    let _ = UnhookWindowsHookEx(mouse);
                    Err(failed(error))
                }
            }
        }
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        for hook in self.0 {
            // SAFETY: installed by this thread, removed once. Windows may have removed it before.
            let _ = unsafe { UnhookWindowsHookEx(hook) };
        }
    }
}

fn receive(input: Input) {
    RECEIVER.with_borrow(|receiver| {
        if let Some(receiver) = receiver {
            receiver(input);
        }
    });
}

/// # Safety
///
/// Called by Windows alone, with a pointer to a structure of the kind that the hook has.
unsafe extern "system" fn on_mouse(code: i32, message: WPARAM, data: LPARAM) -> LRESULT {
    if code == HC_ACTION as i32 {
        // SAFETY: Windows passes such a structure to this hook, and it lives during the call.
        let mouse = unsafe { *(data.0 as *const MSLLHOOKSTRUCT) };
        let (x, y) = (mouse.pt.x, mouse.pt.y);
        let button = |button, pressed| InputKind::Button { button, pressed, x, y };
        let wheel = |across| InputKind::Wheel { across, delta: (mouse.mouseData >> 16) as i16, x, y };
        let kind = match message.0 as u32 {
            WM_LBUTTONDOWN => button(0, true),
            WM_LBUTTONUP => button(0, false),
            WM_MBUTTONDOWN => button(1, true),
            WM_MBUTTONUP => button(1, false),
            WM_RBUTTONDOWN => button(2, true),
            WM_RBUTTONUP => button(2, false),
            WM_MOUSEWHEEL => wheel(false),
            WM_MOUSEHWHEEL => wheel(true),
            _ => InputKind::Moved,
        };
        receive(Input { injected: mouse.flags & LLMHF_INJECTED != 0, kind });
    }
    // SAFETY: the parameters are passed on as they came.
    unsafe { CallNextHookEx(None, code, message, data) }
}

/// # Safety
///
/// As [`on_mouse`].
unsafe extern "system" fn on_key(code: i32, message: WPARAM, data: LPARAM) -> LRESULT {
    if code == HC_ACTION as i32 {
        // SAFETY: as in `on_mouse`.
        let key = unsafe { *(data.0 as *const KBDLLHOOKSTRUCT) };
        let has = |flag| key.flags.contains(flag);
        let kind = InputKind::Key {
            virtual_key: key.vkCode as u16,
            scan: key.scanCode as u16,
            extended: has(LLKHF_EXTENDED),
            pressed: !has(LLKHF_UP),
        };
        receive(Input { injected: has(LLKHF_INJECTED), kind });
    }
    // SAFETY: the parameters are passed on as they came.
    unsafe { CallNextHookEx(None, code, message, data) }
}
