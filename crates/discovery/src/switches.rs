//! Focus blocks and switches between applications (`switches_agg`, `focus_agg`).
//!
//! ```text
//! application   [excel excel] [crm] [excel] | [mail]        | = another session begins
//! blocks              1          2     3        4
//! switches      excel→crm, crm→excel                        none across the line
//! round trip    excel→crm→excel, if excel is back within 60 s of leaving it
//! ```
//! A focus block is a longest run of events of one agent and session in one application; its length is their active
//! time. Rows without application or session belong to no block and end none. Memory: one record per pair of
//! applications, per application, and per agent.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};

use crate::bytes::{Reader, Writer};
use crate::cases::CaseTable;
use crate::columns;
use crate::distribution::Distribution;
use crate::kernel::{Kernel, KernelError};
use crate::pairs::{PairTable, pair, unpair};
use crate::symbols::{NO_SYMBOL, SymbolKind, Symbols};
use crate::users::{UserSet, Users};

const OPERATOR: &str = "switches_agg";
const TAG: u8 = 5;

/// A→B→A is a round trip if A is back no later than this after it was left.
pub const ROUND_TRIP_US_MAX: i64 = 60_000_000;

/// Where the classes of focus-block lengths begin, in seconds; the last one is open.
pub const FOCUS_CLASSES_S: [i64; 12] = [0, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

/// Switches and focus blocks.
///
/// Shape: columns `agent_key`, `session_key`, `application`, `time`, `active_us`, and optionally `user_key` (else the
/// agent stands for the user). [`Kernel::finish`] gives one row per pair of applications, most switches first; a
/// round trip A→B→A counts on the pair A→B. [`Switches::finish_applications`] gives one row per application.
/// Units: microseconds in; percentiles as [`crate::DirectlyFollows`] has them.
///
/// Errors: see [`Kernel`]; `agent_key` and `time` must not be null.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::array::*;
/// # use arrow::datatypes::Int64Type;
/// # use discovery::{Kernel, Switches, SymbolKind};
/// let (agent, session): (ArrayRef, ArrayRef) = (Arc::new(Int32Array::from(vec![1; 4])), Arc::new(Int64Array::from(vec![7; 4])));
/// let application: ArrayRef = Arc::new(StringArray::from(vec!["excel", "excel", "crm", "excel"]));
/// let time: ArrayRef = Arc::new(Int64Array::from(vec![0, 5_000_000, 9_000_000, 11_000_000]));
/// let active: ArrayRef = Arc::new(Int64Array::from(vec![5_000_000, 4_000_000, 2_000_000, 0]));
/// let mut switches = Switches::new(SymbolKind::Text);
/// switches.update(&[agent, session, application, time, active])?;
/// let pairs = switches.finish()?;
/// assert_eq!(pairs.column_by_name("switches").expect("a field").as_primitive::<Int64Type>().values(), &[1, 1]);
/// assert_eq!(pairs.column_by_name("round_trips").expect("a field").as_primitive::<Int64Type>().values(), &[0, 1]);
/// # Ok::<(), discovery::KernelError>(())
/// ```
#[derive(Debug)]
pub struct Switches {
    applications: Symbols,
    users: Users,
    /// Position in `pairs` by (from, to), plus one.
    pair_positions: PairTable<u32>,
    pairs: Vec<Pair>,
    /// Position in `focus` by (application, 0), plus one.
    focus_positions: PairTable<u32>,
    focus: Vec<Focus>,
    open: CaseTable<Block>,
    /// The agent of the row before, with its position in `open`.
    current: Option<(i64, usize)>,
    batch: Vec<u32>,
    counts_switches: bool,
    counts_focus: bool,
}

#[derive(Debug)]
struct Pair {
    pair: u64,
    switches: u64,
    round_trips: u64,
    users: UserSet,
}

/// All focus blocks of one application.
#[derive(Debug)]
struct Focus {
    application: u32,
    active_us: u64,
    blocks: u64,
    users: UserSet,
    lengths: Distribution,
    classes: [u64; FOCUS_CLASSES_S.len()],
}

/// The block an agent is in.
#[derive(Debug, Clone, Copy)]
struct Block {
    session: i64,
    application: u32,
    /// The application of the block before in this session, if there was one.
    before: u32,
    start_us: i64,
    active_us: i64,
    user: u32,
}

impl Switches {
    /// An empty state for applications of this kind.
    pub fn new(applications: SymbolKind) -> Switches {
        Switches {
            applications: Symbols::new(applications),
            users: Users::default(),
            pair_positions: PairTable::default(),
            pairs: Vec::new(),
            focus_positions: PairTable::default(),
            focus: Vec::new(),
            open: CaseTable::default(),
            current: None,
            batch: Vec::new(),
            counts_switches: true,
            counts_focus: true,
        }
    }

    /// Leaves focus blocks uncounted, for whoever asks for [`Kernel::finish`] only.
    pub fn without_focus(self) -> Switches {
        Switches { counts_focus: false, ..self }
    }

    /// Leaves switches uncounted, for whoever asks for [`Switches::finish_applications`] only.
    pub fn without_switches(self) -> Switches {
        Switches { counts_switches: false, ..self }
    }

    /// One row per application, most active time first.
    ///
    /// Shape: `application`, `active_s`, `accesses` (its focus blocks), `users`, `focus_p50_s`, `focus_p90_s`, and `classes`,
    /// a list of (`from_s`, `to_s`, `blocks`) over [`FOCUS_CLASSES_S`], the last `to_s` null.
    ///
    /// Errors: none at present.
    pub fn finish_applications(&mut self) -> Result<StructArray, KernelError> {
        self.close();
        let mut order: Vec<&mut Focus> = self.focus.iter_mut().collect();
        order.sort_unstable_by(|one, other| {
            let by_time = other.active_us.cmp(&one.active_us);
            by_time.then_with(|| self.applications.compare(one.application, other.application))
        });
        let percentiles: Vec<_> = order.iter_mut().map(|focus| focus.lengths.percentiles_s([0.5, 0.9])).collect();
        let arrays: Vec<ArrayRef> = vec![
            self.applications.column(order.iter().map(|focus| focus.application)),
            Arc::new(Float64Array::from_iter_values(order.iter().map(|focus| focus.active_us as f64 / 1e6))),
            Arc::new(Int64Array::from_iter_values(order.iter().map(|focus| focus.blocks as i64))),
            Arc::new(Int64Array::from_iter_values(order.iter().map(|focus| focus.users.len()))),
            Arc::new(Float64Array::from_iter(percentiles.iter().map(|[p50_s, _]| *p50_s))),
            Arc::new(Float64Array::from_iter(percentiles.iter().map(|[_, p90_s]| *p90_s))),
            Arc::new(class_lists(&order)),
        ];
        Ok(StructArray::new(self.application_fields(), arrays, None))
    }

    /// The fields of [`Switches::finish_applications`].
    pub fn application_fields(&self) -> Fields {
        Fields::from(vec![
            Field::new("application", self.applications.kind().data_type(), true),
            Field::new("active_s", DataType::Float64, false),
            Field::new("accesses", DataType::Int64, false),
            Field::new("users", DataType::Int64, false),
            Field::new("focus_p50_s", DataType::Float64, true),
            Field::new("focus_p90_s", DataType::Float64, true),
            Field::new("classes", DataType::List(Arc::new(class_field())), false),
        ])
    }

    /// Counts the switch from one block to the next of the same session.
    fn switch(&mut self, block: Block, to: u32, time_us: i64) {
        if !self.counts_switches {
            return;
        }
        let is_round_trip = block.before == to && time_us.saturating_sub(block.start_us) <= ROUND_TRIP_US_MAX;
        if is_round_trip {
            self.pair(pair(to, block.application)).round_trips += 1;
        }
        let counted = self.pair(pair(block.application, to));
        counted.switches += 1;
        counted.users.insert(block.user);
    }

    /// Counts a block that is over.
    fn end(&mut self, block: Block) {
        if !self.counts_focus {
            return;
        }
        let active_us = block.active_us.max(0) as u64;
        let focus = self.focus(block.application);
        focus.active_us += active_us;
        focus.blocks += 1;
        focus.users.insert(block.user);
        focus.lengths.add(active_us);
        let after = FOCUS_CLASSES_S.partition_point(|&from_s| from_s * 1_000_000 <= block.active_us.max(0));
        focus.classes[after - 1] += 1;
    }

    fn pair(&mut self, pair: u64) -> &mut Pair {
        let position = self.pair_positions.entry(pair);
        if *position == 0 {
            self.pairs.push(Pair { pair, switches: 0, round_trips: 0, users: UserSet::default() });
            *position = self.pairs.len() as u32;
        }
        &mut self.pairs[*position as usize - 1]
    }

    fn focus(&mut self, application: u32) -> &mut Focus {
        let position = self.focus_positions.entry(pair(application, 0));
        if *position == 0 {
            self.focus.push(Focus {
                application,
                active_us: 0,
                blocks: 0,
                users: UserSet::default(),
                lengths: Distribution::default(),
                classes: [0; FOCUS_CLASSES_S.len()],
            });
            *position = self.focus.len() as u32;
        }
        &mut self.focus[*position as usize - 1]
    }

    fn close(&mut self) {
        self.current = None;
        for (_, block) in self.open.take() {
            self.end(block);
        }
    }
}

impl Kernel for Switches {
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), KernelError> {
        let expected = "five or six (agent_key, session_key, application, time, active_us, user_key)";
        let len = columns::rows(columns, 5, OPERATOR, expected)?;
        let agents = columns::mandatory(&columns[0], "agent_key")?;
        let sessions = columns::integers(&columns[1], "session_key")?;
        let mut applications = std::mem::take(&mut self.batch);
        self.applications.read(&columns[2], "application", &mut applications)?;
        let times = columns::mandatory(&columns[3], "time")?;
        let active = columns::integers(&columns[4], "active_us")?;
        let users = columns::integers(columns.get(5).unwrap_or(&columns[0]), "user_key")?;
        for row in 0..len {
            let application = applications[row];
            if application == NO_SYMBOL || sessions.is_null(row) {
                continue;
            }
            let (agent, session, time_us) = (agents[row], sessions.values[row], times[row]);
            let active_us = if active.is_null(row) { 0 } else { active.values[row] };
            let begin = |before, users_known: &mut Users| Block {
                session,
                application,
                before,
                start_us: time_us,
                active_us,
                user: users_known.number(users.values[row]),
            };
            let at = match self.current {
                Some((current, at)) if current == agent => at,
                _ => {
                    let entry = self.open.enter(agent, || begin(NO_SYMBOL, &mut self.users));
                    self.current = Some((agent, entry.at));
                    if entry.is_new {
                        continue;
                    }
                    entry.at
                }
            };
            let block = *self.open.state(at);
            if block.session == session && block.application == application {
                self.open.state(at).active_us += active_us;
                continue;
            }
            self.end(block);
            let is_same_session = block.session == session;
            if is_same_session {
                self.switch(block, application, time_us);
            }
            let before = if is_same_session { block.application } else { NO_SYMBOL };
            *self.open.state(at) = begin(before, &mut self.users);
        }
        self.batch = applications;
        Ok(())
    }

    fn merge(&mut self, mut other: Switches) -> Result<(), KernelError> {
        self.close();
        other.close();
        let translation = self.applications.absorb(&other.applications)?;
        let numbers = self.users.absorb(&other.users);
        for theirs in &other.pairs {
            let (from, to) = unpair(theirs.pair);
            let ours = self.pair(pair(translation.of(from), translation.of(to)));
            ours.switches += theirs.switches;
            ours.round_trips += theirs.round_trips;
            ours.users.absorb(&theirs.users, &numbers);
        }
        for theirs in other.focus {
            let ours = self.focus(translation.of(theirs.application));
            ours.active_us += theirs.active_us;
            ours.blocks += theirs.blocks;
            ours.users.absorb(&theirs.users, &numbers);
            ours.lengths.merge(theirs.lengths);
            ours.classes.iter_mut().zip(theirs.classes).for_each(|(ours, theirs)| *ours += theirs);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<StructArray, KernelError> {
        self.close();
        let mut order: Vec<&Pair> = self.pairs.iter().collect();
        order.sort_unstable_by(|one, other| {
            let ((one_from, one_to), (other_from, other_to)) = (unpair(one.pair), unpair(other.pair));
            let by_count = other.switches.cmp(&one.switches);
            let by_from = || self.applications.compare(one_from, other_from);
            by_count.then_with(by_from).then_with(|| self.applications.compare(one_to, other_to))
        });
        let count = |of: fn(&Pair) -> i64| Int64Array::from_iter_values(order.iter().map(|pair| of(pair)));
        let arrays: Vec<ArrayRef> = vec![
            self.applications.column(order.iter().map(|pair| unpair(pair.pair).0)),
            self.applications.column(order.iter().map(|pair| unpair(pair.pair).1)),
            Arc::new(count(|pair| pair.switches as i64)),
            Arc::new(count(|pair| pair.round_trips as i64)),
            Arc::new(count(|pair| pair.users.len())),
        ];
        Ok(StructArray::new(self.fields(), arrays, None))
    }

    fn fields(&self) -> Fields {
        let application = self.applications.kind().data_type();
        Fields::from(vec![
            Field::new("from_application", application.clone(), true),
            Field::new("to_application", application, true),
            Field::new("switches", DataType::Int64, false),
            Field::new("round_trips", DataType::Int64, false),
            Field::new("users", DataType::Int64, false),
        ])
    }

    fn to_bytes(&mut self) -> Vec<u8> {
        self.close();
        let mut to = Writer::new(TAG);
        self.applications.write(&mut to);
        self.users.write(&mut to);
        to.number(self.pairs.len() as u64);
        for pair in &self.pairs {
            [pair.pair, pair.switches, pair.round_trips].iter().for_each(|&value| to.number(value));
            pair.users.write(&mut to);
        }
        to.number(self.focus.len() as u64);
        for focus in &self.focus {
            [u64::from(focus.application), focus.active_us, focus.blocks].iter().for_each(|&value| to.number(value));
            focus.users.write(&mut to);
            focus.lengths.write(&mut to);
            focus.classes.iter().for_each(|&blocks| to.number(blocks));
        }
        to.into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Switches, KernelError> {
        let mut from = Reader::new(bytes, TAG, OPERATOR)?;
        let mut state = Switches::new(SymbolKind::Text);
        state.applications = Symbols::from_reader(&mut from)?;
        state.users = Users::from_reader(&mut from)?;
        for _ in 0..from.count()? {
            let key = from.number()?;
            if key == u64::MAX {
                return Err(from.error("a switch joins nothing to nothing"));
            }
            let pair = state.pair(key);
            (pair.switches, pair.round_trips) = (from.number()?, from.number()?);
            pair.users = UserSet::from_reader(&mut from)?;
        }
        for _ in 0..from.count()? {
            let focus = state.focus(from.small()?);
            (focus.active_us, focus.blocks) = (from.number()?, from.number()?);
            focus.users = UserSet::from_reader(&mut from)?;
            focus.lengths = Distribution::from_reader(&mut from)?;
            for blocks in &mut focus.classes {
                *blocks = from.number()?;
            }
        }
        from.end().map(|()| state)
    }

    fn size_bytes(&self) -> usize {
        let of_pairs: usize = self.pairs.iter().map(|pair| size_of::<Pair>() + pair.users.size_bytes()).sum();
        let of_focus = |focus: &Focus| size_of::<Focus>() + focus.users.size_bytes() + focus.lengths.size_bytes();
        self.applications.size_bytes()
            + self.users.size_bytes()
            + self.pair_positions.size_bytes()
            + self.focus_positions.size_bytes()
            + of_pairs
            + self.focus.iter().map(of_focus).sum::<usize>()
            + self.open.size_bytes()
            + self.batch.capacity() * 4
    }
}

fn class_fields() -> Fields {
    Fields::from(vec![
        Field::new("from_s", DataType::Int64, false),
        Field::new("to_s", DataType::Int64, true),
        Field::new("blocks", DataType::Int64, false),
    ])
}

fn class_field() -> Field {
    Field::new_list_field(DataType::Struct(class_fields()), false)
}

fn class_lists(order: &[&mut Focus]) -> ListArray {
    let classes = FOCUS_CLASSES_S.len();
    let ends_s = FOCUS_CLASSES_S.iter().skip(1).copied().map(Some).chain([None]);
    let from_s = Int64Array::from_iter_values(order.iter().flat_map(|_| FOCUS_CLASSES_S));
    let to_s = Int64Array::from_iter(order.iter().flat_map(|_| ends_s.clone()));
    let blocks = Int64Array::from_iter_values(order.iter().flat_map(|focus| focus.classes.map(|blocks| blocks as i64)));
    let values = StructArray::new(class_fields(), vec![Arc::new(from_s), Arc::new(to_s), Arc::new(blocks)], None);
    let offsets = OffsetBuffer::from_lengths(order.iter().map(|_| classes));
    ListArray::new(Arc::new(class_field()), offsets, Arc::new(values), None)
}
