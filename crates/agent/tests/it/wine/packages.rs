//! The packages: the archive that installs itself, and the one for `msiexec`.

use super::desk::{Desk, FOLDER, PACKAGE, WORDPAD, named, seen_by_wine, wine};
use crate::hands::xdotool;
use crate::service::Service;
use crate::support::{configuration, printed};
use serde_json::json;
use std::path::Path;

/// Where both installers put the client.
fn installed_program() -> String {
    let local = wine("cmd", &["/c", "echo %LOCALAPPDATA%"]).output().unwrap();
    format!(r"{}\Programs\Lode\lode-agent.exe", String::from_utf8_lossy(&local.stdout).trim())
}

#[test]
#[ignore = "needs Wine: cargo xtask test windows"]
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
#[ignore = "needs Wine: cargo xtask test windows"]
fn the_package_installs_quietly_for_the_user_the_first_start_enrols_and_work_in_two_programs_arrives() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Package");
    study.publish(&configuration(&study.id, "notepad.exe wordpad.exe", "", "all"));
    let package = seen_by_wine(Path::new(&named(PACKAGE)));
    let properties = [format!("SERVER={}", service.url()), format!("KEY={}", study.app_key())];
    let install = ["/i", &package, "/qn", &properties[0], &properties[1]];
    assert!(wine("msiexec", &install).status().unwrap().success());
    let mut desk = Desk::of(&installed_program(), &folder.path().join("client"));
    desk.start();
    desk.accept();
    let left = wine("reg", &["query", r"HKCU\Software\Lode\Enrol"]).output().unwrap();
    assert!(!left.status.success(), "the app key is taken away: {}", String::from_utf8_lossy(&left.stdout));
    let in_front = "SELECT process_name FROM events WHERE event_type = 'window_activated' ORDER BY seq";
    desk.open("notepad", &[], "Notepad");
    study.rows_until(in_front, |rows| rows.last() == Some(&json!(["notepad.exe"])));
    xdotool(&["type", "order"]);
    desk.open(WORDPAD, &[], "Document - Wine Wordpad");
    study.rows_until(in_front, |rows| rows.last() == Some(&json!(["wordpad.exe"])));
    xdotool(&["type", "invoice"]);
    xdotool(&["key", "Tab"]);
    let typed = "SELECT process_name, window_title, element_role, text_length FROM events \
        WHERE event_type = 'text_entered' ORDER BY seq";
    study.rows_until(typed, |rows| {
        rows == [
            json!(["notepad.exe", "Untitled - Notepad", "textbox", 5]),
            json!(["wordpad.exe", "Document - Wine Wordpad", "textbox", 7]),
        ]
    });
    printed(&desk.agent(&["quit"]).output().unwrap());
    assert!(wine("msiexec", &["/x", &package, "/qn"]).status().unwrap().success());
    assert!(!desk.agent(&["--version"]).output().unwrap().status.success(), "the program is gone");
}
