//! Where keys lie. Here: in files that only the user can read.
//!
//! A file protects from other users and from nobody who has the disk; `status` and `doctor` say "not protected" then. Systems
//! that have a place for secrets get a file of their own beside this one.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{PROTECTION, read, write};
