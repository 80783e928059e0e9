//! What can go wrong in the store, said so that a person knows on what it failed.

use std::path::PathBuf;

/// A place in a text that a person wrote, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
}

/// An error of the store; lower case, naming the path, table or project it is about.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Reading or writing a file failed.
    #[error("cannot {action} '{path}': {source}")]
    File {
        /// What was tried: `read`, `write`, `sync` …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Another process works on the data folder.
    #[error(
        "the data folder '{0}' is in use by another lode process; stop it, or ask it with --server where the command can"
    )]
    Locked(PathBuf),
    /// The control database refused.
    #[error("control database: {0}")]
    Control(#[from] sqlx::Error),
    /// The folder was written by a newer program.
    #[error(
        "this data was written by a newer version of lode (layout {found}, this program knows {known}); use that version"
    )]
    Newer {
        /// Layout found in the folder.
        found: i64,
        /// Highest layout this program knows.
        known: i64,
    },
    /// A project, table, job or file that is not there.
    #[error("there is no {kind} '{name}'")]
    Missing {
        /// `project`, `table`, `import` …
        kind: &'static str,
        /// As it was asked for.
        name: String,
    },
    /// A name that is taken already.
    #[error("there is already a {kind} '{name}'")]
    Exists {
        /// `project`, `table` …
        kind: &'static str,
        /// As it was asked for.
        name: String,
    },
    /// A value that is not allowed.
    #[error("{0}")]
    Invalid(String),
    /// Nothing can be stored for now: the disk is full, say, or the database went away.
    #[error("nothing can be stored now: {0}")]
    Unavailable(String),
    /// The SQL is at fault.
    #[error("{message}")]
    Sql {
        /// What is wrong, in the engine's words.
        message: String,
        /// Where, if the engine knew.
        position: Option<Position>,
    },
    /// A person's script is at fault.
    #[error("{message}")]
    Script {
        /// What is wrong, in Python's words.
        message: String,
        /// Where in the script, if that is known.
        position: Option<Position>,
    },
    /// Somebody cancelled, or the time was over.
    #[error("{0}")]
    Cancelled(String),
    /// Arrow or Parquet refused.
    #[error("cannot encode or decode columns: {0}")]
    Columns(#[from] arrow::error::ArrowError),
    /// Parquet refused.
    #[error("cannot read or write Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The object store refused.
    #[error("object store: {0}")]
    Object(#[from] object_store::Error),
    /// What is on disk is not what was written.
    #[error("'{path}' is damaged: {reason}")]
    Damaged {
        /// File inside the store.
        path: String,
        /// What does not fit.
        reason: String,
    },
}

impl StoreError {
    /// Names the file that an operation failed on.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
