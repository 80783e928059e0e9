//! UI log in; graphs, variants, sessions out: pure algorithms over ordered columns.
//!
//! Sequence data is sorted data. Events of one agent come in order, the event table keeps them so, and every question
//! about sequences is then one streaming pass without a sort. Each pass is a [`Kernel`]: a fold that can be cut at any
//! batch, shipped as bytes, and joined with the fold of another partition.
//!
//! ```text
//! event table, ordered by (agent_key, event_order)
//!   │  batches of columns, text as dictionaries
//!   ▼
//! update ─ update ─ update ─▶ to_bytes ══▶ from_bytes ─ merge ─▶ finish ─▶ StructArray
//! ```
//!
//! | operator | SQL | columns of `update` | one row per |
//! | --- | --- | --- | --- |
//! | [`DirectlyFollows`] | `dfg_agg` | `case_key, activity, time` | edge: frequency, cases, p50/p90/mean |
//! | [`DirectlyFollowsCount`] | `dfg_agg` | `case_key, activity` | edge: frequency |
//! | [`Traces`] | `trace_agg` | `case_key, activity, time` | variant |
//! | [`Traces::finish_cases`] | `case_variants` | the same | case |
//! | [`Sessions`] | `sessions_agg` | `agent_key, event_order, time` [`, breaks, away, session`] | session |
//! | [`SessionMarker`] | | the same | event: session and active time |
//! | [`Switches`] | `switches_agg` | `agent_key, session_key, application, time, active_us` [`, user_key`] | pair of applications |
//! | [`Switches::finish_applications`] | `focus_agg` | the same | application |
//! | [`CopyPaste`] | `copy_paste_agg` | `agent_key, event_type, application, screen, element, value_fingerprint, time` [`, user_key`] | pair of places |
//! | [`Figures`] | `figures_agg` | `name, user_key, case_key, value` | name: events, users, cases, total, percentiles |
//!
//! Beside the kernels, [`discover`] finds the tasks in a whole [`UiLog`]: which events are one execution of something that
//! recurs. On its answer stand [`models`] (how a task is done), [`patterns`] (what recurs inside it whatever comes
//! between), [`dataflow`] (how values travel inside it), [`routines`] (which steps need no person), [`replay`](mod@replay)
//! (what a script of them would have done otherwise), [`corrections`] (what people say about it) and [`type_names`];
//! [`score`](mod@score) measures it against a known truth.
//!
//! Activities and applications may be text or integer keys from 0 ([`SymbolKind`]); integers pass without look-up.
//! This crate knows no file, no network, no SQL, no clock and no thread.

mod bytes;
mod cases;
mod columns;
mod copy_paste;
pub mod corrections;
pub mod dataflow;
mod directly_follows;
mod discover;
mod distribution;
mod figures;
mod kernel;
mod log;
pub mod models;
mod names;
mod pairs;
pub mod patterns;
pub mod replay;
pub mod routines;
pub mod score;
mod sessions;
mod switches;
mod symbols;
mod trace;
mod users;

pub use copy_paste::{CLIPBOARD_COPIES_MAX, CopyPaste};
pub use directly_follows::{DirectlyFollows, DirectlyFollowsCount, RESUMABLE_EDGES_MAX};
pub use discover::{Discovery, Folded, Settings, discover};
pub use distribution::EXACT_VALUES_MAX;
pub use figures::Figures;
pub use kernel::{Kernel, KernelError};
pub use log::{Field, LogRow, NO_TIME, ROWS_MAX, TextColumn, UiLog, UiLogBuilder};
pub use names::type_names;
pub use sessions::{SessionMarker, SessionMarks, SessionRule, Sessions};
pub use switches::{FOCUS_CLASSES_S, ROUND_TRIP_US_MAX, Switches};
pub use symbols::{NO_SYMBOL, SYMBOLS_MAX, SymbolKind, Symbols};
pub use trace::{TRACE_ACTIVITIES_MAX, Traces};
