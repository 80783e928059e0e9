//! The thread that watches: input, focus, titles, the clipboard. It pushes numbers and returns; it reads no text.

use super::desk::Atoms;
use super::keymap;
use crate::capture::{
    BlindReason, Button, CaptureError, Direction, Key, Modifiers, RawEvent, RawKind, RawSink, Want, WindowId,
};
use crate::clock::Clock;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xfixes::{ConnectionExt as _, SelectionEventMask};
use x11rb::protocol::xinput::{self, ConnectionExt as _, Device, DeviceId, XIEventMask};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, KeyButMask,
    PropertyNotifyEvent, WindowClass,
};
use x11rb::rust_connection::RustConnection;

type Failed = Box<dyn std::error::Error>;

/// A watch that runs.
pub struct Watch {
    want: Arc<Mutex<Want>>,
    ends: Arc<AtomicBool>,
    /// A connection and the watch's own window, to wake it.
    bell: RustConnection,
    window: u32,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts to watch which window is in front; input is watched when it is wanted.
    pub fn start(sink: RawSink, clock: Arc<dyn Clock>) -> Result<Self, CaptureError> {
        let none = |error: Failed| CaptureError::NoDesktop(error.to_string());
        let eye = Eye::open(sink.clone(), clock.clone()).map_err(none)?;
        let (bell, _) = x11rb::connect(None).map_err(|error| none(error.into()))?;
        let (want, ends, window) = (eye.want.clone(), eye.ends.clone(), eye.window);
        let thread = std::thread::Builder::new().name("lode-watch".into()).spawn(move || {
            let mut eye = eye;
            if eye.watch().is_err() && !eye.ends.load(Ordering::SeqCst) {
                sink.push(RawEvent {
                    at: clock.now(),
                    injected: false,
                    kind: RawKind::Blind(BlindReason::DisplayLost, Duration::ZERO),
                });
            }
        });
        Ok(Self { want, ends, bell, window, thread: Some(thread.map_err(CaptureError::Thread)?) })
    }

    /// Watches what is wanted from now on.
    pub fn arm(&self, want: Want) {
        let mut known = self.want.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != want {
            *known = want;
            drop(known);
            self.ring();
        }
    }

    /// Ends.
    pub fn stop(mut self) {
        self.ends.store(true, Ordering::SeqCst);
        self.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    fn ring(&self) {
        let message =
            ClientMessageEvent::new(32, self.window, u32::from(x11rb::protocol::xproto::AtomEnum::STRING), [0_u32; 5]);
        let _ = self.bell.send_event(false, self.window, EventMask::NO_EVENT, message);
        let _ = self.bell.flush();
    }
}

struct Eye {
    connection: RustConnection,
    atoms: Atoms,
    root: u32,
    window: u32,
    sink: RawSink,
    clock: Arc<dyn Clock>,
    want: Arc<Mutex<Want>>,
    ends: Arc<AtomicBool>,
    armed: Want,
    front: u32,
    /// Devices through which programs make input.
    injecting: BTreeSet<DeviceId>,
    modifier_keys: [BTreeSet<u32>; 5],
    text_keys: BTreeSet<u32>,
    down: BTreeSet<u32>,
}

impl Eye {
    fn open(sink: RawSink, clock: Arc<dyn Clock>) -> Result<Self, Failed> {
        let (connection, screen) = x11rb::connect(None)?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let root = connection.setup().roots[screen].root;
        connection.xinput_xi_query_version(2, 2)?.reply()?;
        connection.xfixes_query_version(5, 0)?.reply()?;
        let window = connection.generate_id()?;
        let aux = CreateWindowAux::new();
        connection.create_window(0, window, root, -1, -1, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &aux)?;
        let properties = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        connection.change_window_attributes(root, &properties)?;
        let injecting = injecting_devices(&connection)?;
        let modifier_keys = modifier_keys(&connection)?;
        let text_keys = text_keys(&connection)?;
        connection.flush()?;
        Ok(Self {
            connection,
            atoms,
            root,
            window,
            sink,
            clock,
            want: Arc::default(),
            ends: Arc::default(),
            armed: Want::default(),
            front: 0,
            injecting,
            modifier_keys,
            text_keys,
            down: BTreeSet::new(),
        })
    }

    fn watch(&mut self) -> Result<(), Failed> {
        self.arm()?;
        while !self.ends.load(Ordering::SeqCst) {
            let event = self.connection.wait_for_event()?;
            self.see(&event)?;
        }
        Ok(())
    }

    fn see(&mut self, event: &Event) -> Result<(), Failed> {
        match event {
            Event::XinputRawKeyPress(event) => {
                let modifiers = self.modifiers();
                if self.is_modifier(event.detail) {
                    self.down.insert(event.detail);
                } else {
                    let kind = RawKind::Key { code: event.detail, modifiers };
                    let injected = self.injecting.contains(&event.sourceid);
                    if modifiers.leave_text() && self.text_keys.contains(&event.detail) {
                        self.sink.push_letter(RawEvent { at: self.clock.now(), injected, kind });
                    } else {
                        self.push(kind, injected);
                    }
                }
            }
            Event::XinputRawKeyRelease(event) => {
                self.down.remove(&event.detail);
            }
            Event::XinputRawButtonPress(event) => self.button(event, true)?,
            Event::XinputRawButtonRelease(event) => self.button(event, false)?,
            Event::PropertyNotify(event) => self.property(event)?,
            Event::XfixesSelectionNotify(event) if event.selection == self.atoms.CLIPBOARD && self.armed.clipboard => {
                self.push(RawKind::Clipboard, false);
            }
            Event::ClientMessage(event) if event.window == self.window => self.arm()?,
            Event::MappingNotify(_) => {
                self.modifier_keys = modifier_keys(&self.connection)?;
                self.text_keys = text_keys(&self.connection)?;
            }
            Event::XinputHierarchy(_) => self.injecting = injecting_devices(&self.connection)?,
            _ => {}
        }
        Ok(())
    }

    /// Selects what is wanted, and nothing else.
    fn arm(&mut self) -> Result<(), Failed> {
        let want = *self.want.lock().unwrap_or_else(PoisonError::into_inner);
        let input = if want.input {
            XIEventMask::RAW_KEY_PRESS
                | XIEventMask::RAW_KEY_RELEASE
                | XIEventMask::RAW_BUTTON_PRESS
                | XIEventMask::RAW_BUTTON_RELEASE
        } else {
            XIEventMask::from(0_u32)
        };
        let masks = [xinput::EventMask { deviceid: Device::ALL_MASTER.into(), mask: vec![input] }];
        self.connection.xinput_xi_select_events(self.root, &masks)?;
        if want.input && !self.armed.input {
            self.down = self.keys_down()?;
        }
        let clipboard =
            if want.clipboard { SelectionEventMask::SET_SELECTION_OWNER } else { SelectionEventMask::from(0_u32) };
        self.connection.xfixes_select_selection_input(self.root, self.atoms.CLIPBOARD, clipboard)?;
        if want.titles_of != self.armed.titles_of {
            let select = |window: Option<WindowId>, mask: EventMask| -> Result<(), Failed> {
                if let Some(window) =
                    window.and_then(|window| u32::try_from(window.0).ok()).filter(|id| *id != self.root)
                {
                    let aux = ChangeWindowAttributesAux::new().event_mask(mask);
                    self.connection.change_window_attributes(window, &aux)?;
                }
                Ok(())
            };
            select(self.armed.titles_of, EventMask::NO_EVENT)?;
            select(want.titles_of, EventMask::PROPERTY_CHANGE)?;
        }
        self.armed = want;
        self.connection.flush()?;
        Ok(())
    }

    fn property(&mut self, event: &PropertyNotifyEvent) -> Result<(), Failed> {
        if event.window == self.root && event.atom == self.atoms._NET_ACTIVE_WINDOW {
            let property = self.connection.get_property(
                false,
                self.root,
                self.atoms._NET_ACTIVE_WINDOW,
                x11rb::protocol::xproto::AtomEnum::WINDOW,
                0,
                1,
            )?;
            let front = property.reply()?.value32().and_then(|mut values| values.next()).unwrap_or(0);
            if front != self.front {
                self.front = front;
                self.push(RawKind::Focus(WindowId(front.into())), false);
            }
        } else if event.atom == self.atoms._NET_WM_NAME && self.armed.titles_of == Some(WindowId(event.window.into())) {
            self.push(RawKind::Title(WindowId(event.window.into())), false);
        }
        Ok(())
    }

    fn button(&mut self, event: &xinput::RawButtonPressEvent, pressed: bool) -> Result<(), Failed> {
        let pointer = self.connection.query_pointer(self.root)?.reply()?;
        let (x, y, window) = (pointer.root_x.into(), pointer.root_y.into(), WindowId(pointer.child.into()));
        let is_injected = self.injecting.contains(&event.sourceid);
        let kind = match event.detail {
            1 => RawKind::Button { button: Button::Left, pressed, x, y, window },
            2 => RawKind::Button { button: Button::Middle, pressed, x, y, window },
            3 => RawKind::Button { button: Button::Right, pressed, x, y, window },
            wheel @ 4..=7 if pressed => {
                let direction = [Direction::Up, Direction::Down, Direction::Left, Direction::Right][wheel as usize - 4];
                RawKind::Wheel { direction, window, x, y }
            }
            _ => return Ok(()),
        };
        self.push(kind, is_injected);
        Ok(())
    }

    fn push(&self, kind: RawKind, injected: bool) {
        self.sink.push(RawEvent { at: self.clock.now(), injected, kind });
    }

    fn is_modifier(&self, key: u32) -> bool {
        self.modifier_keys.iter().any(|keys| keys.contains(&key))
    }

    fn modifiers(&self) -> Modifiers {
        let [shift, ctrl, alt, meta, alt_gr] = &self.modifier_keys;
        let is_down = |keys: &BTreeSet<u32>| keys.iter().any(|key| self.down.contains(key));
        Modifiers {
            shift: is_down(shift),
            ctrl: is_down(ctrl),
            alt: is_down(alt),
            meta: is_down(meta),
            alt_gr: is_down(alt_gr),
        }
    }

    /// Modifier keys that were down before anybody watched: one key stands for each.
    fn keys_down(&self) -> Result<BTreeSet<u32>, Failed> {
        let mask = u32::from(u16::from(self.connection.query_pointer(self.root)?.reply()?.mask));
        let masks = [KeyButMask::SHIFT, KeyButMask::CONTROL, KeyButMask::MOD1, KeyButMask::MOD4, KeyButMask::MOD5];
        let down = masks.into_iter().zip(&self.modifier_keys);
        let down = down.filter(|(each, _)| mask & u32::from(u16::from(*each)) != 0);
        Ok(down.filter_map(|(_, keys)| keys.first().copied()).collect())
    }
}

/// Keys of shift, control, alt (Mod1), super (Mod4) and AltGr (Mod5).
fn modifier_keys(connection: &RustConnection) -> Result<[BTreeSet<u32>; 5], Failed> {
    let mapping = connection.get_modifier_mapping()?.reply()?;
    let per_modifier = mapping.keycodes.len() / 8;
    let keys = |modifier: usize| -> BTreeSet<u32> {
        let keys = mapping.keycodes.iter().skip(modifier * per_modifier).take(per_modifier);
        keys.filter(|key| **key != 0).map(|key| u32::from(*key)).collect()
    };
    Ok([0, 2, 3, 6, 7].map(keys))
}

/// Keys that make a character where nothing is held.
fn text_keys(connection: &RustConnection) -> Result<BTreeSet<u32>, Failed> {
    let setup = connection.setup();
    let (first, count) = (setup.min_keycode, setup.max_keycode - setup.min_keycode + 1);
    let mapping = connection.get_keyboard_mapping(first, count)?.reply()?;
    let symbols = mapping.keysyms.chunks(usize::from(mapping.keysyms_per_keycode).max(1));
    let is_text = |symbols: &[u32]| matches!(symbols.first().copied().map(keymap::key_of), Some(Key::Character(_)));
    Ok((u32::from(first)..).zip(symbols).filter(|(_, symbols)| is_text(symbols)).map(|(key, _)| key).collect())
}

/// The devices of the XTEST extension: what comes from them was made by a program.
fn injecting_devices(connection: &RustConnection) -> Result<BTreeSet<DeviceId>, Failed> {
    let devices = connection.xinput_xi_query_device(Device::ALL)?.reply()?.infos;
    let is_test = |name: &[u8]| name.windows(5).any(|part| part == b"XTEST");
    Ok(devices.into_iter().filter(|device| is_test(&device.name)).map(|device| device.deviceid).collect())
}
