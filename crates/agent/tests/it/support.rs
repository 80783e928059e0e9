//! What the stories share: a client in this process with a scripted desktop, and the program as a child process.

use agent::agent::{Options, run};
use agent::capture::scripted::{Script, desktop};
use agent::clock::{Clock, Moment, SystemClock};
use agent::configuration::{Envelope, encode};
use agent::control;
use agent::home::{Home, Identity};
use agent::indicator::Switch;
use agent::wire::Network;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use uilog::Event;
use uuid::Uuid;

/// A configuration that allows these programs and sends at once.
pub fn configuration(project: &str, processes: &str, extra: &str, columns: &str) -> String {
    format!(
        r#"<lodeConfig schema="1" project="{project}" revision="1" validUntil="{}">
          <consent version="1"><text lang="en">We record clicks.</text><pictures lang="en">And pictures.</pictures><typed lang="en">And text.</typed></consent>
          <schedule><window days="mon-sun" from="00:00" to="23:59"/></schedule>
          <allow><app process="{processes}"/></allow>
          <capture elementTimeout="PT0.5S"/>{extra}
          <rules><rule name="work"><on events="all"/><log columns="{columns}" screenshot="window"/></rule></rules>
          <upload every="PT5S" hold="PT0S" heartbeat="PT30S"/>
        </lodeConfig>"#,
        (chrono::Utc::now() + chrono::Duration::days(30)).format("%Y-%m-%dT%H:%M:%SZ"),
    )
}

/// A data folder as enrolment and a first look at the configuration leave it; its service is not reached any more.
pub fn enrolled(data: &Path, processes: &str) {
    enrolled_at(data, processes, "http://127.0.0.1:1");
}

/// The same at a service of that address.
pub fn enrolled_at(data: &Path, processes: &str, server: &str) {
    let (project, key) = (Uuid::new_v4(), SigningKey::from_bytes(&[7; 32]));
    let xml = configuration(&project.to_string(), processes, "", "all");
    let header = json!({ "project": project, "revision": 1 }).to_string();
    let signature = key.sign(["lode-config-1\n", &header, "\n", &xml].concat().as_bytes());
    let (config_key, client_key) = (encode(key.verifying_key().as_bytes()), ("k".to_owned(), encode(&[3; 32])));
    let identity = Identity::new(server, Uuid::new_v4(), project, &key, config_key, client_key);
    let home = Home::of(data);
    home.set_identity(&identity).unwrap();
    home.set_envelope(&Envelope { header, xml, signature: encode(&signature.to_bytes()) }).unwrap();
}

/// The program.
pub fn lode_agent(data: &Path, arguments: &[&str]) -> Output {
    command(data, arguments).output().unwrap()
}

/// The program over a data folder, not started yet.
pub fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lode-agent"));
    command.arg("--data").arg(data).args(arguments);
    command
}

/// What a program printed, which must have ended well.
pub fn printed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// A client that runs in this process, with a scripted desktop.
pub struct Client {
    pub script: Script,
    pub indicator: Switch,
    pub data: PathBuf,
    thread: Option<JoinHandle<()>>,
    clock: Arc<dyn Clock>,
}

impl Client {
    /// Runs over a data folder.
    pub fn run(data: &Path) -> Self {
        Self::run_by(data, Arc::new(SystemClock::default()))
    }

    /// The same by clocks of one's own.
    pub fn run_by(data: &Path, clock: Arc<dyn Clock>) -> Self {
        let (backend, script) = desktop();
        let indicator = Switch::on();
        let options = Options {
            data: data.to_owned(),
            runtime: data.join("run"),
            floor: data.join("floor.xml"),
            network: Network::default(),
            dialog: false,
        };
        let (switch, hands) = (indicator.clone(), clock.clone());
        let thread = std::thread::spawn(move || run(options, hands, Box::new(backend), Box::new(switch)).unwrap());
        Self { script, indicator, data: data.to_owned(), thread: Some(thread), clock }
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    pub fn ask(&self, request: &Value) -> Value {
        control::ask(&self.data.join("run"), request).unwrap()
    }

    pub fn status(&self) -> Value {
        self.ask(&json!({ "call": "status" }))
    }

    /// Asks for the status until it is as wanted.
    pub fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(what, || {
            control::ask(&self.data.join("run"), &json!({ "call": "status" })).ok().filter(|status| wanted(status))
        })
    }

    /// The events that are on the disk, oldest first.
    pub fn events(&self) -> Vec<Event> {
        let answer = self.ask(&json!({ "call": "events", "before": u64::MAX }));
        let events: Vec<(Event, bool)> = serde_json::from_value(answer["events"].clone()).unwrap();
        events.into_iter().rev().map(|(event, _)| event).collect()
    }

    /// Ends it, and waits until everything is on the disk.
    pub fn quit(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = control::ask(&self.data.join("run"), &json!({ "call": "quit" }));
            let _ = thread.join();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.end();
    }
}

/// Events that are on the disk or were sent.
pub fn kept(status: &Value) -> u64 {
    ["waiting", "stored"].map(|name| status["counters"][name].as_u64().unwrap_or(0)).iter().sum()
}

/// How long a story waits for what is to come; long, since a machine may be busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);

/// The rest between two looks: whoever asks all the time takes the processors from those who are to answer.
const REST: Duration = Duration::from_millis(50);

/// Asks again and again until there is an answer.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    wait(|| ask().ok_or_else(|| what.to_owned()))
}

/// The same, where what is there instead of the answer says what is missing.
pub fn wait<T>(mut ask: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(missing) => assert!(Instant::now() < end, "not within {} s: {missing}", PATIENCE.as_secs()),
        }
        std::thread::park_timeout(REST);
    }
}

/// Every file below a folder, as bytes.
pub fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push((path, bytes));
        }
    }
    found
}
