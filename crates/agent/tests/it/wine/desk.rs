//! The client for Windows, recording under Wine, and the programs beside it.

use crate::hands::{Children, in_front};
use crate::service::{Service, Study};
use crate::support::{printed, until};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The client for Windows.
pub const AGENT: &str = "LODE_AGENT_EXE";

/// The window with a password field, `tests/wine/fields.c`.
pub const FIELDS: &str = "LODE_FIELDS_EXE";

/// What stands for a browser, `tests/wine/browser.c`.
pub const BROWSER: &str = "LODE_BROWSER_EXE";

/// The package of the client.
pub const PACKAGE: &str = "LODE_AGENT_MSI";

/// The folder that the portable archive is made of.
pub const FOLDER: &str = "LODE_AGENT_FOLDER";

/// Wine's text processor.
pub const WORDPAD: &str = r"C:\Program Files\Windows NT\Accessories\wordpad.exe";

/// What xtask named for the stories.
pub fn named(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set; cargo xtask test windows sets it"))
}

/// A program under Wine, not started yet.
pub fn wine(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("wine");
    command.arg(program).args(arguments).stdin(Stdio::null());
    command
}

/// A path as programs under Wine see it.
pub fn seen_by_wine(path: &Path) -> String {
    format!("Z:{}", path.display().to_string().replace('/', "\\"))
}

/// The real program, in a project of a real service.
pub struct Desk {
    program: String,
    data: PathBuf,
    log: PathBuf,
    client: Option<Child>,
    windows: Children,
}

impl Desk {
    /// The program over a data folder; it does not run yet.
    pub fn of(program: &str, data: &Path) -> Self {
        let (data, log) = (data.to_owned(), data.with_extension("log"));
        Self { program: program.to_owned(), data, log, client: None, windows: Children::default() }
    }

    /// Enrols, says yes, and records.
    pub fn record(data: &Path, service: &Service, study: &Study<'_>) -> Self {
        let mut desk = Self::of(&named(AGENT), data);
        desk.enrol(&service.url(), study);
        desk.start();
        desk.accept();
        desk
    }

    /// Becomes a client of the project.
    pub fn enrol(&self, server: &str, study: &Study<'_>) {
        let key = study.app_key();
        printed(&self.agent(&["enroll", "--server", server, "--key", &key]).output().unwrap());
    }

    /// Waits for the question, says yes, and waits until it records.
    pub fn accept(&self) {
        self.until("asks for consent", |status| status["state"] == "needs_consent");
        printed(&self.agent(&["consent", "accept"]).output().unwrap());
        self.until("records", |status| status["state"] == "recording");
    }

    /// Starts the client.
    pub fn start(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut run = self.agent(&["run", "--no-dialog"]);
        self.client = Some(run.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// Ends the client without a word to it, as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut client) = self.client.take() {
            client.kill().unwrap();
            client.wait().unwrap();
        }
    }

    /// The program with these words, not started yet.
    pub fn agent(&self, arguments: &[&str]) -> Command {
        let mut command = wine(&self.program, &["--data", &seen_by_wine(&self.data)]);
        command.args(arguments);
        command
    }

    /// Opens a program and brings its window to the front; gives the window.
    pub fn open(&mut self, program: &str, arguments: &[&str], title: &str) -> String {
        let arguments: Vec<&str> = [program].into_iter().chain(arguments.iter().copied()).collect();
        self.windows.start("wine", &arguments);
        in_front(title)
    }

    /// What the client says of itself; nothing while it does not answer.
    pub fn status(&self) -> Option<Value> {
        let output = self.agent(&["status", "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Asks for the status until it is as wanted.
    pub fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(what, || self.status().filter(|status| wanted(status)))
    }

    /// Everything that is on this machine, opened: events as JSON Lines, and what the client said.
    pub fn everything(&self) -> String {
        let folder = self.data.with_extension("export");
        printed(&self.agent(&["export", &seen_by_wine(&folder)]).output().unwrap());
        let events = zstd::decode_all(std::fs::File::open(folder.join("events.jsonl.zst")).unwrap()).unwrap();
        let log = std::fs::read(&self.log).unwrap();
        let status = self.status().unwrap().to_string();
        std::fs::remove_dir_all(&folder).unwrap();
        [String::from_utf8_lossy(&events), String::from_utf8_lossy(&log), status.into()].concat()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.kill();
    }
}
