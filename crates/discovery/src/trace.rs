//! Variants: the distinct orders of activities over cases, with how often and how long (`trace_agg`, `case_variants`).
//!
//! ```text
//! case 1   copy ─▶ paste ─▶ save          root ── copy ── paste ── save   2 cases end here: variant 1
//! case 2   copy ─▶ paste ─▶ save                    └──── save            1 case ends here:  variant 2
//! case 3   copy ─▶ save
//! ```
//! All traces share one prefix tree; an open case is one node of it, so an event costs one step down. No list of
//! activities is ever sorted, joined or compared. Memory: one node per distinct prefix and a few words per case.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, ListArray, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, TimeUnit};

use crate::bytes::{Reader, Writer};
use crate::cases::CaseTable;
use crate::columns;
use crate::directly_follows::read_cases;
use crate::distribution::of_sorted_s;
use crate::kernel::{Kernel, KernelError};
use crate::pairs::{PairTable, pair};
use crate::symbols::{NO_SYMBOL, SymbolKind, Symbols};

const OPERATOR: &str = "trace_agg";
const TAG: u8 = 3;

/// Activities of one case that take part in its variant.
///
/// At the bound the case stays on the node it has reached: later events count in `events` and in durations, and the
/// variant is marked `truncated`.
pub const TRACE_ACTIVITIES_MAX: u32 = 10_000;

/// The empty trace, of which every case is a continuation.
const ROOT: u32 = 0;

/// Variants over cases.
///
/// Shape: columns `case_key`, `activity`, `time`; rows without case or activity are skipped. The answer has one row per
/// variant, most cases first. `variant` is a hash of the names in order, in 16 hexadecimal digits, equal wherever the
/// names are; `rework` says whether an activity comes twice; `example_case` is the smallest case key.
/// Units: time in microseconds in; `p50_s` and `p90_s` out, of last minus first event, exact.
///
/// Errors: see [`Kernel`]; `time` must not be null; [`KernelError::TooLarge`] beyond 2^31 activities in the answer.
/// Source: variants as in van der Aalst, *Process Mining* (2nd ed., 2016), section 5.2; the hash is FNV-1a.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::array::*;
/// # use arrow::datatypes::Int64Type;
/// # use discovery::{Kernel, SymbolKind, Traces};
/// let case: ArrayRef = Arc::new(Int64Array::from(vec![1, 1, 2, 2, 3]));
/// let activity: ArrayRef = Arc::new(StringArray::from(vec!["copy", "paste", "copy", "paste", "copy"]));
/// let time: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 2, 3, 4]));
/// let mut traces = Traces::new(SymbolKind::Text);
/// traces.update(&[case, activity, time])?;
/// let variants = traces.finish()?;
/// assert_eq!(variants.column_by_name("cases").expect("a field").as_primitive::<Int64Type>().values(), &[2, 1]);
/// # Ok::<(), discovery::KernelError>(())
/// ```
#[derive(Debug)]
pub struct Traces {
    activities: Symbols,
    /// Node by (parent, activity); 0, the root, stands for "none yet".
    children: PairTable<u32>,
    /// Each node stands behind its parent.
    nodes: Vec<Node>,
    open: CaseTable<Case>,
    /// The case of the row before, with its position in `open`.
    current: Option<(i64, usize)>,
    closed: Vec<(i64, Case)>,
    batch: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    activity: u32,
    depth: u32,
    /// The child entered last: most steps repeat it and need no look-up.
    likely_child: u32,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    node: u32,
    events: u32,
    start_us: i64,
    end_us: i64,
}

impl Traces {
    /// An empty state for activities of this kind.
    pub fn new(activities: SymbolKind) -> Traces {
        let root = Node { parent: ROOT, activity: NO_SYMBOL, depth: 0, likely_child: ROOT };
        Traces {
            activities: Symbols::new(activities),
            children: PairTable::default(),
            nodes: vec![root],
            open: CaseTable::default(),
            current: None,
            closed: Vec::new(),
            batch: Vec::new(),
        }
    }

    /// One row per case instead of one per variant, in order of `case_key`: for joins.
    ///
    /// Shape: `case_key`, `variant`, `start`, `end` (times of first and last event), `events`, `duration_s`.
    ///
    /// Errors: none at present.
    pub fn finish_cases(&mut self) -> Result<StructArray, KernelError> {
        self.close();
        self.closed.sort_unstable_by_key(|(key, _)| *key);
        let hashes = self.hashes();
        let names: StringArray =
            self.closed.iter().map(|(_, case)| Some(variant_name(hashes[case.node as usize]))).collect();
        let time = |of: fn(&Case) -> i64| -> ArrayRef {
            let times = TimestampMicrosecondArray::from_iter_values(self.closed.iter().map(|(_, case)| of(case)));
            Arc::new(times.with_timezone("UTC"))
        };
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(self.closed.iter().map(|(key, _)| *key))),
            Arc::new(names),
            time(|case| case.start_us),
            time(|case| case.end_us),
            Arc::new(Int64Array::from_iter_values(self.closed.iter().map(|(_, case)| i64::from(case.events)))),
            Arc::new(Float64Array::from_iter_values(
                self.closed.iter().map(|(_, case)| case.duration_us() as f64 / 1e6),
            )),
        ];
        Ok(StructArray::new(Self::case_fields(), arrays, None))
    }

    /// The fields of [`Traces::finish_cases`].
    pub fn case_fields() -> Fields {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Fields::from(vec![
            Field::new("case_key", DataType::Int64, false),
            Field::new("variant", DataType::Utf8, false),
            Field::new("start", time.clone(), false),
            Field::new("end", time, false),
            Field::new("events", DataType::Int64, false),
            Field::new("duration_s", DataType::Float64, false),
        ])
    }

    /// The node one activity further down.
    #[inline]
    fn step(&mut self, from: u32, activity: u32) -> u32 {
        let node = self.nodes[from as usize];
        if node.likely_child != ROOT && self.nodes[node.likely_child as usize].activity == activity {
            return node.likely_child;
        }
        if node.depth == TRACE_ACTIVITIES_MAX {
            return from;
        }
        let child = self.children.entry(pair(from, activity));
        if *child == ROOT {
            *child = self.nodes.len() as u32;
            let depth = node.depth + 1;
            self.nodes.push(Node { parent: from, activity, depth, likely_child: ROOT });
        }
        self.nodes[from as usize].likely_child = *child;
        *child
    }

    /// Ends every open case.
    fn close(&mut self) {
        self.current = None;
        self.closed.extend(self.open.take());
    }

    /// The hash of each node's trace, made from its parent's.
    fn hashes(&self) -> Vec<u64> {
        let mut hashes = vec![TRACE_HASH_START];
        for node in &self.nodes[1..] {
            let hash = trace_hash(hashes[node.parent as usize], &self.activities.name(node.activity));
            hashes.push(hash);
        }
        hashes
    }

    /// Replaces `trace` by the activities from the root down to a node.
    fn write_trace(&self, node: u32, trace: &mut Vec<u32>) {
        trace.clear();
        let mut at = node;
        while at != ROOT {
            trace.push(self.nodes[at as usize].activity);
            at = self.nodes[at as usize].parent;
        }
        trace.reverse();
    }

    /// Cases gathered by the node they ended on.
    fn variants(&self) -> Vec<Variant> {
        let mut position_of_node = vec![u32::MAX; self.nodes.len()];
        let mut variants: Vec<Variant> = Vec::new();
        for (key, case) in &self.closed {
            let position = &mut position_of_node[case.node as usize];
            if *position == u32::MAX {
                *position = variants.len() as u32;
                variants.push(Variant { node: case.node, cases: 0, events: 0, example_case: *key, first: 0 });
            }
            let variant = &mut variants[*position as usize];
            variant.cases += 1;
            variant.events += i64::from(case.events);
            variant.example_case = variant.example_case.min(*key);
        }
        variants
    }

    /// Durations of all cases, those of one variant together; sets where each variant's begin.
    fn durations_us(&self, variants: &mut [Variant]) -> Vec<u64> {
        let mut first_of_node = vec![0_usize; self.nodes.len()];
        let mut first = 0;
        for variant in variants.iter_mut() {
            variant.first = first;
            first_of_node[variant.node as usize] = first;
            first += variant.cases;
        }
        let mut durations_us = vec![0; self.closed.len()];
        for (_, case) in &self.closed {
            let at = &mut first_of_node[case.node as usize];
            durations_us[*at] = case.duration_us();
            *at += 1;
        }
        durations_us
    }

    fn activity_field(&self) -> Field {
        let name = match self.activities.kind() {
            SymbolKind::Text => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            SymbolKind::Integer => DataType::Int64,
        };
        Field::new_list_field(name, false)
    }

    fn activity_lists(&self, symbols: Vec<u32>, lengths: &[usize]) -> ListArray {
        let values: ArrayRef = match self.activities.kind() {
            SymbolKind::Integer => Arc::new(Int64Array::from_iter_values(symbols.into_iter().map(i64::from))),
            SymbolKind::Text => {
                let codes = Int32Array::from_iter_values(symbols.into_iter().map(|symbol| symbol as i32));
                Arc::new(DictionaryArray::<Int32Type>::new(codes, Arc::new(self.activities.texts())))
            }
        };
        let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
        ListArray::new(Arc::new(self.activity_field()), offsets, values, None)
    }
}

/// One node on which cases ended.
#[derive(Debug)]
struct Variant {
    node: u32,
    cases: usize,
    events: i64,
    example_case: i64,
    /// Where its durations begin.
    first: usize,
}

impl Case {
    /// Last minus first event; a clock set back counts as 0.
    fn duration_us(&self) -> u64 {
        self.end_us.saturating_sub(self.start_us).max(0) as u64
    }

    /// Takes in one more event of the case.
    #[inline]
    fn extend(&mut self, node: u32, time_us: i64) {
        self.node = node;
        self.events = self.events.saturating_add(1);
        self.end_us = time_us;
    }
}

impl Kernel for Traces {
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), KernelError> {
        columns::rows(columns, 3, OPERATOR, "three (case_key, activity, time)")?;
        let (cases, activities) = read_cases(columns, &mut self.activities, &mut self.batch)?;
        let times = columns::mandatory(&columns[2], "time")?;
        if self.nodes.len() + activities.len() > u32::MAX as usize {
            return Err(KernelError::TooLarge { what: "distinct prefixes of traces", limit: u32::MAX as usize });
        }
        for ((&key, &activity), &time_us) in cases.values.iter().zip(&activities).zip(times.iter()) {
            if activity == NO_SYMBOL {
                continue;
            }
            let at = match self.current {
                Some((current, at)) if current == key => at,
                _ => {
                    let new = Case { node: ROOT, events: 0, start_us: time_us, end_us: time_us };
                    let at = self.open.enter(key, || new).at;
                    self.current = Some((key, at));
                    at
                }
            };
            let from = self.open.state(at).node;
            let node = self.step(from, activity);
            self.open.state(at).extend(node, time_us);
        }
        self.batch = activities;
        Ok(())
    }

    fn merge(&mut self, mut other: Traces) -> Result<(), KernelError> {
        self.close();
        other.close();
        let is_empty = self.nodes.len() == 1 && self.closed.is_empty();
        if is_empty && self.activities.kind() == other.activities.kind() {
            // The first state to arrive is taken whole: its tree may have millions of nodes.
            *self = other;
            return Ok(());
        }
        let translation = self.activities.absorb(&other.activities)?;
        let mut ours = Vec::with_capacity(other.nodes.len());
        ours.push(ROOT);
        for node in &other.nodes[1..] {
            let node = self.step(ours[node.parent as usize], translation.of(node.activity));
            ours.push(node);
        }
        let moved = |case: Case| Case { node: ours[case.node as usize], ..case };
        self.closed.extend(other.closed.into_iter().map(|(key, case)| (key, moved(case))));
        Ok(())
    }

    fn finish(&mut self) -> Result<StructArray, KernelError> {
        self.close();
        let hashes = self.hashes();
        let mut variants = self.variants();
        let mut durations_us = self.durations_us(&mut variants);
        variants.sort_unstable_by_key(|variant| (std::cmp::Reverse(variant.cases), hashes[variant.node as usize]));

        let mut percentiles = Vec::with_capacity(variants.len());
        let mut lengths = Vec::with_capacity(variants.len());
        let mut rework = Vec::with_capacity(variants.len());
        let (mut all, mut trace) = (Vec::new(), Vec::new());
        for variant in &variants {
            let durations = &mut durations_us[variant.first..variant.first + variant.cases];
            durations.sort_unstable();
            percentiles.push([0.5, 0.9].map(|fraction| of_sorted_s(durations, fraction)));
            self.write_trace(variant.node, &mut trace);
            all.extend_from_slice(&trace);
            lengths.push(trace.len());
            trace.sort_unstable();
            rework.push(trace.windows(2).any(|two| two[0] == two[1]));
        }
        if all.len() > i32::MAX as usize {
            return Err(KernelError::TooLarge { what: "activities in all variants", limit: i32::MAX as usize });
        }
        let is_truncated = |variant: &Variant, length: usize| variant.events as usize > length * variant.cases;
        let truncated = variants.iter().zip(&lengths).map(|(variant, &length)| Some(is_truncated(variant, length)));
        let truncated = BooleanArray::from_iter(truncated);
        let names: StringArray =
            variants.iter().map(|variant| Some(variant_name(hashes[variant.node as usize]))).collect();
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(names),
            Arc::new(self.activity_lists(all, &lengths)),
            Arc::new(Int64Array::from_iter_values(variants.iter().map(|variant| variant.cases as i64))),
            Arc::new(Int64Array::from_iter_values(variants.iter().map(|variant| variant.events))),
            Arc::new(Float64Array::from_iter(percentiles.iter().map(|[p50_s, _]| *p50_s))),
            Arc::new(Float64Array::from_iter(percentiles.iter().map(|[_, p90_s]| *p90_s))),
            Arc::new(BooleanArray::from(rework)),
            Arc::new(truncated),
            Arc::new(Int64Array::from_iter_values(variants.iter().map(|variant| variant.example_case))),
        ];
        Ok(StructArray::new(self.fields(), arrays, None))
    }

    fn fields(&self) -> Fields {
        Fields::from(vec![
            Field::new("variant", DataType::Utf8, false),
            Field::new("activities", DataType::List(Arc::new(self.activity_field())), false),
            Field::new("cases", DataType::Int64, false),
            Field::new("events", DataType::Int64, false),
            Field::new("p50_s", DataType::Float64, true),
            Field::new("p90_s", DataType::Float64, true),
            Field::new("rework", DataType::Boolean, false),
            Field::new("truncated", DataType::Boolean, false),
            Field::new("example_case", DataType::Int64, false),
        ])
    }

    fn to_bytes(&mut self) -> Vec<u8> {
        self.close();
        let mut to = Writer::new(TAG);
        self.activities.write(&mut to);
        to.number(self.nodes.len() as u64 - 1);
        for node in &self.nodes[1..] {
            to.number(u64::from(node.parent));
            to.number(u64::from(node.activity));
        }
        to.number(self.closed.len() as u64);
        let (mut last_key, mut last_start_us) = (0_i64, 0_i64);
        for (key, case) in &self.closed {
            to.signed(key.wrapping_sub(last_key));
            to.number(u64::from(case.node));
            to.number(u64::from(case.events));
            to.signed(case.start_us.wrapping_sub(last_start_us));
            to.signed(case.end_us.wrapping_sub(case.start_us));
            (last_key, last_start_us) = (*key, case.start_us);
        }
        to.into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Traces, KernelError> {
        let mut from = Reader::new(bytes, TAG, OPERATOR)?;
        let mut state = Traces::new(SymbolKind::Text);
        state.activities = Symbols::from_reader(&mut from)?;
        for _ in 0..from.count()? {
            let (parent, activity) = (from.small()?, from.small()?);
            if parent as usize >= state.nodes.len() {
                return Err(from.error("a node stands before its parent"));
            }
            state.step(parent, activity);
        }
        let (mut key, mut start_us) = (0_i64, 0_i64);
        for _ in 0..from.count()? {
            key = key.wrapping_add(from.signed()?);
            let (node, events) = (from.small()?, from.small()?);
            start_us = start_us.wrapping_add(from.signed()?);
            let end_us = start_us.wrapping_add(from.signed()?);
            if node as usize >= state.nodes.len() {
                return Err(from.error("a case ends on a node that is not there"));
            }
            state.closed.push((key, Case { node, events, start_us, end_us }));
        }
        from.end().map(|()| state)
    }

    fn size_bytes(&self) -> usize {
        self.activities.size_bytes()
            + self.children.size_bytes()
            + self.nodes.capacity() * size_of::<Node>()
            + self.open.size_bytes()
            + self.closed.capacity() * size_of::<(i64, Case)>()
            + self.batch.capacity() * 4
    }
}

/// The offset basis of 64-bit FNV-1a.
const TRACE_HASH_START: u64 = 0xCBF2_9CE4_8422_2325;

/// FNV-1a over the name and a byte that no UTF-8 text has, so that `ab, c` and `a, bc` differ.
fn trace_hash(before: u64, name: &str) -> u64 {
    let bytes = name.bytes().chain([0xFF]);
    bytes.fold(before, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

fn variant_name(hash: u64) -> String {
    format!("{hash:016x}")
}
