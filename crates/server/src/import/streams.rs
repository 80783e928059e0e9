//! Gives imported events an identity: which stream, which number in it.
//!
//! A stream is what an agent is for recordings: the events of one user in the order of the rows. Its identities are
//! UUIDs of version 5 (RFC 9562) made from the import's `source` and the stream's name, so that the same log imported
//! again gives the same events.

use std::collections::HashMap;

use uilog::Event;
use uuid::Uuid;

/// The identities of an imported log.
pub(super) struct Streams {
    source: Uuid,
    epoch: Uuid,
    positions: HashMap<String, usize>,
    streams: Vec<Stream>,
    current: usize,
}

struct Stream {
    name: String,
    agent_id: Uuid,
    session_id: Uuid,
    seq: u64,
}

impl Streams {
    /// Begins in the stream named `first`.
    pub(super) fn new(source: Uuid, first: &str) -> Self {
        let mut streams = Streams {
            source,
            epoch: Uuid::new_v5(&source, b"epoch"),
            positions: HashMap::new(),
            streams: Vec::new(),
            current: 0,
        };
        streams.enter(first);
        streams
    }

    /// Goes on in the stream of that name.
    pub(super) fn enter(&mut self, name: &str) {
        if self.streams.get(self.current).is_some_and(|stream| stream.name == name) {
            return;
        }
        self.current = match self.positions.get(name) {
            Some(position) => *position,
            None => {
                let agent_id = Uuid::new_v5(&self.source, name.as_bytes());
                let session_id = Uuid::new_v5(&agent_id, b"session");
                self.streams.push(Stream { name: name.to_owned(), agent_id, session_id, seq: 0 });
                self.positions.insert(name.to_owned(), self.streams.len() - 1);
                self.streams.len() - 1
            }
        };
    }

    /// Makes the event the next of the stream.
    pub(super) fn identify(&mut self, event: &mut Event) {
        let stream = &mut self.streams[self.current];
        stream.seq += 1;
        event.agent_id = stream.agent_id;
        event.epoch = self.epoch;
        event.seq = stream.seq;
        event.session_id = stream.session_id;
    }

    /// The name of the stream.
    pub(super) fn name(&self) -> &str {
        &self.streams[self.current].name
    }

    /// The agent that stands for the stream.
    pub(super) fn agent_id(&self) -> Uuid {
        self.streams[self.current].agent_id
    }
}
