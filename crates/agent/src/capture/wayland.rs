//! Linux with Wayland: which window is in front, its title, and whether anybody is there. It tells a program nothing else of others.
//!
//! | thread | connection | does |
//! | --- | --- | --- |
//! | `watch` | its own | focus, that a title changed, idle times; pushes and returns, and keeps no title |
//! | the caller's | one for each question | the title of the window in front, for who shows an `Admitted` |
//!
//! Windows are told by wlr-foreign-toplevel-management (sway, Hyprland and their kin), programs by the application id that they
//! give themselves; which process a window belongs to, nobody says. So a configuration allows programs here by `appId`, and no
//! element can be asked for. Desktops without this protocol (GNOME, KDE) show nothing: the backend does not start there, and says so.
//! Keys, clicks, clipboard and pictures are not had by other ways either.

mod title;
mod watch;

use super::lock;
use super::{
    Ability, Admitted, Answer, Capabilities, Capture, CaptureError, Drained, Identity, Key, Modifiers, NoPicture,
    Picture, Query, RawSink, Reading, Request, Ticket, Want, WindowId,
};
use crate::clock::Clock;
use crate::gate;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use watch::{Offer, Watch};

/// What is missing on a desktop where no window can be seen.
const NO_WINDOWS: &str =
    "this desktop does not tell which window is in front (its compositor has no wlr-foreign-toplevel-management)";

/// See the module.
pub struct Wayland {
    clock: Arc<dyn Clock>,
    running: Option<Running>,
    tickets: AtomicU64,
}

struct Running {
    sink: RawSink,
    watch: Watch,
}

impl Wayland {
    /// The desktop of `$WAYLAND_DISPLAY`; nothing is looked at yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, running: None, tickets: AtomicU64::new(1) }
    }

    fn ticket(&self) -> Ticket {
        Ticket(self.tickets.fetch_add(1, Ordering::Relaxed))
    }

    /// The title of a window that is in front, and of no other.
    fn title_of(&self, window: WindowId) -> Reading<String> {
        let app_id = self.running.as_ref().and_then(|running| running.watch.app_id_in_front(window));
        app_id.and_then(|app_id| title::in_front(&app_id)).map_or(Reading::Unknown, Reading::Known)
    }
}

impl Capture for Wayland {
    fn capabilities(&self) -> Capabilities {
        let (windows, titles) = match Offer::of_desktop() {
            Err(error) => {
                (Ability::No(format!("no Wayland display: {error}")), Ability::No("no Wayland display".into()))
            }
            Ok(Offer { windows: false, .. }) => (Ability::No(NO_WINDOWS.into()), Ability::No(NO_WINDOWS.into())),
            Ok(Offer { idle, .. }) => {
                let programs = "programs by application id alone (appId in the configuration)";
                let idle = if idle { "" } else { "; idle times are not told" };
                (Ability::Partial(format!("{programs}{idle}")), Ability::Partial("of the window in front".into()))
            }
        };
        let no = |why: &str| Ability::No(why.into());
        [
            ("keys", no("Wayland shows no program the keys of others")),
            ("pointer", no("Wayland shows no program the clicks of others")),
            ("windows", windows),
            ("titles", titles),
            (
                "elements",
                no("Wayland does not tell whose process a window is; pages are told by the browser extension"),
            ),
            ("clipboard", no("not read on Wayland")),
            ("pictures", no("not taken on Wayland")),
        ]
        .into()
    }

    fn os(&self) -> &'static str {
        "linux-wayland"
    }

    fn start(&mut self, sink: RawSink) -> Result<(), CaptureError> {
        let watch = Watch::start(sink.clone(), self.clock.clone())?;
        lock::follow(sink.clone(), self.clock.clone());
        self.running = Some(Running { sink, watch });
        Ok(())
    }

    fn arm(&mut self, want: Want) {
        if let Some(running) = &self.running {
            running.watch.arm(want);
        }
    }

    fn identify(&self, window: WindowId) -> Reading<Identity> {
        let app_id = self.running.as_ref().and_then(|running| running.watch.app_id(window));
        let Some(app_id) = app_id.filter(|app_id| !app_id.is_empty()) else { return Reading::Unknown };
        // As on other desktops, a browser's title is looked at for what it says of private windows, and forgotten.
        let private = match gate::is_browser_name(&app_id.to_lowercase()).then(|| self.title_of(window)) {
            None => Reading::Absent,
            Some(Reading::Known(title)) => Reading::Known(gate::is_private_title(&title)),
            Some(_) => Reading::Unknown,
        };
        let app_id = Reading::Known(app_id);
        let (process_name, path) = (Reading::Unknown, Reading::Unknown);
        Reading::Known(Identity { window, pid: None, process_name, app_id, path, private })
    }

    fn title(&self, ok: &Admitted) -> Reading<String> {
        self.title_of(ok.window())
    }

    fn element(&self, _ok: &Admitted, _at: Query, _time_max: Duration) -> Ticket {
        let ticket = self.ticket();
        if let Some(running) = &self.running {
            running.sink.answer(Answer::Element(ticket, Reading::Unknown));
        }
        ticket
    }

    fn clipboard(&self, _ok: &Admitted, _with_text: bool) -> Ticket {
        let ticket = self.ticket();
        if let Some(running) = &self.running {
            running.sink.answer(Answer::Clipboard(ticket, Reading::Unknown));
        }
        ticket
    }

    fn key(&self, _code: u32, _modifiers: Modifiers) -> Key {
        Key::Unknown
    }

    fn picture(&self, _ok: &Admitted, _request: &Request) -> Result<Picture, NoPicture> {
        Err(NoPicture::Unsupported)
    }

    fn idle_us(&self) -> Reading<u64> {
        self.running.as_ref().map_or(Reading::Unknown, |running| running.watch.idle_us(self.clock.now()))
    }

    fn front(&self) -> Reading<WindowId> {
        self.running.as_ref().map_or(Reading::Unknown, |running| running.watch.front())
    }

    fn stop(&mut self) -> Drained {
        let Some(Running { sink, watch }) = self.running.take() else { return Drained::default() };
        watch.stop();
        sink.drained()
    }
}
