//! What a worker does: `lode worker`, one errand, one answer.
//!
//! Its standard input stays open as long as somebody waits for the answer; when it closes, the worker ends.

use super::frames::{Failure, Frame, hand_over, write_rows};
use super::pictures;
use super::walls::{self, Leave};
use crate::{labels, operators};
use arrow::ipc::writer::StreamWriter;
use serde::{Deserialize, Serialize};
use std::io::{self, BufWriter, Read, Write};
use std::process::ExitCode;
use store::StoreError;
use store::engine::Cost;
use store::outside::{Means, Order};

/// Bytes of an order: a list of files and a text.
const ORDER_BYTES_MAX: u64 = 64 << 20;

/// What a worker is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Assignment {
    /// What to do.
    pub errand: Errand,
    /// What it keeps when it gives everything else away; absent where an admin accepted to run without walls.
    pub leave: Option<Leave>,
}

/// What a worker is there for.
#[derive(Debug, Serialize, Deserialize)]
pub enum Errand {
    /// To answer a question of a person.
    Question {
        /// The question.
        order: Box<Order>,
        /// With what.
        means: Means,
    },
    /// To encode anew the picture that follows on standard input, of so many bytes.
    Picture {
        /// How many.
        bytes: u64,
        /// Areas to paint over: left, top, width, height.
        cover: Vec<[u32; 4]>,
    },
}

impl Assignment {
    /// As it stands on a worker's standard input.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        order_bytes(self)
    }
}

/// An order as it stands on a child's standard input: a length, 4 bytes, little-endian, and JSON.
pub(super) fn order_bytes(order: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let unsaid = |error| StoreError::Invalid(format!("a worker cannot be told what to do: {error}"));
    let text = serde_json::to_vec(order).map_err(unsaid)?;
    Ok([&(text.len() as u32).to_le_bytes(), text.as_slice()].concat())
}

/// Reads the order from `input`, and not a byte more.
pub(super) fn read_order<T: serde::de::DeserializeOwned>(input: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let mut bytes = Vec::new();
    input.take(u64::from(u32::from_le_bytes(length)).min(ORDER_BYTES_MAX)).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Runs the errand on standard input; whatever happens is said on standard output.
pub fn run() -> ExitCode {
    let mut output = BufWriter::new(io::stdout().lock());
    // The lock on standard input is not held beyond this line.
    let assignment = read_order(&mut io::stdin().lock());
    let done = match assignment {
        Ok(assignment) => work(assignment, &mut output),
        Err(error) => Err(Failure::saying(format!("the worker cannot read its order: {error}"))),
    };
    let Err(failure) = done else { return ExitCode::SUCCESS };
    let _ = Frame::Failed(failure).write(&mut output);
    ExitCode::FAILURE
}

/// Ends the process when nobody waits for it any more.
fn end_with_the_asker() {
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(1);
    });
}

fn work(assignment: Assignment, output: &mut impl Write) -> Result<(), Failure> {
    if let Some(leave) = &assignment.leave {
        walls::raise(leave).map_err(Failure::saying)?;
    }
    // From here on what others wrote is read.
    let (order, means) = match assignment.errand {
        Errand::Picture { bytes, cover } => return picture(bytes, &cover, output),
        Errand::Question { order, means } => (order, means),
    };
    end_with_the_asker();
    let threads = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let threads = threads.map_err(|error| Failure::saying(format!("the worker cannot start: {error}")))?;
    threads.block_on(stream(*order, means, output)).map_err(|error| Failure::of(&error))
}

fn picture(bytes: u64, cover: &[[u32; 4]], output: &mut impl Write) -> Result<(), Failure> {
    let mut sent = Vec::new();
    let read = io::stdin().lock().take(bytes.min(pictures::ENCODED_BYTES_MAX as u64)).read_to_end(&mut sent);
    read.map_err(|error| Failure::saying(error.to_string()))?;
    let encoded = pictures::encode_anew(&sent, cover).map_err(Failure::saying)?;
    let said = Frame::Bytes(encoded).write(output).and_then(|()| Frame::Done(Cost::default()).write(output));
    said.map_err(|error| Failure::saying(error.to_string()))
}

async fn stream(order: Order, means: Means, output: &mut impl Write) -> Result<(), StoreError> {
    let functions =
        labels::functions_of(&order.functions_source).map_err(|error| StoreError::Invalid(error.to_string()))?;
    let (engine, mut answer) = order.answer(means, operators::all(), &functions).await?;
    let mut columns = StreamWriter::try_new(Vec::new(), &answer.schema)?;
    hand_over(&mut columns, output)?;
    while let Some(batch) = answer.next().await {
        write_rows(&mut columns, &batch?, output)?;
    }
    // The end of the stream is also what makes an answer without rows one with columns.
    columns.finish()?;
    hand_over(&mut columns, output)?;
    let cost = answer.cost();
    drop(engine);
    Frame::Done(cost).write(output).map_err(|error| StoreError::Cancelled(error.to_string()))
}
