//! What a worker says on its standard output: a byte that tells the kind, a length, that many bytes.

use arrow::array::RecordBatch;
use arrow::ipc::writer::StreamWriter;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use store::engine::Cost;
use store::{Position, StoreError};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of one frame at most; longer ones are a lie.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Bytes of a batch after which it is sent in halves.
const BATCH_BYTES_TARGET: usize = 4 << 20;

/// One thing that a worker says.
#[derive(Debug)]
pub enum Frame {
    /// A piece of the answer: of an Arrow IPC stream (columns, then rows), or of a picture.
    Bytes(Vec<u8>),
    /// The answer is complete.
    Done(Cost),
    /// There is no answer, or no more of it.
    Failed(Failure),
}

/// An error on its way to whoever asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Failure {
    kind: FailureKind,
    message: String,
    line: Option<u64>,
    column: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
enum FailureKind {
    Sql,
    Cancelled,
    Other,
}

impl Failure {
    /// What went wrong, as the service shall know it.
    pub fn of(error: &StoreError) -> Self {
        let (kind, position) = match error {
            StoreError::Sql { position, .. } => (FailureKind::Sql, *position),
            StoreError::Cancelled(_) => (FailureKind::Cancelled, None),
            _ => (FailureKind::Other, None),
        };
        let (line, column) = (position.map(|place| place.line), position.map(|place| place.column));
        Self { kind, message: error.to_string(), line, column }
    }

    /// A sentence that no question caused.
    pub fn saying(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Other, message: message.into(), line: None, column: None }
    }

    /// The error that it was.
    pub fn into_error(self) -> StoreError {
        let position = self.line.zip(self.column).map(|(line, column)| Position { line, column });
        match self.kind {
            FailureKind::Sql => StoreError::Sql { message: self.message, position },
            FailureKind::Cancelled => StoreError::Cancelled(self.message),
            FailureKind::Other => StoreError::Invalid(self.message),
        }
    }
}

const BYTES: u8 = b'B';
const DONE: u8 = b'D';
const FAILED: u8 = b'F';

impl Frame {
    /// Writes it.
    pub fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let (kind, bytes) = match self {
            Self::Bytes(bytes) => return bytes.chunks(FRAME_BYTES_MAX).try_for_each(|piece| put(output, BYTES, piece)),
            Self::Done(cost) => (DONE, serde_json::to_vec(cost)?),
            Self::Failed(failure) => (FAILED, serde_json::to_vec(failure)?),
        };
        put(output, kind, &bytes)?;
        output.flush()
    }

    /// Reads the next one; `None` where the worker ended. Nothing is allocated for a length that cannot be.
    pub async fn read(input: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let kind = match input.read_u8().await {
            Ok(kind) => kind,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = input.read_u32_le().await? as usize;
        if length > FRAME_BYTES_MAX {
            return Err(io::Error::other("a frame is longer than it may be"));
        }
        let mut bytes = vec![0; length];
        input.read_exact(&mut bytes).await?;
        match kind {
            BYTES => Ok(Some(Self::Bytes(bytes))),
            DONE => Ok(Some(Self::Done(serde_json::from_slice(&bytes)?))),
            FAILED => Ok(Some(Self::Failed(serde_json::from_slice(&bytes)?))),
            _ => Err(io::Error::other("a frame is of no known kind")),
        }
    }
}

fn put(output: &mut impl Write, kind: u8, bytes: &[u8]) -> io::Result<()> {
    output.write_all(&[kind])?;
    output.write_all(&(bytes.len() as u32).to_le_bytes())?;
    output.write_all(bytes)
}

/// Writes rows, in pieces small enough for whoever reads them to hold.
pub fn write_rows(
    stream: &mut StreamWriter<Vec<u8>>,
    batch: &RecordBatch,
    output: &mut impl Write,
) -> Result<(), StoreError> {
    if batch.num_rows() > 1
        && batch.get_array_memory_size() * 2 > BATCH_BYTES_TARGET
        && sliced_bytes(batch) > BATCH_BYTES_TARGET
    {
        let half = batch.num_rows() / 2;
        write_rows(stream, &batch.slice(0, half), output)?;
        return write_rows(stream, &batch.slice(half, batch.num_rows() - half), output);
    }
    stream.write(batch)?;
    hand_over(stream, output)
}

/// Writes what the stream has ready.
pub fn hand_over(stream: &mut StreamWriter<Vec<u8>>, output: &mut impl Write) -> Result<(), StoreError> {
    let bytes = std::mem::take(stream.get_mut());
    let write = || {
        Frame::Bytes(bytes).write(output)?;
        output.flush()
    };
    write().map_err(|error: io::Error| StoreError::Cancelled(format!("nobody reads the answer any more: {error}")))
}

/// Bytes that the rows themselves take; of a slice, not of what it was cut from.
fn sliced_bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(usize::MAX / 64)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frame_is_read_as_it_was_written() {
        let mut bytes = Vec::new();
        Frame::Bytes(vec![7; FRAME_BYTES_MAX + 1]).write(&mut bytes).unwrap();
        let place = Some(Position { line: 2, column: 3 });
        let error = StoreError::Sql { message: "no such column".into(), position: place };
        Frame::Failed(Failure::of(&error)).write(&mut bytes).unwrap();
        let mut input = bytes.as_slice();
        let lengths = [FRAME_BYTES_MAX, 1];
        for length in lengths {
            let Ok(Some(Frame::Bytes(piece))) = Frame::read(&mut input).await else { panic!("no bytes") };
            assert_eq!(piece.len(), length);
        }
        let Ok(Some(Frame::Failed(failure))) = Frame::read(&mut input).await else { panic!("no failure") };
        let StoreError::Sql { message, position } = failure.into_error() else { panic!("another error") };
        assert_eq!((message.as_str(), position), ("no such column", place));
        assert!(Frame::read(&mut input).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn s8_a_worker_that_lies_about_a_length_is_not_believed() {
        let mut lie = vec![BYTES];
        lie.extend(u32::MAX.to_le_bytes());
        let error = Frame::read(&mut lie.as_slice()).await.unwrap_err();
        assert!(error.to_string().contains("longer than it may be"), "{error}");
        assert!(Frame::read(&mut [b'?', 0, 0, 0, 0].as_slice()).await.is_err());
    }
}
