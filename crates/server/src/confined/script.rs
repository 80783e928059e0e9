//! What the process of a script does first: `lode script` reads its order, gives everything else away, and becomes the
//! interpreter. Its standard input is the socket to the service, and stays that.

use super::child::{order_bytes, read_order};
use super::walls::{self, Leave};
use super::workers::Program;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::process::ExitCode;
use store::StoreError;
use tokio::net::UnixStream;
use tokio::process::Child;

/// Which interpreter to become, and how.
#[derive(Debug, Serialize, Deserialize)]
pub struct ScriptOrder {
    /// Its file.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its environment, and nothing else.
    pub environment: Vec<(String, String)>,
    /// Where it starts.
    pub folder: PathBuf,
    /// What it keeps when everything else is given away; absent where an admin accepted to run without walls.
    pub leave: Option<Leave>,
}

impl Program {
    /// Starts the process of a script, and gives the socket by which it speaks. It ends when the child is dropped.
    pub async fn start_script(&self, order: &ScriptOrder) -> Result<(Child, UnixStream), StoreError> {
        let refused = |error: std::io::Error| StoreError::file("start", &self.path)(error);
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(refused)?;
        let mut process = self.process("script");
        process.stdin(std::os::fd::OwnedFd::from(theirs)).stderr(std::process::Stdio::piped());
        let child = process.spawn().map_err(refused)?;
        // It holds the other end of the socket, which must be the child's alone.
        drop(process);
        ours.set_nonblocking(true).map_err(refused)?;
        let mut socket = UnixStream::from_std(ours).map_err(refused)?;
        tokio::io::AsyncWriteExt::write_all(&mut socket, &order_bytes(order)?).await.map_err(refused)?;
        Ok((child, socket))
    }
}

/// Becomes the interpreter of the order on standard input; comes back only to say why it could not.
pub fn run() -> ExitCode {
    let Err(reason) = become_interpreter();
    eprintln!("lode: {reason}");
    ExitCode::FAILURE
}

fn become_interpreter() -> Result<std::convert::Infallible, String> {
    // Not a byte beyond the order may be read: what follows is for the interpreter.
    let input = rustix::io::dup(std::io::stdin()).map_err(|error| error.to_string())?;
    let order: ScriptOrder = read_order(&mut std::fs::File::from(input))
        .map_err(|error| format!("the script's process cannot read its order: {error}"))?;
    let there = std::env::set_current_dir(&order.folder);
    there.map_err(|error| format!("cannot work in '{}': {error}", order.folder.display()))?;
    if let Some(leave) = &order.leave {
        walls::raise(leave)?;
    }
    let mut interpreter = std::process::Command::new(&order.program);
    interpreter.args(&order.arguments).env_clear().envs(order.environment);
    let error = std::os::unix::process::CommandExt::exec(&mut interpreter);
    Err(format!("cannot start '{}': {error}", order.program.display()))
}
