//! The symbol in the notification area of the taskbar.
//!
//! Windows puts new symbols behind the arrow until the person pins them; the administrator's guide says how to keep this one in view.

use super::{Indicator, Look, Nowhere, menu};
use crate::control;
use crate::win32::console;
use crate::win32::tray::{Line, SIZE, Shown, Tray};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A symbol in the taskbar; where no taskbar comes, nothing, and nothing is recorded.
pub fn for_desktop(runtime: &Path) -> Box<dyn Indicator> {
    // Where Windows opened a console window for the client alone, the symbol takes its place.
    console::leave_own();
    Symbol::start(runtime).map_or_else(|_| Box::new(Nowhere) as Box<dyn Indicator>, |symbol| Box::new(symbol))
}

/// Whether this desktop has a tray, in words.
pub fn describe_tray() -> Result<String, String> {
    let none = || Err("no taskbar takes the symbol; without it nothing is recorded".to_owned());
    let Ok(mut tray) = Tray::start(shown(Look::Stopped), Vec::new, |_| {}) else { return none() };
    let is_visible = tray.is_visible();
    tray.close();
    if is_visible { Ok("the taskbar takes the symbol".into()) } else { none() }
}

struct Symbol {
    tray: Tray,
    look: Arc<Mutex<Look>>,
}

impl Symbol {
    fn start(runtime: &Path) -> std::io::Result<Self> {
        let look = Arc::new(Mutex::new(Look::default()));
        let now = {
            let look = look.clone();
            move || *look.lock().unwrap_or_else(PoisonError::into_inner)
        };
        let (looks, runtime) = (now.clone(), runtime.to_owned());
        let lines = move || menu(looks()).into_iter().map(line).collect();
        let chosen = move |position: usize| {
            let Some(super::Entry::Item(_, request)) = menu(now()).into_iter().nth(position) else { return };
            let runtime = runtime.clone();
            // A menu must not wait for the client.
            let _ = std::thread::Builder::new().spawn(move || control::ask(&runtime, &request));
        };
        Ok(Self { tray: Tray::start(shown(Look::default()), lines, chosen)?, look })
    }
}

impl Indicator for Symbol {
    fn show(&mut self, look: Look) {
        *self.look.lock().unwrap_or_else(PoisonError::into_inner) = look;
        self.tray.show(shown(look));
    }

    fn is_visible(&self) -> bool {
        self.tray.is_visible()
    }

    fn describe(&self) -> String {
        if self.tray.is_visible() { "tray".into() } else { "none: no taskbar takes the symbol".into() }
    }

    fn close(&mut self) {
        self.tray.close();
    }
}

fn line(entry: super::Entry) -> Line {
    match entry {
        super::Entry::Label(text) => Line::Label(text.into()),
        super::Entry::Item(text, _) => Line::Item(text.into()),
        super::Entry::Separator => Line::Separator,
    }
}

fn shown(look: Look) -> Shown {
    let places = (0..SIZE).flat_map(|y| (0..SIZE).map(move |x| (x, y)));
    let pixels = places.flat_map(|(x, y)| match look.pixel(x, y, SIZE) {
        Some([red, green, blue]) => [blue, green, red, 255],
        None => [0; 4],
    });
    Shown { tip: look.words().into(), pixels: pixels.collect() }
}
