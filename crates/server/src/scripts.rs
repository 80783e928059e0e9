//! Python scripts as jobs: an interpreter behind walls, whose only way out is a desk that knows one job.
//!
//! ```text
//! service ── order ──────────────▶ lode script
//!    │                               1 reads the order: interpreter, folders, limits
//!    │                               2 walls: no network, no other file, no new process, bounded memory
//!    │                               3 becomes the interpreter
//!    ◀── ready ─────────────────── python: the package `lode`
//!    ◀── asks in SQL, writes ────── the script
//!    ── rows, or the error ───────▶
//! ```
//!
//! [`python`] is the interpreter that an admin chose, [`desk`] what a running script may ask and hand over. What it wrote is
//! checked, written anew, and committed by the service: the old table or the new one.

mod desk;
pub mod python;

use crate::confined::script::ScriptOrder;
use crate::confined::{Confinement, Leave, Program, child_memory_bytes};
use desk::{Desk, Told};
use python::Python;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::files::Staged;
use store::operator::RowFunctions;
use store::snapshot::Snapshot;
use store::{Settings, Store, StoreError};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::sync::{OnceCell, Semaphore};

/// Time that a script may take.
pub const SCRIPT_SECONDS_MAX: u64 = 600;

/// Time until Python has read the package.
const START_SECONDS_MAX: u64 = 60;

/// Scripts that run at once; others wait.
const SCRIPTS_MAX: usize = 2;

/// Bytes of what a script prints that are kept: the last ones.
const PRINTED_BYTES_MAX: usize = 16 << 10;

/// The package `lode` as it ships, which a script imports: file name and text.
const PACKAGE: [(&str, &str); 7] = [
    ("__init__.py", include_str!("../../../python/src/lode/__init__.py")),
    ("_answer.py", include_str!("../../../python/src/lode/_answer.py")),
    ("_desk.py", include_str!("../../../python/src/lode/_desk.py")),
    ("_errors.py", include_str!("../../../python/src/lode/_errors.py")),
    ("_http.py", include_str!("../../../python/src/lode/_http.py")),
    ("_job.py", include_str!("../../../python/src/lode/_job.py")),
    ("_project.py", include_str!("../../../python/src/lode/_project.py")),
];

/// Runs scripts, a few at a time; cheap to clone.
#[derive(Clone)]
pub struct Scripts(Arc<Inner>);

struct Inner {
    /// The interpreter that was named, if one was.
    named: Option<PathBuf>,
    known: OnceCell<Python>,
    program: Program,
    data: PathBuf,
    memory_bytes: u64,
    seats: Semaphore,
}

/// A script that is to be run.
pub struct Script {
    /// Name of its job, and of the only table it may write; `None`: nothing is kept, so any name will do.
    pub name: Option<String>,
    /// Its text.
    pub text: String,
    /// What it may read.
    pub snapshot: Snapshot,
    /// Functions of the project's SQL.
    pub functions: RowFunctions,
}

/// How a script ended.
pub struct Ended {
    /// The rows that it wrote, checked; or why there are none.
    pub written: Result<Staged, StoreError>,
    /// The end of what it printed.
    pub printed: String,
}

impl Scripts {
    /// Scripts under the limits of a store, run by the interpreter `python`; without one they are refused.
    pub fn new(python: Option<PathBuf>, program: Program, settings: &Settings) -> Self {
        Self(Arc::new(Inner {
            named: python,
            known: OnceCell::new(),
            program,
            data: settings.folder.clone(),
            memory_bytes: child_memory_bytes(settings),
            seats: Semaphore::new(SCRIPTS_MAX),
        }))
    }

    /// No interpreter, where only jobs that ship are run.
    pub fn none(settings: &Settings) -> Self {
        Self::new(None, Program { path: PathBuf::new(), confinement: Confinement::Required }, settings)
    }

    /// Whether an interpreter was named.
    pub fn has_python(&self) -> bool {
        self.0.named.is_some()
    }

    /// The interpreter, asked about itself once.
    ///
    /// Errors: none was named; it cannot be run, or lacks what scripts need; its folders hold the service's data.
    pub async fn python(&self) -> Result<&Python, StoreError> {
        let Some(named) = &self.0.named else {
            return Err(StoreError::Invalid(
                "Python jobs need an interpreter, and none is set: start lode with --python /path/to/python".into(),
            ));
        };
        self.0.known.get_or_try_init(|| Python::about(named, &self.0.data)).await
    }

    /// Runs a script to its end; nothing is committed.
    ///
    /// Errors in [`Ended::written`]: [`StoreError::Script`] with the place in the text; [`StoreError::Cancelled`] after
    /// [`SCRIPT_SECONDS_MAX`]. Dropping the future ends the script.
    pub async fn run(&self, store: &Store, script: Script) -> Ended {
        match self.start(store, script, &[]).await {
            Ok(ended) => ended,
            Err(error) => Ended { written: Err(error), printed: String::new() },
        }
    }

    /// Reads a script without running it.
    ///
    /// Errors: [`StoreError::Script`] with the place that Python does not understand.
    pub async fn check(&self, store: &Store, script: Script) -> Result<(), StoreError> {
        match self.start(store, script, &["check"]).await?.written {
            Err(StoreError::Script { position: None, .. }) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn start(&self, store: &Store, script: Script, arguments: &[&str]) -> Result<Ended, StoreError> {
        let python = self.python().await?;
        let closed = |_| StoreError::Cancelled("the service is shutting down".into());
        let _seat = self.0.seats.acquire().await.map_err(closed)?;
        let folder = Bench::new(&self.0.data.join("scratch"), &script.text)?;
        let environment = [
            ("HOME", folder.0.display().to_string()),
            ("TMPDIR", folder.0.display().to_string()),
            ("LANG", "C.UTF-8".to_owned()),
            ("LODE_JOB", script.name.clone().unwrap_or_default()),
            ("LODE_PROJECT", script.snapshot.project.slug.clone()),
        ];
        let order = ScriptOrder {
            program: python.program.clone(),
            arguments: python::arguments(arguments),
            environment: environment.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            folder: folder.0.clone(),
            leave: self.0.program.leave(Leave {
                files: python.files.clone(),
                scratch: Some(folder.0.clone()),
                memory_bytes: self.0.memory_bytes,
                programs: python.folders.clone(),
            }),
        };
        let (mut child, mut socket) = self.0.program.start_script(&order).await?;
        if let Err(reason) = ready(&mut socket, &mut child).await {
            end(&mut child).await;
            return Err(StoreError::Invalid(format!("the script could not be started: {reason}")));
        }
        let desk = Desk::new(store.clone(), script, folder.0.join("result"));
        let serving = tokio::spawn(desk.clone().serve(socket));
        let (said, complained) = (child.stdout.take(), child.stderr.take());
        let work = async { tokio::join!(child.wait(), last_bytes(said), last_bytes(complained)) };
        let ended = tokio::time::timeout(Duration::from_secs(SCRIPT_SECONDS_MAX), work).await;
        serving.abort();
        let Ok((ended, said, complained)) = ended else {
            end(&mut child).await;
            let message = format!("the script took longer than {SCRIPT_SECONDS_MAX} s and was stopped");
            return Err(StoreError::Cancelled(message));
        };
        let ended = ended.map_err(StoreError::file("wait for", &python.program))?;
        let written = match desk.told() {
            Told::Failed(error) => Err(error),
            Told::Table(staged) if ended.success() => Ok(staged),
            Told::Nothing if ended.success() => Err(StoreError::Script {
                message: format!(
                    "the script wrote no table; let it end with project.write_table(\"{}\", frame)",
                    desk.job()
                ),
                position: None,
            }),
            _ => Err(StoreError::Script {
                message: format!(
                    "the script's process ended early ({ended}), most likely because it needed more memory than it may; ask for fewer rows or columns at once"
                ),
                position: None,
            }),
        };
        Ok(Ended { written, printed: said + &complained })
    }
}

/// Tables and views that a script may read, as they are in `snapshot`.
pub fn only(mut snapshot: Snapshot, names: &BTreeSet<String>) -> Snapshot {
    snapshot.tables.retain(|name, _| names.contains(name));
    snapshot.views.retain(|view| names.contains(&view.name));
    snapshot
}

async fn end(child: &mut Child) {
    let _ = child.start_kill();
    let _ = child.wait().await;
}

/// Waits until the interpreter is about to read the script; before that, what it complains about is not the script's.
async fn ready(socket: &mut UnixStream, child: &mut Child) -> Result<(), String> {
    let started = tokio::time::timeout(Duration::from_secs(START_SECONDS_MAX), socket.read_u8()).await;
    match started {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => Err(last_bytes(child.stderr.take()).await.trim().to_owned()),
        Err(_) => Err(format!("Python was not ready within {START_SECONDS_MAX} s")),
    }
}

/// The last bytes of a stream, as text.
async fn last_bytes(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let (mut kept, mut piece) = (Vec::new(), vec![0; 4096]);
    while let Ok(read) = stream.read(&mut piece).await {
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&piece[..read]);
        if kept.len() > 2 * PRINTED_BYTES_MAX {
            kept.drain(..kept.len() - PRINTED_BYTES_MAX);
        }
    }
    let begin = kept.len().saturating_sub(PRINTED_BYTES_MAX);
    String::from_utf8_lossy(&kept[begin..]).into_owned()
}

/// The folder of one run: the script, the package, room for files. It goes when the run does.
struct Bench(PathBuf);

impl Bench {
    fn new(scratch: &Path, text: &str) -> Result<Self, StoreError> {
        let bench = Self(scratch.join(uuid::Uuid::now_v7().to_string()));
        let package = bench.0.join("lode");
        std::fs::create_dir_all(&package).map_err(StoreError::file("make the folder", &package))?;
        let files = PACKAGE.iter().map(|(name, text)| (package.join(name), *text));
        for (path, text) in files.chain([(bench.0.join(python::SCRIPT_FILE), text)]) {
            std::fs::write(&path, text).map_err(StoreError::file("write", &path))?;
        }
        Ok(bench)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_there_as_a_whole() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/src/lode");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let modules: BTreeSet<String> = files.filter(|name| name.ends_with(".py")).collect();
        assert_eq!(modules, PACKAGE.iter().map(|(name, _)| (*name).to_owned()).collect());
    }

    #[tokio::test]
    async fn of_what_is_printed_the_end_is_kept() {
        let printed = [vec![b'a'; 5 * PRINTED_BYTES_MAX], b"the end".to_vec()].concat();
        let kept = last_bytes(Some(printed.as_slice())).await;
        assert_eq!(kept.len(), PRINTED_BYTES_MAX);
        assert!(kept.ends_with("the end"));
    }
}
