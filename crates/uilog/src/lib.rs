//! The vocabulary of Lode: what an event is, and how events travel.
//!
//! Every other crate speaks the words that are declared here. A client fills [`Event`]s, packs them into an
//! [`envelope`], the service unpacks them, the store turns their [`column`]s into tables. What other languages need
//! (JSON Schema, TypeScript, the reference page) is generated from the same declarations by [`schema`].
//!
//! Terms follow Abb & Rehse, *A reference data model for process-related user interaction logs*, Information
//! Systems 124 (2024), arXiv 2207.12054: an event is one action of a user on a target element, inside a hierarchy
//! system > application > window or page > element, at a time.
//!
//! This crate knows no file, network, clock or operating system: bytes come in and go out as slices.

pub mod column;
pub mod envelope;
pub mod event;
pub mod notation;
pub mod policy;
pub mod random;
pub mod schema;
mod seq_ranges;

pub use event::{Actor, Event, EventType, Family};
pub use seq_ranges::SeqRanges;
