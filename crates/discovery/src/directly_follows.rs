//! Which activity directly follows which: the edges of a process map, with how often and how long (`dfg_agg`).
//!
//! ```text
//! time      09:00   09:01   09:05   09:06
//! case 1    copy ─▶ paste ────────▶ save        start→copy  copy→paste  paste→save  save→end
//! case 2                    copy                start→copy  copy→end
//! ```
//! Two operators: [`DirectlyFollows`] with times, and the leaner [`DirectlyFollowsCount`] with frequencies only.
//! They hold one record per edge and a few words per case. Neither draws a map, filters, or decides what a case is.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StructArray};
use arrow::datatypes::{DataType, Field, Fields};

use crate::bytes::{Reader, Writer};
use crate::cases::CaseTable;
use crate::columns::{self, Integers};
use crate::distribution::Distribution;
use crate::kernel::{Kernel, KernelError};
use crate::pairs::{PairTable, pair, unpair};
use crate::symbols::{NO_SYMBOL, SymbolKind, Symbols};

const OPERATOR: &str = "dfg_agg";
const TAG_TIMED: u8 = 1;
const TAG_COUNT: u8 = 2;

/// Edges remembered of cases that were left, so that a case which goes on counts once per edge: 4 MiB.
///
/// At the bound the cases left longest ago are forgotten; should one of them go on, `cases` of an edge it repeats is
/// one too high. Frequencies and times are exact always.
pub const RESUMABLE_EDGES_MAX: usize = 1 << 20;

/// Edges with frequencies and times.
///
/// Shape: columns `case_key`, `activity`, `time`; rows without case or activity are skipped. The answer has one row
/// per pair of activities, plus one per first activity (`from_activity` null) and last activity (`to_activity` null)
/// of a case; most frequent first.
/// Units: time in microseconds in; `p50_s`, `p90_s`, `mean_s` out, of the time between the two events, a step back in
/// time counting as 0. Percentiles are exact up to [`crate::EXACT_VALUES_MAX`] times per edge, then within 0.8 %.
///
/// Errors: see [`Kernel`]; `time` must not be null.
/// Source: van der Aalst, *Process Mining* (2nd ed., 2016), section 6.1, for "directly follows".
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::array::*;
/// # use arrow::datatypes::Int64Type;
/// # use discovery::{DirectlyFollows, Kernel, SymbolKind};
/// let case: ArrayRef = Arc::new(Int64Array::from(vec![1, 1, 2, 2]));
/// let activity: ArrayRef = Arc::new(StringArray::from(vec!["copy", "paste", "copy", "paste"]));
/// let time: ArrayRef = Arc::new(Int64Array::from(vec![0, 2_000_000, 5_000_000, 9_000_000]));
/// let mut edges = DirectlyFollows::new(SymbolKind::Text);
/// edges.update(&[case, activity, time])?;
/// let answer = edges.finish()?;
/// let column = |name: &str| answer.column_by_name(name).expect("a field of the answer");
/// assert_eq!(column("from_activity").as_string::<i32>().iter().collect::<Vec<_>>(), [Some("copy"), Some("paste"), None]);
/// assert_eq!(column("frequency").as_primitive::<Int64Type>().values(), &[2, 2, 2]);
/// # Ok::<(), discovery::KernelError>(())
/// ```
#[derive(Debug)]
pub struct DirectlyFollows {
    activities: Symbols,
    /// Position in `edges` by (from, to), plus one: 0 is a pair not seen before.
    positions: PairTable<u32>,
    edges: Vec<Edge>,
    open: CaseTable<OpenCase>,
    /// The case of the row before, with its position in `open`.
    current: Option<(i64, usize)>,
    /// Edges the current case has, each once.
    current_edges: Vec<u32>,
    left: LeftEdges,
    /// Symbols of the batch in hand; kept for its memory.
    batch: Vec<u32>,
}

#[derive(Debug)]
struct Edge {
    pair: u64,
    frequency: u64,
    cases: u64,
    /// The case that was counted last, by position.
    last_case: usize,
    sum_us: u64,
    gaps: Distribution,
}

#[derive(Debug, Clone, Copy)]
struct OpenCase {
    last_activity: u32,
    last_time_us: i64,
    /// Where the edges of the case begin in [`LeftEdges`], and how many there are.
    edges_at: u64,
    edges: u32,
}

/// A ring with the edges of cases that were left.
#[derive(Debug, Default)]
struct LeftEdges {
    ring: Vec<u32>,
    /// Edges ever written.
    written: u64,
}

impl LeftEdges {
    fn keep(&mut self, edges: &[u32]) -> u64 {
        let at = self.written;
        for &edge in edges {
            let slot = (self.written % RESUMABLE_EDGES_MAX as u64) as usize;
            match self.ring.get_mut(slot) {
                Some(kept) => *kept = edge,
                None => self.ring.push(edge),
            }
            self.written += 1;
        }
        at
    }

    /// The edges kept at a place; none if they have been overwritten.
    fn recall(&self, at: u64, edges: u32) -> impl Iterator<Item = u32> + '_ {
        let is_kept = self.written - at <= RESUMABLE_EDGES_MAX as u64;
        let range = if is_kept { at..at + u64::from(edges) } else { 0..0 };
        range.map(|at| self.ring[(at % RESUMABLE_EDGES_MAX as u64) as usize])
    }
}

impl DirectlyFollows {
    /// An empty state for activities of this kind.
    pub fn new(activities: SymbolKind) -> DirectlyFollows {
        DirectlyFollows {
            activities: Symbols::new(activities),
            positions: PairTable::default(),
            edges: Vec::new(),
            open: CaseTable::default(),
            current: None,
            current_edges: Vec::new(),
            left: LeftEdges::default(),
            batch: Vec::new(),
        }
    }

    /// Makes the case of a row the current one.
    fn enter(&mut self, key: i64, activity: u32, time_us: i64) -> usize {
        self.leave();
        let new = OpenCase { last_activity: NO_SYMBOL, last_time_us: time_us, edges_at: self.left.written, edges: 0 };
        let entry = self.open.enter(key, || new);
        if entry.is_new {
            let start = self.edge(pair(NO_SYMBOL, activity));
            start.frequency += 1;
            start.cases += 1;
        } else {
            let case = *self.open.state(entry.at);
            for edge in self.left.recall(case.edges_at, case.edges) {
                self.edges[edge as usize].last_case = entry.at;
                self.current_edges.push(edge);
            }
        }
        self.current = Some((key, entry.at));
        entry.at
    }

    /// Puts away the edges of the current case.
    fn leave(&mut self) {
        if let Some((_, at)) = self.current.take() {
            let case = self.open.state(at);
            case.edges_at = self.left.keep(&self.current_edges);
            case.edges = self.current_edges.len() as u32;
            self.current_edges.clear();
        }
    }

    #[inline]
    fn follow(&mut self, at: usize, from: u32, to: u32, gap_us: u64) {
        let position = self.position(pair(from, to));
        let edge = &mut self.edges[position];
        edge.frequency += 1;
        edge.sum_us = edge.sum_us.saturating_add(gap_us);
        edge.gaps.add(gap_us);
        if edge.last_case != at {
            edge.last_case = at;
            edge.cases += 1;
            self.current_edges.push(position as u32);
        }
    }

    #[inline]
    fn position(&mut self, pair: u64) -> usize {
        let position = self.positions.entry(pair);
        if *position == 0 {
            let gaps = Distribution::default();
            self.edges.push(Edge { pair, frequency: 0, cases: 0, last_case: usize::MAX, sum_us: 0, gaps });
            *position = self.edges.len() as u32;
        }
        *position as usize - 1
    }

    fn edge(&mut self, pair: u64) -> &mut Edge {
        let position = self.position(pair);
        &mut self.edges[position]
    }

    /// Ends every open case at its last activity.
    fn close(&mut self) {
        self.leave();
        for (_, case) in self.open.take() {
            let end = self.edge(pair(case.last_activity, NO_SYMBOL));
            end.frequency += 1;
            end.cases += 1;
        }
        self.left = LeftEdges::default();
        self.edges.iter_mut().for_each(|edge| edge.last_case = usize::MAX);
    }
}

impl Kernel for DirectlyFollows {
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), KernelError> {
        columns::rows(columns, 3, OPERATOR, "three (case_key, activity, time)")?;
        let (cases, mut activities) = read_cases(columns, &mut self.activities, &mut self.batch)?;
        let times = columns::mandatory(&columns[2], "time")?;
        let (mut key, mut at) = self.current.unwrap_or((0, usize::MAX));
        let (mut last_activity, mut last_time_us) = match self.current {
            Some((_, at)) => (self.open.state(at).last_activity, self.open.state(at).last_time_us),
            None => (NO_SYMBOL, 0),
        };
        for ((&case, &activity), &time_us) in cases.values.iter().zip(&activities).zip(times.iter()) {
            if activity == NO_SYMBOL {
                continue;
            }
            if case != key || at == usize::MAX {
                if at != usize::MAX {
                    let left = self.open.state(at);
                    (left.last_activity, left.last_time_us) = (last_activity, last_time_us);
                }
                (key, at) = (case, self.enter(case, activity, time_us));
                (last_activity, last_time_us) = (self.open.state(at).last_activity, self.open.state(at).last_time_us);
            }
            if last_activity != NO_SYMBOL {
                self.follow(at, last_activity, activity, time_us.saturating_sub(last_time_us).max(0) as u64);
            }
            (last_activity, last_time_us) = (activity, time_us);
        }
        if at != usize::MAX {
            let current = self.open.state(at);
            (current.last_activity, current.last_time_us) = (last_activity, last_time_us);
        }
        std::mem::swap(&mut self.batch, &mut activities);
        Ok(())
    }

    fn merge(&mut self, mut other: DirectlyFollows) -> Result<(), KernelError> {
        self.close();
        other.close();
        let translation = self.activities.absorb(&other.activities)?;
        for theirs in other.edges {
            let (from, to) = unpair(theirs.pair);
            let ours = self.edge(pair(translation.of(from), translation.of(to)));
            ours.frequency += theirs.frequency;
            ours.cases += theirs.cases;
            ours.sum_us = ours.sum_us.saturating_add(theirs.sum_us);
            ours.gaps.merge(theirs.gaps);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<StructArray, KernelError> {
        self.close();
        let mut order: Vec<&mut Edge> = self.edges.iter_mut().collect();
        order.sort_unstable_by(|one, other| {
            other.frequency.cmp(&one.frequency).then_with(|| compare(&self.activities, one.pair, other.pair))
        });
        let percentiles: Vec<_> = order.iter_mut().map(|edge| edge.gaps.percentiles_s([0.5, 0.9])).collect();
        let mean_s = |edge: &Edge| percentile_is_known(edge).then(|| edge.sum_us as f64 / edge.frequency as f64 / 1e6);
        let arrays: Vec<ArrayRef> = vec![
            self.activities.column(order.iter().map(|edge| unpair(edge.pair).0)),
            self.activities.column(order.iter().map(|edge| unpair(edge.pair).1)),
            Arc::new(Int64Array::from_iter_values(order.iter().map(|edge| edge.frequency as i64))),
            Arc::new(Int64Array::from_iter_values(order.iter().map(|edge| edge.cases as i64))),
            Arc::new(Float64Array::from_iter(percentiles.iter().map(|[p50_s, _]| *p50_s))),
            Arc::new(Float64Array::from_iter(percentiles.iter().map(|[_, p90_s]| *p90_s))),
            Arc::new(Float64Array::from_iter(order.iter().map(|edge| mean_s(edge)))),
        ];
        Ok(StructArray::new(self.fields(), arrays, None))
    }

    fn fields(&self) -> Fields {
        let mut fields = count_fields(&self.activities);
        fields.push(Field::new("cases", DataType::Int64, false));
        fields.extend(["p50_s", "p90_s", "mean_s"].map(|name| Field::new(name, DataType::Float64, true)));
        fields.into()
    }

    fn to_bytes(&mut self) -> Vec<u8> {
        self.close();
        let mut to = Writer::new(TAG_TIMED);
        self.activities.write(&mut to);
        to.number(self.edges.len() as u64);
        for edge in &self.edges {
            [edge.pair, edge.frequency, edge.cases, edge.sum_us].iter().for_each(|&value| to.number(value));
            edge.gaps.write(&mut to);
        }
        to.into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<DirectlyFollows, KernelError> {
        let mut from = Reader::new(bytes, TAG_TIMED, OPERATOR)?;
        let mut state = DirectlyFollows::new(SymbolKind::Text);
        state.activities = Symbols::from_reader(&mut from)?;
        for _ in 0..from.count()? {
            let pair = from.number()?;
            if pair == u64::MAX {
                return Err(from.error("an edge joins nothing to nothing"));
            }
            let edge = state.edge(pair);
            (edge.frequency, edge.cases, edge.sum_us) = (from.number()?, from.number()?, from.number()?);
            edge.gaps = Distribution::from_reader(&mut from)?;
        }
        from.end().map(|()| state)
    }

    fn size_bytes(&self) -> usize {
        self.activities.size_bytes()
            + self.positions.size_bytes()
            + self.edges.capacity() * size_of::<Edge>()
            + self.edges.iter().map(|edge| edge.gaps.size_bytes()).sum::<usize>()
            + self.open.size_bytes()
            + (self.current_edges.capacity() + self.left.ring.capacity() + self.batch.capacity()) * 4
    }
}

/// Whether the edge joins two activities, and so has times.
fn percentile_is_known(edge: &Edge) -> bool {
    let (from, to) = unpair(edge.pair);
    from != NO_SYMBOL && to != NO_SYMBOL
}

/// Edges with frequencies only.
///
/// Shape: columns `case_key`, `activity`; the rest as [`DirectlyFollows`], without `cases` and times.
///
/// Errors: see [`Kernel`].
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::array::*;
/// # use arrow::datatypes::Int64Type;
/// # use discovery::{DirectlyFollowsCount, Kernel, SymbolKind};
/// let case: ArrayRef = Arc::new(Int64Array::from(vec![1, 1, 1]));
/// let activity: ArrayRef = Arc::new(StringArray::from(vec!["copy", "copy", "copy"]));
/// let mut edges = DirectlyFollowsCount::new(SymbolKind::Text);
/// edges.update(&[case, activity])?;
/// assert_eq!(edges.finish()?.column(2).as_primitive::<Int64Type>().values(), &[2, 1, 1]);
/// # Ok::<(), discovery::KernelError>(())
/// ```
#[derive(Debug)]
pub struct DirectlyFollowsCount {
    activities: Symbols,
    frequencies: PairTable<u64>,
    /// The last activity of each open case.
    open: CaseTable<u32>,
    /// The case of the row before, with its position in `open`.
    current: Option<(i64, usize)>,
    batch: Vec<u32>,
}

impl DirectlyFollowsCount {
    /// An empty state for activities of this kind.
    pub fn new(activities: SymbolKind) -> DirectlyFollowsCount {
        DirectlyFollowsCount {
            activities: Symbols::new(activities),
            frequencies: PairTable::default(),
            open: CaseTable::default(),
            current: None,
            batch: Vec::new(),
        }
    }

    /// Ends every open case at its last activity.
    fn close(&mut self) {
        self.current = None;
        for (_, last_activity) in self.open.take() {
            *self.frequencies.entry(pair(last_activity, NO_SYMBOL)) += 1;
        }
    }
}

impl Kernel for DirectlyFollowsCount {
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), KernelError> {
        columns::rows(columns, 2, OPERATOR, "two (case_key, activity)")?;
        let (cases, mut activities) = read_cases(columns, &mut self.activities, &mut self.batch)?;
        let (mut key, mut at) = self.current.unwrap_or((0, usize::MAX));
        let mut last_activity = if at == usize::MAX { NO_SYMBOL } else { *self.open.state(at) };
        for (&case, &activity) in cases.values.iter().zip(&activities) {
            if activity == NO_SYMBOL {
                continue;
            }
            if case != key || at == usize::MAX {
                if at != usize::MAX {
                    *self.open.state(at) = last_activity;
                }
                let entry = self.open.enter(case, || NO_SYMBOL);
                (key, at) = (case, entry.at);
                last_activity = *self.open.state(at);
            }
            // For the first activity of a case the one before is absent: that is the start row.
            *self.frequencies.entry(pair(last_activity, activity)) += 1;
            last_activity = activity;
        }
        if at != usize::MAX {
            *self.open.state(at) = last_activity;
            self.current = Some((key, at));
        }
        std::mem::swap(&mut self.batch, &mut activities);
        Ok(())
    }

    fn merge(&mut self, mut other: DirectlyFollowsCount) -> Result<(), KernelError> {
        self.close();
        other.close();
        let translation = self.activities.absorb(&other.activities)?;
        for (theirs, frequency) in other.frequencies.iter() {
            let (from, to) = unpair(theirs);
            *self.frequencies.entry(pair(translation.of(from), translation.of(to))) += frequency;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<StructArray, KernelError> {
        self.close();
        let mut edges: Vec<(u64, u64)> = self.frequencies.iter().collect();
        edges
            .sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| compare(&self.activities, one.0, other.0)));
        let arrays: Vec<ArrayRef> = vec![
            self.activities.column(edges.iter().map(|edge| unpair(edge.0).0)),
            self.activities.column(edges.iter().map(|edge| unpair(edge.0).1)),
            Arc::new(Int64Array::from_iter_values(edges.iter().map(|edge| edge.1 as i64))),
        ];
        Ok(StructArray::new(self.fields(), arrays, None))
    }

    fn fields(&self) -> Fields {
        count_fields(&self.activities).into()
    }

    fn to_bytes(&mut self) -> Vec<u8> {
        self.close();
        let mut to = Writer::new(TAG_COUNT);
        self.activities.write(&mut to);
        to.number(self.frequencies.len() as u64);
        for (pair, frequency) in self.frequencies.iter() {
            to.number(pair);
            to.number(frequency);
        }
        to.into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<DirectlyFollowsCount, KernelError> {
        let mut from = Reader::new(bytes, TAG_COUNT, OPERATOR)?;
        let mut state = DirectlyFollowsCount::new(SymbolKind::Text);
        state.activities = Symbols::from_reader(&mut from)?;
        for _ in 0..from.count()? {
            let pair = from.number()?;
            if pair == u64::MAX {
                return Err(from.error("an edge joins nothing to nothing"));
            }
            *state.frequencies.entry(pair) += from.number()?;
        }
        from.end().map(|()| state)
    }

    fn size_bytes(&self) -> usize {
        self.activities.size_bytes()
            + self.frequencies.size_bytes()
            + self.open.size_bytes()
            + self.batch.capacity() * 4
    }
}

fn count_fields(activities: &Symbols) -> Vec<Field> {
    let activity = activities.kind().data_type();
    vec![
        Field::new("from_activity", activity.clone(), true),
        Field::new("to_activity", activity, true),
        Field::new("frequency", DataType::Int64, false),
    ]
}

/// The order of edges of equal frequency: by the names they join.
fn compare(activities: &Symbols, one: u64, other: u64) -> std::cmp::Ordering {
    let ((one_from, one_to), (other_from, other_to)) = (unpair(one), unpair(other));
    activities.compare(one_from, other_from).then_with(|| activities.compare(one_to, other_to))
}

/// Reads `case_key` and `activity`; a row without case gets no activity either, so that one test skips both.
pub(crate) fn read_cases<'a>(
    columns: &'a [ArrayRef],
    activities: &mut Symbols,
    batch: &mut Vec<u32>,
) -> Result<(Integers<'a>, Vec<u32>), KernelError> {
    let cases = columns::integers(&columns[0], "case_key")?;
    let mut symbols = std::mem::take(batch);
    activities.read(&columns[1], "activity", &mut symbols)?;
    if let Some(valid) = &cases.valid {
        let absent = symbols.iter_mut().enumerate().filter(|(row, _)| valid.is_null(*row));
        absent.for_each(|(_, symbol)| *symbol = NO_SYMBOL);
    }
    Ok((cases, symbols))
}
