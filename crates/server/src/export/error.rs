//! Why an export stopped. What was written until then is incomplete and to be thrown away by the caller.

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log lacks a column that the form cannot do without.
    #[error("the log has no column '{0}'")]
    NoColumn(&'static str),
    /// A form with one trace per case was given rows in another order.
    #[error("rows are not ordered by case: case {case} comes after case {before}")]
    CaseOrder {
        /// The case that comes too late.
        case: i64,
        /// The case before it.
        before: i64,
    },
    /// Reading the log failed.
    #[error("cannot read the log: {0}")]
    Read(#[from] arrow::error::ArrowError),
    /// Writing failed.
    #[error("cannot write the export: {0}")]
    Write(#[from] std::io::Error),
    /// The place where objects and events go refused one.
    #[error("cannot write the export: {0}")]
    Sink(String),
}
