//! Linux with X11: input by XI2, windows by the window manager's properties, the clipboard by XFixes, elements by AT-SPI.
//!
//! | thread | connection | does |
//! | --- | --- | --- |
//! | `watch` | its own | raw input, focus, titles, clipboard changes; pushes and returns |
//! | `elements` | accessibility bus | one element at a time, within the time that the caller gives |
//! | `clipboard` | its own | reads the clipboard when asked, within a fifth of a second |
//! | the caller's | [`Desk`](desk::Desk) | whose window, title, picture, idle time |
//!
//! Whose window it is, the server tells (X-Resource), not the program. X11 itself asks nobody: every program may see all
//! input; what the client does not look at is decided by its gate.

mod clipboard;
mod desk;
mod elements;
mod keymap;
mod watch;

use super::clipboard::Reader;
use super::lock;
use super::{
    Ability, Admitted, Capabilities, Capture, CaptureError, Drained, Identity, Key, Modifiers, NoPicture, Picture,
    Query, RawSink, Reading, Request, Ticket, Want, WindowId,
};
use crate::clock::Clock;
use desk::Desk;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// See the module.
pub struct X11 {
    clock: Arc<dyn Clock>,
    desk: Option<Desk>,
    running: Option<Running>,
    tickets: AtomicU64,
}

struct Running {
    sink: RawSink,
    /// The window whose accessibility was woken last.
    woken: Option<WindowId>,
    watch: watch::Watch,
    elements: Option<elements::Elements>,
    clipboard: Reader,
}

impl X11 {
    /// The desktop of `$DISPLAY`; nothing is looked at yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, desk: Desk::open().ok(), running: None, tickets: AtomicU64::new(1) }
    }

    fn ticket(&self) -> Ticket {
        Ticket(self.tickets.fetch_add(1, Ordering::Relaxed))
    }
}

impl Capture for X11 {
    fn capabilities(&self) -> Capabilities {
        let Some(desk) = &self.desk else {
            let no = || Ability::No("no X11 display; set DISPLAY".into());
            return super::SIGNALS.map(|signal| (signal, no())).into();
        };
        let windows = match desk.has_window_manager() {
            false => Ability::No("the window manager does not tell which window is active (_NET_ACTIVE_WINDOW)".into()),
            true if desk.is_xwayland() => Ability::Partial(desk::XWAYLAND.into()),
            true => Ability::Yes,
        };
        let elements = match elements::Elements::probe() {
            Ok(()) => Ability::Partial("GTK, Qt, Chromium, Firefox; not every toolkit".into()),
            Err(why) => Ability::No(why),
        };
        let pictures = Ability::Partial("windows; text inside is not masked, so only with maskText=\"page\"".into());
        [
            ("keys", desk.input()),
            ("pointer", desk.input()),
            ("windows", windows.clone()),
            ("titles", windows),
            ("elements", elements),
            ("clipboard", Ability::Partial("CLIPBOARD, not the primary selection".into())),
            ("pictures", pictures),
        ]
        .into()
    }

    fn os(&self) -> &'static str {
        "linux-x11"
    }

    fn start(&mut self, sink: RawSink) -> Result<(), CaptureError> {
        if self.desk.is_none() {
            return Err(CaptureError::NoDesktop("no X11 display; set DISPLAY".into()));
        }
        let watch = watch::Watch::start(sink.clone(), self.clock.clone())?;
        let elements = elements::Elements::start(sink.clone()).ok();
        let clipboard = Reader::start(sink.clone(), clipboard::hand)?;
        lock::follow(sink.clone(), self.clock.clone());
        self.running = Some(Running { sink, woken: None, watch, elements, clipboard });
        Ok(())
    }

    fn arm(&mut self, want: Want) {
        let Some(running) = &mut self.running else { return };
        running.watch.arm(want);
        let came = want.titles_of.filter(|window| running.woken != Some(*window));
        running.woken = want.titles_of;
        if let (Some(window), Some(elements), Some(desk)) = (came, &running.elements, &self.desk)
            && let Some(pid) = desk.pid(window)
        {
            elements.warm(pid);
        }
    }

    fn identify(&self, window: WindowId) -> Reading<Identity> {
        self.desk.as_ref().map_or(Reading::Unknown, |desk| desk.identify(window))
    }

    fn title(&self, ok: &Admitted) -> Reading<String> {
        self.desk.as_ref().map_or(Reading::Unknown, |desk| desk.title(ok.window()))
    }

    fn element(&self, ok: &Admitted, at: Query, time_max: Duration) -> Ticket {
        let ticket = self.ticket();
        match (self.running.as_ref().and_then(|running| running.elements.as_ref()), ok.pid()) {
            (Some(elements), Some(pid)) => elements.ask(ticket, pid, at, time_max),
            _ => {
                if let Some(running) = &self.running {
                    running.sink.answer(super::Answer::Element(ticket, Reading::Unknown));
                }
            }
        }
        ticket
    }

    fn clipboard(&self, _ok: &Admitted, with_text: bool) -> Ticket {
        let ticket = self.ticket();
        if let Some(running) = &self.running {
            running.clipboard.ask(ticket, with_text);
        }
        ticket
    }

    fn key(&self, code: u32, modifiers: Modifiers) -> Key {
        self.desk.as_ref().map_or(Key::Unknown, |desk| desk.key(code, modifiers))
    }

    fn picture(&self, ok: &Admitted, request: &Request) -> Result<Picture, NoPicture> {
        self.desk.as_ref().ok_or(NoPicture::Failed)?.picture(ok.window(), request)
    }

    fn idle_us(&self) -> Reading<u64> {
        self.desk.as_ref().map_or(Reading::Unknown, Desk::idle_us)
    }

    fn front(&self) -> Reading<WindowId> {
        self.desk.as_ref().map_or(Reading::Unknown, Desk::front)
    }

    fn stop(&mut self) -> Drained {
        let Some(running) = self.running.take() else { return Drained::default() };
        running.watch.stop();
        running.sink.drained()
    }
}
