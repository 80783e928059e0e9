//! A client that reaches no service: what it says, and when it stops.

use crate::support::{Client, enrolled, lode_agent, printed};
use serde_json::Value;
use std::path::Path;

/// The state that `status --json` tells, which must succeed, and the exit code of `status` in words.
fn status(data: &Path) -> (String, Option<i32>) {
    let told: Value = serde_json::from_str(&printed(&lode_agent(data, &["status", "--json"]))).unwrap();
    (told["state"].as_str().unwrap().to_owned(), lode_agent(data, &["status"]).status.code())
}

#[test]
fn status_as_json_succeeds_whatever_it_tells_and_in_words_the_exit_code_tells_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    assert_eq!(status(data), ("needs_enrolment".into(), Some(3)));
    enrolled(data, "excel.exe");
    assert_eq!(status(data), ("stopped".into(), Some(0)), "it does not run");
    let client = Client::run(data);
    client.until("asks for consent", |status| status["state"] == "needs_consent");
    assert_eq!(status(data), ("needs_consent".into(), Some(4)));
    printed(&lode_agent(data, &["consent", "accept"]));
    client.until("records", |status| status["state"] == "recording");
    assert_eq!(status(data), ("recording".into(), Some(0)));
    assert_eq!(lode_agent(data, &["consent", "decline"]).status.code(), Some(4));
    client.until("does not record", |status| status["state"] == "declined");
    assert_eq!(status(data), ("declined".into(), Some(4)));
}

#[cfg(unix)]
#[test]
fn a_client_that_does_not_answer_is_an_error_and_not_one_that_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("run")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(folder.path().join("run/agent.sock")).unwrap();
    let mute =
        std::thread::spawn(move || socket.accept().map(|(mut stream, _)| agent::control::read_message(&mut stream)));
    let output = lode_agent(folder.path(), &["status", "--json"]);
    mute.join().unwrap().unwrap().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("does not answer"));
    // Nobody listens at the socket any more: it was left by a client that was killed.
    assert_eq!(status(folder.path()), ("needs_enrolment".into(), Some(3)));
}
