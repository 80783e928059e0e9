//! What the stories share: a service on a free port, a client that fits on a page, the program as a child process.

use crate::document;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use server::confined::{Confinement, Program, Workers};
use server::serve::{ServeOptions, Service};
use server::{operators, sample};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use store::{Settings, Store};
use tempfile::TempDir;

/// An answer of the service.
pub struct Answer {
    pub status: u16,
    /// The head, in lower case.
    pub head: String,
    /// The head as it came, names of headers in lower case.
    pub raw_head: String,
    /// The login session's cookie, as it is to be sent back.
    pub cookie: Option<String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} is not JSON: {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Checks that the answer is a file of this type.
    pub fn expect_file(&self, content_type: &str) {
        assert_eq!(self.status, 200, "{}", self.text());
        assert!(self.head.contains(&format!("content-type: {content_type}")), "{}", self.head);
        assert!(self.head.contains("content-disposition: attachment"), "{}", self.head);
    }

    /// The JSON of an answer that must have this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

/// A client of one service.
#[derive(Clone, Copy)]
pub struct Client(pub SocketAddr);

impl Client {
    pub fn get(self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// A GET with header lines of its own.
    pub fn get_with(self, path: &str, headers: &[&str]) -> Answer {
        self.send("GET", path, headers, b"")
    }

    pub fn delete(self, path: &str) -> Answer {
        self.send("DELETE", path, &[], b"")
    }

    pub fn post(self, path: &str, body: &Value) -> Answer {
        self.change("POST", path, body)
    }

    pub fn change(self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &["content-type: application/json"], body.to_string().as_bytes())
    }

    /// Uploads a log and follows it to its end.
    pub fn upload(self, project: &str, file: &str, bytes: &[u8]) -> Value {
        let path = format!("/projects/{project}/imports?file={file}");
        let begun = self.send("POST", &path, &["content-type: application/octet-stream"], bytes).expect(202);
        self.follow(&format!("/projects/{project}/imports/{}", begun["id"].as_str().unwrap()))
    }

    /// Asks until the state is final.
    pub fn follow(self, path: &str) -> Value {
        self.until(path, |answer| ["done", "duplicate", "failed"].contains(&answer["state"].as_str().unwrap_or("")))
    }

    /// Asks until the answer is as wanted; gives up after a minute.
    pub fn until(self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.get(path).expect(200);
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < end, "{path} never came so far: {answer}");
            std::thread::yield_now();
        }
    }

    /// Asks a project in SQL until the rows are as wanted; gives up after a while.
    pub fn rows_until(self, project: &str, sql: &str, wanted: &Value, patience: Duration) {
        let end = Instant::now() + patience;
        loop {
            let answer = self.post(&format!("/projects/{project}/query"), &json!({ "sql": sql }));
            if answer.status == 200 && answer.json()["rows"] == *wanted {
                return;
            }
            assert!(Instant::now() < end, "{} is not {wanted} after {patience:?}", answer.text());
            std::thread::yield_now();
        }
    }

    /// One request on a connection of its own. `path` is below `/api/v1` unless it begins with `//`.
    pub fn send(self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let path = path
            .strip_prefix('/')
            .filter(|rest| rest.starts_with('/'))
            .map_or_else(|| format!("/api/v1{path}"), str::to_owned);
        let host = format!("host: {}", self.0);
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), "connection: close".into()];
        if !headers.iter().any(|header| header.starts_with("host:")) {
            lines.push(host);
        }
        lines.extend(headers.iter().map(|header| (*header).to_owned()));
        if method != "GET" {
            lines.push(format!("content-length: {}", body.len()));
        }
        let mut stream = TcpStream::connect(self.0).unwrap();
        stream.write_all(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let answer = read_answer(&read_to_end(&mut stream));
        if answer.head.contains("content-type: application/json") && !answer.head.contains("content-encoding") {
            document::check(method, &path, answer.status, &answer.body);
        }
        answer
    }
}

/// Everything that comes, but of a stream of events, which has no end, the head.
fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 16 << 10]);
    loop {
        let read = stream.read(&mut chunk).unwrap();
        bytes.extend_from_slice(&chunk[..read]);
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let endless = head.is_some_and(|end| String::from_utf8_lossy(&bytes[..end]).contains("text/event-stream"));
        if read == 0 {
            return bytes;
        }
        if endless {
            // What comes after the head is chunks of events: none is read.
            bytes.truncate(head.map_or(0, |end| end + 4));
            bytes.extend_from_slice(b"0\r\n");
            return bytes;
        }
    }
}

fn read_answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer without a head");
    let head = String::from_utf8_lossy(&bytes[..end]);
    let set = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")?.strip_prefix("__Host-lode="));
    let cookie = set.and_then(|line| line.split(';').next()).map(|value| format!("cookie: __Host-lode={value}"));
    let (raw_head, head) = (head.to_string(), head.to_lowercase());
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = &bytes[end + 4..];
    let body = if head.contains("transfer-encoding: chunked") { without_chunks(body) } else { body.to_vec() };
    Answer { status, head, raw_head, cookie, body }
}

fn without_chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n").expect("a chunk without a length");
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 4 + length..];
    }
}

/// A master key for all tests; it lies outside every data folder.
pub fn master_key() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("master.key")
}

/// How tests run a service: on a free port, open unless they say otherwise.
pub fn options() -> ServeOptions {
    let listen = "127.0.0.1:0".parse().unwrap();
    ServeOptions {
        open: true,
        master_key: Some(master_key()),
        program: program(),
        postgres: Some(listen),
        ..ServeOptions::on(listen)
    }
}

/// A service over a data folder of its own; it ends with the test.
pub struct Running {
    pub client: Client,
    pub store: Store,
    /// With which the first account is made.
    pub setup_token: Option<String>,
    /// Where it speaks the PostgreSQL protocol.
    pub postgres: SocketAddr,
    _folder: TempDir,
    _threads: tokio::runtime::Runtime,
}

impl Running {
    /// Waits for something of the store.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self._threads.block_on(work)
    }
}

/// Starts an open service on a free port.
pub fn service() -> Running {
    service_with(options())
}

/// Starts a service.
pub fn service_with(options: ServeOptions) -> Running {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (store, address, postgres, setup_token) = threads.block_on(async {
        let store = open(folder.path()).await;
        let service = Service::bind(store.clone(), options).await.unwrap();
        let (address, token) = (service.address(), service.setup_token().await.unwrap());
        let postgres = service.postgres_address().unwrap().unwrap();
        tokio::spawn(service.run(std::future::pending()));
        (store, address, postgres, token.map(|token| token.expose_secret().to_owned()))
    });
    Running { client: Client(address), store, setup_token, postgres, _folder: folder, _threads: threads }
}

/// The real program, for what is looked at behind walls.
pub fn program() -> Program {
    Program { path: env!("CARGO_BIN_EXE_lode").into(), confinement: Confinement::Required }
}

/// A store with the operators, over two cores; SQL of people goes to the real program.
pub async fn open(folder: &Path) -> Store {
    let store = Store::open(Settings { cores: 2, ..Settings::for_folder(folder) }).await.unwrap();
    store.engine().register(operators::all());
    store.engine().send_people_outside(Arc::new(Workers::new(program(), store.settings())));
    store
}

/// One service with the sample recordings, for all stories that only read; `SAMPLE` is its project.
pub fn sample_service() -> Client {
    static SERVICE: OnceLock<Running> = OnceLock::new();
    let running = SERVICE.get_or_init(|| {
        let running = service();
        running.wait(sample::install(&running.store)).unwrap();
        running
    });
    running.client
}

/// The sample project's short name.
pub const SAMPLE: &str = "sample-two-form-filling-tasks";

/// The sample with pictures.
pub const ORDER_DESK: &str = "sample-an-order-desk-with-pictures";

/// A fixture of the repository.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// Makes a project by HTTP.
pub fn make_project(client: Client, name: &str, kind: &str) {
    client.post("/projects", &json!({ "name": name, "kind": kind })).expect(201);
}

/// The program over a data folder.
pub fn lode(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lode"));
    command.arg("--data").arg(folder).args(arguments).env("LODE_CORES", "2").env_remove("LODE_CONTROL");
    command.env("LODE_MASTER_KEY_FILE", master_key());
    command
}

/// Runs the program to its end.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    lode(folder, arguments).output().unwrap()
}

/// Runs the program with `--json`; gives the exit code and the answer.
pub fn run_json(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = lode(folder, arguments).arg("--json").output().unwrap();
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("{arguments:?}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    });
    (output.status.code().unwrap(), answer)
}

/// The one number that a question gives.
pub fn number(folder: &Path, project: &str, sql: &str) -> i64 {
    let (code, answer) = run_json(folder, &["sql", sql, "--project", project]);
    assert_eq!(code, 0, "{answer}");
    answer["rows"][0][0].as_i64().unwrap_or_else(|| panic!("{answer}"))
}

/// The same of an open store.
pub async fn number_of(store: &Store, project: &str, sql: &str) -> i64 {
    let snapshot = store.snapshot(project).await.unwrap();
    let answer = store
        .engine()
        .ask(&snapshot, store::engine::Question::of_lode(sql), &store::operator::RowFunctions::default())
        .await
        .unwrap();
    let (batches, _, _) = answer.collect(1).await.unwrap();
    server::rows::rows(&batches).unwrap()[0][0].as_i64().unwrap()
}

/// A log in the plain form: `rows` events of each of `users`.
pub fn plain_log(users: std::ops::Range<usize>, rows: usize) -> String {
    let mut log = String::from("row,user,ts,app,event,doc,sheet,element,element_text,url,value,x,y\n");
    for user in users {
        for row in 0..rows {
            let time_ms = 1_767_600_000_000_i64 + row as i64 * 2_000;
            let time = chrono::DateTime::from_timestamp_millis(time_ms).unwrap().format("%Y-%m-%dT%H:%M:%S%.3fZ");
            let (app, event) = if row % 3 == 0 { ("Excel", "copyCell") } else { ("Chrome", "paste") };
            log.push_str(&format!(
                "{row},user{user},{time},{app},{event},orders.xlsx,Sheet1,B{},,,v{row},,\n",
                row % 40 + 1
            ));
        }
    }
    log
}
