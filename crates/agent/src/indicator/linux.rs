//! Tray and marker on Linux.

mod layer;
mod marker;
mod tray;

use super::{Indicator, Look, Nowhere};
use std::path::Path;

/// Every look, in the order of their numbers.
const LOOKS: [Look; 5] = [Look::Recording, Look::Paused, Look::Resting, Look::Stopped, Look::Trouble];

/// A symbol in the tray; where there is no tray, a marker; where there is neither, nothing.
///
/// On a Wayland desktop an X11 window does not count: it cannot know whether anything covers it.
pub fn for_desktop(runtime: &Path) -> Box<dyn Indicator> {
    if let Some(tray) = tray::Tray::show(runtime) {
        return Box::new(tray);
    }
    let marker: Option<Box<dyn Indicator>> = if is_wayland() {
        layer::Layer::show().map(|marker| Box::new(marker) as _)
    } else {
        marker::Marker::show().map(|marker| Box::new(marker) as _)
    };
    marker.unwrap_or_else(|| Box::new(Nowhere))
}

/// What this desktop can show, in words.
///
/// Errors: nothing can be shown, so nothing is recorded.
pub fn describe_tray() -> Result<String, String> {
    if let Some(host) = tray::host() {
        return Ok(format!("the tray is there ({host})"));
    }
    let has_marker = if is_wayland() { layer::is_offered() } else { x11rb::connect(None).is_ok() };
    if has_marker {
        Ok("no tray on this desktop; a small marker is shown instead".into())
    } else {
        Err("neither a tray nor a marker can be shown here; without one nothing is recorded".into())
    }
}

fn is_wayland() -> bool {
    std::env::var_os("WAYLAND_DISPLAY").is_some()
}
