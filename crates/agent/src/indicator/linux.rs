//! Tray and marker on Linux.

mod marker;
mod tray;

use super::{Indicator, Look, Nowhere};
use std::path::Path;

/// A symbol in the tray; where there is no tray, a marker window; where there is neither, nothing.
pub fn for_desktop(runtime: &Path) -> Box<dyn Indicator> {
    if let Some(tray) = tray::Tray::show(runtime) {
        return Box::new(tray);
    }
    match marker::Marker::show() {
        Some(marker) => Box::new(marker),
        None => Box::new(Nowhere),
    }
}

/// Whether this desktop has a tray, in words.
pub fn describe_tray() -> Result<String, String> {
    tray::host().map_or_else(
        || Err("no tray on this desktop; a small marker window is shown instead".to_owned()),
        |host| Ok(format!("the tray is there ({host})")),
    )
}
