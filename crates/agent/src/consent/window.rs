//! The consent dialog as one plain X11 window, for desktops without a dialog program. Two buttons of equal size; keys work too.

use super::Answered;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt, CreateGCAux, CreateWindowAux, EventMask, PropMode, Rectangle, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

/// Pixels of the window, its lines and buttons.
const WIDTH: u16 = 720;
const LINE: i16 = 18;
const MARGIN: i16 = 20;
const BUTTON: (u16, u16) = (160, 36);

/// Characters of a line; the core font `fixed` is 6 to 7 pixels wide.
const LINE_CHARS: usize = 96;

/// Lines that are shown at most; configurations bound their texts to less.
const LINES_MAX: usize = 120;

/// Asks; `None` if no window can be shown.
pub fn ask(title: &str, text: &str, buttons: [&str; 2]) -> Option<Answered> {
    show(title, text, buttons).ok()
}

fn show(title: &str, text: &str, labels: [&str; 2]) -> Result<Answered, Box<dyn std::error::Error>> {
    let (connection, screen) = x11rb::connect(None)?;
    let root = &connection.setup().roots[screen];
    let lines = wrap(text);
    let height = lines.len() as i16 * LINE + 3 * MARGIN + BUTTON.1 as i16 + LINE;
    let window = connection.generate_id()?;
    let aux = CreateWindowAux::new()
        .background_pixel(root.white_pixel)
        .event_mask(EventMask::EXPOSURE | EventMask::BUTTON_RELEASE | EventMask::KEY_PRESS);
    connection.create_window(
        0,
        window,
        root.root,
        60,
        60,
        WIDTH,
        height as u16,
        0,
        WindowClass::INPUT_OUTPUT,
        0,
        &aux,
    )?;
    connection.change_property8(PropMode::REPLACE, window, AtomEnum::WM_NAME, AtomEnum::STRING, title.as_bytes())?;
    connection.change_property8(
        PropMode::REPLACE,
        window,
        AtomEnum::WM_CLASS,
        AtomEnum::STRING,
        b"lode-agent\0Lode\0",
    )?;
    let protocols = connection.intern_atom(false, b"WM_PROTOCOLS")?.reply()?.atom;
    let delete = connection.intern_atom(false, b"WM_DELETE_WINDOW")?.reply()?.atom;
    connection.change_property32(PropMode::REPLACE, window, protocols, AtomEnum::ATOM, &[delete])?;
    let font = connection.generate_id()?;
    connection.open_font(font, b"fixed")?.check()?;
    let paint = connection.generate_id()?;
    let aux = CreateGCAux::new().foreground(root.black_pixel).background(root.white_pixel).font(font);
    connection.create_gc(paint, window, &aux)?;
    connection.map_window(window)?;
    connection.flush()?;
    let top = height - MARGIN - BUTTON.1 as i16;
    let places = [MARGIN, WIDTH as i16 - MARGIN - BUTTON.0 as i16];
    loop {
        match connection.wait_for_event()? {
            Event::Expose(_) => {
                for (number, line) in lines.iter().enumerate() {
                    let y = MARGIN + LINE * (number as i16 + 1);
                    connection.image_text8(window, paint, MARGIN, y, &latin(line))?;
                }
                for (x, label) in places.into_iter().zip(labels) {
                    let outline = Rectangle { x, y: top, width: BUTTON.0, height: BUTTON.1 };
                    connection.poly_rectangle(window, paint, &[outline])?;
                    connection.image_text8(window, paint, x + 50, top + 23, &latin(label))?;
                }
                connection.flush()?;
            }
            Event::ButtonRelease(event) => {
                let is_in = |x: i16| {
                    (x..x + BUTTON.0 as i16).contains(&event.event_x)
                        && (top..top + BUTTON.1 as i16).contains(&event.event_y)
                };
                if is_in(places[0]) {
                    return Ok(Answered::Accepted);
                }
                if is_in(places[1]) {
                    return Ok(Answered::Declined);
                }
            }
            Event::ClientMessage(event) if event.data.as_data32()[0] == delete => return Ok(Answered::Nothing),
            _ => {}
        }
    }
}

/// The core font has the letters of Latin-1.
fn latin(text: &str) -> Vec<u8> {
    let byte = |character: char| match character {
        '–' | '—' => b'-',
        '“' | '”' => b'"',
        '’' => b'\'',
        other => u8::try_from(u32::from(other)).unwrap_or(b'?'),
    };
    text.chars().map(byte).take(255).collect()
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + word.chars().count() >= LINE_CHARS {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.truncate(LINES_MAX);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_become_lines_and_strange_letters_do_no_harm() {
        let lines = wrap(&"word ".repeat(100));
        assert!(lines.len() > 4 && lines.iter().all(|line| line.chars().count() < LINE_CHARS));
        assert_eq!(latin("Zürich – 北"), b"Z\xfcrich - ?");
    }
}
