//! What shows on the screen that the client is there, and what it does: shape and colour, always.
//!
//! A symbol in the tray where the desktop has one; else a small window that stays on top. If neither can be shown, nothing is
//! captured: [`standing`](crate::standing) asks [`Indicator::is_visible`] every time (promise D7). Nothing here can hide it.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{describe_tray, for_desktop};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{describe_tray, for_desktop};

use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// A red disc: it records.
    Recording,
    /// Two amber bars: paused by the person.
    Paused,
    /// A grey ring: not now.
    Resting,
    /// A grey square: not at all.
    #[default]
    Stopped,
    /// A blue triangle: something is wrong.
    Trouble,
}

impl Look {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Look::Recording => "Lode is recording",
            Look::Paused => "Lode is paused",
            Look::Resting => "Lode does not record now",
            Look::Stopped => "Lode does not record",
            Look::Trouble => "Lode needs attention",
        }
    }

    /// Whether the picture is painted at that place of a square of that size, and in which colour: red, green, blue.
    pub fn pixel(self, x: i32, y: i32, size: i32) -> Option<[u8; 3]> {
        let (dx, dy) = (2 * x + 1 - size, 2 * y + 1 - size);
        let (far, radius) = (dx * dx + dy * dy, size - 2);
        let is_in_disc = far <= radius * radius;
        match self {
            Look::Recording => is_in_disc.then_some([211, 47, 47]),
            Look::Paused => {
                let column = x * 6 / size;
                let is_bar = (column == 1 || column == 4) && y > size / 6 && y < size * 5 / 6;
                is_bar.then_some([245, 166, 35])
            }
            Look::Resting => (is_in_disc && far >= radius * radius / 3).then_some([130, 130, 130]),
            Look::Stopped => {
                let is_inside = |at: i32| at > size / 5 && at < size * 4 / 5;
                (is_inside(x) && is_inside(y)).then_some([130, 130, 130])
            }
            Look::Trouble => ((dx.abs()) * 2 <= y * 2 && y < size - 2).then_some([25, 118, 210]),
        }
    }
}

/// Microseconds of the pauses that the menu offers.
const QUARTER_HOUR_US: u64 = 900_000_000;
const HOUR_US: u64 = 3_600_000_000;

/// An entry of the symbol's menu.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// Text that cannot be chosen.
    Label(&'static str),
    /// Text, and what is asked of the client over its own socket when it is chosen, like by every other program of the person.
    Item(&'static str, Value),
    /// A line between two groups.
    Separator,
}

/// The person's own menu: pause, see, send, delete, stop.
pub fn menu(look: Look) -> Vec<Entry> {
    let mut menu = vec![Entry::Label(look.words()), Entry::Separator];
    if look == Look::Paused {
        menu.push(Entry::Item("Resume", json!({ "call": "resume" })));
    } else {
        menu.push(Entry::Item("Pause for 15 minutes", json!({ "call": "pause", "us": QUARTER_HOUR_US })));
        menu.push(Entry::Item("Pause for 1 hour", json!({ "call": "pause", "us": HOUR_US })));
        menu.push(Entry::Item("Pause until I resume", json!({ "call": "pause" })));
    }
    menu.extend([
        Entry::Separator,
        Entry::Item("What was captured", json!({ "call": "show" })),
        Entry::Item("Send now", json!({ "call": "send_now" })),
        Entry::Item("Delete the last hour", json!({ "call": "forget", "us": HOUR_US })),
        Entry::Separator,
        Entry::Item("Stop", json!({ "call": "stop" })),
        Entry::Item("Start", json!({ "call": "start" })),
    ]);
    menu
}

/// Something on the screen.
pub trait Indicator: Send {
    /// Shows what the client does.
    fn show(&mut self, look: Look);
    /// Whether a person can see it now.
    fn is_visible(&self) -> bool;
    /// What it is, for `status` and `doctor`.
    fn describe(&self) -> String;
    /// Takes it away: the client ends.
    fn close(&mut self);
}

/// Nothing can be shown here; so nothing is captured.
pub struct Nowhere;

impl Indicator for Nowhere {
    fn show(&mut self, _look: Look) {}

    fn is_visible(&self) -> bool {
        false
    }

    fn describe(&self) -> String {
        "none: no tray and no window can be shown".into()
    }

    fn close(&mut self) {}
}

/// An indicator in the hands of a test: visible or not, as the switch says.
#[derive(Clone, Default)]
pub struct Switch(Arc<AtomicBool>);

impl Switch {
    /// A switch that is on.
    pub fn on() -> Self {
        let switch = Self::default();
        switch.set(true);
        switch
    }

    /// Turns it.
    pub fn set(&self, visible: bool) {
        self.0.store(visible, Ordering::SeqCst);
    }
}

impl Indicator for Switch {
    fn show(&mut self, _look: Look) {}

    fn is_visible(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn describe(&self) -> String {
        "switch".into()
    }

    fn close(&mut self) {}
}
