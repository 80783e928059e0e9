//! Starts workers, one per question, and ends them: when the answer is dropped, when the time is over, when they lie.

use super::child::{Assignment, Errand};
use super::frames::Frame;
use super::walls::Leave;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamDecoder;
use async_trait::async_trait;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::engine::{Answer, Cost};
use store::outside::{Means, Order, Outside};
use store::snapshot::Snapshot;
use store::{Settings, StoreError};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Bytes of one batch of an answer, decoded; a row that is larger ends the question.
const BATCH_BYTES_MAX: usize = 64 << 20;

/// Batches that may wait for whoever reads the answer.
const ANSWER_QUEUE: usize = 2;

/// Seconds that a worker may take beyond the time of its question, before it is ended from outside.
const GRACE_SECONDS: u64 = 2;

/// Times by which the operating system lets a worker exceed what its engine believes to hold; the engine undercounts.
const UNDERCOUNT: usize = 2;

/// Whether workers give everything away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// They do; where the machine cannot do that, no SQL of people runs.
    Required,
    /// An admin accepted that they do not.
    Waived,
}

/// What is run as a worker, and how.
#[derive(Debug, Clone)]
pub struct Program {
    /// The file of `lode`.
    pub path: PathBuf,
    /// Whether it gives everything away.
    pub confinement: Confinement,
}

impl Program {
    /// This program, behind walls.
    ///
    /// Errors: the operating system does not say where its file is.
    pub fn this() -> std::io::Result<Self> {
        Ok(Self { path: std::env::current_exe()?, confinement: Confinement::Required })
    }

    /// Starts a worker that knows nothing yet. It ends when it is dropped.
    pub(super) fn start(&self) -> Result<Child, StoreError> {
        let mut worker = self.process("worker");
        worker.stdin(Stdio::piped()).stderr(Stdio::null());
        worker.spawn().map_err(StoreError::file("start", &self.path))
    }

    /// A process of this program that knows nothing of where it comes from. It ends when it is dropped.
    pub(super) fn process(&self, subcommand: &str) -> Command {
        let mut process = Command::new(&self.path);
        process
            .arg(subcommand)
            .env_clear()
            // Address space that is only reserved shall not count as memory.
            .envs([("MIMALLOC_ARENA_EAGER_COMMIT", "0"), ("MIMALLOC_ARENA_RESERVE", "131072")])
            .current_dir("/")
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        process
    }

    /// What a child keeps, if it gives anything away.
    pub fn leave(&self, leave: Leave) -> Option<Leave> {
        (self.confinement == Confinement::Required).then_some(leave)
    }
}

/// Answers questions of people in processes of their own.
#[derive(Debug)]
pub struct Workers {
    program: Program,
    scratch: PathBuf,
    memory_bytes: usize,
    cores: usize,
    seats: Arc<Semaphore>,
    seats_of_a_project: usize,
    projects: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Workers {
    /// Workers that run `program` under the limits of a store.
    ///
    /// At most one less than there are cores work at once, but two, and no project has all of them; others wait.
    pub fn new(program: Program, settings: &Settings) -> Self {
        let seats = settings.cores.saturating_sub(1).max(2);
        Self {
            program,
            scratch: settings.folder.join("scratch"),
            memory_bytes: engine_memory_bytes(settings),
            cores: settings.cores.max(1),
            seats: Arc::new(Semaphore::new(seats)),
            seats_of_a_project: seats - 1,
            projects: Mutex::default(),
        }
    }

    async fn seat(&self, project: &str) -> Result<Seat, StoreError> {
        let own = match self.projects.lock() {
            Ok(mut projects) => {
                projects.retain(|_, seats| Arc::strong_count(seats) > 1);
                let new = || Arc::new(Semaphore::new(self.seats_of_a_project));
                projects.entry(project.to_owned()).or_insert_with(new).clone()
            }
            Err(_) => return Err(StoreError::Cancelled("the workers are gone".into())),
        };
        let closed = |_| StoreError::Cancelled("the service is shutting down".into());
        let of_project = own.acquire_owned().await.map_err(closed)?;
        Ok(Seat { _of_project: of_project, _of_all: self.seats.clone().acquire_owned().await.map_err(closed)? })
    }
}

/// The right to run one worker.
struct Seat {
    _of_project: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// A folder that goes when the worker does.
struct Scratch(PathBuf);

impl Scratch {
    fn new(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(uuid::Uuid::now_v7().to_string());
        std::fs::create_dir_all(&path).map_err(StoreError::file("make the folder", &path))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[async_trait]
impl Outside for Workers {
    async fn ask(&self, order: Order, leases: Snapshot) -> Result<Answer, StoreError> {
        let seat = self.seat(order.project()).await?;
        let scratch = Scratch::new(&self.scratch)?;
        let seconds_max = order.question.seconds_max;
        let leave = self.program.leave(Leave {
            files: order.files().into_iter().collect(),
            scratch: Some(scratch.0.clone()),
            memory_bytes: (self.memory_bytes * UNDERCOUNT) as u64,
            programs: Vec::new(),
        });
        let means = Means { scratch: scratch.0.clone(), memory_bytes: self.memory_bytes, cores: self.cores };
        let assignment = Assignment { errand: Errand::Question { order: Box::new(order), means }, leave }.to_bytes()?;
        let mut child = self.program.start()?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(StoreError::Invalid("a worker has no pipes".into()));
        };
        let (sender, batches) = mpsc::channel(ANSWER_QUEUE);
        let (planned, schema) = oneshot::channel();
        let cost = Arc::new(Mutex::new(Cost::default()));
        let answer_cost = cost.clone();
        let task = tokio::spawn(async move {
            // Dropped in this order: the process, then its folder, its seat, the files it read.
            let (_leases, _seat, _scratch, mut child) = (leases, seat, scratch, child);
            let work = async {
                // A worker that ends early says why, or its end does.
                let _ = input.write_all(&assignment).await;
                follow(output, &mut child, planned, &sender, &answer_cost).await
            };
            let limit = Duration::from_secs(seconds_max + GRACE_SECONDS);
            let ended = tokio::time::timeout(limit, work).await;
            let failed = ended.unwrap_or_else(|_| {
                Err(StoreError::Cancelled(format!("the question took longer than {seconds_max} s and was stopped")))
            });
            if let Err(error) = failed {
                let _ = sender.send(Err(error)).await;
            }
        });
        let answer = |schema| Answer::of_task(schema, batches, cost, task.abort_handle());
        // Whoever drops the answer drops the task, and with it the process; so also here, while it is being planned.
        let mut waiting = answer(Arc::new(arrow::datatypes::Schema::empty()));
        match schema.await {
            Ok(schema) => {
                waiting.schema = schema;
                Ok(waiting)
            }
            Err(_) => Err(match waiting.next().await {
                Some(Err(error)) => error,
                _ => StoreError::Cancelled("the question's process ended without a word".into()),
            }),
        }
    }
}

/// Reads what a worker says until it is done.
async fn follow(
    output: ChildStdout,
    child: &mut Child,
    planned: oneshot::Sender<SchemaRef>,
    sender: &mpsc::Sender<Result<arrow::array::RecordBatch, StoreError>>,
    cost: &Mutex<Cost>,
) -> Result<(), StoreError> {
    let mut output = BufReader::with_capacity(super::frames::FRAME_BYTES_MAX, output);
    let (mut decoder, mut planned, mut held) = (StreamDecoder::new(), Some(planned), 0);
    let lied = |error: &dyn std::fmt::Display| {
        StoreError::Invalid(format!("the question's process is not understood: {error}"))
    };
    loop {
        match Frame::read(&mut output).await.map_err(|error| lied(&error))? {
            Some(Frame::Bytes(bytes)) => {
                held += bytes.len();
                if held > BATCH_BYTES_MAX {
                    return Err(StoreError::Sql {
                        message: format!("a row of the answer is larger than {} MiB", BATCH_BYTES_MAX >> 20),
                        position: None,
                    });
                }
                let mut bytes = Buffer::from_vec(bytes);
                while !bytes.is_empty() {
                    let batch = decoder.decode(&mut bytes)?;
                    if let (Some(schema), Some(planned)) =
                        (decoder.schema(), planned.take_if(|_| decoder.schema().is_some()))
                    {
                        let _ = planned.send(schema);
                    }
                    let Some(batch) = batch else { continue };
                    held = 0;
                    if sender.send(Ok(batch)).await.is_err() {
                        return Ok(());
                    }
                }
            }
            Some(Frame::Done(spent)) => {
                if let Ok(mut cost) = cost.lock() {
                    *cost = spent;
                }
                return Ok(());
            }
            Some(Frame::Failed(failure)) => return Err(failure.into_error()),
            None => {
                let ended = child.wait().await.map_err(|error| lied(&error))?;
                return Err(StoreError::Sql {
                    message: format!(
                        "the question's process ended early ({ended}), most likely because it needed more memory than it may; ask for fewer rows or columns at once"
                    ),
                    position: None,
                });
            }
        }
    }
}

/// Seconds that a picture may take.
const PICTURE_SECONDS_MAX: u64 = 20;

/// Memory of a worker that encodes a picture, in bytes.
const PICTURE_MEMORY_BYTES: u64 = 400 << 20;

/// A picture, encoded anew by a worker, with areas (left, top, width, height) painted over.
///
/// Errors: a sentence that says what is wrong with it.
pub async fn recode(program: &Program, sent: Vec<u8>, cover: &[[u32; 4]]) -> Result<Vec<u8>, String> {
    let leave = program.leave(Leave {
        files: Vec::new(),
        scratch: None,
        memory_bytes: PICTURE_MEMORY_BYTES,
        programs: Vec::new(),
    });
    let errand = Errand::Picture { bytes: sent.len() as u64, cover: cover.to_vec() };
    let assignment = Assignment { errand, leave }.to_bytes().map_err(|error| error.to_string())?;
    let mut child = program.start().map_err(|error| error.to_string())?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("a worker has no pipes".into());
    };
    let told = async move {
        // A worker that ends early says why.
        let _ = input.write_all(&assignment).await;
        let _ = input.write_all(&sent).await;
        input
    };
    let heard = async {
        let (mut output, mut encoded) = (BufReader::new(output), Vec::new());
        loop {
            match Frame::read(&mut output).await.map_err(|error| error.to_string())? {
                Some(Frame::Bytes(bytes)) if encoded.len() < BATCH_BYTES_MAX => encoded.extend(bytes),
                Some(Frame::Bytes(_)) => return Err("it grows beyond what one picture may take".into()),
                Some(Frame::Done(_)) => return Ok(encoded),
                Some(Frame::Failed(failure)) => return Err(failure.into_error().to_string()),
                None => return Err("the process that looked at it ended early".to_owned()),
            }
        }
    };
    let both = async { tokio::join!(told, heard).1 };
    let ended = tokio::time::timeout(Duration::from_secs(PICTURE_SECONDS_MAX), both).await;
    ended.unwrap_or_else(|_| Err(format!("it took longer than {PICTURE_SECONDS_MAX} s to look at")))
}

/// Memory of the engine in a child, in bytes, as it counts itself.
fn engine_memory_bytes(settings: &Settings) -> usize {
    settings.query_memory_bytes.min(half_of_memory() / UNDERCOUNT)
}

/// Memory that a child may hold, in bytes, as the operating system counts.
pub fn child_memory_bytes(settings: &Settings) -> u64 {
    (engine_memory_bytes(settings) * UNDERCOUNT) as u64
}

/// Half of this machine's memory in bytes; no bound where that is not known.
fn half_of_memory() -> usize {
    let known = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib =
        known.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse().ok());
    kib.map_or(usize::MAX, |kib: usize| kib.saturating_mul(1024 / 2))
}
