//! What PostgreSQL's clients say besides asking for rows, understood without any row.
//!
//! A [`Statement`] is one statement of a client's text, and says what kind it is; a [`Catalogue`] knows which tables a project
//! has and of which columns, and answers what clients ask about them. Neither reads a row, a file or another project: rows
//! are the business of [`crate::engine`], and whoever speaks the protocol sends each statement to the one or the other.

mod catalogue;
mod functions;
mod information_schema;
mod rewriting;
mod statement;
mod system_schema;

pub use catalogue::{Catalogue, CatalogueTable, Described};
pub use functions::SETTINGS;
pub use statement::{Kind, Refusal, Statement, Value, read};
