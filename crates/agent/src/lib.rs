//! The desktop client's place in the house; its content is yet to come.
//!
//! It will watch one desktop, only while an allow-listed application is used, and deliver clean events. What is fixed today
//! is what it may depend on: `uilog` and nothing else of this workspace, which `cargo xtask tidy` checks.
