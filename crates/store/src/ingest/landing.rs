//! One batch of events lands: what is new of it is kept, what came before is recognised, for ever.
//!
//! Per (agent, epoch) the received `seq` ranges are kept, not one high-water mark: two upload lanes overtake each other, and
//! the ranges outlive the rows, or a late repetition would bring back what was erased. A hash of each event's text is kept
//! for [`HASHES_DAYS`], so that the same number with another content is noticed (a cloned spool) and never overwrites.
//!
//! What the events say is not looked at here; they come scrubbed.

use super::rows::{Bound, Rows};
use crate::StoreError;
use sqlx::{AnyConnection, Row};
use std::collections::HashMap;
use uilog::{SeqRanges, planted};
use uuid::Uuid;

/// How long a repetition is compared with what was stored; later ones are believed to be the same.
pub const HASHES_DAYS: i64 = 7;

/// Ranges of one (agent, epoch) at most; more holes than this are no ordinary loss, and the batch is refused.
pub const RANGES_MAX: usize = 4_096;

/// zstd's level for what waits to be folded: it is read once, soon.
const BODY_LEVEL: i32 = 1;

/// Events of one agent and epoch, scrubbed, as they will be stored.
#[derive(Debug)]
pub struct Batch {
    /// The project, from the credential.
    pub project: String,
    /// The agent, from the credential.
    pub agent_id: Uuid,
    /// The epoch of its spool.
    pub epoch: Uuid,
    /// The service's clock, microseconds since 1970, UTC.
    pub received_at_us: i64,
    /// JSON Lines, one per entry of `events`, in the same order.
    pub text: Vec<u8>,
    /// Where each event is in `text`.
    pub events: Vec<Entry>,
    /// `seq` ranges that the client will never send, as its coverage gaps explain them.
    pub removed: SeqRanges,
}

/// A batch whose text is compressed: by whoever brings it, because the one task that writes is what all wait for.
#[derive(Debug)]
pub(super) struct Packed {
    /// Without its text.
    pub batch: Batch,
    /// The text, compressed.
    pub body: Vec<u8>,
}

impl Packed {
    pub fn of(mut batch: Batch) -> Result<Self, LandError> {
        let text = std::mem::take(&mut batch.text);
        let body = compress(&text).map_err(|error| LandError::Unavailable(error.to_string()))?;
        Ok(Self { batch, body })
    }

    /// The compressed text of some of its events.
    fn into_body_of(self, fresh: &[usize]) -> Result<Vec<u8>, StoreError> {
        let events = &self.batch.events;
        if fresh.len() == events.len() {
            return Ok(self.body);
        }
        let text = zstd::decode_all(self.body.as_slice())
            .map_err(|error| StoreError::Invalid(format!("cannot unpack a batch: {error}")))?;
        let line = |at: usize| &text[at.checked_sub(1).map_or(0, |before| events[before].end)..events[at].end];
        compress(&fresh.iter().flat_map(|at| line(*at)).copied().collect::<Vec<u8>>())
    }
}

fn compress(text: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::compress(text, BODY_LEVEL)
        .map_err(|error| StoreError::Invalid(format!("cannot compress a batch: {error}")))
}

/// One event of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// Hash of its text as it was sent.
    pub hash: u32,
    /// End of its line in the batch's text; it begins where the one before ends.
    pub end: usize,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Landed {
    /// Stored now.
    pub accepted: SeqRanges,
    /// Stored before.
    pub duplicates: SeqRanges,
}

/// Why nothing of a batch was stored.
#[derive(Debug, thiserror::Error)]
pub enum LandError {
    /// Too much waits already.
    #[error("too many batches wait to be stored")]
    Overloaded,
    /// An event came before with another content: two spools claim the same numbers.
    #[error("event {seq} was stored before with another content")]
    Conflict {
        /// Its number.
        seq: u64,
    },
    /// The numbers of an (agent, epoch) have too many holes.
    #[error("the events of this agent have more than {RANGES_MAX} holes")]
    Scattered,
    /// The database failed; the batch may be sent again.
    #[error("the batch could not be stored: {0}")]
    Unavailable(String),
}

/// What is known of one (agent, epoch).
#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    pub ranges: SeqRanges,
    pub removed: SeqRanges,
}

/// Streams by (agent, epoch).
pub(super) type Streams = HashMap<(Uuid, Uuid), Stream>;

/// The 32 bits by which an event's text is recognised when it comes again.
pub fn hash_of(text: &[u8]) -> u32 {
    // FNV-1a in 64 bits, folded: short, the same on every machine and in every version, and nobody gains by a collision
    // but the client that lies about its own events.
    let hash = text
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 32)) as u32
}

/// Looks at one batch inside a transaction. What it makes is left in `rows` and the stream's new state in `streams`, for whoever
/// writes the rows and commits.
pub(super) async fn land(
    connection: &mut AnyConnection,
    streams: &mut Streams,
    rows: &mut LandingRows,
    packed: Packed,
) -> Result<Result<Landed, LandError>, StoreError> {
    let batch = &packed.batch;
    let key = (batch.agent_id, batch.epoch);
    let before = match streams.get(&key) {
        Some(stream) => stream.clone(),
        None => read_stream(connection, key).await?.unwrap_or_default(),
    };
    let mut after = before.clone();
    let mut landed = Landed::default();
    let mut fresh = Vec::with_capacity(batch.events.len());
    for (position, event) in batch.events.iter().enumerate() {
        if after.ranges.add(event.seq) || planted::is("dedupe-off") {
            landed.accepted.add(event.seq);
            if planted::is("silent-drop") && event.seq.is_multiple_of(97) {
                continue;
            }
            fresh.push(position);
        } else {
            landed.duplicates.add(event.seq);
        }
    }
    if fresh.len() < batch.events.len() {
        // What it repeats may have come with this very group.
        rows.write(connection).await?;
        if let Some(seq) = conflict(connection, batch, &before, &fresh).await? {
            return Ok(Err(LandError::Conflict { seq }));
        }
    }
    after.removed.extend(&batch.removed);
    if after.ranges.ranges().len() > RANGES_MAX || after.removed.ranges().len() > RANGES_MAX {
        return Ok(Err(LandError::Scattered));
    }
    if !fresh.is_empty() || after.removed != before.removed {
        rows.put_stream(batch, &after);
    }
    streams.insert(key, after);
    if !fresh.is_empty() {
        rows.put_batch(packed, &fresh)?;
    }
    Ok(Ok(landed))
}

async fn read_stream(
    connection: &mut AnyConnection,
    (agent, epoch): (Uuid, Uuid),
) -> Result<Option<Stream>, StoreError> {
    let row = sqlx::query("SELECT ranges, removed FROM streams WHERE agent_id = $1 AND epoch = $2")
        .bind(agent.to_string())
        .bind(epoch.to_string())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Stream { ranges: ranges(row.try_get(0)?)?, removed: ranges(row.try_get(1)?)? }))
}

/// Reads ranges from their text.
pub(super) fn ranges(text: String) -> Result<SeqRanges, StoreError> {
    SeqRanges::from_text(&text)
        .ok_or_else(|| StoreError::Invalid(format!("the received ranges '{text}' cannot be read")))
}

/// The first event that came before with another content. Events that repeat inside the batch are compared too.
async fn conflict(
    connection: &mut AnyConnection,
    batch: &Batch,
    before: &Stream,
    fresh: &[usize],
) -> Result<Option<u64>, StoreError> {
    let mut known: HashMap<u64, u32> = fresh.iter().map(|at| (batch.events[*at].seq, batch.events[*at].hash)).collect();
    let repeated = || batch.events.iter().filter(|event| before.ranges.contains(event.seq));
    if let (Some(low), Some(high)) = (repeated().map(|event| event.seq).min(), repeated().map(|event| event.seq).max())
    {
        let rows = sqlx::query(
            "SELECT hashes FROM event_hashes WHERE agent_id = $1 AND epoch = $2 AND seq_max >= $3 AND seq_min <= $4",
        )
        .bind(batch.agent_id.to_string())
        .bind(batch.epoch.to_string())
        .bind(number(low))
        .bind(number(high))
        .fetch_all(connection)
        .await?;
        for row in rows {
            known.extend(unpack_hashes(&row.try_get::<Vec<u8>, _>(0)?));
        }
    }
    let differs = |event: &&Entry| known.get(&event.seq).is_some_and(|hash| *hash != event.hash);
    Ok(batch.events.iter().find(differs).map(|event| event.seq))
}

/// The rows that batches of one group make.
#[derive(Debug)]
pub(super) struct LandingRows {
    batches: Rows,
    hashes: Rows,
    /// The newest state of each stream.
    streams: HashMap<(Uuid, Uuid), Vec<Bound>>,
}

impl LandingRows {
    pub fn new() -> Self {
        Self {
            batches: Rows::of("INSERT INTO batches (id, project, agent_id, epoch, events, received_at, body)", ""),
            hashes: Rows::of(
                "INSERT INTO event_hashes (agent_id, epoch, project, seq_min, seq_max, stored_at, hashes)",
                "",
            ),
            streams: HashMap::new(),
        }
    }

    fn put_batch(&mut self, packed: Packed, fresh: &[usize]) -> Result<(), StoreError> {
        let batch = &packed.batch;
        let (agent, epoch) = (batch.agent_id.to_string(), batch.epoch.to_string());
        let entries = || fresh.iter().map(|at| batch.events[*at]);
        self.hashes.put(vec![
            agent.clone().into(),
            epoch.clone().into(),
            batch.project.clone().into(),
            number(entries().map(|event| event.seq).min().unwrap_or(0)).into(),
            number(entries().map(|event| event.seq).max().unwrap_or(0)).into(),
            batch.received_at_us.into(),
            Bound::Bytes(pack_hashes(entries())),
        ]);
        self.batches.put(vec![
            Uuid::now_v7().to_string().into(),
            batch.project.clone().into(),
            agent.into(),
            epoch.into(),
            (fresh.len() as i64).into(),
            batch.received_at_us.into(),
            Bound::Bytes(packed.into_body_of(fresh)?),
        ]);
        Ok(())
    }

    fn put_stream(&mut self, batch: &Batch, stream: &Stream) {
        let row = vec![
            batch.agent_id.to_string().into(),
            batch.epoch.to_string().into(),
            batch.project.clone().into(),
            stream.ranges.to_text().into(),
            stream.removed.to_text().into(),
            number(stream.ranges.count()).into(),
            batch.received_at_us.into(),
            Bound::Number(0),
            Bound::Number(0),
        ];
        self.streams.insert((batch.agent_id, batch.epoch), row);
    }

    /// Writes what is there, and forgets it.
    ///
    /// Errors: the database's; then none of it counts.
    pub async fn write(&mut self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let mut streams = Rows::of(
            "INSERT INTO streams (agent_id, epoch, project, ranges, removed, stored, last_at, erased, expired)",
            "ON CONFLICT (agent_id, epoch) DO UPDATE SET ranges = excluded.ranges, removed = excluded.removed,
                 stored = excluded.stored, last_at = excluded.last_at",
        );
        self.streams.drain().for_each(|(_, row)| streams.put(row));
        for rows in [&mut self.batches, &mut self.hashes, &mut streams] {
            rows.write(connection).await?;
        }
        Ok(())
    }
}

/// Databases know no unsigned numbers; no spool reaches the upper half.
fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Runs of consecutive numbers: first number, count, then the hashes; all little-endian.
fn pack_hashes(events: impl Iterator<Item = Entry>) -> Vec<u8> {
    let mut packed: Vec<u8> = Vec::new();
    let mut run: Option<(usize, u64, u32)> = None;
    for event in events {
        let count = match run {
            Some((at, first, count)) if first + u64::from(count) == event.seq => {
                packed[at..at + 4].copy_from_slice(&(count + 1).to_le_bytes());
                (at, first, count + 1)
            }
            _ => {
                packed.extend_from_slice(&event.seq.to_le_bytes());
                let at = packed.len();
                packed.extend_from_slice(&1_u32.to_le_bytes());
                (at, event.seq, 1)
            }
        };
        run = Some(count);
        packed.extend_from_slice(&event.hash.to_le_bytes());
    }
    packed
}

/// Reads what [`pack_hashes`] wrote; a torn end is left out.
fn unpack_hashes(mut packed: &[u8]) -> Vec<(u64, u32)> {
    fn take<const N: usize>(packed: &mut &[u8]) -> Option<[u8; N]> {
        let (head, rest) = packed.split_first_chunk::<N>()?;
        *packed = rest;
        Some(*head)
    }
    let mut hashes = Vec::new();
    while let (Some(first), Some(count)) = (take::<8>(&mut packed), take::<4>(&mut packed)) {
        for position in 0..u64::from(u32::from_le_bytes(count)) {
            let Some(hash) = take::<4>(&mut packed) else { return hashes };
            hashes.push((u64::from_le_bytes(first) + position, u32::from_le_bytes(hash)));
        }
    }
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_events_survive_their_bytes_whatever_the_order() {
        let numbers = [5_u64, 6, 7, 20, 3, 4];
        let entries = numbers.map(|seq| Entry { seq, hash: hash_of(&seq.to_le_bytes()), end: 0 });
        let expected: Vec<_> = entries.iter().map(|entry| (entry.seq, entry.hash)).collect();
        assert_eq!(unpack_hashes(&pack_hashes(entries.into_iter())), expected);
        assert_eq!(unpack_hashes(&[1, 2, 3]), []);
    }
}
