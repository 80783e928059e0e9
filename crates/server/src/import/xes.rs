//! XES, the standard form of event logs: traces of events, each with typed attributes.
//!
//! A trace is a case, so its name becomes `case_id` and it is a session of its own. The order of events is that of the
//! trace. To let the store sort and read a big log in parts, whole traces are gathered into streams of about
//! [`STREAM_EVENTS`] events. The activity stands in `attributes['concept:name']`, and in `element_name`, where it can be
//! seen; the other attributes are kept under their keys, nested ones as `outer.inner`, those of the trace as `case:key`.
//!
//! Source: IEEE Std 1849-2016, *Standard for eXtensible Event Stream (XES)*.

use std::io::{self, BufRead, BufReader, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event as Xml};
use uilog::Event;
use uuid::Uuid;

use super::input::Input;
use super::rejects::Reject;
use super::row::{fill_attributes, put};
use super::streams::Streams;
use super::words::Words;
use super::{Format, ImportError, Options, Source, Step, time};

/// A stream ends with the first trace that reaches this number of events.
const STREAM_EVENTS: u64 = 50_000;

/// The most bytes of one tag or text, 4 MiB; a file with a longer one is not read on.
const TOKEN_BYTES_MAX: usize = 4 << 20;

/// How deep attributes may nest; deeper ones are read over.
const NESTING_MAX: usize = 16;

/// The most attributes of one event or trace; further ones are read over.
const ATTRIBUTES_MAX: usize = 256;

/// A log that is being read.
pub(super) struct Log {
    reader: quick_xml::Reader<Bounded<BufReader<Input>>>,
    buffer: Vec<u8>,
    /// Elements that are open, outermost first.
    open: Vec<Element>,
    /// Keys of the attributes that are open, outermost first.
    keys: Vec<String>,
    trace: Attributes,
    event: Attributes,
    session_id: Option<Uuid>,
    events: u64,
    traces: u64,
    stream: u64,
    stream_events: u64,
    streams: Streams,
    words: Words,
}

/// Keys and values in the order of the file.
type Attributes = Vec<(String, String)>;

/// What an element is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Log,
    Trace,
    Event,
    /// `string`, `date`, `int`, `float`, `boolean`, `id`, `list`, `container`.
    Attribute,
    /// `values` of a list: its children belong to the list.
    Values,
    /// Extensions, classifiers, globals, and what we do not know, with all that is in it.
    Other,
}

/// Opens a log.
pub(super) fn open(input: Input, options: &Options) -> Log {
    let bounded = Bounded { input: input.buffered(), used: 0 };
    Log {
        reader: quick_xml::Reader::from_reader(bounded),
        buffer: Vec::new(),
        open: Vec::new(),
        keys: Vec::new(),
        trace: Vec::new(),
        event: Vec::new(),
        session_id: None,
        events: 0,
        traces: 0,
        stream: 1,
        stream_events: 0,
        streams: Streams::new(options.source, "traces 1"),
        words: Words::default(),
    }
}

impl Source for Log {
    fn read(&mut self, event: &mut Event) -> Result<Step, ImportError> {
        loop {
            self.reader.get_mut().used = 0;
            self.buffer.clear();
            let mut buffer = std::mem::take(&mut self.buffer);
            let byte = self.reader.buffer_position();
            let found = self.reader.read_event_into(&mut buffer);
            let step = match found {
                Ok(Xml::Start(tag)) => self.begin(&tag, false).map(|()| None),
                Ok(Xml::Empty(tag)) => self.begin(&tag, true).map(|()| self.end(event)),
                Ok(Xml::End(_)) => Ok(self.end(event)),
                Ok(Xml::Eof) if self.open.is_empty() => Ok(Some(Step::End)),
                Ok(Xml::Eof) => Err("the log ends inside an element".to_owned()),
                Ok(_) => Ok(None),
                Err(quick_xml::Error::Io(error)) => {
                    return Err(ImportError::Read { place: format!("byte {byte}"), source: io::Error::other(error) });
                }
                Err(error) => Err(error.to_string()),
            };
            self.buffer = buffer;
            match step {
                Ok(Some(step)) => return Ok(step),
                Ok(None) => {}
                Err(reason) => {
                    return Err(ImportError::Malformed { format: Format::Xes, byte, reason });
                }
            }
        }
    }
}

impl Log {
    /// A tag opens. An attribute is kept here, with its value; traces and events begin empty.
    fn begin(&mut self, tag: &BytesStart<'_>, is_empty: bool) -> Result<(), String> {
        let inside = self.open.last().copied();
        let element = match (tag.local_name().into_inner(), inside) {
            (_, Some(Element::Other)) => Element::Other,
            ("log", None) => Element::Log,
            ("trace", Some(Element::Log)) => Element::Trace,
            ("event", Some(Element::Trace | Element::Log)) => Element::Event,
            ("values", Some(Element::Attribute)) => Element::Values,
            (
                "string" | "date" | "int" | "float" | "boolean" | "id" | "list" | "container",
                Some(Element::Trace | Element::Event | Element::Attribute | Element::Values),
            ) => Element::Attribute,
            (_, None) => return Err("the outermost element is no log".to_owned()),
            _ => Element::Other,
        };
        match element {
            Element::Trace => {
                self.trace.clear();
                self.begin_trace()?;
            }
            Element::Event => {
                self.event.clear();
                if inside == Some(Element::Log) && self.session_id.is_none() {
                    self.begin_trace()?;
                }
            }
            Element::Attribute => self.attribute(tag)?,
            _ => {}
        }
        if !is_empty && self.open.len() > 4 * NESTING_MAX {
            return Err("it is nested too deep".to_owned());
        }
        self.open.push(element);
        Ok(())
    }

    fn begin_trace(&mut self) -> Result<(), String> {
        if self.stream_events >= STREAM_EVENTS {
            self.stream += 1;
            self.stream_events = 0;
            self.streams.enter(&format!("traces {}", self.stream))?;
        }
        self.traces += 1;
        let name = format!("trace {}", self.traces);
        self.session_id = Some(Uuid::new_v5(&self.streams.agent_id(), name.as_bytes()));
        Ok(())
    }

    fn attribute(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        let (mut key, mut value) = (String::new(), None);
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let text = || attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string());
            match attribute.key.into_inner() {
                "key" => key = text()?.into_owned(),
                "value" => value = Some(text()?.into_owned()),
                _ => {}
            }
        }
        self.keys.push(key);
        let owner = if self.open.contains(&Element::Event) { &mut self.event } else { &mut self.trace };
        if let Some(value) = value
            && owner.len() < ATTRIBUTES_MAX
            && self.keys.len() <= NESTING_MAX
        {
            owner.push((self.keys.join("."), value));
        }
        Ok(())
    }

    /// A tag closes. The end of an event is where it becomes one of ours.
    fn end(&mut self, event: &mut Event) -> Option<Step> {
        match self.open.pop()? {
            Element::Attribute => {
                self.keys.pop();
                None
            }
            Element::Trace => {
                self.session_id = None;
                None
            }
            Element::Event => {
                self.events += 1;
                Some(match self.fill(event) {
                    Ok(()) => Step::Event,
                    Err(reason) => Step::Reject(Reject::new(self.events, reason, self.written().as_bytes())),
                })
            }
            Element::Log | Element::Values | Element::Other => None,
        }
    }

    fn fill(&mut self, event: &mut Event) -> Result<(), String> {
        event.clear();
        let own = |key: &str| find(&self.event, key);
        let written = own("time:timestamp");
        if written.is_empty() {
            return Err("has no time:timestamp".to_owned());
        }
        let instant = time::parse(written).ok_or("its time:timestamp is not a time")?;
        event.time_us = instant.time_us;
        event.tz_offset_min = instant.tz_offset_min;
        let activity = own("concept:name");
        event.event_type = self.words.event_type(activity, false);
        put(&mut event.element_name, activity);
        put(&mut event.user_name, own("org:resource"));
        put(&mut event.case_id, find(&self.trace, "concept:name"));
        let of_trace: Vec<(String, &str)> = self
            .trace
            .iter()
            .filter(|(key, _)| key != "concept:name")
            .map(|(key, value)| (format!("case:{key}"), value.as_str()))
            .collect();
        let mut attributes = vec![("source_event", activity)];
        attributes.extend(of_trace.iter().map(|(key, value)| (key.as_str(), *value)));
        attributes.extend(
            self.event
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "time:timestamp" | "org:resource"))
                .map(|(key, value)| (key.as_str(), value.as_str())),
        );
        fill_attributes(event, &attributes);
        self.streams.identify(event);
        if let Some(session_id) = self.session_id {
            event.session_id = session_id;
        }
        self.stream_events += 1;
        Ok(())
    }

    /// The event as it was read, for a reject.
    fn written(&self) -> String {
        self.event.iter().map(|(key, value)| format!("{key}={value} ")).collect()
    }
}

fn find<'a>(attributes: &'a Attributes, key: &str) -> &'a str {
    attributes.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
}

/// An input that ends with an error when one tag takes too many bytes.
struct Bounded<R> {
    input: R,
    /// Bytes used since the last tag.
    used: usize,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.used += read;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used > TOKEN_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a tag or text is longer than {TOKEN_BYTES_MAX} bytes"),
            ));
        }
        self.input.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.used += bytes;
        self.input.consume(bytes);
    }
}
