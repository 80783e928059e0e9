//! The store from outside: what is promised of a data folder, over both control databases.
//!
//! `LODE_TEST_POSTGRES` names a PostgreSQL server; without it the stories run on SQLite only and say so.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod accounts;
mod backup;
mod files;
mod import;
mod ingest;
mod marts;
mod migration;
mod open;
mod sql;
mod support;
mod task_corrections;
mod upkeep;
