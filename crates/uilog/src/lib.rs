//! The vocabulary of Lode: what an event is, what may be recorded of it, and how events travel.
//!
//! Every other crate speaks the words that are declared here. A client fills [`Event`]s, takes out of them what the
//! [`policy`] of its project does not allow, packs them into an [`envelope`]; the service unpacks them and asks the policy
//! again; the store turns their [`column`](mod@column)s into tables. What other languages need (JSON Schema, XML Schema, TypeScript,
//! reference pages) is generated from the same declarations by [`schema`].
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
pub mod planted;
pub mod policy;
pub mod random;
pub mod schema;
mod seq_ranges;

pub use event::{Actor, Event, EventType, Family};
pub use seq_ranges::SeqRanges;
