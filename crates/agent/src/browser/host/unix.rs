//! Where Chromium, Chrome and Edge look for relays of a user: a folder below their settings.

use super::Place;
use std::io;
use std::path::{Path, PathBuf};

/// Name, settings below the configuration folder, programs.
const BROWSERS: [(&str, &str, &[&str]); 3] = [
    ("chromium", "chromium", &["chromium", "chromium-browser"]),
    ("chrome", "google-chrome", &["google-chrome", "google-chrome-stable"]),
    ("edge", "microsoft-edge", &["microsoft-edge", "microsoft-edge-stable"]),
];

/// The folders of this user.
pub fn places() -> Vec<Place> {
    let configuration = crate::paths::configuration_folder();
    let place = |(browser, settings, programs): (&'static str, &str, &[&str])| {
        let settings = configuration.join(settings);
        let is_used = settings.is_dir() || programs.iter().any(|program| is_on_path(program));
        Place { browser, folder: settings.join("NativeMessagingHosts"), is_used }
    };
    BROWSERS.map(place).into()
}

/// Tells a browser of the relay.
///
/// Errors: the folder cannot be written.
pub fn register(place: &Place, program: &Path) -> io::Result<PathBuf> {
    super::write(&place.folder, program)
}

/// Takes it back; says whether there was something.
///
/// Errors: the file stays.
pub fn unregister(place: &Place) -> io::Result<bool> {
    super::remove(&place.folder)
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
