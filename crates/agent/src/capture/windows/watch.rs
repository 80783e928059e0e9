//! The thread that watches: input, focus, titles, the clipboard, the lock. It pushes numbers and returns; it keeps no text.
//!
//! Windows tells of windows and titles by events, but not of all: so at every input, and twice a second, is looked which window is
//! in front, and twice a second whether the title of the admitted one has changed.

use super::{keys, stands_for};
use crate::capture::{
    BlindReason, Button, CaptureError, Direction, Modifiers, RAW_QUEUE_MAX, RawEvent, RawKind, RawSink, Want, WindowId,
};
use crate::clock::{Clock, Moment};
use crate::win32::hooks::{Hooks, Input, InputKind};
use crate::win32::post::{Bell, Notice, Post};
use crate::win32::{keyboard, process, window};
use crossbeam_channel::{Receiver, bounded};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often is looked what Windows does not tell of its own accord.
const LOOK: Duration = Duration::from_millis(500);

/// Input that the hooks did not see for so long: they were removed.
const SILENCE_US: u64 = 2_000_000;

/// After the hooks were installed anew, so long passes before it may be done again; it doubles up to the longest.
const REST_US: u64 = 5_000_000;
const REST_US_MAX: u64 = 600_000_000;

/// Parts of a notch of the wheel.
const NOTCH: i32 = 120;

/// Windows that the shell puts in front for a moment while another one comes.
const PASSING: [&str; 3] = ["ForegroundStaging", "MultitaskingViewFrame", "XamlExplorerHostIslandWindow"];

/// Windows' numbers of the modifier keys.
const VK_SHIFTS: [u16; 3] = [0x10, 0xa0, 0xa1];
const VK_CONTROLS: [u16; 3] = [0x11, 0xa2, 0xa3];
const VK_ALTS: [u16; 2] = [0x12, 0xa4];
const VK_ALT_RIGHT: u16 = 0xa5;
const VK_WINDOWS: [u16; 2] = [0x5b, 0x5c];
const VK_CAPITAL: u16 = 0x14;

/// The scan code of the control key that Windows makes up in front of AltGr.
const SCAN_ALT_GR: u16 = 0x21d;

/// A watch that runs.
pub struct Watch {
    want: Arc<Mutex<Want>>,
    ends: Arc<AtomicBool>,
    bell: Bell,
    thread: Option<JoinHandle<()>>,
}

/// What the hooks hand over.
struct Hand {
    records: Receiver<(Moment, Input)>,
    /// Everything that the hooks saw, movements of the pointer too.
    seen: AtomicU64,
    /// What found no room.
    lost: AtomicU64,
}

impl Watch {
    /// Starts to watch which window is in front; input is watched when it is wanted.
    pub fn start(sink: RawSink, clock: Arc<dyn Clock>) -> Result<Self, CaptureError> {
        let none = |error: io::Error| CaptureError::NoDesktop(error.to_string());
        let bell = Bell::new().map_err(none)?;
        let (want, ends) = (Arc::<Mutex<Want>>::default(), Arc::<AtomicBool>::default());
        let (put, records) = bounded(RAW_QUEUE_MAX);
        let hand = Arc::new(Hand { records, seen: AtomicU64::new(0), lost: AtomicU64::new(0) });
        let hooks = {
            let (hand, bell, clock) = (hand.clone(), bell.clone(), clock.clone());
            Hooks::start(move |input| {
                hand.seen.fetch_add(1, Ordering::Relaxed);
                if input.kind == InputKind::Moved {
                    return;
                }
                // The other side never waits for the queue itself, so this takes no lock.
                if put.try_send((clock.now(), input)).is_err() {
                    hand.lost.fetch_add(1, Ordering::Relaxed);
                }
                bell.ring();
            })
        };
        let hooks = hooks.map_err(CaptureError::Thread)?;
        let (ready, is_ready) = bounded(1);
        let (theirs, stop, wake) = (want.clone(), ends.clone(), bell.clone());
        let thread = std::thread::Builder::new().name("lode-watch".into()).spawn(move || match Post::open() {
            Ok(post) => {
                let _ = ready.send(Ok(()));
                Eye::new(sink, clock, post, hooks, hand, theirs).watch(&stop, &wake);
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        });
        let thread = thread.map_err(CaptureError::Thread)?;
        is_ready.recv().unwrap_or_else(|_| Err(io::Error::other("the watching thread ended at once"))).map_err(none)?;
        Ok(Self { want, ends, bell, thread: Some(thread) })
    }

    /// Watches what is wanted from now on.
    pub fn arm(&self, want: Want) {
        let mut known = self.want.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != want {
            *known = want;
            drop(known);
            self.bell.ring();
        }
    }

    /// Ends.
    pub fn stop(mut self) {
        self.ends.store(true, Ordering::SeqCst);
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Eye {
    sink: RawSink,
    clock: Arc<dyn Clock>,
    post: Post,
    hooks: Hooks,
    hand: Arc<Hand>,
    want: Arc<Mutex<Want>>,
    armed: Want,
    front: u64,
    /// A number made of the title of the admitted window, to see that it changed.
    title: Option<u64>,
    looked: Moment,
    down: Down,
    /// Parts of a notch that the wheel turned, along and across.
    turned: [i32; 2],
    watchdog: Watchdog,
}

impl Eye {
    fn new(
        sink: RawSink,
        clock: Arc<dyn Clock>,
        post: Post,
        hooks: Hooks,
        hand: Arc<Hand>,
        want: Arc<Mutex<Want>>,
    ) -> Self {
        Self {
            sink,
            clock,
            post,
            hooks,
            hand,
            want,
            armed: Want::default(),
            front: 0,
            title: None,
            looked: Moment::default(),
            down: Down::default(),
            turned: [0; 2],
            watchdog: Watchdog::default(),
        }
    }

    fn watch(&mut self, ends: &AtomicBool, bell: &Bell) {
        self.look_front(false);
        while !ends.load(Ordering::SeqCst) {
            let notices = self.post.wait(bell, LOOK);
            self.arm();
            self.take_input();
            for notice in notices {
                match notice {
                    Notice::Front => self.look_front(false),
                    Notice::Title(of) if self.armed.titles_of == Some(WindowId(of)) => self.look_title(),
                    Notice::Title(_) => {}
                    Notice::Clipboard if self.armed.clipboard => self.push(RawKind::Clipboard, false),
                    Notice::Clipboard => {}
                    Notice::Locked => self.push(RawKind::Locked, false),
                    Notice::Unlocked => self.push(RawKind::Unlocked, false),
                }
            }
            let now = self.clock.now();
            if now.since_us(self.looked) >= LOOK.as_micros() as u64 {
                self.looked = now;
                self.look_front(true);
                self.look_title();
                self.look_after_hooks(now);
            }
        }
        self.hooks.set(false);
    }

    /// Listens to what is wanted, and to nothing else.
    fn arm(&mut self) {
        let want = *self.want.lock().unwrap_or_else(PoisonError::into_inner);
        if want == self.armed {
            return;
        }
        if want.input != self.armed.input {
            self.down = Down::now();
            self.watchdog = Watchdog::default();
            self.hooks.set(want.input);
        }
        if want.clipboard != self.armed.clipboard {
            self.post.listen_to_clipboard(want.clipboard);
        }
        if want.titles_of != self.armed.titles_of {
            let of = want.titles_of.and_then(|window| window::process_and_thread(window.0));
            self.post.listen_to_titles(of);
            self.title = want.titles_of.and_then(|window| number_of_title(window.0));
            if of.is_some_and(|(pid, _)| process::is_above(pid)) {
                self.push(RawKind::Blind(BlindReason::ElevatedWindow, Duration::ZERO), false);
            }
        }
        self.armed = want;
    }

    /// Which window is in front. That none is, for a moment, says nothing; at an input and at a regular look it counts.
    fn look_front(&mut self, counts_none: bool) {
        let front = match window::front() {
            Some(front) => {
                let is_passing = window::class(front).is_some_and(|class| PASSING.contains(&class.as_str()));
                if is_passing { Some(self.front) } else { stands_for(front) }
            }
            None => None,
        };
        let front = match front {
            Some(front) => front,
            None if counts_none => 0,
            None => return,
        };
        if front != self.front {
            self.front = front;
            self.push(RawKind::Focus(WindowId(front)), false);
        }
    }

    fn look_title(&mut self) {
        let Some(window) = self.armed.titles_of else { return };
        let title = number_of_title(window.0);
        if title != self.title {
            self.title = title;
            self.push(RawKind::Title(window), false);
        }
    }

    fn look_after_hooks(&mut self, now: Moment) {
        let seen = self.hand.seen.load(Ordering::Relaxed);
        if !self.armed.input {
            return;
        }
        self.down.correct();
        let Some((last_ms, _)) = keyboard::last_input_ms() else { return };
        if let Some(blind_us) = self.watchdog.look(now.uptime_us, seen, last_ms) {
            self.hooks.set(true);
            self.push(RawKind::Blind(BlindReason::HookRemoved, Duration::from_micros(blind_us)), false);
        }
    }

    fn take_input(&mut self) {
        let lost = self.hand.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            self.sink.lose(lost);
        }
        while let Ok((at, input)) = self.hand.records.try_recv() {
            // Input may come before the event that tells of the window that it went to.
            self.look_front(true);
            self.input(at, input);
        }
    }

    fn input(&mut self, at: Moment, input: Input) {
        let injected = input.injected;
        let push = |sink: &RawSink, kind| sink.push(RawEvent { at, injected, kind });
        match input.kind {
            InputKind::Key { virtual_key, scan, pressed, .. } => {
                let modifiers = self.down.modifiers();
                if self.down.take(virtual_key, scan, pressed) || !pressed {
                    return;
                }
                let code = keys::code(virtual_key, scan, self.down.caps_locked);
                let kind = RawKind::Key { code, modifiers };
                if modifiers.leave_text() && keys::is_text(virtual_key) {
                    self.sink.push_letter(RawEvent { at, injected, kind });
                } else {
                    push(&self.sink, kind);
                }
            }
            InputKind::Button { button, pressed, x, y } => {
                let button = match button {
                    0 => Button::Left,
                    1 => Button::Middle,
                    _ => Button::Right,
                };
                push(&self.sink, RawKind::Button { button, pressed, x, y, window: window_at(x, y) });
            }
            InputKind::Wheel { across, delta, x, y } => {
                let turned = &mut self.turned[usize::from(across)];
                *turned += i32::from(delta);
                let notches = *turned / NOTCH;
                *turned %= NOTCH;
                let direction = match (across, notches > 0) {
                    (false, true) => Direction::Up,
                    (false, false) => Direction::Down,
                    (true, true) => Direction::Right,
                    (true, false) => Direction::Left,
                };
                for _ in 0..notches.abs() {
                    push(&self.sink, RawKind::Wheel { direction, window: window_at(x, y), x, y });
                }
            }
            InputKind::Moved => {}
        }
    }

    fn push(&self, kind: RawKind, injected: bool) {
        self.sink.push(RawEvent { at: self.clock.now(), injected, kind });
    }
}

fn window_at(x: i32, y: i32) -> WindowId {
    WindowId(window::at(x, y).unwrap_or_default())
}

fn number_of_title(window: u64) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    window::title(window)?.hash(&mut hasher);
    Some(hasher.finish())
}

/// Modifier keys that are down, as the hooks saw them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Down {
    keys: Vec<u16>,
    /// The control key that is down was made up for AltGr.
    made_up: bool,
    caps_locked: bool,
}

impl Down {
    /// Those that were down before anybody watched.
    fn now() -> Self {
        let sided = [VK_SHIFTS[1], VK_SHIFTS[2], VK_CONTROLS[1], VK_CONTROLS[2], VK_ALTS[1], VK_ALT_RIGHT];
        let all = sided.into_iter().chain(VK_WINDOWS);
        Self {
            keys: all.filter(|key| keyboard::is_down(*key)).collect(),
            made_up: false,
            caps_locked: keyboard::is_caps_locked(),
        }
    }

    /// Forgets keys that went up where the hooks could not see it, such as on the lock screen.
    fn correct(&mut self) {
        self.keys.retain(|key| keyboard::is_down(*key));
    }

    /// Takes a key in; says whether it is a modifier.
    fn take(&mut self, key: u16, scan: u16, pressed: bool) -> bool {
        if key == VK_CAPITAL {
            self.caps_locked ^= pressed;
            return true;
        }
        let is_modifier = VK_SHIFTS.contains(&key)
            || VK_CONTROLS.contains(&key)
            || VK_ALTS.contains(&key)
            || VK_WINDOWS.contains(&key)
            || key == VK_ALT_RIGHT;
        if is_modifier {
            if scan == SCAN_ALT_GR {
                self.made_up = pressed;
            } else {
                self.keys.retain(|down| *down != key);
                if pressed {
                    self.keys.push(key);
                }
            }
        }
        is_modifier
    }

    fn modifiers(&self) -> Modifiers {
        let has = |keys: &[u16]| keys.iter().any(|key| self.keys.contains(key));
        let right = self.keys.contains(&VK_ALT_RIGHT);
        Modifiers {
            shift: has(&VK_SHIFTS),
            ctrl: has(&VK_CONTROLS),
            alt: has(&VK_ALTS) || (right && !self.made_up),
            meta: has(&VK_WINDOWS),
            alt_gr: right && self.made_up,
        }
    }
}

/// Finds out that Windows removed the hooks: there was input, and they saw none of it.
#[derive(Debug, Default)]
struct Watchdog {
    seen: u64,
    last_ms: u32,
    /// When input was first missed, and since when nothing was seen.
    suspects_us: Option<u64>,
    seen_us: u64,
    rests_until_us: u64,
    rest_us: u64,
}

impl Watchdog {
    /// Looks at what the hooks saw and when the last input was; gives for how long they were blind, if they are to be installed anew.
    fn look(&mut self, now_us: u64, seen: u64, last_ms: u32) -> Option<u64> {
        let is_first = self.seen_us == 0;
        if is_first || seen != self.seen {
            if !is_first {
                self.rest_us = 0;
            }
            (self.seen, self.seen_us, self.last_ms, self.suspects_us) = (seen, now_us, last_ms, None);
            return None;
        }
        if last_ms != self.last_ms && self.suspects_us.is_none() {
            self.suspects_us = Some(now_us);
        }
        let since_us = self.suspects_us?;
        if now_us.saturating_sub(since_us) < SILENCE_US || now_us < self.rests_until_us {
            return None;
        }
        self.rest_us = (self.rest_us * 2).clamp(REST_US, REST_US_MAX);
        self.rests_until_us = now_us + self.rest_us;
        (self.suspects_us, self.last_ms) = (None, last_ms);
        Some(now_us - since_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_that_see_nothing_of_what_happens_are_installed_anew_but_not_all_the_time() {
        let (mut dog, second) = (Watchdog::default(), 1_000_000);
        assert_eq!(dog.look(second, 10, 100), None);
        assert_eq!(dog.look(60 * second, 10, 100), None, "nobody did anything");
        assert_eq!(dog.look(61 * second, 11, 61_000), None, "seen");
        assert_eq!(dog.look(62 * second, 11, 61_900), None, "perhaps it is on its way");
        assert_eq!(dog.look(62 * second + 500_000, 12, 61_900), None, "it was");
        assert_eq!(dog.look(63 * second, 12, 62_900), None);
        assert_eq!(dog.look(65 * second, 12, 64_900), Some(2 * second));
        assert_eq!(dog.look(65 * second + 500_000, 12, 65_400), None);
        assert_eq!(dog.look(68 * second, 12, 67_900), None, "it rests");
        assert_eq!(dog.look(71 * second, 12, 70_900), Some(5 * second + 500_000));
    }

    #[test]
    fn the_control_key_that_windows_makes_up_is_not_held_by_anybody() {
        let mut down = Down::default();
        assert!(down.take(0xa2, SCAN_ALT_GR, true) && down.take(VK_ALT_RIGHT, 0x38, true));
        assert_eq!(down.modifiers(), Modifiers { alt_gr: true, ..Modifiers::default() });
        assert!(down.take(0xa2, SCAN_ALT_GR, false) && down.take(VK_ALT_RIGHT, 0x38, false));
        assert_eq!(down.modifiers(), Modifiers::default());
        assert!(down.take(VK_ALT_RIGHT, 0x38, true) && down.take(0xa0, 0x2a, true));
        assert_eq!(down.modifiers(), Modifiers { alt: true, shift: true, ..Modifiers::default() });
        assert!(!down.take(0x41, 0x1e, true));
        assert!(down.take(VK_CAPITAL, 0x3a, true) && down.caps_locked);
    }
}
