//! How events travel: one envelope is one batch, sent as one POST, answered with a receipt per event.
//!
//! An envelope is a zstd frame around JSON Lines. The first line is the [`Header`], each further line one
//! [`Event`]:
//!
//! ```text
//! {"format":"lode-envelope","version":1,"agent_id":"…","epoch":"…","client_version":"0.1.0","config_revision":"7"}
//! {"agent_id":"…","epoch":"…","seq":1,"time":1767603600000000,"event_type":"copy","session_id":"…"}
//! ```
//!
//! An envelope comes from a machine that is not ours, so everything about it is bounded before it is believed: the bytes
//! sent, the bytes unpacked, the ratio of the two, zstd's window and the nesting of the JSON. What breaks a bound makes
//! the whole envelope an error; a line that is no valid event is rejected alone, with its number and the reason, and
//! the others count.
//!
//! This module does not know who may send what, nor what was received before: see the service's ingest.

use crate::planted;
use std::io::Read;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::SeqRanges;
use crate::column;
use crate::event::{Event, Value};

/// What the member `format` of every header says.
pub const FORMAT: &str = "lode-envelope";

/// The version that [`encode`] writes. [`decode`] reads every version up to it, for ever.
pub const VERSION: u32 = 1;

/// The most bytes of an envelope as sent, 4 MiB. A client packs fewer events; a service answers 413.
pub const PACKED_BYTES_MAX: usize = 4 << 20;

/// The most bytes of an envelope when unpacked, 16 MiB. Unpacking stops there, whatever the frame promises.
pub const UNPACKED_BYTES_MAX: usize = 16 << 20;

/// How many times larger than sent an envelope may become, once it is past [`RATIO_FREE_BYTES`].
pub const RATIO_MAX: usize = 200;

/// Up to this size, 1 MiB, the ratio is not looked at: small batches of equal events pack extremely well.
pub const RATIO_FREE_BYTES: usize = 1 << 20;

/// The largest window of a zstd frame, as a power of two: 8 MiB of memory to unpack.
pub const WINDOW_LOG_MAX: u32 = 23;

/// How deep a line of JSON may nest; found by scanning, before anything is parsed.
pub const JSON_DEPTH_MAX: usize = 32;

/// zstd's level for encoding: fast enough for a desktop that is in use.
const COMPRESSION_LEVEL: i32 = 3;

/// The most characters of a parser's message that go into a reason.
const REASON_CHARACTERS_MAX: usize = 200;

/// The first line of an envelope: whose events these are, and who packed them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Always [`FORMAT`].
    pub format: String,
    /// The version of the form in which the events follow.
    pub version: u32,
    /// The agent to which every event belongs.
    pub agent_id: Uuid,
    /// The epoch of its spool to which every event belongs.
    pub epoch: Uuid,
    /// Version of the program that packed the envelope.
    pub client_version: String,
    /// Revision of the configuration that the agent obeys; none before the first arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_revision: Option<String>,
}

impl Header {
    /// The header of an envelope of the current version.
    pub fn new(agent_id: Uuid, epoch: Uuid, client_version: &str, config_revision: Option<&str>) -> Self {
        Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            agent_id,
            epoch,
            client_version: client_version.to_owned(),
            config_revision: config_revision.map(str::to_owned),
        }
    }
}

/// An envelope as it was read: the header, and each further line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The first line.
    pub header: Header,
    /// The lines after it, in order; empty lines are left out.
    pub lines: Vec<Line>,
}

/// One line after the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the unpacked text; the header is line 1.
    pub number: u32,
    /// Its `seq`, as far as it can be read even from an event that is rejected.
    pub seq: Option<u64>,
    /// The event, or why it is none.
    pub event: Result<Event, Rejection>,
}

/// Why one line is not accepted. The text names members and types, never contents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "reason", content = "detail", rename_all = "snake_case")]
pub enum Rejection {
    /// The line is no JSON object that fits the schema.
    #[error("not an event: {0}")]
    NotAnEvent(String),
    /// The line nests deeper than [`JSON_DEPTH_MAX`].
    #[error("json is nested deeper than {JSON_DEPTH_MAX}")]
    TooDeep,
    /// The event names another agent or epoch than the header.
    #[error("the event belongs to another agent or epoch than its envelope")]
    ForeignStream,
    /// `seq` begins at 1.
    #[error("seq begins at 1")]
    SeqZero,
    /// The rules under which the event says it was recorded do not admit it; names rules and columns.
    #[error("not admitted: {0}")]
    Policy(String),
    /// `received_at` is written by the service alone.
    #[error("received_at is set by the service")]
    ReceivedAtGiven,
    /// `hashed` names something that is no hashable column, or a column that has a value too.
    #[error("hashed holds a column that cannot be hashed or that is also there in clear")]
    NotHashable,
}

/// The answer to one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The number of the line in the envelope.
    pub line: u32,
    /// The event's `seq`, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of an event that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is stored durably; the sender may delete it.
    Accepted,
    /// It was stored before; the sender may delete it.
    Duplicate,
    /// It will never be stored; the sender reports it as a coverage gap and deletes it.
    Rejected(Rejection),
}

/// The answer to an envelope: what became of each of its events, by `seq`.
///
/// Every event of the envelope is in exactly one of the three lists. A client deletes what is in the first two; an answer
/// that is not in this form acknowledges nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The service's clock, microseconds since 1970, UTC; retention follows it, never the clock of the desktop.
    pub server_time_us: i64,
    /// Seconds after which the next envelope is welcome.
    pub next_s: u32,
    /// Stored durably now.
    pub accepted: SeqRanges,
    /// Stored before.
    pub duplicates: SeqRanges,
    /// Lines that will never be stored, with the reason.
    pub rejected: Vec<Receipt>,
}

/// Why a batch of events cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// An event names another agent or epoch than the header.
    #[error("event {seq} belongs to another agent or epoch than its envelope")]
    ForeignStream {
        /// `seq` of the event.
        seq: u64,
    },
    /// The batch is too large; send fewer events.
    #[error("{events} events take {bytes} bytes {form}; the bound is {bound}")]
    TooLarge {
        /// How many events were to be packed.
        events: usize,
        /// How many bytes they take.
        bytes: usize,
        /// `unpacked` or `packed`.
        form: &'static str,
        /// The bound that was exceeded.
        bound: usize,
    },
    /// An event cannot be written as JSON.
    #[error("cannot write event {seq} as json")]
    Json {
        /// `seq` of the event, 0 for the header.
        seq: u64,
        /// What the JSON writer said.
        source: serde_json::Error,
    },
    /// zstd failed.
    #[error("cannot compress an envelope")]
    Compress(#[source] std::io::Error),
}

/// Why bytes are not an envelope. The sender must not repeat them unchanged.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// More than [`PACKED_BYTES_MAX`] were sent.
    #[error("an envelope has at most {PACKED_BYTES_MAX} bytes as sent, not {bytes}")]
    PackedTooLarge {
        /// The bytes that were sent.
        bytes: usize,
    },
    /// Unpacking would pass [`UNPACKED_BYTES_MAX`].
    #[error("an envelope has at most {UNPACKED_BYTES_MAX} bytes unpacked")]
    UnpackedTooLarge,
    /// Unpacking passed [`RATIO_MAX`].
    #[error("an envelope grows at most {RATIO_MAX} times when unpacked; this one has {packed_bytes} bytes packed")]
    RatioTooLarge {
        /// The bytes that were sent.
        packed_bytes: usize,
    },
    /// The bytes are no zstd frame, or one that wants too large a window.
    #[error("not a zstd frame with a window of at most 2^{WINDOW_LOG_MAX} bytes")]
    Decompress(#[source] std::io::Error),
    /// Something follows the frame.
    #[error("{bytes} bytes follow the zstd frame")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// The text is not UTF-8.
    #[error("line {line} is not utf-8")]
    NotUtf8 {
        /// The line in the unpacked text.
        line: usize,
    },
    /// The first line is no header.
    #[error("line 1 is not the header of a lode envelope: {reason}")]
    Header {
        /// What is wrong with it.
        reason: String,
    },
    /// The envelope is newer than this program.
    #[error("line 1 announces version {version} of the envelope; this program reads up to {VERSION}")]
    Version {
        /// The version that the header names.
        version: u32,
    },
}

/// Packs events of one agent and epoch into an envelope.
///
/// Shape: any number of events, zero included, in the order of their `seq`.
///
/// Errors: an event of another stream, or a batch that exceeds [`UNPACKED_BYTES_MAX`] or [`PACKED_BYTES_MAX`]; the
/// caller then sends fewer events at once.
///
/// ```
/// use uilog::{envelope, notation};
/// let events = notation::log("09:00 excel copy B2 | 09:01 crm paste name");
/// let header = envelope::Header::new(events[0].agent_id, events[0].epoch, "0.1.0", None);
/// let packed = envelope::encode(&header, &events).unwrap();
/// let read = envelope::decode(&packed).unwrap();
/// assert_eq!(read.lines[1].event.as_ref().unwrap(), &events[1]);
/// ```
pub fn encode(header: &Header, events: &[Event]) -> Result<Vec<u8>, EncodeError> {
    let mut text = Vec::new();
    append_line(&mut text, header, 0)?;
    for event in events {
        if (event.agent_id, event.epoch) != (header.agent_id, header.epoch) {
            return Err(EncodeError::ForeignStream { seq: event.seq });
        }
        append_line(&mut text, event, event.seq)?;
        check_size(events.len(), text.len(), "unpacked", UNPACKED_BYTES_MAX)?;
    }
    let packed = zstd::encode_all(text.as_slice(), COMPRESSION_LEVEL).map_err(EncodeError::Compress)?;
    check_size(events.len(), packed.len(), "packed", PACKED_BYTES_MAX)?;
    Ok(packed)
}

fn append_line(text: &mut Vec<u8>, line: &impl Serialize, seq: u64) -> Result<(), EncodeError> {
    serde_json::to_writer(&mut *text, line).map_err(|source| EncodeError::Json { seq, source })?;
    text.push(b'\n');
    Ok(())
}

fn check_size(events: usize, bytes: usize, form: &'static str, bound: usize) -> Result<(), EncodeError> {
    if bytes > bound { Err(EncodeError::TooLarge { events, bytes, form, bound }) } else { Ok(()) }
}

/// Reads an envelope of any version up to [`VERSION`].
///
/// Shape: every line after the header comes out, as an event or as a rejection; empty lines do not.
///
/// Errors: [`DecodeError`] if the envelope as a whole cannot be believed; nothing of it may be stored then.
pub fn decode(packed: &[u8]) -> Result<Envelope, DecodeError> {
    let mut read = Vec::new();
    let header = decode_each(packed, |_, line| read.push(line))?;
    Ok(Envelope { header, lines: read })
}

/// Reads an envelope like [`decode`], handing out each line with its text, which is its identity when it is sent again.
///
/// Errors: as [`decode`]; lines may have been handed out before an error only if the header was read.
pub fn decode_each(packed: &[u8], mut each: impl FnMut(&str, Line)) -> Result<Header, DecodeError> {
    let text = unpack(packed)?;
    let text = std::str::from_utf8(&text).map_err(|error| DecodeError::NotUtf8 {
        line: 1 + text[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count(),
    })?;
    let mut lines = text.lines().zip(1..);
    let header = read_header(lines.next().map_or("", |(line, _)| line))?;
    for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
        each(line, read_line(&header, line, number));
    }
    Ok(header)
}

/// Unpacks a zstd frame within all bounds of this module; what comes out is text of unknown truth.
fn unpack(packed: &[u8]) -> Result<Vec<u8>, DecodeError> {
    if packed.len() > PACKED_BYTES_MAX {
        return Err(DecodeError::PackedTooLarge { bytes: packed.len() });
    }
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(DecodeError::Decompress)?.single_frame();
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(DecodeError::Decompress)?;
    let bytes_max = packed.len().saturating_mul(RATIO_MAX).max(RATIO_FREE_BYTES);
    let mut text = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        match decoder.read(&mut chunk).map_err(DecodeError::Decompress)? {
            0 => break,
            read => text.extend_from_slice(&chunk[..read]),
        }
        if planted::is("no-unpack-cap") {
            continue;
        }
        if text.len() > UNPACKED_BYTES_MAX {
            return Err(DecodeError::UnpackedTooLarge);
        }
        if text.len() > bytes_max {
            return Err(DecodeError::RatioTooLarge { packed_bytes: packed.len() });
        }
    }
    match decoder.finish().len() {
        0 => Ok(text),
        bytes => Err(DecodeError::Trailing { bytes }),
    }
}

fn read_header(line: &str) -> Result<Header, DecodeError> {
    /// What every version of the header has; read first, so that a newer one is named as such.
    #[derive(Deserialize)]
    struct Announcement {
        format: String,
        version: u32,
    }
    let wrong = |reason: String| DecodeError::Header { reason };
    if is_too_deep(line) {
        return Err(wrong(Rejection::TooDeep.to_string()));
    }
    let announcement: Announcement = serde_json::from_str(line).map_err(|error| wrong(shorten(&error)))?;
    if announcement.format != FORMAT {
        return Err(wrong(format!("its format is not {FORMAT}")));
    }
    match announcement.version {
        1 => serde_json::from_str(line).map_err(|error| wrong(shorten(&error))),
        version => Err(DecodeError::Version { version }),
    }
}

fn read_line(header: &Header, line: &str, number: u32) -> Line {
    let event = read_event(header, line);
    let seq = match &event {
        Ok(event) => Some(event.seq),
        Err(Rejection::TooDeep) => None,
        Err(_) => seq_of_broken(line),
    };
    Line { number, seq, event }
}

fn read_event(header: &Header, line: &str) -> Result<Event, Rejection> {
    if is_too_deep(line) {
        return Err(Rejection::TooDeep);
    }
    let event: Event = serde_json::from_str(line).map_err(|error| Rejection::NotAnEvent(shorten(&error)))?;
    if (event.agent_id, event.epoch) != (header.agent_id, header.epoch) {
        return Err(Rejection::ForeignStream);
    }
    if event.seq == 0 {
        return Err(Rejection::SeqZero);
    }
    if event.received_at_us.is_some() {
        return Err(Rejection::ReceivedAtGiven);
    }
    if !event.hashed.keys().all(|name| is_hashed_alone(&event, name)) {
        return Err(Rejection::NotHashable);
    }
    Ok(event)
}

/// Whether that name is a column which can be hashed, and whose value is not there in clear as well.
fn is_hashed_alone(event: &Event, name: &str) -> bool {
    column::find(name).is_some_and(|column| column.id.is_hashable() && event.value(column.id as usize) == Value::Null)
}

/// The `seq` of a line that is JSON but no event, so that the sender learns which one it must not send again.
fn seq_of_broken(line: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Seq {
        seq: u64,
    }
    serde_json::from_str::<Seq>(line).ok().map(|line| line.seq)
}

/// Whether a line of JSON opens more than [`JSON_DEPTH_MAX`] arrays or objects inside one another.
///
/// Brackets inside strings do not count. The line need not be valid: it is looked at, not parsed.
fn is_too_deep(line: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in line.bytes() {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_string = false,
            (true, _) => {}
            (false, b'"') => in_string = true,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > JSON_DEPTH_MAX {
                    return true;
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            (false, _) => {}
        }
    }
    false
}

/// What the parser says, short enough for a receipt. It names members, types and places; where it would quote a
/// value, the value is cut out, for it may be personal.
fn shorten(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let without_value = match (message.find("string \""), message.rfind('"')) {
        (Some(start), Some(end)) if start + 8 <= end => {
            format!("{}text{}", &message[..start], &message[end + 1..])
        }
        _ => message,
    };
    without_value.chars().take(REASON_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests;
