//! `lode-agent doctor` on Windows: what is wrong, and what to do about it.

use super::desk::{AGENT, Desk, named};
use crate::service::Service;
use serde_json::Value;

/// What the doctor says of one thing: whether it is well, what is the matter, what to do; and how the program ended.
fn told(desk: &Desk, what: &str, proxy: &str) -> (bool, String, String, Option<i32>) {
    let output = desk.agent(&["doctor", "--json"]).env("LODE_PROXY", proxy).output().unwrap();
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = findings.as_array().unwrap().iter().find(|finding| finding["what"] == what);
    let finding = finding.unwrap_or_else(|| panic!("nothing about {what}: {findings}"));
    let text = |member: &str| finding[member].as_str().unwrap().to_owned();
    (finding["ok"] == true, text("said"), text("advice"), output.status.code())
}

#[test]
#[ignore = "needs Wine: cargo xtask test windows"]
fn the_doctor_says_what_is_wrong_and_what_to_do_with_a_wrong_clock_a_proxy_that_is_none_and_no_service() {
    let (folder, service) = (tempfile::tempdir().unwrap(), Service::start());
    let study = service.study("Doctor");
    // The service's clock as this machine sees it: six years ago.
    let year = chrono::Utc::now().format("%Y").to_string();
    let past = (year.parse::<i32>().unwrap() - 6).to_string();
    let time = |year: &str| format!("\"server_time\":\"{year}-");
    let (from, to) = (time(&year), time(&past));
    let server = service.behind(|_| {}, move |answer| replace(answer, from.as_bytes(), to.as_bytes()));
    let desk = Desk::of(&named(AGENT), &folder.path().join("client"));
    desk.enrol(&server, &study);
    let (ok, said, advice, code) = told(&desk, "clock", "none");
    assert!(!ok && said.starts_with("differs from the service's by 1"), "{said}");
    assert!(advice.starts_with("set the date right; nothing is lost meanwhile"), "{advice}");
    assert_eq!(code, Some(1));
    let (ok, said, ..) = told(&desk, "service", "none");
    assert!(ok, "{said}");
    // A service on this machine is asked without a proxy; settings that cannot be used are wrong all the same.
    let (ok, said, advice, code) = told(&desk, "service", "ftp://proxy");
    assert_eq!((ok, said.as_str(), advice.as_str()), (false, "cannot use 'ftp://proxy'", "correct agent.toml"));
    assert_eq!(code, Some(1));
    drop(service);
    let (ok, said, advice, code) = told(&desk, "service", "none");
    assert!(!ok && said.starts_with("cannot reach the service: "), "{said}");
    assert_eq!(advice, "check the network, the address, and proxy in agent.toml (system, none or an address)");
    assert_eq!(code, Some(1));
    let (ok, _, advice, _) = told(&desk, "client", "none");
    assert_eq!((ok, advice.as_str()), (false, "lode-agent run"));
}

/// Puts a text of the same length in the place of another.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    if let Some(at) = bytes.windows(from.len()).position(|part| part == from) {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
}
