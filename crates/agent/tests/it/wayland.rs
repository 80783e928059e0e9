//! Real windows on a real Wayland desktop: sway without a screen. What sway itself says of its windows is what is compared with.
//!
//! They need `sway`, `foot`, `wtype`, `weston` and `Xwayland`, so they are ignored in an ordinary run; `cargo xtask test wayland`
//! starts what they need and runs them.

use crate::desk::Desk;
use crate::hands::Children;
use crate::service::Service;
use crate::support::{command, configuration, files, printed, until};
use agent::capture::wayland::Wayland;
use agent::capture::{Ability, Capture, Reading, channel};
use agent::clock::SystemClock;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

fn sway(arguments: &[&str]) -> Value {
    let output = Command::new("swaymsg").arg("--raw").args(arguments).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Whether sway knows a window of that name and title that is as wanted.
fn knows(app_id: &str, title: &str, wanted: impl Fn(&Value) -> bool) -> bool {
    fn windows(node: &Value) -> Vec<&Value> {
        let below = node["nodes"].as_array().into_iter().flatten().flat_map(windows);
        std::iter::once(node).chain(below).collect()
    }
    let is_meant = |window: &Value| window["app_id"] == app_id && window["name"] == title && wanted(window);
    windows(&sway(&["-t", "get_tree"])).into_iter().any(is_meant)
}

/// Brings a program's window to the front, and waits until it is there with this title.
fn in_front(app_id: &str, title: &str) {
    until(title, || {
        sway(&[&format!("[app_id=\"{app_id}\"] focus")]);
        knows(app_id, title, |window| window["focused"] == true).then_some(())
    });
}

/// Opens a terminal under a name and a title; it shows what is written into the pipe.
fn open(children: &mut Children, folder: &Path, app_id: &str, title: &str) -> PathBuf {
    let pipe = folder.join(app_id);
    printed(&Command::new("mkfifo").arg(&pipe).output().unwrap());
    let shows = r#"while cat "$0"; do :; done"#;
    let names = [format!("--app-id={app_id}"), format!("--title={title}")];
    children.start("foot", &[&names[0], &names[1], "sh", "-c", shows, pipe.to_str().unwrap()]);
    pipe
}

/// Gives the terminal another title, and waits until it has it.
fn retitle(pipe: &Path, title: &str) {
    std::fs::write(pipe, format!("\x1b]0;{title}\x07")).unwrap();
    let app_id = pipe.file_name().unwrap().to_str().unwrap();
    until(title, || knows(app_id, title, |_| true).then_some(()));
}

#[test]
#[ignore = "needs a desktop: cargo xtask test wayland"]
fn d1_of_two_windows_the_allowed_one_gives_focus_and_titles_and_the_other_not_a_byte() {
    let (folder, desktop, service) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Windows");
    let allowed = configuration(&study.id, "orders", "", "all").replace("<app process=", "<app appId=");
    study.publish(&allowed);
    let mut children = Children::default();
    let diary = open(&mut children, desktop.path(), "diary", "CANARY one");
    in_front("diary", "CANARY one");
    // The desktop is known by what is set, not by what is asked for.
    let desk = Desk::record(folder.path(), &service, &study, "auto");
    let orders = open(&mut children, desktop.path(), "orders", "Order 4711");
    in_front("orders", "Order 4711");
    let seen = |kind: &'static str, title: &'static str, after: u64| {
        desk.until_event(title, move |event| {
            event.seq > after && event.event_type.name() == kind && event.window_title.as_deref() == Some(title)
        })
    };
    let first = seen("window_activated", "Order 4711", 0);
    assert_eq!((first.process_name.as_deref(), first.os.as_deref()), (Some("orders"), Some("linux-wayland")));
    retitle(&orders, "Order 4712");
    in_front("orders", "Order 4712");
    seen("window_title_changed", "Order 4712", first.seq);
    retitle(&diary, "CANARY two");
    in_front("diary", "CANARY two");
    let status = desk
        .until("counts what is not allowed", |status| status["counters"]["filtered"]["gate.app"].as_u64() > Some(0));
    retitle(&diary, "CANARY three");
    in_front("diary", "CANARY three");
    retitle(&orders, "Order 4713");
    in_front("orders", "Order 4713");
    seen("window_activated", "Order 4713", first.seq);
    desk.ask(&json!({ "call": "send_now" }));
    let rows = study.rows_until("SELECT * FROM events WHERE process_name IS NOT NULL", |rows| {
        serde_json::to_string(rows).unwrap().contains("Order 4713")
    });
    let told = [
        status.to_string(),
        desk.until("says what it did", |_| true).to_string(),
        serde_json::to_string(&desk.events()).unwrap(),
        serde_json::to_string(&rows).unwrap(),
        serde_json::to_string(&study.rows("SELECT * FROM events")).unwrap(),
    ];
    let has = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    let on_disk = files(folder.path()).into_iter().chain(files(service.folder())).map(|(_, bytes)| bytes);
    for bytes in told.into_iter().map(String::into_bytes).chain(on_disk) {
        assert!(!has(&bytes, "CANARY") && !has(&bytes, "diary"), "{}", String::from_utf8_lossy(&bytes));
    }
    assert_eq!(status["os"], "linux-wayland");
    for (signal, begins) in [("windows", "partial: "), ("titles", "partial: "), ("keys", "no: "), ("pictures", "no: ")]
    {
        let ability = status["capabilities"][signal].as_str().unwrap();
        assert!(ability.starts_with(begins), "{signal}: {ability}");
    }
}

/// A desktop inside the desktop: its only screen is a window of the other, and goes when that window is closed.
struct Inner {
    runtime: PathBuf,
    display: String,
}

impl Inner {
    /// Sway starts it, as the person that itself is: it refuses root.
    fn start() -> Self {
        let outer = std::env::var("WAYLAND_DISPLAY").unwrap();
        let runtime = PathBuf::from(std::env::var("XDG_RUNTIME_DIR").unwrap());
        let socket = runtime.join("inner.sock");
        let variables = format!("SWAYSOCK={} WLR_BACKENDS=wayland WLR_RENDERER=pixman", socket.display());
        sway(&[&format!("exec env {variables} sway -c /dev/null")]);
        let is_display = |name: &str| name.starts_with("wayland-") && !name.ends_with(".lock") && name != outer;
        let display = until("the inner desktop is there", || {
            let names = std::fs::read_dir(&runtime).unwrap().flatten().map(|entry| entry.file_name());
            names.filter_map(|name| name.into_string().ok()).find(|name| is_display(name))
        });
        let inner = Self { runtime, display };
        until("it has a screen", || inner.ask(&["-t", "get_outputs"]).get(0).is_some().then_some(()));
        inner
    }

    fn ask(&self, arguments: &[&str]) -> Value {
        let socket = self.runtime.join("inner.sock");
        sway(&[&["--socket", socket.to_str().unwrap()], arguments].concat())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.ask(&["exit"]);
    }
}

#[test]
#[ignore = "needs a desktop: cargo xtask test wayland"]
fn d7_while_no_screen_shows_the_marker_nothing_is_recorded() {
    let (folder, service, inner) = (tempfile::tempdir().unwrap(), Service::start(), Inner::start());
    let study = service.study("Marker");
    study.publish(&configuration(&study.id, "orders", "", "all"));
    let mut client = command(folder.path(), &["run", "--backend", "wayland", "--no-dialog"]);
    client.env("WAYLAND_DISPLAY", &inner.display);
    let desk = Desk::record_with(folder.path(), &service, &study, client);
    let status = desk.until("says what it shows", |status| status["state"] == "recording");
    assert!(status["indicator"].as_str().unwrap().contains("topmost layer"), "{status}");
    sway(&["[app_id=\"wlroots\"] kill"]);
    let status = desk.until("stops", |status| status["state"] == "blocked");
    assert!(status["why"].as_str().unwrap().contains("nothing on the screen"), "{status}");
    inner.ask(&["create_output"]);
    desk.until("records again", |status| status["state"] == "recording");
}

#[test]
#[ignore = "needs a desktop: cargo xtask test wayland"]
fn an_idle_time_begins_by_itself_and_ends_with_a_key() {
    let mut capture = Wayland::new(Arc::new(SystemClock::default()));
    let windows = capture.capabilities()["windows"].clone();
    assert!(matches!(&windows, Ability::Partial(what) if !what.contains("idle times are not told")), "{windows:?}");
    let (sink, _source) = channel();
    capture.start(sink).unwrap();
    assert_eq!(capture.idle_us(), Reading::Known(0));
    until("nobody is there", || matches!(capture.idle_us(), Reading::Known(5_000_000..)).then_some(()));
    printed(&Command::new("wtype").args(["-k", "Shift_L"]).output().unwrap());
    until("somebody is there", || (capture.idle_us() == Reading::Known(0)).then_some(()));
    capture.stop();
}

/// What `doctor` found.
fn findings(doctor: &mut Command) -> Vec<Value> {
    serde_json::from_slice(&doctor.output().unwrap().stdout).unwrap()
}

/// What `doctor` found of something: whether it is well, and its sentence.
fn found(doctor: &mut Command, what: &str) -> (bool, String) {
    let findings = findings(doctor);
    let finding = findings.iter().find(|finding| finding["what"] == what).unwrap();
    (finding["ok"] == true, finding["said"].as_str().unwrap().to_owned())
}

#[test]
#[ignore = "needs a desktop: cargo xtask test wayland"]
fn what_wayland_never_shows_is_said_by_doctor_and_is_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let findings = findings(&mut command(folder.path(), &["doctor", "--json"]));
    for signal in ["keys", "pointer", "elements", "clipboard", "pictures", "windows", "titles", "session"] {
        let finding = findings.iter().find(|finding| finding["what"] == signal).unwrap();
        assert!(finding["ok"] == true && finding["limit"] == true, "{finding}");
    }
    let wrong: Vec<_> = findings.iter().filter(|finding| finding["ok"] == false).map(|each| &each["what"]).collect();
    assert_eq!(wrong, ["client", "enrolment"], "it does not run, and is not enrolled");
}

#[test]
#[ignore = "needs a desktop: cargo xtask test wayland"]
fn a_desktop_that_does_not_tell_which_window_is_in_front_is_said_to_be_one() {
    let (folder, desktop) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let on_it = |arguments: &[&str]| {
        let mut command = command(folder.path(), arguments);
        command.env("XDG_RUNTIME_DIR", desktop.path()).env("WAYLAND_DISPLAY", "silent");
        command
    };
    let mut weston = Command::new("weston");
    weston.args(["--backend=headless-backend.so", "--socket=silent"]).env("XDG_RUNTIME_DIR", desktop.path());
    let mut children = Children::default();
    children.0.push(weston.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    until("the other desktop is there", || desktop.path().join("silent").exists().then_some(()));
    let silent = "does not tell which window is in front";
    let (is_well, said) = found(&mut on_it(&["doctor", "--json"]), "session");
    assert!(!is_well && said.contains(silent), "{said}");
    children.0.push(on_it(&["run", "--no-dialog"]).stderr(Stdio::null()).spawn().unwrap());
    let status = until("the client says what it sees", || {
        let status = agent::control::ask(&folder.path().join("run"), &json!({ "call": "status" })).ok()?;
        status["capabilities"]["windows"].is_string().then_some(status)
    });
    assert!(status["capabilities"]["windows"].as_str().unwrap().contains(silent), "{status}");
    assert_eq!(status["last_error"]["code"], "capture", "{status}");
}

#[test]
#[ignore = "needs a desktop: cargo xtask test wayland"]
fn an_x_server_that_is_a_guest_on_wayland_does_not_pretend_to_see_everything() {
    // Xwayland has a keyboard as soon as the desktop has one, as every desktop with a person has.
    let mut children = Children::default();
    children.start("wtype", &["-s", "60000", "-k", "Shift_L"]);
    let mut guest = Command::new("Xwayland");
    let mut guest = guest.args(["-displayfd", "1"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut number = String::new();
    BufReader::new(guest.stdout.take().unwrap()).read_line(&mut number).unwrap();
    children.0.push(guest);
    let folder = tempfile::tempdir().unwrap();
    until("it says that it is Xwayland", || {
        let mut doctor = command(folder.path(), &["doctor", "--json"]);
        doctor.env_remove("WAYLAND_DISPLAY").env("DISPLAY", format!(":{}", number.trim()));
        let (_, said) = found(&mut doctor, "keys");
        said.contains("Xwayland").then_some(())
    });
}
