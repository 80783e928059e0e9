//! Browsers with the extension: what their pages tell, what they are told, and what the desktop may know of them.
//!
//! ```text
//! page ── extension ── relay ── control socket ── Browsers ── gate, normalize ──> spool
//!   <────────────── state, policy, ack ──────────────────────────────────────────┘ after the commit
//! ```
//!
//! A page keeps every event until it is acknowledged, and sends it again after whatever broke in between. An event is known by the
//! id of its document and its number there; it is acknowledged when the spool has committed it, or has committed the counter that
//! says why it is not kept. So nothing is lost and nothing is there twice (promises P1, P2).
//!
//! Whose browser speaks is told by the system, not by the browser: the relay is a child of it. Only our own extension is heard
//! (promise S13). Rules are asked in the page before anything leaves it, and asked again here.

pub mod host;
pub mod message;
pub mod relay;
mod rules;

use crate::agent::Shared;
use crate::configuration::Effective;
use crate::control::{read_message, write_message};
use crate::paths;
use crossbeam_channel::{Receiver, Sender, bounded};
use message::{PageEvent, PageId, Said};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uilog::planted;

/// The id of our extension: the hash of the public key in its manifest, written in the letters a to p.
pub const EXTENSION_ID: &str = "mfdjhinjdplffkagllkpcmghclhhijda";

/// The id of the same extension in Firefox, where the manifest says it.
pub const FIREFOX_EXTENSION_ID: &str = "lode@lode.org";

/// Whether a browser speaks for our extension: Chromium and its kin give its address, Firefox its id.
fn is_our_extension(origin: &str) -> bool {
    origin == FIREFOX_EXTENSION_ID || origin.trim_end_matches('/') == format!("chrome-extension://{EXTENSION_ID}")
}

/// What the browser calls the relay by.
pub const HOST_NAME: &str = "org.lode.agent";

/// What the two sides speak.
const PROTOCOL: u32 = 1;

/// Browsers that are heard at once; further ones are refused.
const CONNECTIONS_MAX: usize = 16;

/// Events of pages that wait for the flow; then the browser's connection waits.
const PAGES_MAX: usize = 4_096;

/// Messages that wait for a browser; one that takes none any more is given up.
const OUT_MAX: usize = 1_024;

/// The program of a browser, as the system names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The process that owns the windows.
    pub pid: u32,
    /// The executable, in lower case.
    pub name: String,
    /// Its full path.
    pub path: PathBuf,
}

/// The page that is in front in a browser's window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontPage {
    /// Its address.
    pub url: String,
    /// Its title, never empty.
    pub title: String,
}

/// What is known of the page in front of a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Front {
    /// No extension speaks for that process.
    Unconnected,
    /// The extension says that its page must not be seen.
    Hidden,
    /// These pages may be seen; one for each profile of the browser.
    Pages(Vec<FrontPage>),
}

/// What comes out of browsers, in the order in which each of them said it.
#[derive(Debug)]
pub enum Heard {
    /// Somebody did something in a page.
    Event(Arc<Program>, Box<PageEvent>),
    /// Another page is in front.
    Front,
}

/// All browsers that speak now.
pub struct Browsers {
    inner: Mutex<Inner>,
    heard: Sender<Heard>,
    /// For the flow.
    pub source: Receiver<Heard>,
}

#[derive(Default)]
struct Inner {
    connections: Vec<Connection>,
    next: u64,
    /// Events that are on their way to the spool, and the connection that is told when they are there.
    under_way: HashMap<PageId, u64>,
    /// The configuration while it is recorded.
    recorded: Option<Arc<Effective>>,
    /// Why it is not.
    why: Option<String>,
}

struct Connection {
    id: u64,
    program: Arc<Program>,
    browser: String,
    version: String,
    out: Sender<Value>,
    front: Option<FrontPage>,
}

impl Default for Browsers {
    fn default() -> Self {
        let (heard, source) = bounded(PAGES_MAX);
        Self { inner: Mutex::default(), heard, source }
    }
}

impl Browsers {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What may be known of the page in front of a process.
    pub fn front_of(&self, pid: Option<u32>) -> Front {
        let inner = self.inner();
        let mut connections = inner.connections.iter().filter(|each| Some(each.program.pid) == pid).peekable();
        if connections.peek().is_none() {
            return Front::Unconnected;
        }
        let pages: Vec<FrontPage> = connections.filter_map(|each| each.front.clone()).collect();
        if pages.is_empty() { Front::Hidden } else { Front::Pages(pages) }
    }

    /// Whether a page that may be seen is in front of any of them.
    pub fn have_page(&self) -> bool {
        self.inner().connections.iter().any(|connection| connection.front.is_some())
    }

    /// Tells browsers whether it is recorded, and what; nothing where that is known already.
    pub fn tell(&self, recorded: Option<&Arc<Effective>>, why: &str) {
        let mut inner = self.inner();
        let is_same = match (&inner.recorded, recorded) {
            (Some(told), Some(new)) => Arc::ptr_eq(told, new),
            (None, None) => inner.why.as_deref() == Some(why),
            _ => false,
        };
        if is_same {
            return;
        }
        inner.recorded = recorded.cloned();
        inner.why = Some(why.to_owned());
        let messages: Vec<_> = inner.connections.iter().map(|each| (each.out.clone(), inner.state_for(each))).collect();
        for (out, message) in messages {
            let _ = out.try_send(message);
        }
    }

    /// The spool has what became of these events.
    pub fn settled(&self, pages: &[PageId]) {
        let mut inner = self.inner();
        let mut acks: HashMap<u64, Vec<Value>> = HashMap::new();
        for page in pages {
            if let Some(connection) = inner.under_way.remove(page) {
                acks.entry(connection).or_default().push(json!([page.document.simple().to_string(), page.seq]));
            }
        }
        for connection in &inner.connections {
            if let Some(acks) = acks.remove(&connection.id) {
                // A browser that takes no message any more sends these events again, and is told then.
                let _ = connection.out.try_send(json!({ "type": "ack", "acks": acks }));
            }
        }
    }

    /// For `status`: which browsers are connected.
    pub fn describe(&self) -> Vec<Value> {
        let each = |connection: &Connection| {
            json!({
                "browser": connection.browser,
                "program": connection.program.name,
                "version": connection.version,
                "connected": true,
            })
        };
        self.inner().connections.iter().map(each).collect()
    }

    /// A browser that tests speak for: it is connected, and that page is in front.
    #[cfg(test)]
    pub(crate) fn stand_in(&self, pid: u32, front: Option<FrontPage>) {
        let program = Program { pid, name: "chromium".into(), path: "/usr/lib/chromium/chromium".into() };
        let joined = self.join(program, "chromium".into(), "0".into());
        self.set_front(joined.expect("there is room").0, front);
    }

    /// What such a browser says.
    #[cfg(test)]
    pub(crate) fn say(&self, pid: u32, event: PageEvent) {
        let program =
            self.inner().connections.iter().find(|each| each.program.pid == pid).map(|each| each.program.clone());
        self.heard.send(Heard::Event(program.expect("it is connected"), Box::new(event))).unwrap();
    }

    /// Ends every conversation.
    pub fn close(&self) {
        self.inner().connections.clear();
    }

    /// Takes the place of a new connection, if there is one.
    fn join(&self, program: Program, browser: String, version: String) -> Option<(u64, Receiver<Value>)> {
        let mut inner = self.inner();
        if inner.connections.len() >= CONNECTIONS_MAX {
            return None;
        }
        let (out, outgoing) = bounded(OUT_MAX);
        inner.next += 1;
        let id = inner.next;
        let connection = Connection { id, program: Arc::new(program), browser, version, out, front: None };
        let _ = connection.out.try_send(inner.state_for(&connection));
        inner.connections.push(connection);
        Some((id, outgoing))
    }

    fn leave(&self, id: u64) {
        self.inner().connections.retain(|connection| connection.id != id);
        let _ = self.heard.send(Heard::Front);
    }

    fn set_front(&self, id: u64, front: Option<FrontPage>) {
        if let Some(connection) = self.inner().connections.iter_mut().find(|connection| connection.id == id) {
            connection.front = front;
        }
        let _ = self.heard.send(Heard::Front);
    }

    /// Gives an event to the flow, unless it is there already; then it is only acknowledged.
    fn take(&self, shared: &Shared, id: u64, event: Box<PageEvent>) {
        let page = event.id();
        let program = {
            let mut inner = self.inner();
            if let Some(waiting) = inner.under_way.get_mut(&page) {
                *waiting = id;
                return;
            }
            inner.under_way.insert(page, id);
            inner.connections.iter().find(|connection| connection.id == id).map(|each| each.program.clone())
        };
        let is_known = shared.spool().has_page(page).unwrap_or(false);
        match program {
            Some(program) if !is_known => {
                let _ = self.heard.send(Heard::Event(program, event));
            }
            _ => self.settled(&[page]),
        }
    }
}

impl Inner {
    fn state_for(&self, connection: &Connection) -> Value {
        match &self.recorded {
            Some(effective) => rules::recording(&effective.configuration, &connection.program),
            None => rules::resting(self.why.as_deref().unwrap_or("needs_enrolment")),
        }
    }
}

/// How a browser's relay introduces itself, and who it is to the system.
pub struct Caller {
    /// The extension that the browser says it speaks for.
    pub origin: String,
    /// The relay's process.
    pub pid: Option<u32>,
}

/// Speaks with a browser until it goes. `close` ends the reading half from another thread.
pub fn converse(
    shared: &Shared,
    caller: &Caller,
    mut from: impl Read,
    mut to: impl Write + Send + 'static,
    close: impl FnOnce() + Send + 'static,
) {
    let refuse = |to: &mut dyn Write, why: &str| {
        let mut to = to;
        let _ = write_message(&mut to, &rules::resting(why));
    };
    if !is_our_extension(&caller.origin) && !planted::is("foreign-extension") {
        return refuse(&mut to, "foreign_extension");
    }
    let Some(program) = caller.pid.and_then(paths::browser_above) else {
        return refuse(&mut to, "no_browser");
    };
    let Ok(Said::Hello { proto, browser, version }) = read_said(&mut from) else { return };
    if proto != PROTOCOL {
        return refuse(&mut to, "other_version");
    }
    let Some((id, outgoing)) = shared.browsers.join(program, browser, version) else {
        return refuse(&mut to, "too_many_browsers");
    };
    let writer = std::thread::Builder::new().name("lode-browser-out".into()).spawn(move || {
        for message in outgoing {
            if write_message(&mut to, &message).is_err() {
                break;
            }
        }
        close();
    });
    if writer.is_ok() {
        while let Ok(said) = read_said(&mut from) {
            match said {
                Said::Hello { .. } => {}
                Said::Event(event) => shared.browsers.take(shared, id, event),
                Said::Tab { url, title } => {
                    let title = title.filter(|title| !title.trim().is_empty());
                    let front = url.zip(title).map(|(url, title)| FrontPage { url, title });
                    shared.browsers.set_front(id, front);
                }
            }
        }
    }
    shared.browsers.leave(id);
}

fn read_said(from: &mut impl Read) -> std::io::Result<Said> {
    let message = read_message(from)?;
    serde_json::from_value(message).map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidData))
}
