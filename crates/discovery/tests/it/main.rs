//! The kernels against naive versions of themselves, on random logs, in every cut.

mod copy_paste;
mod directly_follows;
mod log;
mod sessions;
mod switches;
mod trace;
