//! Where Chrome, Edge and Chromium look for relays of a user: a value of the registry, which names a file.

use super::{HOST_NAME, Place};
use crate::win32::registry;
use std::io;
use std::path::{Path, PathBuf};

/// Name, and key below the user's part of the registry.
const BROWSERS: [(&str, &str); 3] =
    [("chrome", r"Software\Google\Chrome"), ("edge", r"Software\Microsoft\Edge"), ("chromium", r"Software\Chromium")];

/// The browsers of this user; our files for them lie in the client's folder.
pub fn places() -> Vec<Place> {
    let hosts = crate::paths::data_folder().join("NativeMessagingHosts");
    let place = |(browser, key): (&'static str, &str)| Place {
        browser,
        folder: hosts.join(browser),
        is_used: registry::is_own_key(key),
    };
    BROWSERS.map(place).into()
}

/// Tells a browser of the relay.
///
/// Errors: the file or the registry cannot be written.
pub fn register(place: &Place, program: &Path) -> io::Result<PathBuf> {
    let file = super::write(&place.folder, program)?;
    registry::set_own_text(&key_of(place), &file.to_string_lossy())?;
    Ok(file)
}

/// Takes it back; says whether there was something.
///
/// Errors: the file stays.
pub fn unregister(place: &Place) -> io::Result<bool> {
    registry::forget_own(&key_of(place));
    super::remove(&place.folder)
}

fn key_of(place: &Place) -> String {
    let key = BROWSERS.iter().find(|(browser, _)| *browser == place.browser).map_or("", |(_, key)| key);
    format!(r"{key}\NativeMessagingHosts\{HOST_NAME}")
}
