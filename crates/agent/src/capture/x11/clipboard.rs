//! Reads the clipboard by asking the program that owns it.

use super::desk::Atoms;
use crate::capture::Clipboard;
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, CreateWindowAux, WindowClass};
use x11rb::rust_connection::RustConnection;
use zeroize::Zeroizing;

/// How long the owner of the clipboard may take.
const OWNER_TIME_MAX: Duration = Duration::from_millis(200);

/// How often its answer is looked for.
const LOOK: Duration = Duration::from_millis(2);

/// Bytes of a text that are read, in units of four.
const TEXT_WORDS_MAX: u32 = 16 << 10;

type Failed = Box<dyn std::error::Error>;

/// What reads the clipboard, with its text or without; nothing where there is no X server.
pub fn hand() -> Option<impl FnMut(bool) -> Option<Clipboard>> {
    let hand = Hand::open().ok()?;
    Some(move |with_text| hand.read(with_text).ok())
}

struct Hand {
    connection: RustConnection,
    atoms: Atoms,
    window: u32,
}

impl Hand {
    fn open() -> Result<Self, Failed> {
        let (connection, screen) = x11rb::connect(None)?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let (root, window) = (connection.setup().roots[screen].root, connection.generate_id()?);
        connection.create_window(
            0,
            window,
            root,
            -1,
            -1,
            1,
            1,
            0,
            WindowClass::INPUT_ONLY,
            0,
            &CreateWindowAux::new(),
        )?;
        connection.flush()?;
        Ok(Self { connection, atoms, window })
    }

    /// What kind of thing lies there; its text only if it was asked for and the owner does not mind.
    fn read(&self, with_text: bool) -> Result<Clipboard, Failed> {
        let targets = self.convert(self.atoms.TARGETS)?;
        let targets: Vec<u32> =
            targets.chunks_exact(4).map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]])).collect();
        let has = |atom: u32| targets.contains(&atom);
        let concealed = has(self.atoms.x_kde);
        let format = match () {
            () if has(self.atoms.uri_list) => "files",
            () if has(self.atoms.image_png) => "image",
            () if has(self.atoms.text_html) => "html",
            () => "text",
        };
        let is_text = has(self.atoms.UTF8_STRING);
        let text = if with_text && !concealed && is_text {
            let bytes = Zeroizing::new(self.convert(self.atoms.UTF8_STRING)?);
            Some(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
        } else {
            None
        };
        Ok(Clipboard { format, concealed, text })
    }

    /// The clipboard in one form. Texts so long that they come in pieces are not read.
    fn convert(&self, form: u32) -> Result<Vec<u8>, Failed> {
        let place = self.atoms.LODE_CLIPBOARD;
        self.connection.convert_selection(self.window, self.atoms.CLIPBOARD, form, place, x11rb::CURRENT_TIME)?;
        self.connection.flush()?;
        let end = Instant::now() + OWNER_TIME_MAX;
        loop {
            match self.connection.poll_for_event()? {
                Some(Event::SelectionNotify(event)) if event.target == form => {
                    if event.property == 0 {
                        return Err("the clipboard has no such form".into());
                    }
                    break;
                }
                Some(_) => {}
                None if Instant::now() >= end => return Err("the owner of the clipboard does not answer".into()),
                None => std::thread::sleep(LOOK),
            }
        }
        let property =
            self.connection.get_property(true, self.window, place, AtomEnum::ANY, 0, TEXT_WORDS_MAX)?.reply()?;
        if property.type_ == self.atoms.INCR {
            return Err("too long".into());
        }
        Ok(property.value)
    }
}
