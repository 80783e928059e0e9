//! What may be recorded, and what must be removed: the client configuration and its rules.
//!
//! One XML file per project says which applications exist for its clients, which events they record, with which columns,
//! and what is taken out of texts. The same code reads it everywhere: the client before anything is written, the service
//! when an event arrives, the editor while a person types.
//!
//! ```text
//! XML ── parse ──> Configuration ── narrow (floor) ──> Configuration ── compile ──> Policy ── scrub ──> Scrubbed<Event>
//!                       │ write, check, run_tests, diff                   │ gate, decide, scrub_again, preview
//! ```
//!
//! | room | idea |
//! | --- | --- |
//! | `vocabulary`, `words` | the one table of elements, attributes, types, defaults, meanings |
//! | `xml`, `value`, `parse` | text to model, or every problem in it with line and column |
//! | `model`, `write` | the typed configuration, and its text again |
//! | `gate`, `rules`, `columns`, `redact`, `scrub` | from an event to what may be recorded of it |
//! | `narrow` | a floor that no configuration can go beyond |
//! | `check`, `rule_tests`, `preview`, `diff` | what a person wants to know before publishing |
//! | `template` | configurations to start from |
//! | `xsd`, `reference` | files generated from the vocabulary |
//!
//! Everything here is pure: no file, no clock, no cryptography. The keyed hash is passed in as a [`KeyedHash`], the time as a
//! number; signatures and revisions that only rise are the business of those who carry configurations around.

mod address;
mod cell;
pub mod check;
pub mod columns;
pub mod diff;
mod gate;
pub mod model;
mod narrow;
mod parse;
mod pattern;
pub mod preview;
mod problem;
mod redact;
pub(crate) mod reference;
pub mod rule_tests;
mod rules;
mod scrub;
mod template;
mod value;
pub mod vocabulary;
pub mod words;
mod write;
mod xml;
pub(crate) mod xsd;

#[cfg(test)]
mod tests;

pub use check::{VALID_DAYS_MAX, check, check_validity};
pub use columns::ColumnSet;
pub use diff::{Change, diff};
pub use gate::{GateDecision, Reading, Refusal, Seen};
pub use model::{Configuration, Floor};
pub use narrow::narrow;
pub use parse::{APPLICATIONS_MAX, PATTERNS_MAX, RULES_MAX, SITES_MAX, TESTS_MAX, parse, parse_floor, stamp};
pub use pattern::{COMPILED_BYTES_MAX, REGEX_COMPILED_BYTES_MAX, VARIABLES, Variables};
pub use preview::{Explanation, Preview, explain, preview};
pub use problem::{At, CODES, Problem, Severity};
pub use rule_tests::{ColumnResult, TestResult, run_tests};
pub use scrub::{
    Captured, Decision, DroppedBy, KeyedHash, OTHERWISE, Outcome, Policy, Scrubbed, SecondScrub, StandInHash,
    is_secret_role,
};
pub use template::{Preset, TemplateInput, template};
pub use write::write;
pub use xml::{DEPTH_MAX, FILE_BYTES_MAX};
