//! Reads logs that other tools recorded.
//!
//! ```text
//! file or upload                         bytes as they come
//!   input       counts and unpacks them  .zst and .gz by their first bytes, never by name
//!   detect      recognises the format    from the first rows
//!   delimited   splits rows              a broken row costs itself, not the file
//!   leno, plain, smartrpa, mapped        say what the columns of a CSV mean
//!   row         makes an event of a row  one mapping for all CSV formats
//!   xes, activitywatch                   make events of traces and buckets
//!   streams     gives them an identity   one stream per user, in the order of the rows
//! Reader::Rows                           batches of events, and of rejects
//! Reader::Batches                        Lode Parquet, columns as they are
//! ```
//!
//! Memory is bounded whatever the size of the file, and a row that cannot be read is a [`Reject`] with its line and the
//! reason, never the end of the import. What ends an import is an [`ImportError`]: the file as a whole is not what it
//! seemed to be.
//!
//! The same bytes imported with the same `source` give the same events, identities included. So the caller need only
//! derive `source` from the project and the content to make an import repeatable. Nothing here stores anything.

mod activitywatch;
mod delimited;
mod detect;
mod fingerprint;
mod input;
mod leno;
mod mapped;
mod parquet;
mod plain;
mod rejects;
mod row;
mod smartrpa;
mod streams;
mod time;
mod url;
mod words;
mod xes;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uilog::Event;
use uuid::Uuid;

pub use self::detect::Format;
pub use self::parquet::Batches;
pub use self::rejects::Reject;

/// What the caller knows about a log before it is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Identifies the imported log: every identity is derived from it, and it is the key of value fingerprints.
    pub source: Uuid,
    /// The format, if the caller insists; otherwise it is recognised from the content.
    pub format: Option<Format>,
    /// Pairs of a column of Lode and the name of a CSV column, from `--map column=name`. Not empty: the file is a CSV
    /// that means what these pairs say.
    pub map: Vec<(String, String)>,
}

/// An open log.
pub enum Reader {
    /// A log that is read row by row.
    Rows(Rows),
    /// Lode Parquet, which already has our columns.
    Batches(Batches),
}

impl Reader {
    /// The format that was recognised or asked for.
    pub fn format(&self) -> Format {
        match self {
            Reader::Rows(rows) => rows.format,
            Reader::Batches(_) => Format::Parquet,
        }
    }

    /// How many bytes of the input, compressed as it is, have been read; for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        match self {
            Reader::Rows(rows) => rows.bytes_read(),
            Reader::Batches(batches) => batches.bytes_read(),
        }
    }
}

/// What a log says about the element of one row, in its own words and with its own blanks.
///
/// An event says it in ours: a name is folded, and what stands on a button is its name rather than its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// Id of the element, or address of the cell.
    pub element: &'a str,
    /// Its label.
    pub label: &'a str,
    /// What was typed, copied or chosen.
    pub value: &'a str,
}

/// A log that is read row by row.
pub struct Rows {
    format: Format,
    source: Box<dyn Source>,
    bytes_read: Arc<AtomicU64>,
    /// How many events the last batch had; they come back to be filled again.
    handed_out: usize,
}

impl Rows {
    /// Reads up to `rows_max` further rows.
    ///
    /// Shape: afterwards `events` holds the events of these rows and nothing else; rejects are appended to `rejects`.
    /// The result is how many rows were read, of both kinds; 0 is the end. Passing the same `events` again saves most
    /// allocations.
    ///
    /// Errors: [`ImportError`] if the input cannot be read on; what was handed out before stays true.
    pub fn next(
        &mut self,
        events: &mut Vec<Event>,
        rejects: &mut Vec<Reject>,
        rows_max: usize,
    ) -> Result<usize, ImportError> {
        if events.len() != self.handed_out {
            // These are not the events of the last batch; a source writes only the columns it knows.
            events.clear();
        }
        let (mut filled, mut rows) = (0, 0);
        while rows < rows_max {
            if filled == events.len() {
                events.push(Event::default());
            }
            match self.source.read(&mut events[filled])? {
                Step::Event => filled += 1,
                Step::Reject(reject) => rejects.push(reject),
                Step::End => break,
            }
            rows += 1;
        }
        events.truncate(filled);
        self.handed_out = filled;
        Ok(rows)
    }

    /// What the log itself says about the element of the row that was read last; `None` for forms whose columns have no
    /// such plain meaning.
    pub fn written(&self) -> Option<Written<'_>> {
        self.source.written()
    }

    /// The format that was recognised or asked for.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many bytes of the input, compressed as it is, have been read.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}

/// Where rows come from; one implementation per way of writing them down.
trait Source: Send {
    /// Reads one row into `event`, whose former content is overwritten or forgotten.
    fn read(&mut self, event: &mut Event) -> Result<Step, ImportError>;

    /// Element, label and content of the last row as the log writes them, before anything is concluded from them.
    fn written(&self) -> Option<Written<'_>> {
        None
    }
}

/// What one row turned out to be.
enum Step {
    /// The event was filled in.
    Event,
    /// It is none; the event holds nothing of use.
    Reject(Reject),
    /// There was no further row.
    End,
}

/// Why a log cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The input failed, or is damaged where it is compressed.
    #[error("cannot read on after {place}")]
    Read {
        /// How far reading came: `line 17`, or `byte 4711` of the unpacked file.
        place: String,
        /// What the input said.
        source: std::io::Error,
    },
    /// Nothing is in it.
    #[error("the log is empty")]
    Empty,
    /// No format fits.
    #[error(
        "not a log that lode knows: it begins with '{beginning}'; name the columns with --map column=name, or use leno, smartrpa, plain csv, activitywatch json, xes or parquet"
    )]
    Unknown {
        /// The beginning of the first line.
        beginning: String,
    },
    /// A CSV lacks a column that its format cannot do without.
    #[error("line 1 has no column '{column}', without which {format} is not read; it has {present}")]
    MissingColumn {
        /// The format.
        format: Format,
        /// The name of the column.
        column: String,
        /// What the header has instead.
        present: String,
    },
    /// `--map` names something that does not exist or cannot be set.
    #[error("cannot map '{column}={name}': {reason}")]
    Map {
        /// The column of Lode.
        column: String,
        /// The name of the CSV column.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// XML or JSON that breaks its own rules.
    #[error("not well-formed {format} at byte {byte}: {reason}")]
    Malformed {
        /// The format.
        format: Format,
        /// Where, counted in unpacked bytes.
        byte: u64,
        /// What is wrong.
        reason: String,
    },
    /// Parquet needs to be read from its end.
    #[error("parquet can only be read from a file, uncompressed as a whole")]
    NotSeekable,
    /// A Parquet file that is damaged or has other columns.
    #[error("cannot read parquet: {reason}")]
    Parquet {
        /// What is wrong.
        reason: String,
    },
}

/// Opens a log that comes as a stream.
///
/// Errors: an unknown format, a header without the columns that matter, or Parquet, for which there is [`open_file`].
pub fn open(input: Box<dyn Read + Send>, options: &Options) -> Result<Reader, ImportError> {
    let bytes_read = Arc::new(AtomicU64::new(0));
    let read_error = |source| ImportError::Read { place: "byte 0".to_owned(), source };
    let mut input = input::open(input, Arc::clone(&bytes_read)).map_err(read_error)?;
    let prefix = input.peek(detect::PREFIX_BYTES).map_err(read_error)?;
    let format = match options.format {
        Some(format) => format,
        None if !options.map.is_empty() => Format::Mapped,
        None => detect::recognise(prefix)?,
    };
    let source: Box<dyn Source> = match format {
        Format::Leno => Box::new(leno::open(input, options)?),
        Format::Plain => Box::new(plain::open(input, options)?),
        Format::SmartRpa => Box::new(smartrpa::open(input, options)?),
        Format::Mapped => Box::new(mapped::open(input, options)?),
        Format::ActivityWatch => Box::new(activitywatch::open(input, options)),
        Format::Xes => Box::new(xes::open(input, options)),
        Format::Parquet => return Err(ImportError::NotSeekable),
    };
    Ok(Reader::Rows(Rows { format, source, bytes_read, handed_out: 0 }))
}

/// Opens a log that is a file on disk, Parquet included.
///
/// Errors: as [`open`].
pub fn open_file(mut file: File, options: &Options) -> Result<Reader, ImportError> {
    let is_parquet = match options.format {
        Some(format) => format == Format::Parquet,
        None => {
            parquet::is_parquet(&mut file).map_err(|source| ImportError::Read { place: "byte 0".to_owned(), source })?
        }
    };
    if is_parquet {
        return Ok(Reader::Batches(parquet::open(file)?));
    }
    open(Box::new(file), options)
}
