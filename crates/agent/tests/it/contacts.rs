//! Whom the program speaks to: every address that it connects or sends to is looked at, while it is asked for everything that takes
//! the network (promise D11). The system tells of each call; nobody in the program is believed.

use crate::support::{command, enrolled_at, printed, until};
use agent::home::{Consent, Home};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use uilog::envelope::{Acknowledgement, decode};

/// A service that stands in for a real one: it says yes, and notes what it was asked for.
struct StandIn {
    address: SocketAddr,
    /// The names of the calls, in order.
    calls: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, calls) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let noted = calls.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let noted = noted.clone();
                std::thread::spawn(move || serve(client, &noted));
            }
        });
        Self { address, calls }
    }

    fn was_asked(&self, call: &str) -> bool {
        self.calls.lock().unwrap().iter().any(|each| each == call)
    }
}

/// Answers one connection until it ends.
fn serve(client: TcpStream, noted: &Mutex<Vec<String>>) -> Option<()> {
    let mut to = client.try_clone().ok()?;
    let mut from = BufReader::new(client);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if from.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim() {
                "" => break,
                line => lines.push(line.to_lowercase()),
            }
        }
        let length = lines.iter().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        from.read_exact(&mut body).ok()?;
        let path = lines.first()?.split(' ').nth(1)?.to_owned();
        let call = path.rsplit('/').next()?.to_owned();
        let answer = answer(&call, &body).to_string();
        noted.lock().unwrap().push(call);
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", answer.len());
        to.write_all((head + &answer).as_bytes()).ok()?;
    }
}

fn answer(call: &str, body: &[u8]) -> Value {
    match call {
        "nonce" => json!({ "nonce": "bm9uY2U", "server_time": chrono::Utc::now().to_rfc3339() }),
        "token" => json!({ "token": "token" }),
        "heartbeat" => json!({ "state": "active", "newest_revision": 1, "next_s": 30 }),
        "events" => {
            let seqs = decode(body).unwrap().lines.into_iter().map(|line| line.event.unwrap().seq);
            let accepted = seqs.collect();
            json!(Acknowledgement { server_time_us: 1, next_s: 60, accepted, ..Acknowledgement::default() })
        }
        _ => json!({}),
    }
}

/// The program under the system's eyes; it ends with the test.
struct Traced<'a> {
    process: Child,
    data: &'a Path,
}

impl Drop for Traced<'_> {
    fn drop(&mut self) {
        let _ = command(self.data, &["quit"]).output();
        let _ = self.process.wait();
    }
}

/// The program, every call of which that names somebody on a network is written down.
fn traced(data: &Path, arguments: &[&str], log: &Path) -> Command {
    let program = command(data, arguments);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-e", "signal=none", "-o"]).arg(log);
    strace.arg(program.get_program()).args(program.get_args());
    // No desktop: what it would be told by one is not what is looked at here.
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] {
        strace.env_remove(name);
    }
    strace.stdout(Stdio::piped()).stderr(Stdio::null());
    strace
}

/// Everybody on a network whom the calls in a log name.
fn contacts(log: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(log).unwrap();
    let between = |line: &str, from: &str, to: &str| Some(line.split_once(from)?.1.split_once(to)?.0.to_owned());
    let named = text.lines().filter(|line| line.contains("sa_family=AF_INET"));
    named
        .map(|line| {
            let address = between(line, "inet_addr(\"", "\"").or_else(|| between(line, "inet_pton(AF_INET6, \"", "\""));
            format!("{}:{}", address.unwrap_or_default(), between(line, "htons(", ")").unwrap_or_default())
        })
        .collect()
}

#[test]
fn d11_nobody_but_the_configured_service_is_ever_connected_or_sent_to() {
    let beside = tempfile::tempdir().unwrap();
    let (data, log) = (beside.path().join("data"), beside.path().join("log"));
    let service = StandIn::start();
    // Events that wait, so that there is something to send.
    let (played, spool) = (beside.path().join("played"), data.join("spool"));
    std::fs::write(&played, "09:00:00 excel right_click Insert | 09:00:05 excel right_click Delete").unwrap();
    printed(
        &command(&data, &["replay", played.to_str().unwrap(), "--spool", spool.to_str().unwrap()]).output().unwrap(),
    );
    enrolled_at(&data, "excel.exe", &format!("http://{}", service.address));
    Home::of(&data).set_consent(&Consent { version: 1, accepted: true, ..Consent::default() }).unwrap();

    let mut run = traced(&data, &["run", "--backend", "null", "--no-dialog"], &log);
    let running = Traced { process: run.stdout(Stdio::null()).spawn().expect("strace is installed"), data: &data };
    for call in ["nonce", "token", "heartbeat", "events"] {
        until(call, || service.was_asked(call).then_some(()));
    }
    printed(&command(&data, &["send-now"]).output().unwrap());
    drop(running);
    let (mine, nobody) = (BTreeSet::from([service.address.to_string()]), BTreeSet::new());
    assert_eq!(contacts(&log), mine);
    // A command that asks the network of its own accord, and one that must not.
    for (arguments, wanted) in [(&["doctor"][..], mine), (&["status", "--json"][..], nobody)] {
        let asked = traced(&data, arguments, &log).output().unwrap();
        assert!(!asked.stdout.is_empty(), "{arguments:?} answers");
        assert_eq!(contacts(&log), wanted, "{arguments:?}");
    }
}
