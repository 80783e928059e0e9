//! How the person's own programs speak to the running client: command line, tray, consent dialog.
//!
//! Four bytes of length, then JSON, both ways; at most 1 MiB, checked before anything is allocated. Only the same user's
//! programs are heard (promise S13). There is no TCP port.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{Serving, ask, connect, serve};
#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{Serving, ask, connect, serve};

use crate::agent::{Command, Shared};
use crossbeam_channel::bounded;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::time::Duration;
use uilog::planted;

/// The most bytes of a message.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// How long the client may take for an answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Events of one answer at most.
const EVENTS_MAX: usize = 500;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case", deny_unknown_fields)]
pub enum Call {
    /// How is it?
    Status,
    /// Pause for so many microseconds, or until resumed.
    Pause {
        /// How long.
        us: Option<u64>,
    },
    /// Go on.
    Resume,
    /// No recording until it is started again.
    Stop,
    /// Record again.
    Start,
    /// Delete what happened in the last so many microseconds.
    Forget {
        /// How far back.
        us: u64,
    },
    /// Send what waits, also what is held back.
    SendNow,
    /// A comment.
    Comment {
        /// The participant's words.
        text: String,
    },
    /// Something on the disk changed.
    Reload,
    /// The client was enrolled just now; the token saves a call.
    Enrolled {
        /// The token.
        token: String,
    },
    /// Events before this number, newest first.
    Events {
        /// The number.
        before: u64,
    },
    /// One picture.
    Picture {
        /// Its id.
        id: uuid::Uuid,
    },
    /// Open the page of what was captured.
    Show,
    /// Send dead letters once more.
    ReplayDeadLetters,
    /// A browser's relay: from here on the connection is a conversation, see [`browser`](crate::browser).
    Browser {
        /// The extension that the browser says it speaks for.
        origin: String,
    },
    /// End the program.
    Quit,
}

/// Answers one message, whatever it says.
fn answer_message(shared: &Shared, message: Value) -> Value {
    match serde_json::from_value::<Call>(message) {
        Ok(call) => answer(shared, call),
        Err(_) => failed("this version of lode-agent does not know the call"),
    }
}

/// Answers one call.
pub fn answer(shared: &Shared, call: Call) -> Value {
    let done = |result: io::Result<()>| match result {
        Ok(()) => json!({ "ok": true }),
        Err(error) => failed(&error.to_string()),
    };
    let choose = |change: &dyn Fn(&mut crate::home::Choice)| {
        let mut choice = shared.home.choice();
        change(&mut choice);
        let kept = shared.home.set_choice(&choice);
        let _ = shared.commands.try_send(Command::Reload);
        done(kept)
    };
    let now = shared.clock.now();
    match call {
        Call::Status => serde_json::to_value(shared.status()).unwrap_or_default(),
        Call::Pause { us } => choose(&|choice| choice.pause(us, now)),
        Call::Resume => choose(&|choice| choice.resume()),
        Call::Stop => choose(&|choice| choice.stopped = true),
        Call::Start => choose(&|choice| {
            choice.stopped = false;
            choice.resume();
        }),
        Call::Forget { us } => {
            let (reply, reply_out) = bounded(1);
            let sent = shared.commands.send_timeout(Command::Forget(us, reply), ANSWER_TIME_MAX);
            match sent.ok().and_then(|()| reply_out.recv_timeout(ANSWER_TIME_MAX).ok()) {
                Some(Ok(forgotten)) => json!({ "ok": true, "forgotten": forgotten }),
                Some(Err(error)) => failed(&error),
                None => failed("the client does not answer"),
            }
        }
        Call::SendNow => {
            let _ = shared.network.try_send(crate::agent::Nudge::Send);
            json!({ "ok": true })
        }
        Call::Comment { text } => {
            let (reply, reply_out) = bounded(1);
            let sent = shared.commands.send_timeout(Command::Comment(text, reply), ANSWER_TIME_MAX);
            match sent.ok().and_then(|()| reply_out.recv_timeout(ANSWER_TIME_MAX).ok()) {
                Some(true) => json!({ "ok": true }),
                Some(false) => failed("nothing is recorded now, so a comment is not kept either"),
                None => failed("the client does not answer"),
            }
        }
        Call::Reload => {
            let _ = shared.commands.try_send(Command::Reload);
            json!({ "ok": true })
        }
        Call::Enrolled { token } => {
            shared.reload();
            let _ = shared.network.try_send(crate::agent::Nudge::Enrolled(zeroize::Zeroizing::new(token)));
            json!({ "ok": true })
        }
        Call::Events { before } => match shared.spool().latest(before, EVENTS_MAX) {
            Ok(events) => json!({ "ok": true, "events": events }),
            Err(error) => failed(&error.to_string()),
        },
        Call::Picture { id } => match shared.spool().picture(id) {
            Some(bytes) => {
                use base64::Engine;
                json!({ "ok": true, "png": base64::engine::general_purpose::STANDARD.encode(bytes) })
            }
            None => failed("there is no such picture any more"),
        },
        Call::Show => done(crate::view::open(shared)),
        Call::ReplayDeadLetters => match shared.spool().replay_dead_letters(now) {
            Ok(count) => json!({ "ok": true, "replayed": count }),
            Err(error) => failed(&error.to_string()),
        },
        Call::Browser { .. } => failed("a browser's relay does not speak this way"),
        Call::Quit => {
            let _ = shared.commands.try_send(Command::Quit);
            json!({ "ok": true })
        }
    }
}

fn failed(why: &str) -> Value {
    json!({ "ok": false, "error": why })
}

/// Reads one message.
///
/// Errors: it is longer than [`MESSAGE_BYTES_MAX`], cut, or no JSON; nothing was allocated for it then.
pub fn read_message(from: &mut impl Read) -> io::Result<Value> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MESSAGE_BYTES_MAX && !planted::is("bridge-trusts-length") {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message has at most 1 MiB"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    serde_json::from_slice(&bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a message is JSON"))
}

/// Writes one message.
///
/// Errors: it is too long, or the other side is gone.
pub fn write_message(to: &mut impl Write, message: &Value) -> io::Result<()> {
    let bytes = message.to_string().into_bytes();
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length as usize <= MESSAGE_BYTES_MAX);
    let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a message has at most 1 MiB"))?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(&bytes)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_a_length_that_lies_allocates_nothing() {
        for length in [u32::MAX, (MESSAGE_BYTES_MAX + 1) as u32] {
            let mut message = length.to_be_bytes().to_vec();
            message.extend_from_slice(b"{}");
            let error = read_message(&mut message.as_slice()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn s13_half_a_message_invalid_utf_8_and_unknown_calls_are_errors() {
        let framed = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
        assert!(read_message(&mut &framed(b"{\"call\":\"status\"}")[..10]).is_err());
        assert!(read_message(&mut &framed(b"\"\xff\"")[..]).is_err());
        let message = read_message(&mut &framed(b"{\"call\":\"capture_everything\"}")[..]).unwrap();
        assert!(serde_json::from_value::<Call>(message).is_err());
        let mut written = Vec::new();
        write_message(&mut written, &json!({ "call": "pause", "us": 5 })).unwrap();
        let read = read_message(&mut written.as_slice()).unwrap();
        assert_eq!(serde_json::from_value::<Call>(read).unwrap(), Call::Pause { us: Some(5) });
    }
}
