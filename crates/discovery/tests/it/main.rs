//! The kernels against naive versions of themselves, on random logs, in every cut.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod copy_paste;
mod directly_follows;
mod discover;
mod log;
mod sessions;
mod switches;
mod trace;
