//! Where browsers look for relays of a user: a folder below their settings.

use super::{Form, Place};
use std::io;
use std::path::{Path, PathBuf};

/// Name, settings below the configuration folder, programs.
const CHROMIUMS: [(&str, &str, &[&str]); 3] = [
    ("chromium", "chromium", &["chromium", "chromium-browser"]),
    ("chrome", "google-chrome", &["google-chrome", "google-chrome-stable"]),
    ("edge", "microsoft-edge", &["microsoft-edge", "microsoft-edge-stable"]),
];

/// The programs of Firefox.
const FIREFOXES: [&str; 3] = ["firefox", "firefox-esr", "firefox-bin"];

/// The folders of this user.
pub fn places() -> Vec<Place> {
    places_of(&crate::paths::home_folder(), &crate::paths::configuration_folder(), is_on_path)
}

fn places_of(home: &Path, configuration: &Path, is_there: impl Fn(&str) -> bool) -> Vec<Place> {
    let chromium = |(browser, settings, programs): (&'static str, &str, &[&str])| {
        let settings = configuration.join(settings);
        let is_used = settings.is_dir() || programs.iter().any(|program| is_there(program));
        Place { browser, form: Form::Chromium, folder: settings.join("NativeMessagingHosts"), is_used }
    };
    let mut places: Vec<Place> = CHROMIUMS.map(chromium).into();
    // Firefox keeps its settings in either place since version 147, and looks for relays in the older one alone.
    let (older, newer) = (home.join(".mozilla"), configuration.join("mozilla"));
    let is_used = [&older, &newer].iter().any(|settings| settings.join("firefox").is_dir())
        || FIREFOXES.iter().any(|program| is_there(program));
    places.push(Place {
        browser: "firefox",
        form: Form::Firefox,
        folder: older.join("native-messaging-hosts"),
        is_used,
    });
    places
}

/// Tells a browser of the relay.
///
/// Errors: the folder cannot be written.
pub fn register(place: &Place, program: &Path) -> io::Result<PathBuf> {
    super::write(&place.folder, place.form, program)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_found_by_their_settings_or_their_programs_and_each_gets_a_file_that_it_reads() {
        let folder = tempfile::tempdir().unwrap();
        let (home, configuration) = (folder.path(), folder.path().join(".config"));
        let used = |program: &str| {
            let places = places_of(home, &configuration, |each| each == program).into_iter();
            places.filter(|place| place.is_used).collect::<Vec<_>>()
        };
        let names = |program: &str| used(program).iter().map(|place| place.browser).collect::<Vec<_>>().join(" ");
        assert_eq!(
            (names(""), names("firefox-esr"), names("google-chrome")),
            ("".into(), "firefox".into(), "chrome".into())
        );
        let program = std::env::current_exe().unwrap();
        for settings in [".mozilla/firefox", ".config/mozilla/firefox", ".config/chromium"] {
            let settings = home.join(settings);
            std::fs::create_dir_all(&settings).unwrap();
            let places = used("");
            let file = register(&places[0], &program).unwrap();
            let expected = match places[0].form {
                Form::Firefox => ".mozilla/native-messaging-hosts/org.lode.agent.json",
                Form::Chromium => ".config/chromium/NativeMessagingHosts/org.lode.agent.json",
            };
            assert_eq!((places.len(), file), (1, home.join(expected)));
            assert!(unregister(&places[0]).unwrap() && !unregister(&places[0]).unwrap());
            std::fs::remove_dir_all(settings).unwrap();
        }
        assert_eq!(names(""), "", "our own folders are no browser");
    }
}
