//! Simulated clients: they enrol, obey a signed configuration, scrub, hash, send and beat like desktops, without a desktop.
//!
//! For trying out a new project before anybody installs anything (`lode simulate`), for load tests, and for the tests that
//! kill the service while a fleet sends. What they record is made up ([`crate::sample_events`]), but what they send goes
//! through the real policy: a rule that drops an event here drops it on a desktop.
//!
//! [`client`] is one agent, `drawing` makes its pictures; [`fleet`] runs many and keeps the [`ledger`](fleet::Ledger) of what was acknowledged.

pub mod client;
mod drawing;
pub mod fleet;
