//! Everything that stays: control data, event tables, results of jobs.
//!
//! The way of the data through this crate:
//!
//! 1. [`control`] keeps projects, imports, runs and the **manifest** in SQLite or PostgreSQL.
//! 2. [`batch`] turns events into Arrow columns with integer keys; [`columns`] says which columns there are.
//! 3. [`files`] publishes a Parquet file so that it is there whole or not at all.
//! 4. [`import`] writes the events of one log and commits them in one transaction.
//!    [`ingest`] is the same for what agents send while they record, one batch after the other.
//! 5. [`snapshot`] is one explicit list of files, kept readable as long as somebody reads it.
//! 6. [`engine`] answers SQL over one snapshot; [`table`] declares the order of the rows, [`clusters`] says which files share agents,
//!    [`operator`] lends the engine sequence operators that stand elsewhere, [`outside`] takes questions of people away.
//! 7. [`marts`] writes the table of a job: the old one or the new one, never something between.
//!    [`uploads`] does the same with a table that somebody brings along;
//! 8. [`ocel`] writes a log for object-centric tools;
//!    [`postgres`] is what PostgreSQL's clients ask besides rows: the catalogue;
//! 9. [`upkeep`] compacts, retires and erases by rewriting files; [`backup`] saves and restores a folder.
//!
//! What is absent: no HTTP, no discovery algorithm, no text of a job. Only this crate names the engine.

mod background;
pub mod backup;
pub mod batch;
pub mod clusters;
pub mod columns;
pub mod control;
pub mod engine;
mod error;
pub mod files;
pub mod import;
pub mod ingest;
pub mod marts;
pub mod ocel;
pub mod operator;
pub mod outside;
pub mod postgres;
pub mod snapshot;
mod store;
pub mod table;
pub mod upkeep;
pub mod uploads;

pub use error::{Position, StoreError};
pub use store::{Settings, Store};
