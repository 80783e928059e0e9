//! What all sequence operators have in common: a fold over ordered rows.
//!
//! ```text
//! partition 1   rows ──update──▶ state ──to_bytes──┐
//!                                                  ├─from_bytes─▶ merge ──▶ finish ──▶ rows of the answer
//! partition 2   rows ──update──▶ state ──to_bytes──┘
//! ```
//!
//! The engine's adapter in `store` is written once against [`Kernel`]; the operators know nothing of it.
//! Nothing here sorts, reads a clock, or keeps a row that it does not need for the next one.

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{DataType, Fields};

/// A sequence operator: one streaming pass over rows ordered by `(agent_key, event_order)`.
///
/// The contract of the input, the same for all operators:
/// - inside one partition rows arrive ordered by `(agent_key, event_order)`; batch boundaries carry no meaning;
/// - all rows of an agent, and all rows of a case or session, are in one partition;
/// - the rows of a case mostly follow one another, but a case may pause for others and go on.
///
/// States of different partitions are joined with [`Kernel::merge`]; no case is open across that seam.
pub trait Kernel: Sized + Send + Sync + std::fmt::Debug {
    /// Folds one batch into the state.
    ///
    /// Shape: one array per column named by the operator, all of one length; text columns as `Utf8`, `LargeUtf8`,
    /// `Utf8View` or a dictionary of these; keys as integers; times as integers or timestamps in microseconds.
    ///
    /// Errors: [`KernelError`] names the column whose type or length does not fit; the state is then unspecified.
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), KernelError>;

    /// Joins the state of another partition; every case and session of both is closed.
    ///
    /// Errors: [`KernelError::Kinds`] if one side has text symbols and the other integers.
    fn merge(&mut self, other: Self) -> Result<(), KernelError>;

    /// The answer, one struct per row, in a fixed order that does not depend on partitions.
    ///
    /// Errors: [`KernelError::TooLarge`] if the answer passes the 32-bit offsets of Arrow lists.
    fn finish(&mut self) -> Result<StructArray, KernelError>;

    /// The fields of [`Kernel::finish`].
    fn fields(&self) -> Fields;

    /// The state in a compact form for shipping between partitions. Closes every open case and session, so it is
    /// to be called once, at the end of a partition.
    fn to_bytes(&mut self) -> Vec<u8>;

    /// Reads what [`Kernel::to_bytes`] wrote.
    ///
    /// Errors: [`KernelError::State`] if the bytes are not a state of this operator and version.
    fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError>;

    /// Memory held, in bytes, for the engine's memory pool; an estimate from capacities.
    fn size_bytes(&self) -> usize;
}

/// Why a kernel cannot go on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KernelError {
    /// A column has a type the operator cannot read.
    #[error("column '{column}' must be {expected}, not {found}")]
    ColumnType {
        /// The operator's name of the column.
        column: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What it was given.
        found: DataType,
    },
    /// A column holds a null where the operator needs a value.
    #[error("column '{column}' must not hold null")]
    Null {
        /// The operator's name of the column.
        column: &'static str,
    },
    /// Too few columns, or columns of different lengths.
    #[error("operator '{operator}' takes {expected} columns of one length")]
    Columns {
        /// The operator's SQL name.
        operator: &'static str,
        /// How many columns, in words.
        expected: &'static str,
    },
    /// A symbol given as an integer does not fit into 32 unsigned bits.
    #[error("symbol key {key} is outside 0 to {}", crate::symbols::SYMBOLS_MAX)]
    SymbolKey {
        /// The key.
        key: i64,
    },
    /// Text and integer symbols were mixed in one state.
    #[error("text and integer symbols cannot be mixed in one state")]
    Kinds,
    /// A state or answer has outgrown the 32-bit numbers that index it.
    #[error("more than {limit} {what} in one state")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// Bytes that are not a state of this operator.
    #[error("cannot read the state of '{operator}': {reason}")]
    State {
        /// The operator's SQL name.
        operator: &'static str,
        /// What is wrong with the bytes.
        reason: &'static str,
    },
}
