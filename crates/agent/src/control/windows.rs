//! The control pipe: `\\.\pipe\lode-agent-<SID>-<session>`, for this user alone; both sides look who is on the other.
//!
//! A client with a data folder of its own has a pipe of its own, whose name ends with a number made of the folder.

use super::{answer_message, read_message, write_message};
use crate::agent::Shared;
use crate::paths;
use crate::win32::pipe::Pipe;
use crate::win32::process;
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
    let thread = std::thread::Builder::new().name("lode-control".into()).spawn(move || {
        loop {
            let accepted = pipe.accept();
            if shared.known().quitting {
                return;
            }
            if accepted.is_ok() {
                let _ = converse(&shared, &mut pipe);
            }
            pipe.let_go();
        }
    })?;
    Ok(Serving { name, thread: Some(thread) })
}

fn converse(shared: &Shared, pipe: &mut Pipe) -> io::Result<()> {
    let message = read_message(pipe)?;
    write_message(pipe, &answer_message(shared, message))?;
    // What was not read yet is lost when the other side is let go; it closes when it has read.
    let _ = pipe.read(&mut [0]);
    Ok(())
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
