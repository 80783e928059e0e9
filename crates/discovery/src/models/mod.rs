//! Process models of one task: what its instances have in common, as a tree, as a diagram, and how well it fits.
//!
//! ```text
//! traces ─▶ inductive miner ─▶ ProcessTree ─┬▶ bpmn     a BPMN 2.0 document with layout
//!  a b c        (IMf)                        └▶ fitness  which share of the steps the model can follow
//! ```

mod bpmn;
mod fitness;
mod inductive;
mod tree;

pub use bpmn::{bpmn, svg};
pub use fitness::fitness;
pub use inductive::{Trace, mine};
pub use tree::ProcessTree;
