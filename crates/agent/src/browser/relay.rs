//! `lode-agent native-messaging`: carries messages between the browser that started it and the running client, and knows none.
//!
//! To the browser: the length in the machine's byte order, then JSON, on standard input and output, on which nothing else is ever
//! written. To the client: the control socket's frames. When one side goes, the relay ends, and with it the other side's
//! connection; there is one process for each.

use crate::control::{self, MESSAGE_BYTES_MAX, read_message, write_message};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::Path;
use uilog::planted;

/// Runs until browser or client goes.
///
/// Errors: no client runs, or the browser breaks the format.
pub fn run(runtime: &Path, origin: &str) -> Result<()> {
    let (mut from_client, mut to_client) = control::connect(runtime)
        .context("lode-agent does not run, so nothing is recorded in this browser; start it with lode-agent run")?;
    write_message(&mut to_client, &json!({ "call": "browser", "origin": origin }))?;
    let listening = std::thread::Builder::new().name("lode-relay-in".into()).spawn(move || {
        let mut output = std::io::stdout().lock();
        while let Ok(message) = read_message(&mut from_client) {
            if write_frame(&mut output, &message).is_err() {
                break;
            }
        }
        // The browser's end of the input stays open as long as the browser wants; so the process must end here.
        std::process::exit(0);
    })?;
    let mut input = std::io::stdin().lock();
    while let Some(message) = read_frame(&mut input)? {
        if write_message(&mut to_client, &message).is_err() {
            // The client has gone, perhaps with a last word; that is carried over, and ends this process.
            let _ = listening.join();
            break;
        }
    }
    Ok(())
}

/// Reads what the browser says; nothing when it has ended.
fn read_frame(from: &mut impl Read) -> Result<Option<Value>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error).context("cannot read what the browser says"),
    }
    let length = u32::from_ne_bytes(length) as usize;
    if length > MESSAGE_BYTES_MAX && !planted::is("bridge-trusts-length") {
        bail!("the browser sent a message of {length} bytes; at most 1 MiB is taken");
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).context("the browser sent half a message")?;
    serde_json::from_slice(&bytes).map(Some).context("the browser sent a message that is no JSON")
}

fn write_frame(to: &mut impl Write, message: &Value) -> std::io::Result<()> {
    let bytes = message.to_string().into_bytes();
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    to.write_all(&length.to_ne_bytes())?;
    to.write_all(&bytes)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_a_browser_that_lies_about_a_length_or_sends_half_a_message_is_an_error() {
        let framed = |length: u32, bytes: &[u8]| [&length.to_ne_bytes()[..], bytes].concat();
        for bad in [framed(u32::MAX, b"{}"), framed(2, b"{"), framed(3, b"\"\xff\""), framed(1 << 20 | 1, b"")] {
            assert!(read_frame(&mut bad.as_slice()).is_err());
        }
        // A message that is whole and too long by a byte is not taken either.
        for (more, is_taken) in [(0, true), (1, false)] {
            let text = json!("x".repeat(MESSAGE_BYTES_MAX - 2 + more)).to_string();
            let read = read_frame(&mut framed(text.len() as u32, text.as_bytes()).as_slice());
            assert_eq!(read.is_ok(), is_taken, "{} bytes", text.len());
        }
        assert!(read_frame(&mut &[][..]).unwrap().is_none());
        let mut written = Vec::new();
        write_frame(&mut written, &json!({ "type": "ack" })).unwrap();
        assert_eq!(read_frame(&mut written.as_slice()).unwrap(), Some(json!({ "type": "ack" })));
    }
}
