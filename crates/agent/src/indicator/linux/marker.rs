//! A small window in the corner that stays on top, for X11 desktops without a tray. It takes no clicks and no focus from anybody.

use super::{Indicator, LOOKS, Look};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt, CreateGCAux, CreateWindowAux, EventMask, Rectangle,
    StackMode, Visibility, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

/// Pixels of the window's sides.
const SIZE: u16 = 24;

/// How often it puts itself on top.
const RAISE: Duration = Duration::from_millis(500);

/// How often a window that is covered may fight for its place before that counts as not visible.
const COVERED_MAX: u8 = 6;

/// The window.
pub struct Marker {
    look: Arc<AtomicU8>,
    visible: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Marker {
    /// Shows it; `None` if there is no X11 display.
    pub fn show() -> Option<Self> {
        let (connection, screen) = x11rb::connect(None).ok()?;
        let (look, visible, ends) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicBool::new(true)), Arc::default());
        let thread = {
            let (look, visible, ends) = (Arc::clone(&look), Arc::clone(&visible), Arc::clone(&ends));
            std::thread::Builder::new().name("lode-marker".into()).spawn(move || {
                let _ = live(&connection, screen, &look, &visible, &ends);
                visible.store(false, Ordering::SeqCst);
            })
        };
        Some(Self { look, visible, ends, thread: thread.ok() })
    }
}

impl Indicator for Marker {
    fn show(&mut self, look: Look) {
        self.look.store(look as u8, Ordering::SeqCst);
    }

    fn is_visible(&self) -> bool {
        self.visible.load(Ordering::SeqCst)
    }

    fn describe(&self) -> String {
        "marker window (no tray on this desktop)".into()
    }

    fn close(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Draws the window and keeps it in sight until it is to end. Whoever unmaps or destroys it makes it invisible.
fn live(
    connection: &impl Connection,
    screen: usize,
    look: &AtomicU8,
    visible: &AtomicBool,
    ends: &AtomicBool,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = &connection.setup().roots[screen];
    let window = connection.generate_id()?;
    let aux = CreateWindowAux::new()
        .background_pixel(root.white_pixel)
        .border_pixel(root.black_pixel)
        .override_redirect(1)
        .event_mask(EventMask::EXPOSURE | EventMask::STRUCTURE_NOTIFY | EventMask::VISIBILITY_CHANGE);
    let x = i16::try_from(root.width_in_pixels.saturating_sub(SIZE + 6)).unwrap_or(0);
    connection.create_window(0, window, root.root, x, 2, SIZE, SIZE, 1, WindowClass::INPUT_OUTPUT, 0, &aux)?;
    connection.change_window_attributes(window, &ChangeWindowAttributesAux::new())?;
    let name = b"Lode";
    connection.change_property8(
        x11rb::protocol::xproto::PropMode::REPLACE,
        window,
        x11rb::protocol::xproto::AtomEnum::WM_NAME,
        x11rb::protocol::xproto::AtomEnum::STRING,
        name,
    )?;
    let paint = connection.generate_id()?;
    connection.create_gc(paint, window, &CreateGCAux::new())?;
    connection.map_window(window)?;
    let mut shown = None;
    let mut covered = 0;
    while !ends.load(Ordering::SeqCst) {
        let mut exposed = false;
        while let Some(event) = connection.poll_for_event()? {
            match event {
                Event::Expose(_) => exposed = true,
                Event::UnmapNotify(_) | Event::DestroyNotify(_) => return Ok(()),
                Event::VisibilityNotify(event) if event.state == Visibility::FULLY_OBSCURED => covered += 1,
                Event::VisibilityNotify(_) => covered = 0,
                _ => {}
            }
        }
        visible.store(covered < COVERED_MAX, Ordering::SeqCst);
        let now = LOOKS.into_iter().find(|each| *each as u8 == look.load(Ordering::SeqCst)).unwrap_or_default();
        if exposed || shown != Some(now) {
            draw(connection, window, paint, root.white_pixel, now)?;
            shown = Some(now);
        }
        if covered > 0 {
            covered += 1;
        }
        connection.configure_window(window, &ConfigureWindowAux::new().stack_mode(StackMode::ABOVE))?;
        connection.flush()?;
        std::thread::sleep(RAISE);
    }
    connection.destroy_window(window)?;
    connection.flush()?;
    Ok(())
}

fn draw(
    connection: &impl Connection,
    window: u32,
    paint: u32,
    white: u32,
    look: Look,
) -> Result<(), Box<dyn std::error::Error>> {
    let size = i32::from(SIZE);
    let all = Rectangle { x: 0, y: 0, width: SIZE, height: SIZE };
    connection.change_gc(paint, &x11rb::protocol::xproto::ChangeGCAux::new().foreground(white))?;
    connection.poly_fill_rectangle(window, paint, &[all])?;
    let mut colour = None;
    let mut pixels = Vec::new();
    for (x, y) in (0..size).flat_map(|y| (0..size).map(move |x| (x, y))) {
        if let Some(rgb) = look.pixel(x, y, size) {
            colour = Some(rgb);
            pixels.push(Rectangle { x: x as i16, y: y as i16, width: 1, height: 1 });
        }
    }
    if let Some([red, green, blue]) = colour {
        let pixel = u32::from(red) << 16 | u32::from(green) << 8 | u32::from(blue);
        connection.change_gc(paint, &x11rb::protocol::xproto::ChangeGCAux::new().foreground(pixel))?;
        connection.poly_fill_rectangle(window, paint, &pixels)?;
    }
    Ok(())
}
