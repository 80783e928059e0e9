//! A desktop made of data: for `replay`, for tests, and for trying a configuration without a desktop.
//!
//! A [`Script`] is the hand that moves it: it focuses windows, clicks, types, copies. What it does becomes the same raw events
//! that a real desktop makes, so everything after the backend is tried for real. It can also play [`Event`]s that were
//! recorded elsewhere. Faults are part of it: titles that cannot be read, elements that never answer, bursts.
//!
//! It knows no clock; the hand says when things happen.

use super::{
    Ability, Admitted, Answer, Button, Capabilities, Capture, CaptureError, Clipboard, Direction, Drained, Element,
    Identity, Key, MaskReason, Modifiers, NoPicture, Picture, Query, RawEvent, RawKind, RawSink, Reading, Request,
    SIGNALS, Ticket, Want, WindowId,
};
use crate::clock::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uilog::{Actor, Event, EventType};
use zeroize::Zeroizing;

/// Codes of keys above this are positions in [`NAMED_KEYS`]; below, they are characters.
const NAMED_BASE: u32 = 0x0011_0000;

/// Keys with names.
pub const NAMED_KEYS: [&str; 29] = [
    "backspace",
    "delete",
    "down",
    "end",
    "enter",
    "esc",
    "f1",
    "f10",
    "f11",
    "f12",
    "f2",
    "f3",
    "f4",
    "f5",
    "f6",
    "f7",
    "f8",
    "f9",
    "home",
    "insert",
    "left",
    "menu",
    "pagedown",
    "pageup",
    "print",
    "right",
    "space",
    "tab",
    "up",
];

/// Points on which elements lie; after so many clicks the first is used again, so that a long script does not fill memory.
const POINTS: i32 = 500;

/// One scripted window.
#[derive(Clone, Debug, Default)]
struct Window {
    identity: Identity,
    title: Reading<String>,
}

/// How often something was asked: of a real desktop each costs round trips to other programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// An element.
    pub elements: u64,
    /// How long nobody has touched anything.
    pub idle: u64,
}

#[derive(Default)]
struct World {
    windows: BTreeMap<WindowId, Window>,
    by_name: BTreeMap<(String, String), WindowId>,
    elements: BTreeMap<(i32, i32), Element>,
    focused: Option<Element>,
    clipboard: Option<(String, bool)>,
    front: WindowId,
    /// Windows about which nobody may ask anything but whose they are.
    guarded: BTreeSet<WindowId>,
    /// What lies above every window: x, y, width, height.
    covers: Vec<[u32; 4]>,
    elements_answer: bool,
    idle_us: u64,
    asked: Asked,
    tickets: u64,
    want: Want,
    next_x: i32,
    sink: Option<RawSink>,
}

/// The hand that moves a scripted desktop.
#[derive(Clone)]
pub struct Script(Arc<Mutex<World>>);

/// The backend over a [`Script`].
pub struct Scripted(Arc<Mutex<World>>);

/// A scripted desktop and its hand.
pub fn desktop() -> (Scripted, Script) {
    let world = Arc::new(Mutex::new(World { elements_answer: true, ..World::default() }));
    (Scripted(world.clone()), Script(world))
}

impl Script {
    /// Opens a window; it is not in front yet.
    pub fn window(&self, process_name: &str, title: &str) -> WindowId {
        let mut world = lock(&self.0);
        if let Some(known) = world.by_name.get(&(process_name.to_owned(), title.to_owned())) {
            return *known;
        }
        let window = WindowId(world.windows.len() as u64 + 1);
        let identity = Identity {
            window,
            pid: u32::try_from(window.0).ok(),
            process_name: Reading::Known(process_name.to_owned()),
            app_id: Reading::Absent,
            path: Reading::Unknown,
            private: if crate::gate::is_browser_name(process_name) { Reading::Known(false) } else { Reading::Absent },
        };
        world.windows.insert(window, Window { identity, title: Reading::Known(title.to_owned()) });
        world.by_name.insert((process_name.to_owned(), title.to_owned()), window);
        window
    }

    /// From now on nobody may read anything of this window: whoever does, panics.
    pub fn guard(&self, window: WindowId) {
        lock(&self.0).guarded.insert(window);
    }

    /// Puts something above all windows, at x, y, width, height of their pictures.
    pub fn cover(&self, place: [u32; 4]) {
        lock(&self.0).covers.push(place);
    }

    /// Marks a browser window as private.
    pub fn make_private(&self, window: WindowId) {
        if let Some(window) = lock(&self.0).windows.get_mut(&window) {
            window.identity.private = Reading::Known(true);
        }
    }

    /// Titles of this window cannot be read any more.
    pub fn hide_title(&self, window: WindowId) {
        if let Some(window) = lock(&self.0).windows.get_mut(&window) {
            window.title = Reading::Unknown;
        }
    }

    /// Elements are answered, or never.
    pub fn elements_answer(&self, answer: bool) {
        lock(&self.0).elements_answer = answer;
    }

    /// How long ago the last input was.
    pub fn idle_us(&self, us: u64) {
        lock(&self.0).idle_us = us;
    }

    /// What was asked of the desktop until now.
    pub fn asked(&self) -> Asked {
        lock(&self.0).asked
    }

    /// How many raw events were pushed until now.
    pub fn pushed(&self) -> u64 {
        lock(&self.0).sink.as_ref().map_or(0, |sink| sink.drained().pushed)
    }

    /// What the flow wants to be told.
    pub fn want(&self) -> Want {
        lock(&self.0).want
    }

    /// Brings a window to the front.
    pub fn focus(&self, at: Moment, window: WindowId) {
        lock(&self.0).front = window;
        self.push(at, RawKind::Focus(window));
    }

    /// Gives a window another title.
    pub fn retitle(&self, at: Moment, window: WindowId, title: &str) {
        if let Some(window) = lock(&self.0).windows.get_mut(&window) {
            window.title = Reading::Known(title.to_owned());
        }
        self.push(at, RawKind::Title(window));
    }

    /// Puts the keyboard focus on an element.
    pub fn focus_element(&self, element: Element) {
        lock(&self.0).focused = Some(element);
    }

    /// Presses and releases a button on an element of a window.
    pub fn click(&self, at: Moment, window: WindowId, button: Button, element: Element) {
        let (x, y) = {
            let mut world = lock(&self.0);
            world.next_x = (world.next_x + 1) % POINTS;
            // Points lie apart, so that two clicks on two elements are no double click.
            let point = (world.next_x * 50, 100);
            world.elements.insert(point, element.clone());
            world.focused = Some(element);
            point
        };
        self.button(at, window, button, x, y);
    }

    /// Presses and releases a button at a point.
    pub fn button(&self, at: Moment, window: WindowId, button: Button, x: i32, y: i32) {
        for pressed in [true, false] {
            self.push(at, RawKind::Button { button, pressed, x, y, window });
        }
    }

    /// Turns the wheel by one notch.
    pub fn wheel(&self, at: Moment, window: WindowId, direction: Direction) {
        self.push(at, RawKind::Wheel { direction, window, x: 5, y: 5 });
    }

    /// Presses keys one after the other, with nothing held.
    pub fn type_text(&self, at: Moment, text: &str) {
        for character in text.chars() {
            self.push(at, RawKind::Key { code: character as u32, modifiers: Modifiers::default() });
        }
    }

    /// Presses a key as `ctrl+s` or `enter`; a name that is none does nothing.
    pub fn press(&self, at: Moment, command: &str) {
        let (held, key) = command.rsplit_once('+').unwrap_or(("", command));
        let holds = |name: &str| held.split('+').any(|each| each == name);
        let modifiers = Modifiers {
            ctrl: holds("ctrl"),
            alt: holds("alt"),
            shift: holds("shift"),
            meta: holds("meta"),
            alt_gr: holds("altgr"),
        };
        if let Some(code) = code_of(key) {
            self.push(at, RawKind::Key { code, modifiers });
        }
    }

    /// Presses Ctrl and the letter, and puts text into the clipboard.
    pub fn copy(&self, at: Moment, command: &str, text: &str, concealed: bool) {
        self.press(at, command);
        lock(&self.0).clipboard = Some((text.to_owned(), concealed));
        self.push(at, RawKind::Clipboard);
    }

    /// Pushes any raw event.
    pub fn push(&self, at: Moment, kind: RawKind) {
        self.push_from(at, kind, false);
    }

    /// Pushes any raw event, made by a hand or by a program.
    pub fn push_from(&self, at: Moment, kind: RawKind, injected: bool) {
        let sink = lock(&self.0).sink.clone();
        let Some(sink) = sink else { return };
        let event = RawEvent { at, injected, kind };
        match kind {
            RawKind::Key { code, modifiers } if code < NAMED_BASE && modifiers.leave_text() => sink.push_letter(event),
            _ => sink.push(event),
        }
    }

    /// Does on this desktop what a recorded event says was done. Events of pages and of the recording itself are not actions
    /// here; says whether it was one.
    pub fn play(&self, at: Moment, event: &Event) -> bool {
        let process = event.process_name.as_deref().or(event.application.as_deref()).unwrap_or("unknown");
        let window = self.window(&process.to_lowercase(), event.window_title.as_deref().unwrap_or_default());
        if lock(&self.0).front != window {
            self.focus(at, window);
        }
        let injected = event.actor == Some(Actor::Bot);
        let element = Element {
            role: event.element_role.clone().map_or(Reading::Known("generic".into()), Reading::Known),
            name: event.element_name.clone(),
            id: event.element_id.clone(),
            class: event.element_class.clone(),
            path: event.element_path.clone(),
            bounds: event.element_box,
            url: None,
        };
        let click = |button| self.click(at, window, button, element.clone());
        match event.event_type {
            EventType::WindowActivated => self.push_from(at, RawKind::Focus(window), injected),
            EventType::WindowTitleChanged => self.push_from(at, RawKind::Title(window), injected),
            EventType::LeftClick | EventType::ElementClicked => click(Button::Left),
            EventType::RightClick => click(Button::Right),
            EventType::MiddleClick => click(Button::Middle),
            EventType::DoubleClick => {
                click(Button::Left);
                let x = lock(&self.0).next_x * 50;
                self.button(at, window, Button::Left, x, 100);
            }
            EventType::Scroll => self.wheel(at, window, Direction::Down),
            EventType::KeyCommand => self.press(at, event.key_command.as_deref().unwrap_or("enter")),
            EventType::TextEntered | EventType::ElementChanged => {
                self.focus_element(element);
                let typed = event.text.clone().unwrap_or_else(|| "x".repeat(event.text_length.unwrap_or(1) as usize));
                self.type_text(at, &typed);
            }
            EventType::Copy | EventType::Cut => {
                self.focus_element(element);
                let key = if event.event_type == EventType::Copy { "ctrl+c" } else { "ctrl+x" };
                self.copy(at, key, event.text.as_deref().unwrap_or("text"), false);
            }
            EventType::Paste => {
                self.focus_element(element);
                self.press(at, "ctrl+v");
            }
            _ => return false,
        }
        true
    }
}

/// The code of a key by its name or character.
fn code_of(key: &str) -> Option<u32> {
    let mut characters = key.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Some(character as u32),
        _ => NAMED_KEYS.iter().position(|name| *name == key).map(|position| NAMED_BASE + position as u32),
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scripted {
    /// The world, for a question that needs an admitted window. Asking about a guarded one is the bug that tests look for.
    fn asked(&self, ok: &Admitted) -> MutexGuard<'_, World> {
        let world = lock(&self.0);
        assert!(!world.guarded.contains(&ok.window()), "a window was read that is not allowed");
        world
    }
}

impl Capture for Scripted {
    fn capabilities(&self) -> Capabilities {
        SIGNALS.map(|signal| (signal, Ability::Yes)).into()
    }

    fn os(&self) -> &'static str {
        "scripted"
    }

    fn start(&mut self, sink: RawSink) -> Result<(), CaptureError> {
        lock(&self.0).sink = Some(sink);
        Ok(())
    }

    fn arm(&mut self, want: Want) {
        lock(&self.0).want = want;
    }

    fn identify(&self, window: WindowId) -> Reading<Identity> {
        lock(&self.0).windows.get(&window).map_or(Reading::Unknown, |window| Reading::Known(window.identity.clone()))
    }

    fn title(&self, ok: &Admitted) -> Reading<String> {
        self.asked(ok).windows.get(&ok.window()).map_or(Reading::Unknown, |window| window.title.clone())
    }

    fn element(&self, ok: &Admitted, at: Query, _time_max: Duration) -> Ticket {
        let mut world = self.asked(ok);
        world.asked.elements += 1;
        world.tickets += 1;
        let ticket = Ticket(world.tickets);
        let element = match at {
            Query::At(x, y) => world.elements.get(&(x, y)).cloned(),
            Query::Focused => world.focused.clone(),
        };
        if let Some(sink) = world.sink.as_ref().filter(|_| world.elements_answer) {
            sink.answer(Answer::Element(ticket, element.map_or(Reading::Absent, Reading::Known)));
        }
        ticket
    }

    fn clipboard(&self, ok: &Admitted, with_text: bool) -> Ticket {
        let mut world = self.asked(ok);
        world.tickets += 1;
        let ticket = Ticket(world.tickets);
        let clipboard = world.clipboard.as_ref().map_or(Reading::Absent, |(text, concealed)| {
            let text = (with_text && !concealed).then(|| Zeroizing::new(text.clone()));
            Reading::Known(Clipboard { format: "text", concealed: *concealed, text })
        });
        if let Some(sink) = &world.sink {
            sink.answer(Answer::Clipboard(ticket, clipboard));
        }
        ticket
    }

    fn key(&self, code: u32, _modifiers: Modifiers) -> Key {
        match code.checked_sub(NAMED_BASE) {
            Some(position) => NAMED_KEYS.get(position as usize).map_or(Key::Unknown, |name| Key::Named(name)),
            None => char::from_u32(code).map_or(Key::Unknown, Key::Character),
        }
    }

    fn picture(&self, ok: &Admitted, request: &Request) -> Result<Picture, NoPicture> {
        let covers = self.asked(ok).covers.clone();
        // Grey, with the masks in black, so that tests see that they were asked for.
        let (width, height) = (64, 48);
        let mut picture = Picture {
            width,
            height,
            rgb: vec![128; (width * height * 3) as usize],
            place: [0, 0, 64, 48],
            masks: Vec::new(),
        };
        let asked = request.masks.iter().map(|place| (*place, MaskReason::Password));
        let covers = covers.into_iter().map(|place| (place.map(|pixels| pixels as i32), MaskReason::Window));
        covers.chain(asked).for_each(|(place, reason)| picture.paint_over(picture.place, place, reason));
        Ok(picture)
    }

    fn idle_us(&self) -> Reading<u64> {
        let mut world = lock(&self.0);
        world.asked.idle += 1;
        Reading::Known(world.idle_us)
    }

    fn front(&self) -> Reading<WindowId> {
        Reading::Known(lock(&self.0).front)
    }

    fn stop(&mut self) -> Drained {
        lock(&self.0).sink.take().map(|sink| sink.drained()).unwrap_or_default()
    }
}
