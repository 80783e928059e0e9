//! The kernels against naive versions of themselves, on random logs, in every cut; discovery on stories and on published logs.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod copy_paste;
mod directly_follows;
mod discover;
mod log;
mod published;
mod sessions;
mod switches;
mod trace;
