//! ActivityWatch: which window was in front, who was away, which page was open, as exported to JSON.
//!
//! The export has buckets, one per watcher and machine, each with its events, newest first. A user's stream needs them
//! together and in the order of time, so they are held, in short form, and sorted: a file of any size is read in parts
//! of [`HELD_BYTES_MAX`]. The events of one machine in one part are one stream; what lies in different parts is not
//! interleaved, which only an export of several years reaches.
//!
//! ```text
//! bucket window   [mail         ][crm                 ][mail  ]
//! bucket afk      [not-afk              ][afk        ][not-afk]
//! stream          mail           crm     idle_started  idle_ended, mail
//! ```
//!
//! Source: the export of aw-server and aw-server-rust, and the documentation of its bucket types at
//! docs.activitywatch.net.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::sync::Arc;

use serde::Deserialize;
use uilog::Event;
use uilog::event::EventType;

use super::input::Input;
use super::rejects::Reject;
use super::row::{fill_attributes, put};
use super::streams::Streams;
use super::url::Urls;
use super::{Format, ImportError, Options, Source, Step, time};

/// The most bytes of events that are held for sorting, 64 MiB; several hundred thousand events.
const HELD_BYTES_MAX: usize = 64 << 20;

/// What holding an event costs beside its text.
const HELD_OVERHEAD_BYTES: usize = 96;

/// The most bytes of one event as JSON, 1 MiB. A longer one is rejected.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// The most bytes of the head of a bucket, or of one of its members other than events.
const HEAD_BYTES_MAX: usize = 1 << 20;

/// How deep the JSON may nest.
const DEPTH_MAX: usize = 32;

/// An export that is being read.
pub(super) struct Export {
    scanner: Scanner<BufReader<Input>>,
    place: Place,
    bucket: Arc<Bucket>,
    /// Events in the order of time, to be handed out.
    ready: VecDeque<Held>,
    rejects: VecDeque<Reject>,
    /// How many events were read, for the place of a reject.
    number: u64,
    part: u64,
    streams: Streams,
    urls: Urls,
}

/// Where in the export the reader stands.
#[derive(PartialEq, Eq)]
enum Place {
    /// Before, between or in the heads of buckets.
    Outside,
    /// Among the events of a bucket.
    Events,
    /// Behind the last byte.
    End,
}

/// What events inherit from their bucket.
#[derive(Default)]
struct Bucket {
    id: String,
    client: String,
    hostname: String,
}

impl Bucket {
    /// The machine: as the bucket says, or what follows the watcher's name in its id.
    fn machine(&self) -> &str {
        match self.hostname.as_str() {
            "" | "unknown" => self.id.split_once('_').map_or("", |(_, machine)| machine),
            hostname => hostname,
        }
    }
}

struct Held {
    time_us: i64,
    bucket: Arc<Bucket>,
    json: Box<[u8]>,
}

/// One event as the export writes it.
#[derive(Deserialize)]
struct Written {
    timestamp: String,
    #[serde(default)]
    duration: Option<f64>,
    #[serde(default)]
    data: serde_json::Map<String, serde_json::Value>,
}

/// Opens an export.
pub(super) fn open(input: Input, options: &Options) -> Export {
    Export {
        scanner: Scanner { input: input.buffered(), byte: 0 },
        place: Place::Outside,
        bucket: Arc::default(),
        ready: VecDeque::new(),
        rejects: VecDeque::new(),
        number: 0,
        part: 0,
        streams: Streams::new(options.source, ""),
        urls: Urls::default(),
    }
}

impl Source for Export {
    fn read(&mut self, event: &mut Event) -> Result<Step, ImportError> {
        loop {
            if let Some(reject) = self.rejects.pop_front() {
                return Ok(Step::Reject(reject));
            }
            if let Some(held) = self.ready.pop_front() {
                return Ok(match self.fill(event, &held) {
                    Ok(()) => Step::Event,
                    Err(reason) => Step::Reject(Reject::new(self.number, reason, &held.json)),
                });
            }
            if self.place == Place::End {
                return Ok(Step::End);
            }
            self.hold_part()?;
        }
    }
}

impl Export {
    /// Reads events until enough are held or the export ends, and sorts them.
    fn hold_part(&mut self) -> Result<(), ImportError> {
        let mut held = Vec::new();
        let mut held_bytes = 0;
        self.part += 1;
        while held_bytes < HELD_BYTES_MAX && self.place != Place::End {
            let Some(json) = self.next_event()? else { continue };
            self.number += 1;
            held_bytes += json.len() + HELD_OVERHEAD_BYTES;
            match read_time(&json) {
                Ok(time_us) => {
                    held.push(Held { time_us, bucket: Arc::clone(&self.bucket), json: json.into_boxed_slice() })
                }
                Err(reason) => self.rejects.push_back(Reject::new(self.number, reason, &json)),
            }
        }
        // Buckets are newest first; equal times keep the order of the buckets.
        held.sort_by_key(|event| event.time_us);
        self.ready = held.into();
        Ok(())
    }

    /// The JSON of the next event, or `None` after one step through what is none.
    fn next_event(&mut self) -> Result<Option<Vec<u8>>, ImportError> {
        match self.scanner.peek_token()? {
            None if self.place == Place::Events => Err(self.scanner.malformed("the export ends inside a bucket")),
            None => {
                self.place = Place::End;
                Ok(None)
            }
            Some(b'{') if self.place == Place::Events => {
                self.scanner.value(EVENT_BYTES_MAX, &mut self.rejects, self.number + 1)
            }
            Some(b']') if self.place == Place::Events => {
                self.scanner.take()?;
                self.place = Place::Outside;
                Ok(None)
            }
            Some(b',') => self.scanner.take().map(|_| None),
            Some(_) if self.place == Place::Events => Err(self.scanner.malformed("an event is expected")),
            Some(b'"') => self.member().map(|()| None),
            Some(b'{' | b'}') => self.scanner.take().map(|_| None),
            Some(_) => Err(self.scanner.malformed("a bucket is expected")),
        }
    }

    /// A member outside of events: the head of a bucket, `events` itself, or something that opens an object.
    fn member(&mut self) -> Result<(), ImportError> {
        let name = self.scanner.string(HEAD_BYTES_MAX)?;
        if self.scanner.peek_token()? != Some(b':') {
            return Err(self.scanner.malformed("a ':' is expected"));
        }
        self.scanner.take()?;
        match (name.as_str(), self.scanner.peek_token()?) {
            ("buckets", Some(b'{')) => {
                self.scanner.take()?;
            }
            ("events", Some(b'[')) => {
                self.scanner.take()?;
                self.place = Place::Events;
            }
            (_, Some(b'"')) => {
                let text = self.scanner.string(HEAD_BYTES_MAX)?;
                self.keep(&name, text);
            }
            // A bucket begins where a member of `buckets` is an object that may have events.
            (_, Some(b'{')) if !matches!(name.as_str(), "data" | "metadata") => {
                self.scanner.take()?;
                self.bucket = Arc::new(Bucket { id: name, ..Bucket::default() });
            }
            (_, Some(_)) => {
                self.scanner.value(HEAD_BYTES_MAX, &mut self.rejects, self.number)?;
            }
            (_, None) => return Err(self.scanner.malformed("the export ends inside a bucket")),
        }
        Ok(())
    }

    fn keep(&mut self, name: &str, text: String) {
        let known = &self.bucket;
        let mut bucket =
            Bucket { id: known.id.clone(), client: known.client.clone(), hostname: known.hostname.clone() };
        match name {
            "client" => bucket.client = text,
            "hostname" => bucket.hostname = text,
            _ => return,
        }
        self.bucket = Arc::new(bucket);
    }

    fn fill(&mut self, event: &mut Event, held: &Held) -> Result<(), String> {
        event.clear();
        let written: Written = serde_json::from_slice(&held.json).map_err(|_| "is no event of activitywatch")?;
        event.time_us = held.time_us;
        event.tz_offset_min =
            time::parse(&written.timestamp).and_then(|time| time.tz_offset_min).filter(|offset| *offset != 0);
        let text = |key: &str| written.data.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        put(&mut event.machine_name, held.bucket.machine());
        event.event_type = if written.data.contains_key("status") {
            match text("status") {
                "afk" => EventType::IdleStarted,
                _ => EventType::IdleEnded,
            }
        } else if written.data.contains_key("url") {
            put(&mut event.url, text("url"));
            let parts = self.urls.parts(text("url"));
            put(&mut event.url_host, &parts.host);
            put(&mut event.url_template, &parts.template);
            put(&mut event.page_title, text("title"));
            EventType::PageLoaded
        } else {
            put(&mut event.application, text("app"));
            put(&mut event.process_name, &text("app").to_lowercase());
            put(&mut event.window_title, text("title"));
            EventType::WindowActivated
        };
        let duration = written.duration.map(|seconds| format!("{:.0}", seconds * 1e6)).unwrap_or_default();
        let others: Vec<(&str, String)> = written
            .data
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "status" | "url" | "title" | "app"))
            .map(|(key, value)| (key.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect();
        let mut attributes = vec![
            ("bucket", held.bucket.id.as_str()),
            ("client", held.bucket.client.as_str()),
            ("duration_us", duration.as_str()),
        ];
        attributes.extend(others.iter().map(|(key, value)| (*key, value.as_str())));
        fill_attributes(event, &attributes);

        let machine = held.bucket.machine();
        match self.part {
            1 => self.streams.enter(machine)?,
            part => self.streams.enter(&format!("{machine}/{part}"))?,
        }
        self.streams.identify(event);
        Ok(())
    }
}

fn read_time(json: &[u8]) -> Result<i64, String> {
    let written: Written = serde_json::from_slice(json)
        .map_err(|error| format!("is no event of activitywatch, column {}", error.column()))?;
    time::parse(&written.timestamp)
        .map(|instant| instant.time_us)
        .ok_or_else(|| "its timestamp is not a time".to_owned())
}

/// Cuts JSON into tokens and values without parsing the whole.
struct Scanner<R> {
    input: R,
    byte: u64,
}

impl<R: BufRead> Scanner<R> {
    fn malformed(&self, reason: &str) -> ImportError {
        ImportError::Malformed { format: Format::ActivityWatch, byte: self.byte, reason: reason.to_owned() }
    }

    fn read_error(&self, source: std::io::Error) -> ImportError {
        ImportError::Read { place: format!("byte {}", self.byte), source }
    }

    /// The next byte that is no white space, left in place.
    fn peek_token(&mut self) -> Result<Option<u8>, ImportError> {
        loop {
            let held = match self.input.fill_buf() {
                Ok(held) => held,
                Err(error) => return Err(self.read_error(error)),
            };
            let blank = held.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let (token, is_empty) = (held.get(blank).copied(), held.is_empty());
            self.input.consume(blank);
            self.byte += blank as u64;
            if token.is_some() || is_empty {
                return Ok(token);
            }
        }
    }

    fn take(&mut self) -> Result<u8, ImportError> {
        let mut byte = [0];
        if let Err(error) = self.input.read_exact(&mut byte) {
            return Err(match error.kind() {
                std::io::ErrorKind::UnexpectedEof => self.malformed("the export ends too early"),
                _ => self.read_error(error),
            });
        }
        self.byte += 1;
        Ok(byte[0])
    }

    /// A string, unescaped.
    fn string(&mut self, bytes_max: usize) -> Result<String, ImportError> {
        let mut rejects = VecDeque::new();
        let json = self.value(bytes_max, &mut rejects, 0)?.unwrap_or_default();
        serde_json::from_slice(&json).map_err(|_| self.malformed("a string is expected"))
    }

    /// The bytes of one value. One that is longer than `bytes_max` is read over and rejected.
    fn value(
        &mut self,
        bytes_max: usize,
        rejects: &mut VecDeque<Reject>,
        number: u64,
    ) -> Result<Option<Vec<u8>>, ImportError> {
        let mut json = Vec::new();
        let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
        let mut length = 0;
        loop {
            let byte = match (depth, in_string, self.peek_in_value()?) {
                // A number or a word ends where something else begins.
                (0, false, None | Some(b',' | b'}' | b']')) if length > 0 => break,
                (_, _, None) => return Err(self.malformed("the export ends inside a value")),
                (_, _, Some(byte)) => byte,
            };
            self.input.consume(1);
            self.byte += 1;
            length += 1;
            if length <= bytes_max {
                json.push(byte);
            }
            match (in_string, byte) {
                (true, _) if escaped => escaped = false,
                (true, b'\\') => escaped = true,
                (_, b'"') => in_string = !in_string,
                (false, b'{' | b'[') => depth += 1,
                (false, b'}' | b']') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEPTH_MAX {
                return Err(self.malformed("it is nested too deep"));
            }
            if depth == 0 && !in_string && matches!(byte, b'"' | b'}' | b']') {
                break;
            }
        }
        if length > bytes_max {
            rejects.push_back(Reject::new(number, format!("is longer than {bytes_max} bytes"), &json));
            return Ok(None);
        }
        Ok(Some(json))
    }

    fn peek_in_value(&mut self) -> Result<Option<u8>, ImportError> {
        match self.input.fill_buf() {
            Ok(held) => Ok(held.first().copied()),
            Err(error) => Err(ImportError::Read { place: format!("byte {}", self.byte), source: error }),
        }
    }
}
