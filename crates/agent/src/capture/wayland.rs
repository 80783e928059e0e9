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
        capabilities(Offer::of_desktop().map_err(|error| error.to_string()))
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

/// What can be seen on a desktop that offers this, or that cannot be asked.
fn capabilities(offer: Result<Offer, String>) -> Capabilities {
    let (windows, titles) = match offer {
        Err(error) => (Ability::No(format!("no Wayland display: {error}")), Ability::No("no Wayland display".into())),
        Ok(Offer { windows: false, .. }) => (Ability::No(NO_WINDOWS.into()), Ability::No(NO_WINDOWS.into())),
        Ok(Offer { idle, .. }) => {
            let programs = "programs by application id alone (appId in the configuration)";
            let idle = if idle { "" } else { "; idle times are not told" };
            (Ability::Partial(format!("{programs}{idle}")), Ability::Partial("of the window in front".into()))
        }
    };
    let never = |why: &str| Ability::Never(why.into());
    [
        ("keys", never("Wayland shows no program the keys of others")),
        ("pointer", never("Wayland shows no program the clicks of others")),
        ("windows", windows),
        ("titles", titles),
        ("elements", never("Wayland does not tell whose process a window is; pages are told by the browser extension")),
        ("clipboard", never("not read on Wayland")),
        ("pictures", never("not taken on Wayland")),
    ]
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of Wayland in the documents: signal, and what can be had of it.
    fn documented() -> Vec<(&'static str, &'static str)> {
        let lines = include_str!("../../../../docs/platforms.md").lines();
        let table = lines.skip_while(|line| !line.starts_with("| signal | Wayland |")).skip(2);
        table
            .take_while(|line| line.starts_with('|'))
            .map(|line| {
                let mut cells = line.split('|').skip(1).map(str::trim);
                (cells.next().unwrap(), cells.next().unwrap())
            })
            .collect()
    }

    #[test]
    fn what_is_never_shown_is_what_the_table_of_platforms_names() {
        let (table, seen) = (documented(), capabilities(Ok(Offer { windows: true, idle: true })));
        for (signal, row) in [
            ("keys", "clicks, wheel, keys, typed text"),
            ("pointer", "clicks, wheel, keys, typed text"),
            ("windows", "window, title"),
            ("titles", "window, title"),
            ("elements", "element"),
            ("clipboard", "clipboard"),
            ("pictures", "pictures"),
        ] {
            let (_, had) = table.iter().find(|(name, _)| *name == row).unwrap();
            let is_never = matches!(seen[signal], Ability::Never(_));
            assert_eq!(is_never, had.split(';').next() == Some("no"), "{signal}: the table says '{had}'");
        }
    }

    #[test]
    fn a_desktop_that_tells_no_windows_is_one_on_which_something_is_missing() {
        for offer in [Ok(Offer { windows: false, idle: true }), Err("none".into())] {
            assert!(matches!(capabilities(offer)["windows"], Ability::No(_)));
        }
    }
}
