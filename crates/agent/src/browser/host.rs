//! `lode-agent install-browser-host`: tells the browsers of this user where the relay is. One small file for each browser, which
//! names the program and the one extension that may start it; taken out again with `--remove`.

use super::{EXTENSION_ID, FIREFOX_EXTENSION_ID, HOST_NAME};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{places, register, unregister};
#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{places, register, unregister};

/// How a browser wants to be told who may start the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// By the address of the extension: Chromium, Chrome, Edge.
    Chromium,
    /// By the id of the extension.
    Firefox,
}

/// Where a browser looks for relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The browser's name.
    pub browser: &'static str,
    /// Whose form of the file it reads.
    pub form: Form,
    /// The folder of the files.
    pub folder: PathBuf,
    /// Whether the browser is on this machine, as far as its program or its settings show.
    pub is_used: bool,
}

/// The file's name.
pub const FILE: &str = "org.lode.agent.json";

/// What stands in the file.
pub fn manifest(form: Form, program: &Path) -> String {
    let (allowed, extension) = match form {
        Form::Chromium => ("allowed_origins", format!("chrome-extension://{EXTENSION_ID}/")),
        Form::Firefox => ("allowed_extensions", FIREFOX_EXTENSION_ID.to_owned()),
    };
    let manifest = json!({
        "name": HOST_NAME,
        "description": "Carries what happens in allowed pages to the Lode client on this machine",
        "path": program,
        "type": "stdio",
        allowed: [extension],
    });
    format!("{manifest:#}\n")
}

/// Writes the file into a folder.
///
/// Errors: the folder cannot be made or written.
pub fn write(folder: &Path, form: Form, program: &Path) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(FILE);
    std::fs::write(&path, manifest(form, program))?;
    Ok(path)
}

/// Takes the file out of a folder; says whether there was one.
///
/// Errors: it is there and stays.
pub fn remove(folder: &Path) -> io::Result<bool> {
    match std::fs::remove_file(folder.join(FILE)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The program that a folder's file names, if it is there and is one.
pub fn registered(folder: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(folder.join(FILE)).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(PathBuf::from(manifest["path"].as_str()?)).filter(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_the_file_names_our_extension_alone_and_goes_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = folder.path().join("NativeMessagingHosts");
        let program = std::env::current_exe().unwrap();
        let forms = [
            (Form::Chromium, json!({ "allowed_origins": [format!("chrome-extension://{EXTENSION_ID}/")] })),
            (Form::Firefox, json!({ "allowed_extensions": ["lode@lode.org"] })),
        ];
        for (form, allowed) in forms {
            write(&hosts, form, &program).unwrap();
            assert_eq!(registered(&hosts).as_ref(), Some(&program));
            let text = std::fs::read_to_string(hosts.join(FILE)).unwrap();
            let said: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
            assert_eq!((said["name"].as_str(), said["type"].as_str()), (Some("org.lode.agent"), Some("stdio")));
            let allows = said.into_iter().filter(|(key, _)| key.starts_with("allowed"));
            assert_eq!(serde_json::Value::Object(allows.collect()), allowed, "{form:?}");
            assert!(remove(&hosts).unwrap() && !remove(&hosts).unwrap());
            assert_eq!(registered(&hosts), None);
        }
    }
}
