//! The control socket: `agent.sock` in the runtime folder, mode 0600, and the other side must be the same user.

use super::{Call, answer_message, read_message, write_message};
use crate::agent::Shared;
use crate::browser::{self, Caller};
use serde::Deserialize;
use serde_json::Value;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// The name of the socket.
const SOCKET: &str = "agent.sock";

/// How long the other side may take for a message.
const MESSAGE_TIME_MAX: Duration = Duration::from_secs(5);

/// How long an answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// A socket that is served.
pub struct Serving {
    path: PathBuf,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// Ends serving and removes the socket.
    pub fn close(mut self) {
        // One more connection wakes the thread, which sees that it is to end.
        let _ = UnixStream::connect(&self.path);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Serves the socket on a thread of its own, one connection after the other.
///
/// Errors: the socket cannot be made.
pub fn serve(shared: Arc<Shared>) -> io::Result<Serving> {
    let path = shared.options.runtime.join(SOCKET);
    // The lock of the data folder says that nobody else serves; what lies here is of a client that was killed.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let thread = std::thread::Builder::new().name("lode-control".into()).spawn(move || {
        for stream in listener.incoming() {
            if shared.known().quitting {
                return;
            }
            if let Ok(stream) = stream {
                let _ = converse(&shared, stream);
            }
        }
    })?;
    Ok(Serving { path, thread: Some(thread) })
}

fn converse(shared: &Arc<Shared>, mut stream: UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(MESSAGE_TIME_MAX))?;
    stream.set_write_timeout(Some(MESSAGE_TIME_MAX))?;
    let peer = rustix::net::sockopt::socket_peercred(&stream)?;
    if peer.uid.as_raw() != crate::paths::own_uid() {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    let message = read_message(&mut stream)?;
    if let Ok(Call::Browser { origin }) = Call::deserialize(&message) {
        let pid = u32::try_from(peer.pid.as_raw_nonzero().get()).ok();
        return converse_with_browser(shared, Caller { origin, pid }, stream);
    }
    write_message(&mut stream, &answer_message(shared, message))
}

/// A browser speaks as long as it wants, on a thread of its own.
fn converse_with_browser(shared: &Arc<Shared>, caller: Caller, stream: UnixStream) -> io::Result<()> {
    stream.set_read_timeout(None)?;
    let (shared, to, other_end) = (shared.clone(), stream.try_clone()?, stream.try_clone()?);
    let close = move || drop(other_end.shutdown(std::net::Shutdown::Both));
    let converse = move || browser::converse(&shared, &caller, stream, to, close);
    std::thread::Builder::new().name("lode-browser".into()).spawn(converse).map(drop)
}

/// Connects to the running client: the half that reads, and the half that writes.
///
/// Errors: none runs.
pub fn connect(runtime: &Path) -> io::Result<(UnixStream, UnixStream)> {
    let stream = UnixStream::connect(runtime.join(SOCKET))?;
    Ok((stream.try_clone()?, stream))
}

/// Asks the running client.
///
/// Errors: none runs, or it does not answer.
pub fn ask(runtime: &Path, request: &Value) -> io::Result<Value> {
    let mut stream = UnixStream::connect(runtime.join(SOCKET))?;
    stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
    stream.set_write_timeout(Some(MESSAGE_TIME_MAX))?;
    write_message(&mut stream, request)?;
    read_message(&mut stream)
}
