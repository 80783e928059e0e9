//! From Windows' numbers of keys to keys: characters by the layout of the window in front, and names.

use crate::capture::{Key, Modifiers};
use crate::win32::keyboard::{self, ALT_GR, Characters, SHIFT};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The key with which programs type a character that no key makes; its scan code is the character.
const VK_PACKET: u16 = 0xe7;

/// The bit of a code that says that capitals are locked.
const CAPS_BIT: u32 = 1 << 8;

/// Layouts that are remembered; people have a few.
const LAYOUTS_MAX: usize = 8;

/// The code of a key, as raw events carry it.
pub fn code(virtual_key: u16, scan: u16, caps_locked: bool) -> u32 {
    let character = if virtual_key == VK_PACKET { u32::from(scan) << 16 } else { 0 };
    character | if caps_locked { CAPS_BIT } else { 0 } | u32::from(virtual_key & 0xff)
}

/// What keys make, per layout.
#[derive(Default)]
pub struct Keys(RefCell<BTreeMap<usize, Characters>>);

impl Keys {
    /// What a key makes together with the modifiers that were down.
    pub fn key(&self, code: u32, modifiers: Modifiers) -> Key {
        let virtual_key = (code & 0xff) as u8;
        if u16::from(virtual_key) == VK_PACKET {
            return char::from_u32(code >> 16).filter(|made| !made.is_control()).map_or(Key::Unknown, Key::Character);
        }
        if let Some(key) = named(virtual_key) {
            return key;
        }
        let layout = keyboard::layout();
        let mut layouts = self.0.borrow_mut();
        if layouts.len() >= LAYOUTS_MAX && !layouts.contains_key(&layout) {
            layouts.clear();
        }
        let characters = layouts.entry(layout).or_insert_with(|| keyboard::characters(layout));
        character(characters, virtual_key, code & CAPS_BIT != 0, modifiers)
    }
}

/// What a key of a layout makes.
fn character(characters: &Characters, key: u8, caps_locked: bool, modifiers: Modifiers) -> Key {
    let at = |alt_gr: bool, shift: bool| {
        let state = if alt_gr { ALT_GR } else { 0 } | if shift { SHIFT } else { 0 };
        characters.get(&(key, state)).copied()
    };
    let is_letter = at(false, false).is_some_and(char::is_alphabetic);
    let shift = modifiers.shift != (caps_locked && is_letter);
    let made = at(modifiers.alt_gr, shift).or_else(|| at(modifiers.alt_gr, false)).or_else(|| at(false, false));
    match made {
        Some(made) => Key::Character(made),
        // A dead key, or a letter of an alphabet that is not asked for: a character, whichever.
        None if is_printable(key) => Key::Character('\u{fffd}'),
        None => Key::Unknown,
    }
}

/// Whether a key makes a character on every layout where nothing is held; which one, nobody is asked for.
pub fn is_text(virtual_key: u16) -> bool {
    u8::try_from(virtual_key).is_ok_and(|key| is_printable(key) || matches!(named(key), Some(Key::Character(_))))
}

/// Digits, letters and the keys with marks, whose characters differ between layouts.
fn is_printable(key: u8) -> bool {
    matches!(key, 0x30..=0x39 | 0x41..=0x5a | 0xba..=0xc0 | 0xdb..=0xdf | 0xe2)
}

/// Keys that are the same on every layout.
fn named(key: u8) -> Option<Key> {
    Some(match key {
        0x08 => Key::Named("backspace"),
        0x09 => Key::Named("tab"),
        0x0d => Key::Named("enter"),
        0x10..=0x12 | 0x14 | 0x5b | 0x5c | 0x90 | 0x91 | 0xa0..=0xa5 => Key::Modifier,
        0x1b => Key::Named("esc"),
        0x20 => Key::Character(' '),
        0x21 => Key::Named("pageup"),
        0x22 => Key::Named("pagedown"),
        0x23 => Key::Named("end"),
        0x24 => Key::Named("home"),
        0x25 => Key::Named("left"),
        0x26 => Key::Named("up"),
        0x27 => Key::Named("right"),
        0x28 => Key::Named("down"),
        0x2c => Key::Named("print"),
        0x2d => Key::Named("insert"),
        0x2e => Key::Named("delete"),
        0x5d => Key::Named("menu"),
        // The number pad.
        0x60..=0x69 => Key::Character(char::from(b'0' + key - 0x60)),
        0x6a => Key::Character('*'),
        0x6b => Key::Character('+'),
        0x6d => Key::Character('-'),
        0x6e => Key::Character('.'),
        0x6f => Key::Character('/'),
        0x70..=0x7b => Key::Named(FUNCTION_KEYS[usize::from(key - 0x70)]),
        _ => return None,
    })
}

const FUNCTION_KEYS: [&str; 12] = ["f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12"];

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Modifiers = Modifiers { ctrl: false, alt: false, shift: false, meta: false, alt_gr: false };

    #[test]
    fn shift_capitals_and_altgr_choose_the_character() {
        let layout: Characters =
            [((0x51, 0), 'q'), ((0x51, 1), 'Q'), ((0x51, 6), '@'), ((0x32, 0), '2'), ((0x32, 1), '"')].into();
        let shift = Modifiers { shift: true, ..NONE };
        let alt_gr = Modifiers { alt_gr: true, ..NONE };
        for (key, caps, modifiers, made) in [
            (0x51, false, NONE, 'q'),
            (0x51, false, shift, 'Q'),
            (0x51, true, NONE, 'Q'),
            (0x51, true, shift, 'q'),
            (0x51, false, alt_gr, '@'),
            (0x32, true, NONE, '2'),
            (0x32, false, shift, '"'),
            (0xdc, false, NONE, '\u{fffd}'),
        ] {
            assert_eq!(character(&layout, key, caps, modifiers), Key::Character(made), "{key:#x}");
        }
        assert_eq!(character(&layout, 0xff, false, NONE), Key::Unknown);
    }

    #[test]
    fn letters_digits_marks_and_the_number_pad_are_text_and_no_other_key_is() {
        let text: Vec<u16> = (0..=0xff).filter(|key| is_text(*key)).collect();
        let pad = (0x60..=0x6f).filter(|key| *key != 0x6c);
        let wanted = [0x20].into_iter().chain(0x30..=0x39).chain(0x41..=0x5a).chain(pad);
        let wanted: Vec<u16> = wanted.chain(0xba..=0xc0).chain(0xdb..=0xdf).chain([0xe2]).collect();
        assert_eq!(text, wanted);
    }

    #[test]
    fn names_modifiers_and_characters_that_programs_type() {
        let keys = Keys::default();
        assert_eq!(keys.key(code(0x0d, 28, false), NONE), Key::Named("enter"));
        assert_eq!(keys.key(code(0x74, 0, true), NONE), Key::Named("f5"));
        assert_eq!(keys.key(code(0xa2, 29, false), NONE), Key::Modifier);
        assert_eq!(keys.key(code(0x67, 0, false), NONE), Key::Character('7'));
        assert_eq!(keys.key(code(VK_PACKET, 0x20ac, false), NONE), Key::Character('€'));
        assert_eq!(keys.key(code(0x41, 30, false), NONE), Key::Character('a'));
    }
}
