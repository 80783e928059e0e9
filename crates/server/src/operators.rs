//! Lends the engine the sequence operators of `discovery`.
//!
//! The two crates are strangers: `store` knows folds and no algorithm, `discovery` knows kernels and no engine. This file is
//! where one becomes the other, and the list of functions that SQL has because of it.

use crate::task_operators;
use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Int64Type};
use discovery::{
    CopyPaste, DirectlyFollows, DirectlyFollowsCount, Figures, Kernel, SessionRule, Sessions, Switches, SymbolKind,
    Traces,
};
use store::operator::{Fold, Operator};

/// Every operator that SQL in Lode knows.
pub fn all() -> Vec<Operator> {
    let mut all = of_sequences();
    all.extend(task_operators::all());
    all
}

fn of_sequences() -> Vec<Operator> {
    vec![
        Operator {
            name: "dfg_agg",
            signature: "dfg_agg(case_key, activity [, time])",
            description: "Directly-follows pairs: from_activity, to_activity (null at the start and end of a case), frequency; with time also cases, p50_s, p90_s, mean_s.",
            arguments: &[2, 3],
            returns: |types| if types.len() == 2 { follows_count(types).fields() } else { follows(types).fields() },
            start: |types| {
                if types.len() == 2 {
                    fold(follows_count(types), Kernel::finish)
                } else {
                    fold(follows(types), Kernel::finish)
                }
            },
        },
        Operator {
            name: "trace_agg",
            signature: "trace_agg(case_key, activity, time)",
            description: "Variants: variant, activities, cases, events, p50_s, p90_s, rework, truncated, example_case.",
            arguments: &[3],
            returns: |types| traces(types).fields(),
            start: |types| fold(traces(types), Kernel::finish),
        },
        Operator {
            name: "case_variants",
            signature: "case_variants(case_key, activity, time)",
            description: "One row per case: case_key, variant, start, end, events, duration_s.",
            arguments: &[3],
            returns: |_| Traces::case_fields(),
            start: |types| fold(traces(types), Traces::finish_cases),
        },
        Operator {
            name: "sessions_agg",
            signature: "sessions_agg(agent_key, event_order, time, gap_s, active_cap_s)",
            description: "Sessions split at pauses longer than gap_s: agent_key, session_key, start, end, events, active_us, idle_us.",
            arguments: &[5],
            returns: |_| Sessions::new(SessionRule::default()).fields(),
            start: |_| Box::new(SessionFold(None)),
        },
        Operator {
            name: "switches_agg",
            signature: "switches_agg(agent_key, session_key, application, time, active_us [, user_key])",
            description: "Switches between applications: from_application, to_application, switches, round_trips, users; active_us is not looked at and may be NULL.",
            arguments: &[5, 6],
            returns: |types| switches(types).fields(),
            start: |types| fold(switches(types).without_focus(), Kernel::finish),
        },
        Operator {
            name: "focus_agg",
            signature: "focus_agg(agent_key, session_key, application, time, active_us [, user_key])",
            description: "Focus blocks by application: application, active_s, accesses, users, focus_p50_s, focus_p90_s, classes.",
            arguments: &[5, 6],
            returns: |types| switches(types).application_fields(),
            start: |types| fold(switches(types).without_switches(), Switches::finish_applications),
        },
        Operator {
            name: "copy_paste_agg",
            signature: "copy_paste_agg(agent_key, event_type, application, screen, element, value_fingerprint, time [, user_key])",
            description: "Copies paired with their pastes: outcome, from_application, from_screen, from_element, to_application, to_screen, to_element, pairs, users, p50_s.",
            arguments: &[7, 8],
            returns: |_| CopyPaste::new().fields(),
            start: |_| fold(CopyPaste::new(), Kernel::finish),
        },
        Operator {
            name: "figures_agg",
            signature: "figures_agg(name, user_key, case_key, value)",
            description: "Figures per name, all exact: name, events, users, cases, total, p50, p90, p95; the last four of value.",
            arguments: &[4],
            returns: |types| figures(types).fields(),
            start: |types| fold(figures(types), Kernel::finish),
        },
    ]
}

fn follows(types: &[DataType]) -> DirectlyFollows {
    DirectlyFollows::new(symbols(types, 1))
}

fn follows_count(types: &[DataType]) -> DirectlyFollowsCount {
    DirectlyFollowsCount::new(symbols(types, 1))
}

fn traces(types: &[DataType]) -> Traces {
    Traces::new(symbols(types, 1))
}

fn switches(types: &[DataType]) -> Switches {
    Switches::new(symbols(types, 2))
}

fn figures(types: &[DataType]) -> Figures {
    Figures::new(symbols(types, 0))
}

fn symbols(types: &[DataType], position: usize) -> SymbolKind {
    types.get(position).map_or(SymbolKind::Text, SymbolKind::of)
}

/// A kernel as the engine wants it, with the answer it is asked for.
#[derive(Debug)]
struct KernelFold<K> {
    kernel: K,
    finish: fn(&mut K) -> Result<StructArray, discovery::KernelError>,
}

fn fold<K: Kernel + 'static>(
    kernel: K,
    finish: fn(&mut K) -> Result<StructArray, discovery::KernelError>,
) -> Box<dyn Fold> {
    Box::new(KernelFold { kernel, finish })
}

impl<K: Kernel> Fold for KernelFold<K> {
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), String> {
        self.kernel.update(columns).map_err(|error| error.to_string())
    }

    fn state(&mut self) -> Result<Vec<u8>, String> {
        Ok(self.kernel.to_bytes())
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), String> {
        let other = K::from_bytes(state).map_err(|error| error.to_string())?;
        self.kernel.merge(other).map_err(|error| error.to_string())
    }

    fn finish(&mut self) -> Result<StructArray, String> {
        (self.finish)(&mut self.kernel).map_err(|error| error.to_string())
    }

    fn size_bytes(&self) -> usize {
        self.kernel.size_bytes()
    }
}

/// Sessions, whose rule comes with the rows: the last two arguments are the same in every row.
#[derive(Debug)]
struct SessionFold(Option<Sessions>);

/// Place of `gap_s` among the arguments of `sessions_agg`; `active_cap_s` follows.
const GAP_ARGUMENT: usize = 3;

impl SessionFold {
    fn sessions(&mut self, rule: SessionRule) -> &mut Sessions {
        self.0.get_or_insert_with(|| Sessions::new(rule))
    }
}

impl Fold for SessionFold {
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), String> {
        let seconds = |position: usize| -> Result<i64, String> {
            let column =
                arrow::compute::cast(&columns[position], &DataType::Int64).map_err(|error| error.to_string())?;
            let column = column.as_primitive::<Int64Type>();
            let known = !column.is_empty() && column.is_valid(0);
            if known { Ok(column.value(0) * 1_000_000) } else { Err("gap_s and active_cap_s must be numbers".into()) }
        };
        let rule = SessionRule { gap_us: seconds(GAP_ARGUMENT)?, active_cap_us: seconds(GAP_ARGUMENT + 1)? };
        self.sessions(rule).update(&columns[..GAP_ARGUMENT]).map_err(|error| error.to_string())
    }

    fn state(&mut self) -> Result<Vec<u8>, String> {
        Ok(self.sessions(SessionRule::default()).to_bytes())
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), String> {
        let other = Sessions::from_bytes(state).map_err(|error| error.to_string())?;
        self.sessions(SessionRule::default()).merge(other).map_err(|error| error.to_string())
    }

    fn finish(&mut self) -> Result<StructArray, String> {
        self.sessions(SessionRule::default()).finish().map_err(|error| error.to_string())
    }

    fn size_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, Kernel::size_bytes)
    }
}
