//! SQL and scripts that people write and pictures that clients send, in processes that have nothing to lose.
//!
//! No engine is a wall against a hostile text and no decoder one against a hostile picture, so none is trusted to be one.
//! Every question of a person is answered by a child of this program that gave everything away before it looked at the text:
//!
//! ```text
//! service ── order on stdin ──▶ lode worker
//!    │                            1 reads the order: question, files, limits
//!    │                            2 walls: no network, no other file, no new program, bounded memory and scratch
//!    │                            3 plans and runs the question
//!    ◀── frames on stdout ──────── 4 columns and rows, what it cost, or the error
//! ```
//!
//! [`workers`] starts the children, bounds them and ends them, [`child`] is what they do, [`walls`] is what they give away,
//! [`frames`] what they say, [`pictures`] how a picture becomes one of ours, [`script`] how a process becomes an interpreter
//! behind the same walls. What is absent: a child opens no database and knows no key; tables are written by the service.

pub mod child;
mod frames;
pub mod pictures;
pub mod script;
mod walls;
mod workers;

pub use walls::Leave;
pub use workers::{Confinement, Program, Workers, child_memory_bytes, recode};
