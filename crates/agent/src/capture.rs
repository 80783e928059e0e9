//! The eyes of the client: one backend for each kind of desktop behind one trait.
//!
//! A backend pushes fixed-size [`RawEvent`]s into a [`RawSink`] and returns at once: no text, no lock, no disk. What a window
//! is called, which element lies under the pointer, what a window looks like, it tells only when asked, and for titles,
//! elements, clipboard and pictures only to somebody who shows an [`Admitted`], which the gate alone can make (promise D1).
//!
//! ```text
//! backend's threads ── RawEvent ──> RawSink ──> flow ── identify ──> backend
//!                                     │  gate: Admitted ── title, element, picture ──> backend
//!                              full: counted as lost
//! ```
//!
//! This module decides nothing and keeps nothing. Start a new backend from [`null`].

mod clipboard;
#[cfg(target_os = "linux")]
mod lock;
pub mod null;
mod questions;
mod screen;
pub mod scripted;
#[cfg(target_os = "linux")]
pub mod wayland;
#[cfg(windows)]
pub mod windows;
#[cfg(target_os = "linux")]
pub mod x11;

use crate::clock::Moment;
pub use crate::gate::Admitted;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use uilog::planted;
pub use uilog::policy::Reading;
use zeroize::Zeroizing;

/// Raw events that wait for the flow at most; more are counted and become a coverage gap.
pub const RAW_QUEUE_MAX: usize = 8_192;

/// Answers of elements and clipboard that wait for the flow at most.
const ANSWER_QUEUE_MAX: usize = 64;

/// A window, as the backend numbers them; 0 is none, such as the bare desktop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowId(pub u64);

/// Modifier keys that are down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modifiers {
    /// Control.
    pub ctrl: bool,
    /// Alt, not the one that makes characters.
    pub alt: bool,
    /// Shift.
    pub shift: bool,
    /// The Windows, command or super key.
    pub meta: bool,
    /// The Alt that makes characters.
    pub alt_gr: bool,
}

impl Modifiers {
    /// Whether a key that makes a character still makes one, and no command.
    pub fn leave_text(self) -> bool {
        !self.ctrl && !self.alt && !self.meta
    }
}

/// A button of the pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Button {
    Left,
    Middle,
    Right,
}

/// Where the wheel turns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Direction {
    Up,
    Down,
    Left,
    Right,
}

impl Direction {
    /// The word that events carry.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Up => "up",
            Direction::Down => "down",
            Direction::Left => "left",
            Direction::Right => "right",
        }
    }
}

/// What happened, as the system said it: fixed size, no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// When.
    pub at: Moment,
    /// Whether a program made the input, not a hand.
    pub injected: bool,
    /// What.
    pub kind: RawKind,
}

/// The kinds of raw events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// A key went down. The code means something to the backend alone; see [`Capture::key`].
    Key {
        /// The backend's number of the key.
        code: u32,
        /// Modifiers that were down before it.
        modifiers: Modifiers,
    },
    /// A button of the pointer went down or up.
    Button {
        /// Which.
        button: Button,
        /// Down or up.
        pressed: bool,
        /// Physical pixels of the virtual desktop.
        x: i32,
        /// Physical pixels of the virtual desktop.
        y: i32,
        /// The window under the pointer.
        window: WindowId,
    },
    /// The wheel turned by one notch.
    Wheel {
        /// Where to.
        direction: Direction,
        /// The window under the pointer.
        window: WindowId,
        /// Physical pixels of the virtual desktop.
        x: i32,
        /// Physical pixels of the virtual desktop.
        y: i32,
    },
    /// Another window is in front.
    Focus(WindowId),
    /// The window changed its title.
    Title(WindowId),
    /// An element took the focus inside a window; only backends that cannot see clicks push it.
    Element(WindowId),
    /// The content of the clipboard changed.
    Clipboard,
    /// The screen was locked.
    Locked,
    /// The screen was unlocked.
    Unlocked,
    /// Capture was blind for a while, for this reason.
    Blind(BlindReason, Duration),
}

/// Why capture was blind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum BlindReason {
    HookRemoved,
    DisplayLost,
    ElevatedWindow,
}

impl BlindReason {
    /// The reason as a coverage gap names it.
    pub fn name(self) -> &'static str {
        match self {
            BlindReason::HookRemoved => "hook_removed",
            BlindReason::DisplayLost => "display_lost",
            BlindReason::ElevatedWindow => "elevated_window",
        }
    }
}

/// A key, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// It makes this character.
    Character(char),
    /// It has a name, such as `enter` or `f5`.
    Named(&'static str),
    /// It is a modifier alone.
    Modifier,
    /// Nobody knows.
    Unknown,
}

/// Whose window it is. Never a title.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The window itself, where a part or a frame of it was asked for.
    pub window: WindowId,
    /// The process, where the system tells.
    pub pid: Option<u32>,
    /// The executable, in lower case.
    pub process_name: Reading<String>,
    /// X11 class or Wayland application id.
    pub app_id: Reading<String>,
    /// Full path of the executable.
    pub path: Reading<String>,
    /// Whether it is a private window of a browser.
    pub private: Reading<bool>,
}

/// What an accessibility interface tells of one element. Never its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// In ARIA's words; unknown means that nothing may be kept of what was typed there.
    pub role: Reading<String>,
    /// Its label.
    pub name: Option<String>,
    /// Automation id, accessible id or DOM id.
    pub id: Option<String>,
    /// Class name of the control.
    pub class: Option<String>,
    /// Path from the window in roles and ids.
    pub path: Option<String>,
    /// x, y, width, height in physical pixels.
    pub bounds: Option<[i32; 4]>,
    /// Address of a page, where the document tells one.
    pub url: Option<String>,
}

/// Which element is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// The one under a point.
    At(i32, i32),
    /// The one that has the focus.
    Focused,
}

/// Names a question whose answer comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// An answer that came later.
#[derive(Debug)]
pub enum Answer {
    /// The element of a question; unknown if it could not be had in time.
    Element(Ticket, Reading<Element>),
    /// The clipboard.
    Clipboard(Ticket, Reading<Clipboard>),
}

/// What lies in the clipboard.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Clipboard {
    /// `text`, `html`, `image`, `files`.
    pub format: &'static str,
    /// Whether the program that put it there asks not to be looked at.
    pub concealed: bool,
    /// The text, if it was asked for; it is overwritten when it is dropped.
    pub text: Option<Zeroizing<String>>,
}

/// Which picture is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Windows that may be seen, besides the admitted one; all others are painted over.
    pub allowed: Vec<WindowId>,
    /// Rectangles that are painted over too: secret fields.
    pub masks: Vec<[i32; 4]>,
    /// Every allowed window, not the admitted one alone.
    pub desktop: bool,
    /// The longer side is scaled down to this.
    pub side_px_max: u32,
}

/// A picture, masked already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Three bytes a pixel, row by row.
    pub rgb: Vec<u8>,
    /// The part of the virtual desktop that it shows: x, y, width, height in physical pixels, also when it was scaled down.
    pub place: [i32; 4],
    /// What was painted over.
    pub masks: Vec<Mask>,
}

impl Picture {
    /// Paints a rectangle of the screen black, as far as it is in the picture of that place, and notes it.
    pub fn paint_over(&mut self, place: [i32; 4], [x, y, width, height]: [i32; 4], reason: MaskReason) {
        let (columns, rows) = (self.width as i32, self.height as i32);
        let (left, right) = ((x - place[0]).clamp(0, columns), (x + width - place[0]).clamp(0, columns));
        let (top, bottom) = ((y - place[1]).clamp(0, rows), (y + height - place[1]).clamp(0, rows));
        if left >= right || top >= bottom {
            return;
        }
        for row in top..bottom {
            let (from, to) = ((row * columns + left) as usize * 3, (row * columns + right) as usize * 3);
            if !planted::is("shot-before-mask") {
                self.rgb[from..to].fill(0);
            }
        }
        let [x, y, width, height] = [left, top, right - left, bottom - top].map(|pixels| pixels as u32);
        self.masks.push(Mask { x, y, width, height, reason });
    }
}

/// An area of a picture that was painted over, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Mask {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Why.
    pub reason: MaskReason,
}

/// Why an area was painted over; never what stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskReason {
    /// Another window lies there.
    Window,
    /// A secret field lies there.
    Password,
}

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    /// This backend makes none.
    #[error("this backend makes no pictures")]
    Unsupported,
    /// The order of windows changed while it was taken.
    #[error("windows moved while the picture was taken")]
    Moved,
    /// The window is gone, hidden or asks not to be pictured.
    #[error("the window cannot be pictured")]
    Hidden,
    /// What must be masked could not be found out.
    #[error("what must be masked is not known")]
    Unmasked,
    /// The system failed.
    #[error("the system gave no picture")]
    Failed,
}

/// Whether a signal can be had here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ability {
    /// Wholly.
    Yes,
    /// In part, for this reason.
    Partial(String),
    /// Not here, for this reason; it could be there, and something can be done about it.
    No(String),
    /// Never on a desktop of this kind, for this reason; `docs/platforms.md` names it, and nothing can be done about it.
    Never(String),
}

impl Serialize for Ability {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Ability::Yes => serializer.serialize_str("yes"),
            Ability::Partial(why) => serializer.collect_str(&format_args!("partial: {why}")),
            Ability::No(why) | Ability::Never(why) => serializer.collect_str(&format_args!("no: {why}")),
        }
    }
}

/// What a backend can see: signal → ability. Shown by `doctor`, `status` and the service.
pub type Capabilities = BTreeMap<&'static str, Ability>;

/// The signals of [`Capabilities`].
pub const SIGNALS: [&str; 7] = ["keys", "pointer", "windows", "titles", "elements", "clipboard", "pictures"];

/// Signals that are needed now. Nothing allowed in front: no input is listened to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// Keys, buttons and wheel.
    pub input: bool,
    /// Changes of the clipboard.
    pub clipboard: bool,
    /// The window whose title is followed.
    pub titles_of: Option<WindowId>,
}

/// What a backend pushed, to be compared with what came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Events that were pushed.
    pub pushed: u64,
    /// Events that found no room.
    pub lost: u64,
}

/// Why a backend does not start.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// There is no such desktop here.
    #[error("cannot see the desktop: {0}")]
    NoDesktop(String),
    /// A thread could not be started.
    #[error("cannot start a thread for capture")]
    Thread(#[source] std::io::Error),
}

/// A way to see one kind of desktop.
pub trait Capture: Send {
    /// What can be seen here.
    fn capabilities(&self) -> Capabilities;
    /// `linux-x11`, `linux-wayland`, `windows` …: the column `os`.
    fn os(&self) -> &'static str;
    /// Begins to push into the sink.
    ///
    /// Errors: [`CaptureError`] says what is missing.
    fn start(&mut self, sink: RawSink) -> Result<(), CaptureError>;
    /// Says which signals are needed from now on.
    fn arm(&mut self, want: Want);
    /// Whose window it is.
    fn identify(&self, window: WindowId) -> Reading<Identity>;
    /// The window's title.
    fn title(&self, ok: &Admitted) -> Reading<String>;
    /// Asks for an element; the answer comes through the sink.
    fn element(&self, ok: &Admitted, at: Query, time_max: Duration) -> Ticket;
    /// Asks for the clipboard, with its text or without; the answer comes through the sink.
    fn clipboard(&self, ok: &Admitted, with_text: bool) -> Ticket;
    /// What a key makes together with the modifiers that were down.
    fn key(&self, code: u32, modifiers: Modifiers) -> Key;
    /// Takes a picture, masks painted over.
    ///
    /// Errors: [`NoPicture`] says why there is none; no doubt ever yields one.
    fn picture(&self, ok: &Admitted, request: &Request) -> Result<Picture, NoPicture>;
    /// Microseconds since the last input anywhere on the desktop, where the system tells.
    fn idle_us(&self) -> Reading<u64>;
    /// The window in front, if one is.
    fn front(&self) -> Reading<WindowId>;
    /// Ends, and tells how much was pushed.
    fn stop(&mut self) -> Drained;
}

/// Where a backend puts what happens. It never blocks: what finds no room is counted.
#[derive(Clone)]
pub struct RawSink {
    raw: Sender<RawEvent>,
    bell: Sender<()>,
    answers: Sender<Answer>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    pushed: AtomicU64,
    lost: AtomicU64,
    answers_lost: AtomicU64,
}

/// The other end of a [`RawSink`].
pub struct RawSource {
    /// What happened, in order.
    pub raw: Receiver<RawEvent>,
    /// Rung for each that is not to wait for others; see [`RawSink::push_letter`].
    pub bell: Receiver<()>,
    /// What was answered.
    pub answers: Receiver<Answer>,
    counts: Arc<Counts>,
    lost_seen: u64,
}

/// A sink and its source.
pub fn channel() -> (RawSink, RawSource) {
    let (raw, raw_out) = bounded(RAW_QUEUE_MAX);
    let (answers, answers_out) = bounded(ANSWER_QUEUE_MAX);
    // One ring is as good as many.
    let (bell, bell_out) = bounded(1);
    let counts = Arc::new(Counts::default());
    (
        RawSink { raw, bell, answers, counts: counts.clone() },
        RawSource { raw: raw_out, bell: bell_out, answers: answers_out, counts, lost_seen: 0 },
    )
}

impl RawSink {
    /// Puts an event in, or counts it as lost. It is taken at once: what is asked about it may be gone a moment later.
    pub fn push(&self, event: RawEvent) {
        self.push_letter(event);
        let _ = self.bell.try_send(());
    }

    /// The same for a key that makes a character, which may wait for others while somebody is typing.
    pub fn push_letter(&self, event: RawEvent) {
        match self.raw.try_send(event) {
            Ok(()) => self.counts.pushed.fetch_add(1, Ordering::Relaxed),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counts.lost.fetch_add(1, Ordering::Relaxed)
            }
        };
    }

    /// Counts events that a backend had no room for itself.
    pub fn lose(&self, count: u64) {
        self.counts.lost.fetch_add(count, Ordering::Relaxed);
    }

    /// Puts an answer in; one that finds no room is the same as one that never came.
    pub fn answer(&self, answer: Answer) {
        if self.answers.try_send(answer).is_err() {
            self.counts.answers_lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How much was pushed and lost until now.
    pub fn drained(&self) -> Drained {
        Drained { pushed: self.counts.pushed.load(Ordering::Relaxed), lost: self.counts.lost.load(Ordering::Relaxed) }
    }
}

impl RawSource {
    /// How many events were lost since this was asked last.
    pub fn newly_lost(&mut self) -> u64 {
        let lost = self.counts.lost.load(Ordering::Relaxed);
        let new = lost - self.lost_seen;
        self.lost_seen = lost;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_rings_no_bell() {
        let (sink, source) = channel();
        let event = RawEvent { at: Moment::default(), injected: false, kind: RawKind::Clipboard };
        sink.push_letter(event);
        assert!(source.bell.is_empty());
        sink.push(event);
        assert_eq!((source.bell.len(), source.raw.len()), (1, 2));
    }

    #[test]
    fn p5_what_finds_no_room_is_counted_and_never_blocks() {
        let (sink, mut source) = channel();
        let event = RawEvent { at: Moment::default(), injected: false, kind: RawKind::Clipboard };
        for _ in 0..RAW_QUEUE_MAX + 7 {
            sink.push(event);
        }
        assert_eq!(source.newly_lost(), 7);
        assert_eq!(source.newly_lost(), 0);
        assert_eq!(sink.drained(), Drained { pushed: RAW_QUEUE_MAX as u64, lost: 7 });
        assert_eq!(source.raw.len(), RAW_QUEUE_MAX);
    }
}
