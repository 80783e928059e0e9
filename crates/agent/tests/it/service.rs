//! A real service for tests: `lode demo` on a free port, with a project whose configuration is published.
//!
//! The program is the one that cargo built into the same target folder, or the one that `LODE_BIN` names. Where there is none,
//! the tests that need it fail and say so: a test that did not run has not passed.

use crate::support::wait;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A service that ends with the test.
pub struct Service {
    process: Child,
    address: String,
    #[cfg_attr(windows, allow(dead_code, reason = "it is held; only tests on Linux look into it"))]
    folder: tempfile::TempDir,
}

/// A project on a service.
pub struct Study<'a> {
    service: &'a Service,
    slug: String,
    /// Its id, for configurations.
    pub id: String,
}

fn program() -> PathBuf {
    if let Some(given) = std::env::var_os("LODE_BIN") {
        return given.into();
    }
    let beside = Path::new(env!("CARGO_BIN_EXE_lode-agent")).with_file_name("lode");
    assert!(beside.exists(), "set LODE_BIN to the service's program, or build it: cargo build -p server --bin lode");
    beside
}

impl Service {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(program())
            .args(["demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .env("LODE_MASTER_KEY_FILE", folder.path().join("master.key"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines
            .find_map(|line| {
                line.ok()?.split_whitespace().find_map(|word| word.strip_prefix("http://").map(str::to_owned))
            })
            .expect("the service says where it listens");
        let address = address.trim_end_matches(['/', '.', ',']).to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address, folder }
    }

    /// Where it keeps everything.
    #[cfg(target_os = "linux")]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An address where somebody stands in front of it, who is given what clients send, and may change what they are answered.
    pub fn behind(
        &self,
        sent: impl Fn(&[u8]) + Clone + Send + 'static,
        answered: impl Fn(&mut [u8]) + Clone + Send + 'static,
    ) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (url, to) = (format!("http://{}", listener.local_addr().unwrap()), self.address.clone());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&to)) else { return };
                let (sent, answered) = (sent.clone(), answered.clone());
                carry(client.try_clone().unwrap(), server.try_clone().unwrap(), move |bytes| sent(bytes));
                carry(server, client, answered);
            }
        });
        url
    }

    /// A request below `/api/v1`; the JSON of the answer, which must be a success.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_ask(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub fn try_ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{method} /api/v1{path} HTTP/1.0\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_slice(&bytes[end + 4..]).unwrap_or_default())
    }

    /// A project; nothing is published yet.
    pub fn study(&self, name: &str) -> Study<'_> {
        let project = self.ask("POST", "/projects", &json!({ "name": name, "kind": "enrolled" }));
        let text = |member: &str| project[member].as_str().unwrap().to_owned();
        Study { service: self, slug: text("slug"), id: text("id") }
    }
}

/// Carries what comes in to the other side, until one of them goes.
fn carry(mut from: TcpStream, mut to: TcpStream, look: impl Fn(&mut [u8]) + Send + 'static) {
    std::thread::spawn(move || {
        let mut chunk = [0; 16 << 10];
        while let Ok(read @ 1..) = from.read(&mut chunk) {
            look(&mut chunk[..read]);
            if to.write_all(&chunk[..read]).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

impl Study<'_> {
    fn path(&self, rest: &str) -> String {
        format!("/projects/{}{rest}", self.slug)
    }

    /// Publishes a configuration for all.
    pub fn publish(&self, xml: &str) {
        let body = json!({ "xml": xml, "note": "", "percent": 100 });
        self.service.ask("POST", &self.path("/configuration/publish"), &body);
    }

    /// A new app key.
    pub fn app_key(&self) -> String {
        let key = self.service.ask("POST", &self.path("/app-keys"), &json!({ "name": "test" }));
        key["key"].as_str().unwrap().to_owned()
    }

    /// The rows of a question; none while there is no table yet.
    pub fn rows(&self, sql: &str) -> Vec<Value> {
        let (status, answer) = self.service.try_ask("POST", &self.path("/query"), &json!({ "sql": sql }));
        if status == 200 { answer["rows"].as_array().cloned().unwrap_or_default() } else { Vec::new() }
    }

    /// Asks until the rows are as wanted; what was acknowledged is visible within ten seconds (P12), the rest is for slow machines.
    pub fn rows_until(&self, sql: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        wait(|| {
            let rows = self.rows(sql);
            if wanted(&rows) { Ok(rows) } else { Err(format!("{sql}: {rows:?}")) }
        })
    }

    /// What the service knows of a picture; nothing if it has none of this id.
    pub fn screenshot(&self, id: &str) -> Option<Value> {
        let (status, answer) = self.service.try_ask("GET", &self.path(&format!("/screenshots/{id}")), &json!({}));
        (status == 200).then_some(answer)
    }

    /// What the service says about lost events.
    pub fn balance(&self) -> Value {
        self.service.ask("GET", &self.path("/balance"), &json!({}))
    }

    /// The same, once it is as wanted: it speaks of the last heartbeat.
    pub fn balance_until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        wait(|| {
            let balance = self.balance();
            if wanted(&balance) { Ok(balance) } else { Err(balance.to_string()) }
        })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
