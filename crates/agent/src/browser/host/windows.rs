//! Where browsers look for relays of a user: a value of the registry, which names a file.

use super::{Form, HOST_NAME, Place};
use crate::win32::registry;
use std::io;
use std::path::{Path, PathBuf};

/// Name, form, key below the user's part of the registry, and the key that shows that the browser is there.
const BROWSERS: [(&str, Form, &str, &str); 4] = [
    ("chrome", Form::Chromium, r"Software\Google\Chrome", r"Software\Google\Chrome"),
    ("edge", Form::Chromium, r"Software\Microsoft\Edge", r"Software\Microsoft\Edge"),
    ("chromium", Form::Chromium, r"Software\Chromium", r"Software\Chromium"),
    // The key above it belongs to other programs of Mozilla too.
    ("firefox", Form::Firefox, r"Software\Mozilla", r"Software\Mozilla\Firefox"),
];

/// The browsers of this user; our files for them lie in the client's folder.
pub fn places() -> Vec<Place> {
    let hosts = crate::paths::data_folder().join("NativeMessagingHosts");
    let place = |(browser, form, _, shows): (&'static str, Form, &str, &str)| Place {
        browser,
        form,
        folder: hosts.join(browser),
        is_used: registry::is_own_key(shows),
    };
    BROWSERS.map(place).into()
}

/// Tells a browser of the relay.
///
/// Errors: the file or the registry cannot be written.
pub fn register(place: &Place, program: &Path) -> io::Result<PathBuf> {
    let file = super::write(&place.folder, place.form, program)?;
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
    let key = BROWSERS.iter().find(|(browser, ..)| *browser == place.browser).map_or("", |(_, _, key, _)| key);
    format!(r"{key}\NativeMessagingHosts\{HOST_NAME}")
}
