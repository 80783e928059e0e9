//! Whether the screen is locked, as the session's screen saver tells on D-Bus. Where none does, locking is not seen.

use crate::capture::{RawEvent, RawKind, RawSink};
use crate::clock::Clock;
use std::sync::Arc;
use zbus::blocking::{Connection, MessageIterator};

/// The names under which desktops tell it; the signal is the same.
const INTERFACES: [&str; 4] =
    ["org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver", "org.cinnamon.ScreenSaver", "org.mate.ScreenSaver"];

/// Follows it on threads that live as long as the session's bus.
pub fn follow(sink: RawSink, clock: Arc<dyn Clock>) {
    for interface in INTERFACES {
        let (sink, clock) = (sink.clone(), clock.clone());
        let thread = std::thread::Builder::new().name("lode-lock".into()).stack_size(256 << 10);
        // Without a session bus there is nothing to follow.
        let _ = thread.spawn(move || listen(interface, &sink, &*clock));
    }
}

fn listen(interface: &str, sink: &RawSink, clock: &dyn Clock) -> Option<()> {
    let bus = Connection::session().ok()?;
    let rule = format!("type='signal',interface='{interface}',member='ActiveChanged'");
    for message in MessageIterator::for_match_rule(rule.as_str(), &bus, None).ok()? {
        let Ok(message) = message else { continue };
        if let Ok(is_locked) = message.body().deserialize::<bool>() {
            let kind = if is_locked { RawKind::Locked } else { RawKind::Unlocked };
            sink.push(RawEvent { at: clock.now(), injected: false, kind });
        }
    }
    Some(())
}
