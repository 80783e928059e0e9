//! The client for Windows under Wine, with Wine's own programs and one of ours, driven by a program that presses keys and buttons.
//!
//! They need Wine with a prefix that is ready, an X server, `xdotool`, and the programs that the variables below name, so they
//! are ignored in an ordinary run; `LODE_WINE=1 cargo xtask test windows` prepares all that and runs them. What Wine shows is not proof of
//! what Windows does: `docs/platforms.md` says which is which.

use crate::hands::{Children, click, corner, in_front, xdotool};
use crate::service::{Service, Study};
use crate::support::{configuration, printed, until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The client for Windows.
const AGENT: &str = "LODE_AGENT_EXE";

/// The window with a password field, `tests/wine/fields.c`.
const FIELDS: &str = "LODE_FIELDS_EXE";

/// The package of the client.
const PACKAGE: &str = "LODE_AGENT_MSI";

/// The folder that the portable archive is made of.
const FOLDER: &str = "LODE_AGENT_FOLDER";

fn named(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set; LODE_WINE=1 cargo xtask test windows sets it"))
}

fn wine(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("wine");
    command.arg(program).args(arguments).stdin(Stdio::null());
    command
}

/// A path as programs under Wine see it.
fn seen_by_wine(path: &Path) -> String {
    format!("Z:{}", path.display().to_string().replace('/', "\\"))
}

/// The real program, recording, in a project of a real service.
struct Desk {
    program: String,
    data: PathBuf,
    log: PathBuf,
    children: Children,
}

impl Desk {
    fn record(data: &Path, service: &Service, study: &Study<'_>) -> Self {
        let log = data.with_extension("log");
        let mut desk = Self { program: named(AGENT), data: data.to_owned(), log, children: Children::default() };
        let key = study.app_key();
        printed(&desk.agent(&["enroll", "--server", &service.url(), "--key", &key]).output().unwrap());
        desk.start();
        desk.until("asks for consent", |status| status["state"] == "needs_consent");
        printed(&desk.agent(&["consent", "accept"]).output().unwrap());
        desk.until("records", |status| status["state"] == "recording");
        desk
    }

    fn start(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut run = self.agent(&["run", "--no-dialog"]);
        self.children.0.push(run.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    fn agent(&self, arguments: &[&str]) -> Command {
        let mut command = wine(&self.program, &["--data", &seen_by_wine(&self.data)]);
        command.args(arguments);
        command
    }

    fn open(&mut self, program: &str, arguments: &[&str]) {
        let arguments: Vec<&str> = [program].into_iter().chain(arguments.iter().copied()).collect();
        self.children.start("wine", &arguments);
    }

    fn status(&self) -> Option<Value> {
        let output = self.agent(&["status", "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).ok()
    }

    fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(what, || self.status().filter(|status| wanted(status)))
    }

    /// Everything that is on this machine, opened: events as JSON Lines, and what the client said.
    fn everything(&self) -> String {
        let folder = self.data.with_extension("export");
        printed(&self.agent(&["export", &seen_by_wine(&folder)]).output().unwrap());
        let events = zstd::decode_all(std::fs::File::open(folder.join("events.jsonl.zst")).unwrap()).unwrap();
        let log = std::fs::read(&self.log).unwrap();
        let status = self.status().unwrap().to_string();
        std::fs::remove_dir_all(&folder).unwrap();
        [String::from_utf8_lossy(&events), String::from_utf8_lossy(&log), status.into()].concat()
    }
}

/// Whether a text is in any file of a folder, in UTF-8 or as Windows writes it.
fn is_in_files(folder: &Path, text: &str) -> Option<PathBuf> {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let has =
        |bytes: &[u8]| [text.as_bytes(), &wide].iter().any(|part| bytes.windows(part.len()).any(|at| at == *part));
    std::fs::read_dir(folder).unwrap().flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() { is_in_files(&path, text) } else { has(&std::fs::read(&path).ok()?).then_some(path) }
    })
}

#[test]
#[ignore = "needs Wine: LODE_WINE=1 cargo xtask test windows"]
fn notepad_gives_titles_text_lengths_a_pair_of_copy_and_paste_and_pictures() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Notepad");
    let extra = r#"<screenshots enabled="true" maskText="page"/>"#;
    study.publish(&configuration(&study.id, "notepad.exe", extra, "all value_fingerprint"));
    let mut desk = Desk::record(&folder.path().join("client"), &service, &study);
    desk.open("notepad", &[]);
    in_front("Notepad");
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'window_activated'", |rows| !rows.is_empty());
    xdotool(&["type", "order 4711"]);
    xdotool(&["key", "ctrl+a"]);
    xdotool(&["key", "ctrl+c"]);
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'copy'", |rows| !rows.is_empty());
    xdotool(&["key", "ctrl+v"]);
    let pair = "SELECT event_type, value_fingerprint IS NOT NULL FROM events \
        WHERE event_type IN ('copy', 'paste') ORDER BY seq";
    study.rows_until(pair, |rows| rows == [json!(["copy", true]), json!(["paste", true])]);
    let one = "SELECT count(DISTINCT value_fingerprint) FROM events WHERE event_type IN ('copy', 'paste')";
    assert_eq!(study.rows(one), [json!([1])], "what was pasted is what was copied");
    let typed = "SELECT process_name, element_role, text_length, text, window_title LIKE '%Notepad%' FROM events \
        WHERE event_type = 'text_entered'";
    study.rows_until(typed, |rows| rows == [json!(["notepad.exe", "textbox", 10, null, true])]);
    let pictures = "SELECT screenshot_id FROM events WHERE screenshot_id IS NOT NULL";
    let rows = study.rows_until(pictures, |rows| !rows.is_empty());
    let id = rows[0][0].as_str().unwrap();
    until("the picture arrives", || study.screenshot(id));
    assert_eq!(study.balance()["lost"], 0);
}

#[test]
#[ignore = "needs Wine: LODE_WINE=1 cargo xtask test windows"]
fn wordpad_gives_its_text_where_a_rule_asks() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Wordpad");
    study.publish(&configuration(&study.id, "wordpad.exe", "", "all text"));
    let mut desk = Desk::record(&folder.path().join("client"), &service, &study);
    desk.open(r"C:\Program Files\Windows NT\Accessories\wordpad.exe", &[]);
    in_front("Document - Wine Wordpad");
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'window_activated'", |rows| !rows.is_empty());
    xdotool(&["type", "Order: four"]);
    xdotool(&["key", "Tab"]);
    study.rows_until("SELECT text, text_length FROM events WHERE event_type = 'text_entered'", |rows| {
        rows == [json!(["Order: four", 11])]
    });
}

#[test]
#[ignore = "needs Wine: LODE_WINE=1 cargo xtask test windows"]
fn d1_a_program_that_is_not_allowed_leaves_no_canary_anywhere() {
    const CANARY: &str = "CANARY-7731";
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Canary");
    let extra = r#"<screenshots enabled="true" maskText="page"/>"#;
    study.publish(&configuration(&study.id, "notepad.exe", extra, "all text value_fingerprint"));
    let data = folder.path().join("client");
    let mut desk = Desk::record(&data, &service, &study);
    desk.open("notepad", &[]);
    in_front("Notepad");
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'window_activated'", |rows| !rows.is_empty());
    desk.open(&named(FIELDS), &[CANARY]);
    let fields = in_front(CANARY);
    let (x, y) = corner(&fields);
    click(x + 100, y + 34);
    xdotool(&["type", CANARY]);
    xdotool(&["key", "ctrl+a"]);
    xdotool(&["key", "ctrl+c"]);
    click(x + 80, y + 136);
    desk.until("counts what is not allowed", |status| status["counters"]["filtered"]["gate.app"].as_u64() > Some(0));
    in_front("Notepad");
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'window_activated'", |rows| rows.len() >= 2);
    let left = desk.everything();
    assert!(!left.contains("CANARY") && !left.contains("fields.exe"), "{left}");
    assert_eq!(is_in_files(&data, CANARY), None);
    let sent = serde_json::to_string(&study.rows("SELECT * FROM events")).unwrap();
    assert!(sent.contains("notepad.exe") && !sent.contains("CANARY") && !sent.contains("fields.exe"), "{sent}");
    assert_eq!(is_in_files(service.folder(), CANARY), None);
}

#[test]
#[ignore = "needs Wine: LODE_WINE=1 cargo xtask test windows"]
fn d2_a_password_field_gives_neither_text_nor_length_nor_picture_a_button_its_name_and_a_new_title_an_event() {
    const SECRET: &str = "hunter2hunter2";
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Password");
    let extra = r#"<screenshots enabled="true" maskText="page"/>"#;
    study.publish(&configuration(&study.id, "fields.exe", extra, "all text value_fingerprint"));
    let data = folder.path().join("client");
    let mut desk = Desk::record(&data, &service, &study);
    desk.open(&named(FIELDS), &["Log in"]);
    let window = in_front("Log in");
    study.rows_until("SELECT 1 FROM events WHERE event_type = 'window_activated'", |rows| !rows.is_empty());
    let (x, y) = corner(&window);
    click(x + 100, y + 34);
    xdotool(&["type", "muster"]);
    click(x + 100, y + 84);
    xdotool(&["type", SECRET]);
    click(x + 80, y + 136);
    let clicks = "SELECT element_role, element_name, element_id, screenshot_id IS NULL FROM events \
        WHERE event_type = 'left_click' ORDER BY seq";
    study.rows_until(clicks, |rows| {
        let words = rows.iter().map(|row| (row[0].as_str(), row[1].as_str(), row[2].as_str())).collect::<Vec<_>>();
        words.len() == 3
            && words[0].0 == Some("textbox")
            && words[1].0 == Some("password")
            && rows[1][3] == true
            && words[2] == (Some("button"), Some("Save order"), Some("103"))
    });
    let typed = "SELECT element_role, text, text_length, screenshot_id IS NULL FROM events \
        WHERE event_type = 'text_entered' ORDER BY seq";
    study.rows_until(typed, |rows| {
        rows.len() == 2 && rows[0][1] == "muster" && rows[0][2] == 6 && rows[1] == json!(["password", null, null, true])
    });
    study.rows_until("SELECT window_title FROM events WHERE event_type = 'window_title_changed'", |rows| {
        rows == [json!(["Order is saved"])]
    });
    let left = desk.everything();
    assert!(!left.contains(SECRET), "{left}");
    assert_eq!(is_in_files(&data, SECRET), None);
    assert_eq!(is_in_files(service.folder(), SECRET), None);
}

/// Where both installers put the client.
fn installed_program() -> String {
    let local = wine("cmd", &["/c", "echo %LOCALAPPDATA%"]).output().unwrap();
    format!(r"{}\Programs\Lode\lode-agent.exe", String::from_utf8_lossy(&local.stdout).trim())
}

#[test]
#[ignore = "needs Wine: LODE_WINE=1 cargo xtask test windows"]
fn the_archive_installs_itself_enrols_starts_with_the_log_in_and_goes_again() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Archive");
    let key = folder.path().join("key");
    std::fs::write(&key, study.app_key()).unwrap();
    let script = seen_by_wine(&Path::new(&named(FOLDER)).join("install.cmd"));
    let data = folder.path().join("client");
    let install = |arguments: &[&str]| {
        let mut command = wine("cmd", &["/c", &script]);
        command.args(arguments).env("LODE_DATA", seen_by_wine(&data)).output().unwrap()
    };
    let said = printed(&install(&[&service.url(), &seen_by_wine(&key)]));
    assert!(said.contains("enrolled as") && said.contains("installed"), "{said}");
    let key = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run";
    let starts = printed(&wine("reg", &["query", key, "/v", "Lode"]).output().unwrap());
    assert!(starts.contains(r"Programs\Lode\lode-agent.exe"), "{starts}");
    printed(&install(&["/uninstall"]));
    assert!(!wine("reg", &["query", key, "/v", "Lode"]).output().unwrap().status.success());
    assert!(!wine(&installed_program(), &["--version"]).output().unwrap().status.success(), "the program is gone");
}

#[test]
#[ignore = "needs Wine: LODE_WINE=1 cargo xtask test windows"]
fn the_package_installs_quietly_for_the_user_and_the_first_start_enrols() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Package");
    study.publish(&configuration(&study.id, "notepad.exe", "", "all"));
    let package = seen_by_wine(Path::new(&named(PACKAGE)));
    let properties = [format!("SERVER={}", service.url()), format!("KEY={}", study.app_key())];
    let install = ["/i", &package, "/qn", &properties[0], &properties[1]];
    assert!(wine("msiexec", &install).status().unwrap().success());
    let (data, log) = (folder.path().join("client"), folder.path().join("log"));
    let mut desk = Desk { program: installed_program(), data, log, children: Children::default() };
    desk.start();
    desk.until("is enrolled and asks for consent", |status| status["state"] == "needs_consent");
    let left = Command::new("wine").args(["reg", "query", r"HKCU\Software\Lode\Enrol"]).output().unwrap();
    assert!(!left.status.success(), "the app key is taken away: {}", String::from_utf8_lossy(&left.stdout));
    printed(&desk.agent(&["quit"]).output().unwrap());
    assert!(wine("msiexec", &["/x", &package, "/qn"]).status().unwrap().success());
    assert!(!desk.agent(&["--version"]).output().unwrap().status.success(), "the program is gone");
}
