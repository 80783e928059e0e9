//! From key symbols of X11 to keys: characters and names. Input methods and dead keys are beyond it.

use crate::capture::Key;

/// What a key symbol is.
pub fn key_of(symbol: u32) -> Key {
    match symbol {
        0x0020..=0x007e | 0x00a0..=0x00ff => char::from_u32(symbol).map_or(Key::Unknown, Key::Character),
        0x0100_0100..=0x0110_ffff => char::from_u32(symbol - 0x0100_0000).map_or(Key::Unknown, Key::Character),
        0x20ac => Key::Character('€'),
        0xff08 => Key::Named("backspace"),
        0xff09 | 0xfe20 => Key::Named("tab"),
        0xff0d | 0xff8d => Key::Named("enter"),
        0xff1b => Key::Named("esc"),
        0xff50 | 0xff95 => Key::Named("home"),
        0xff51 | 0xff96 => Key::Named("left"),
        0xff52 | 0xff97 => Key::Named("up"),
        0xff53 | 0xff98 => Key::Named("right"),
        0xff54 | 0xff99 => Key::Named("down"),
        0xff55 | 0xff9a => Key::Named("pageup"),
        0xff56 | 0xff9b => Key::Named("pagedown"),
        0xff57 | 0xff9c => Key::Named("end"),
        0xff61 => Key::Named("print"),
        0xff63 | 0xff9e => Key::Named("insert"),
        0xff67 => Key::Named("menu"),
        0xffff | 0xff9f => Key::Named("delete"),
        0xffbe..=0xffc9 => Key::Named(FUNCTION_KEYS[(symbol - 0xffbe) as usize]),
        // The number pad.
        0xffaa..=0xffb9 => char::from_u32(symbol - 0xff80).map_or(Key::Unknown, Key::Character),
        0xffe1..=0xffee | 0xfe01..=0xfe0f | 0xff7e | 0xff7f => Key::Modifier,
        // Letters of other alphabets in the old encoding of X11, and dead keys: characters, whichever.
        0x01a1..=0x0eff | 0xfe50..=0xfe93 => Key::Character('\u{fffd}'),
        _ => Key::Unknown,
    }
}

const FUNCTION_KEYS: [&str; 12] = ["f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_characters_names_or_modifiers() {
        for (symbol, key) in [
            (0x61, Key::Character('a')),
            (0xe4, Key::Character('ä')),
            (0x0100_20ac, Key::Character('€')),
            (0x20ac, Key::Character('€')),
            (0xff0d, Key::Named("enter")),
            (0xffc2, Key::Named("f5")),
            (0xffb7, Key::Character('7')),
            (0xffe3, Key::Modifier),
            (0xfe03, Key::Modifier),
            (0x06c1, Key::Character('\u{fffd}')),
            (0, Key::Unknown),
        ] {
            assert_eq!(key_of(symbol), key, "{symbol:#x}");
        }
    }
}
