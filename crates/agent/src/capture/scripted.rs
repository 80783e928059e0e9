//! A desktop made of data: for `replay`, for tests, and for trying a configuration without a desktop.
//!
//! A [`Script`] is the hand that moves it: it focuses windows, clicks, types, copies. What it does becomes the same raw events
//! that a real desktop makes, so everything after the backend is tried for real. It can also play [`Event`]s that were
//! recorded elsewhere. Faults are part of it: titles that cannot be read, elements that never answer, bursts.
//!
//! It knows no clock; the hand says when things happen.

use super::screen::{self, Shown, View};
use super::{
    Ability, Admitted, Answer, Button, Capabilities, Capture, CaptureError, Clipboard, Direction, Drained, Element,
    Identity, Key, MaskReason, Modifiers, NoPicture, Picture, Query, RawEvent, RawKind, RawSink, Reading, Request,
    SIGNALS, Ticket, Want, WindowId,
};
use crate::clock::Moment;
use std::cell::RefCell;
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

/// Where a window lies until the hand puts it elsewhere: x, y, width, height.
const PLACE: [i32; 4] = [0, 0, 64, 48];

/// Monitors are filled with a picture of this size at most, in pixels of a side.
const SIDE_PX_MAX: i32 = 4_096;

/// How bright windows are painted, unless the hand says otherwise; masks are black.
const SHADE: u8 = 128;

/// One scripted window.
#[derive(Clone, Debug)]
struct Window {
    identity: Identity,
    title: Reading<String>,
    place: [i32; 4],
    /// How bright all its pixels are.
    shade: u8,
    /// Fields whose content is a secret, on the screen.
    secrets: Vec<[i32; 4]>,
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
    /// All windows, lowest first.
    stack: Vec<WindowId>,
    /// x, y, width, height of each monitor.
    monitors: Vec<[i32; 4]>,
    /// What lies above every window: x, y, width, height.
    covers: Vec<[i32; 4]>,
    /// A window that moves while the next picture is taken, and where to.
    moves: Option<(WindowId, [i32; 4])>,
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
    let world = World { elements_answer: true, monitors: vec![[0, 0, 1_920, 1_080]], ..World::default() };
    let world = Arc::new(Mutex::new(world));
    (Scripted(world.clone()), Script(world))
}

impl Script {
    /// Opens a window above the others; it has no input yet.
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
        let title_read = Reading::Known(title.to_owned());
        let shown = Window { identity, title: title_read, place: PLACE, shade: SHADE, secrets: Vec::new() };
        world.windows.insert(window, shown);
        world.raise(window);
        world.by_name.insert((process_name.to_owned(), title.to_owned()), window);
        window
    }

    /// From now on nobody may read anything of this window: whoever does, panics.
    pub fn guard(&self, window: WindowId) {
        lock(&self.0).guarded.insert(window);
    }

    /// Puts something above all windows, at x, y, width, height.
    pub fn cover(&self, place: [i32; 4]) {
        lock(&self.0).covers.push(place);
    }

    /// The monitors that there are, each at x, y, width, height; instead of one large one.
    pub fn monitors(&self, places: &[[i32; 4]]) {
        lock(&self.0).monitors = places.to_vec();
    }

    /// Puts a window somewhere, over those that are there, and paints it in a shade of its own.
    pub fn place(&self, window: WindowId, place: [i32; 4], shade: u8) {
        let mut world = lock(&self.0);
        if let Some(window) = world.windows.get_mut(&window) {
            (window.place, window.shade) = (place, shade);
        }
        world.raise(window);
    }

    /// Fields of a window whose content is a secret, at x, y, width, height on the screen.
    pub fn secret_fields(&self, window: WindowId, places: &[[i32; 4]]) {
        if let Some(window) = lock(&self.0).windows.get_mut(&window) {
            window.secrets = places.to_vec();
        }
    }

    /// This window moves while the next picture is taken; nothing: none does any more.
    pub fn move_during_picture(&self, moves: Option<(WindowId, [i32; 4])>) {
        lock(&self.0).moves = moves;
    }

    /// Puts an element at a point; the keyboard focus stays where it is.
    pub fn put_element(&self, x: i32, y: i32, element: Element) {
        lock(&self.0).elements.insert((x, y), element);
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
        {
            let mut world = lock(&self.0);
            world.front = window;
            world.raise(window);
        }
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

impl World {
    /// Brings a window above all others.
    fn raise(&mut self, window: WindowId) {
        self.stack.retain(|other| *other != window);
        self.stack.push(window);
    }

    /// What decides about a picture of a window.
    fn view(&self, window: WindowId) -> Result<View, NoPicture> {
        let shown = self.windows.get(&window).ok_or(NoPicture::Hidden)?;
        let place_of = |window: &WindowId| Some(Shown { window: window.0, place: self.windows.get(window)?.place });
        let stack = self.stack.iter().filter_map(place_of).collect();
        let place = within(shown.place, self.screen()).ok_or(NoPicture::Hidden)?;
        Ok(View { stack, place, secrets: shown.secrets.clone() })
    }

    /// x, y, width, height of all monitors together.
    fn screen(&self) -> [i32; 4] {
        let edge = |of: fn(&[i32; 4]) -> i32| self.monitors.iter().map(of);
        let (left, top) = (edge(|each| each[0]).min().unwrap_or(0), edge(|each| each[1]).min().unwrap_or(0));
        let (right, bottom) = (edge(|each| each[0] + each[2]).max(), edge(|each| each[1] + each[3]).max());
        [left, top, right.unwrap_or(0) - left, bottom.unwrap_or(0) - top]
    }

    /// What is visible of a part of the screen: each pixel is of the topmost window there, and black where no monitor is.
    fn copy(&self, place: [i32; 4]) -> Picture {
        let [left, top, width, height] = place;
        let points = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y)));
        let rgb = points.flat_map(|(x, y)| [self.shade(x, y); 3]).collect();
        Picture { width: width as u32, height: height as u32, rgb, place, masks: Vec::new() }
    }

    fn shade(&self, x: i32, y: i32) -> u8 {
        let is_there = |place: &[i32; 4]| holds(*place, x, y);
        if !self.monitors.iter().any(is_there) {
            return 0;
        }
        let topmost = self.stack.iter().rev().filter_map(|window| self.windows.get(window));
        topmost.filter(|window| is_there(&window.place)).map(|window| window.shade).next().unwrap_or(0)
    }
}

/// Whether a point is in a rectangle.
fn holds([left, top, width, height]: [i32; 4], x: i32, y: i32) -> bool {
    (left..left + width).contains(&x) && (top..top + height).contains(&y)
}

/// The part of a rectangle that is on the screen; nothing if none is, or if it is too large.
fn within([x, y, width, height]: [i32; 4], [left, top, columns, rows]: [i32; 4]) -> Option<[i32; 4]> {
    let (from_x, from_y) = (x.max(left), y.max(top));
    let (width, height) = ((x + width).min(left + columns) - from_x, (y + height).min(top + rows) - from_y);
    let is_fine = (1..=SIDE_PX_MAX).contains(&width) && (1..=SIDE_PX_MAX).contains(&height);
    is_fine.then_some([from_x, from_y, width, height])
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
        let world = RefCell::new(self.asked(ok));
        let copy = |place| {
            let mut world = world.borrow_mut();
            let picture = world.copy(place);
            if let Some((window, place)) = world.moves.take()
                && let Some(window) = world.windows.get_mut(&window)
            {
                window.place = place;
            }
            Ok(picture)
        };
        let mut picture = screen::picture(
            || world.borrow().view(ok.window()),
            |shown| shown.window == ok.window().0,
            copy,
            &request.masks,
        )?;
        for cover in &world.borrow().covers {
            picture.paint_over(picture.place, *cover, MaskReason::Window);
        }
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
