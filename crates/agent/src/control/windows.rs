//! The control pipe: `\\.\pipe\lode-agent-<SID>-<session>`, for this user alone; both sides look who is on the other.
//!
//! A browser's relay keeps its end for as long as the browser speaks; the next one who comes gets another.
//!
//! A client with a data folder of its own has a pipe of its own, whose name ends with a number made of the folder.

use super::{Call, answer_message, read_message, write_message};
use crate::agent::Shared;
use crate::browser::{self, Caller};
use crate::paths;
use crate::win32::pipe::Pipe;
use crate::win32::process;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the other side may take for a message.
const MESSAGE_TIME_MAX: Duration = Duration::from_secs(5);

/// How long an answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// A pipe that is served.
pub struct Serving {
    name: String,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// Ends serving; the pipe goes with it.
    pub fn close(mut self) {
        // One more connection wakes the thread, which sees that it is to end.
        let _ = Pipe::open(&self.name, MESSAGE_TIME_MAX);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Serves the pipe on a thread of its own, one connection after the other.
///
/// Errors: the pipe cannot be made.
pub fn serve(shared: Arc<Shared>) -> io::Result<Serving> {
    let name = name_of(&shared.options.runtime)?;
    let mut pipe = Pipe::serve(&name)?.within(MESSAGE_TIME_MAX);
    let served = name.clone();
    let thread = std::thread::Builder::new().name("lode-control".into()).spawn(move || {
        loop {
            let accepted = pipe.accept();
            if shared.known().quitting {
                return;
            }
            match accepted.and_then(|()| converse(&shared, &mut pipe)) {
                Ok(Some(origin)) => {
                    // Its end is taken; without another one nobody could ask any more.
                    let Ok(next) = Pipe::serve_another(&served) else {
                        pipe.let_go();
                        continue;
                    };
                    let spoken = std::mem::replace(&mut pipe, next.within(MESSAGE_TIME_MAX));
                    let _ = converse_with_browser(&shared, origin, spoken);
                }
                Ok(None) | Err(_) => pipe.let_go(),
            }
        }
    })?;
    Ok(Serving { name, thread: Some(thread) })
}

/// Answers a call; gives the origin instead if it is a browser that wants to speak.
fn converse(shared: &Shared, pipe: &mut Pipe) -> io::Result<Option<String>> {
    let message = read_message(pipe)?;
    if let Ok(Call::Browser { origin }) = Call::deserialize(&message) {
        return Ok(Some(origin));
    }
    write_message(pipe, &answer_message(shared, message))?;
    // What was not read yet is lost when the other side is let go; it closes when it has read.
    let _ = pipe.read(&mut [0]);
    Ok(None)
}

/// A browser speaks as long as it wants, on a thread of its own.
fn converse_with_browser(shared: &Arc<Shared>, origin: String, pipe: Pipe) -> io::Result<()> {
    let caller = Caller { origin, pid: pipe.client() };
    let (to, mut other_end) = (pipe.try_clone()?.within(MESSAGE_TIME_MAX), pipe.try_clone()?);
    let (shared, from) = (shared.clone(), pipe.without_limit());
    let close = move || other_end.let_go();
    let converse = move || browser::converse(&shared, &caller, from, to, close);
    std::thread::Builder::new().name("lode-browser".into()).spawn(converse).map(drop)
}

/// Connects to the running client: the half that reads, and the half that writes.
///
/// Errors: none runs.
pub fn connect(runtime: &Path) -> io::Result<(Pipe, Pipe)> {
    let pipe = Pipe::open(&name_of(runtime)?, ANSWER_TIME_MAX)?;
    Ok((pipe.try_clone()?, pipe))
}

/// Asks the running client.
///
/// Errors: none runs, or it does not answer.
pub fn ask(runtime: &Path, request: &Value) -> io::Result<Value> {
    let mut pipe = Pipe::open(&name_of(runtime)?, ANSWER_TIME_MAX)?;
    write_message(&mut pipe, request)?;
    read_message(&mut pipe)
}

fn name_of(runtime: &Path) -> io::Result<String> {
    let name = format!(r"\\.\pipe\lode-agent-{}-{}", process::own_sid()?, process::session());
    if runtime == paths::runtime_folder() {
        return Ok(name);
    }
    let runtime = std::path::absolute(runtime)?.to_string_lossy().to_lowercase();
    let hash = Sha256::digest(runtime.as_bytes());
    Ok(format!("{name}-{:08x}", u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])))
}
