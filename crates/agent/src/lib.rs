//! The desktop client: it watches one desktop, only while an allow-listed application is used, and delivers clean events.
//!
//! The way of a click, one room each:
//!
//! 1. [`capture`]: a backend sees that something happened, and says no more than that.
//! 2. [`gate`]: may the window be looked at? Everything else leaves nothing but a number. [`standing`] is asked before.
//! 3. [`normalize`]: raw events become what a person did.
//! 4. [`screenshot`]: a picture, masked, if the rule asks for one.
//! 5. [`flow`]: the four together, and the policy of `uilog`: a `Scrubbed<Event>` comes out.
//! 6. [`spool`]: a bounded, encrypted queue on the disk.
//! 7. [`upload`]: to the service, until a receipt names the event.
//!
//! Pages come in by [`browser`], which the extension speaks to.
//!
//! [`agent`] runs these on threads. [`enrol`], [`configuration`] and [`consent`] say what may be; [`control`], [`indicator`],
//! [`view`] and [`cli`] are for the person whose desktop it is. What differs between systems lies in twins below [`capture`],
//! [`paths`], [`secrets`], [`control`], [`indicator`] and [`browser::host`]; callers know no system. What is said to Windows
//! itself, `win32` says.

pub mod agent;
pub mod browser;
pub mod capture;
pub mod cli;
pub mod clock;
pub mod configuration;
pub mod consent;
pub mod control;
pub mod counters;
pub mod enrol;
pub mod flow;
pub mod gate;
pub mod home;
pub mod indicator;
pub mod installer;
pub mod normalize;
pub mod paths;
mod points;
pub mod screenshot;
pub mod seal;
pub mod secrets;
pub mod settings;
pub mod spool;
pub mod standing;
pub mod status;
pub mod upload;
pub mod view;
#[cfg(windows)]
#[allow(unsafe_code, reason = "Windows is spoken to here and nowhere else; docs/decisions/0010")]
mod win32;
pub mod wire;
