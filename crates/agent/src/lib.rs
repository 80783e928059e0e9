//! The desktop client: it watches one desktop, only while an allow-listed application is used, and delivers clean events.
//!
//! The way of a click, one room each:
//!
//! 1. [`capture`]: a backend sees that something happened, and says no more than that.
//! 2. [`gate`]: may the window be looked at? Everything else leaves nothing but a number. [`standing`] is asked before.
//! 3. [`normalize`]: raw events become what a person did.
//! 4. [`screenshot`]: a picture, masked, if the rule asks for one.
//! 5. [`flow`]: the four together, and the policy of `uilog`: a `Scrubbed<Event>` comes out.

pub mod capture;
pub mod clock;
pub mod configuration;
pub mod counters;
pub mod flow;
pub mod gate;
pub mod normalize;
pub mod paths;
pub mod screenshot;
pub mod seal;
pub mod secrets;
pub mod spool;
pub mod standing;
