//! Data jobs: one SQL file, or one Python script, that yields one table.
//!
//! - [`head`] reads the comment at the top of a job: purpose, what it reads, grain, parameters;
//! - [`catalog`] puts together what Lode ships and what a project changed, and orders it by what reads what;
//! - [`runner`] brings tables up to date, one commit per table, with history and cancel;
//! - [`schedule`] decides when that happens by itself;
//! - [`check`] runs the tests that stand beside jobs.
//!
//! No SQL stands here or anywhere else in this crate: it is read from `jobs/`.

pub mod catalog;
pub mod check;
pub mod head;
pub mod runner;
pub mod schedule;
