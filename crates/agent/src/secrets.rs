//! Where keys lie: in files that only the user can read, sealed where the system has a key for the user.
//!
//! A bare file protects from other users and from nobody who has the disk; `status` and `doctor` say "not protected" then. On
//! Windows, DPAPI seals it.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{PROTECTION, read, write};
#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{PROTECTION, read, write};
