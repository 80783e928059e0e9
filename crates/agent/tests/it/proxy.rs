//! `lode-agent doctor` where a proxy stands between the client and a service elsewhere, and is dead.

use crate::support::{command, enrolled_at};
use serde_json::Value;
use std::net::TcpListener;
use std::path::Path;

/// What the doctor says of the proxy: whether it is well, what is the matter, what to do; and how the program ended.
fn told(data: &Path, proxy: &str) -> (bool, String, String, Option<i32>) {
    let output = command(data, &["doctor", "--json"]).env("LODE_PROXY", proxy).output().unwrap();
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = findings.as_array().unwrap().iter().find(|finding| finding["what"] == "proxy");
    let finding = finding.unwrap_or_else(|| panic!("nothing about the proxy: {findings}"));
    let text = |member: &str| finding[member].as_str().unwrap().to_owned();
    (finding["ok"] == true, text("said"), text("advice"), output.status.code())
}

#[test]
fn the_doctor_names_a_proxy_that_refuses_and_one_that_never_answers_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    // An address for documents: nobody has it, and only the proxy is ever asked.
    enrolled_at(folder.path(), "excel.exe", "https://192.0.2.1");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    let (ok, said, advice, code) = told(folder.path(), &format!("http://{place}"));
    let silent = format!("the proxy {place} is there, but lets nothing through: cannot reach the service: timeout");
    assert!(!ok && said.starts_with(&silent), "{said}");
    assert!(advice.starts_with("ask who runs it to let the service's address through"), "{advice}");
    assert_eq!(code, Some(1));
    drop(listener);
    let (ok, said, advice, code) = told(folder.path(), &format!("http://{place}"));
    assert!(!ok && said.starts_with(&format!("the proxy {place} cannot be reached: Connection refused")), "{said}");
    assert_eq!(advice, "start it, or correct proxy in agent.toml (system, none or an address)");
    assert_eq!(code, Some(1));
}
