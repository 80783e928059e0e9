//! Gives imported events an identity: which stream, which number in it.
//!
//! A stream is what an agent is for recordings: the events of one user in the order of the rows. Its identities are
//! UUIDs of version 5 (RFC 9562) made from the import's `source` and the stream's name, so that the same log imported
//! again gives the same events.

use std::collections::HashMap;

use uilog::Event;
use uuid::Uuid;

/// The most streams of one log; rows of further users are rejected.
const STREAMS_MAX: usize = 100_000;

/// The most bytes of a stream's name; rows of users with a longer one are rejected.
const NAME_BYTES_MAX: usize = 1_024;

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
        streams.begin(first);
        streams
    }

    /// Goes on in the stream of that name, beginning it if there is none.
    ///
    /// Errors: the reason for a reject, if there are too many streams or the name is too long.
    pub(super) fn enter(&mut self, name: &str) -> Result<(), String> {
        if self.name() == name {
            return Ok(());
        }
        match self.positions.get(name) {
            Some(position) => self.current = *position,
            None if name.len() > NAME_BYTES_MAX => {
                return Err(format!("names a user with more than {NAME_BYTES_MAX} bytes"));
            }
            None if self.streams.len() >= STREAMS_MAX => {
                return Err(format!("names another user after {STREAMS_MAX}"));
            }
            None => self.begin(name),
        }
        Ok(())
    }

    fn begin(&mut self, name: &str) {
        let agent_id = Uuid::new_v5(&self.source, name.as_bytes());
        let session_id = Uuid::new_v5(&agent_id, b"session");
        self.current = self.streams.len();
        self.streams.push(Stream { name: name.to_owned(), agent_id, session_id, seq: 0 });
        self.positions.insert(name.to_owned(), self.current);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stream_counts_its_own_events() {
        let mut streams = Streams::new(Uuid::from_u128(1), "ann");
        let mut told = Vec::new();
        for name in ["ann", "bob", "bob", "ann"] {
            let mut event = Event::default();
            streams.enter(name).unwrap();
            streams.identify(&mut event);
            told.push((streams.name().to_owned(), event.seq));
        }
        let expected = [("ann", 1), ("bob", 1), ("bob", 2), ("ann", 2)];
        assert_eq!(told, expected.map(|(name, seq)| (name.to_owned(), seq)));
    }

    #[test]
    fn users_without_end_do_not_fill_the_memory() {
        let mut streams = Streams::new(Uuid::from_u128(1), "");
        for number in 1..STREAMS_MAX {
            streams.enter(&number.to_string()).unwrap();
        }
        assert_eq!(streams.enter("one more").unwrap_err(), "names another user after 100000");
        assert_eq!(streams.enter("77"), Ok(()));
        assert!(streams.enter(&"x".repeat(NAME_BYTES_MAX + 1)).is_err());
    }
}
