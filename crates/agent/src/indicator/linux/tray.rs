//! The symbol in the tray, by the StatusNotifierItem interface of D-Bus. Its menu is the person's own: pause, see, send, delete.

use super::{Indicator, Look};
use crate::control;
use crate::indicator::{Entry, menu};
use ksni::blocking::{Handle, TrayMethods};
use ksni::menu::{MenuItem, StandardItem};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Pixels of the symbol.
const SIZE: i32 = 22;

/// The symbol.
pub struct Tray(Handle<Symbol>);

impl Tray {
    /// Shows it; `None` if this desktop has no tray.
    pub fn show(runtime: &Path) -> Option<Self> {
        host()?;
        Symbol { look: Look::default(), runtime: runtime.to_owned() }.spawn().ok().map(Self)
    }
}

/// The program that shows trays, if there is one.
pub fn host() -> Option<String> {
    let bus = zbus::blocking::Connection::session().ok()?;
    let watcher = "org.kde.StatusNotifierWatcher";
    let proxy = zbus::blocking::Proxy::new(&bus, watcher, "/StatusNotifierWatcher", watcher).ok()?;
    let is_shown: bool = proxy.get_property("IsStatusNotifierHostRegistered").ok()?;
    is_shown.then(|| watcher.to_owned())
}

impl Indicator for Tray {
    fn show(&mut self, look: Look) {
        self.0.update(|symbol| symbol.look = look);
    }

    fn is_visible(&self) -> bool {
        !self.0.is_closed() && host().is_some()
    }

    fn describe(&self) -> String {
        "tray".into()
    }

    fn close(&mut self) {
        self.0.shutdown().wait();
    }
}

struct Symbol {
    look: Look,
    runtime: PathBuf,
}

impl ksni::Tray for Symbol {
    fn id(&self) -> String {
        "lode-agent".into()
    }

    fn title(&self) -> String {
        self.look.words().into()
    }

    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        let places = (0..SIZE).flat_map(|y| (0..SIZE).map(move |x| (x, y)));
        let data = places.flat_map(|(x, y)| match self.look.pixel(x, y, SIZE) {
            Some([red, green, blue]) => [255, red, green, blue],
            None => [0; 4],
        });
        vec![ksni::Icon { width: SIZE, height: SIZE, data: data.collect() }]
    }

    fn tool_tip(&self) -> ksni::ToolTip {
        ksni::ToolTip { title: self.look.words().into(), ..Default::default() }
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        menu(self.look).into_iter().map(line).collect()
    }
}

fn line(entry: Entry) -> MenuItem<Symbol> {
    match entry {
        Entry::Label(text) => StandardItem { label: text.into(), enabled: false, ..Default::default() }.into(),
        Entry::Item(text, request) => item(text, request),
        Entry::Separator => MenuItem::Separator,
    }
}

fn item(text: &str, request: Value) -> MenuItem<Symbol> {
    let activate = move |symbol: &mut Symbol| {
        let (runtime, request) = (symbol.runtime.clone(), request.clone());
        // A menu must not wait for the client.
        let _ = std::thread::Builder::new().spawn(move || control::ask(&runtime, &request));
    };
    StandardItem { label: text.into(), activate: Box::new(activate), ..Default::default() }.into()
}
