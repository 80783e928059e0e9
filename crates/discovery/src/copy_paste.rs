//! Where people carry data by hand: copies paired with their pastes (`copy_paste_agg`).
//!
//! ```text
//! agent 1   copy excel/B2 ─────▶ paste crm/name          a pair: excel/B2 → crm/name
//!           copy excel/B3   copy excel/B4 ─▶ paste …     excel/B3 is an unused copy
//! agent 2   paste crm/name                               a paste without a copy
//! ```
//! A paste belongs to the most recent copy or cut of its agent. Where both carry a fingerprint these must be equal;
//! if they are not, the paste came from the clipboard history and belongs to the most recent remembered copy with an
//! equal fingerprint. Values themselves are never seen here.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, Float64Array, Int64Array, StringArray, StructArray,
};
use arrow::datatypes::{DataType, Field, Fields};

use crate::bytes::{Reader, Writer};
use crate::cases::CaseTable;
use crate::columns;
use crate::distribution::Distribution;
use crate::kernel::{Kernel, KernelError};
use crate::pairs::{BuildMix, PairTable, pair, unpair};
use crate::symbols::{NO_SYMBOL, SymbolKind, Symbols};
use crate::users::{UserSet, Users};

const OPERATOR: &str = "copy_paste_agg";
const TAG: u8 = 6;

/// Copies remembered per agent; beyond that the oldest is forgotten and, if nothing was pasted from it, unused.
pub const CLIPBOARD_COPIES_MAX: usize = 32;

/// The event types that matter, in the order of their symbols.
const EVENT_TYPES: [&str; 3] = ["copy", "cut", "paste"];
const PASTE: u32 = 2;

/// The columns that name a place.
const PLACE_COLUMNS: [&str; 3] = ["application", "screen", "element"];

/// No place: the paste had no copy, or the copy no paste.
const NO_PLACE: u32 = NO_SYMBOL;

/// Copy→paste pairs by place.
///
/// Shape: columns `agent_key`, `event_type`, `application`, `screen`, `element`, `value_fingerprint` (16 bytes or null),
/// `time`, and optionally `user_key` (else the agent stands for the user). One row per pair of places; `outcome` is
/// `paired`, `unpaired_paste` (the from-columns are null) or `unused_copy` (the to-columns are null); `pairs` counts
/// pairs, pastes or copies accordingly. Most frequent first within an outcome.
/// Units: microseconds in; `p50_s` out, from copy to paste, with percentiles as [`crate::DirectlyFollows`] has them.
///
/// Errors: see [`Kernel`]; `agent_key` and `time` must not be null; names are text.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::array::*;
/// # use discovery::{CopyPaste, Kernel};
/// let text = |values: [&str; 2]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
/// let absent: ArrayRef = Arc::new(NullArray::new(2));
/// let mut pairs = CopyPaste::new();
/// pairs.update(&[
///     Arc::new(Int32Array::from(vec![1, 1])),
///     text(["copy", "paste"]),
///     text(["excel", "crm"]),
///     absent.clone(),
///     text(["B2", "name"]),
///     absent,
///     Arc::new(Int64Array::from(vec![0, 3_000_000])),
/// ])?;
/// let answer = pairs.finish()?;
/// assert_eq!(answer.column_by_name("outcome").expect("a field").as_string::<i32>().value(0), "paired");
/// assert_eq!(answer.column_by_name("to_element").expect("a field").as_string::<i32>().value(0), "name");
/// # Ok::<(), discovery::KernelError>(())
/// ```
#[derive(Debug)]
pub struct CopyPaste {
    event_types: Symbols,
    /// Names of applications, screens, elements.
    names: [Symbols; 3],
    places: Vec<[u32; 3]>,
    place_numbers: HashMap<[u32; 3], u32, BuildMix>,
    users: Users,
    /// Position in `groups` by (from, to), plus one.
    positions: PairTable<u32>,
    groups: Vec<Group>,
    clipboards: CaseTable<VecDeque<Copied>>,
    /// The agent of the row before, with its position in `clipboards`.
    current: Option<(i64, usize)>,
}

#[derive(Debug)]
struct Group {
    pair: u64,
    count: u64,
    users: UserSet,
    delays: Distribution,
}

/// A copy in an agent's clipboard history.
#[derive(Debug, Clone, Copy)]
struct Copied {
    place: u32,
    fingerprint: Option<u128>,
    time_us: i64,
    user: u32,
    is_used: bool,
}

impl Default for CopyPaste {
    fn default() -> Self {
        CopyPaste::new()
    }
}

impl CopyPaste {
    /// An empty state.
    pub fn new() -> CopyPaste {
        let mut event_types = Symbols::new(SymbolKind::Text);
        for name in EVENT_TYPES {
            event_types.symbol(name);
        }
        CopyPaste {
            event_types,
            names: PLACE_COLUMNS.map(|_| Symbols::new(SymbolKind::Text)),
            places: Vec::new(),
            place_numbers: HashMap::default(),
            users: Users::default(),
            positions: PairTable::default(),
            groups: Vec::new(),
            clipboards: CaseTable::default(),
            current: None,
        }
    }

    fn place(&mut self, names: [u32; 3]) -> u32 {
        let places = &mut self.places;
        *self.place_numbers.entry(names).or_insert_with(|| {
            places.push(names);
            places.len() as u32 - 1
        })
    }

    fn group(&mut self, from: u32, to: u32) -> &mut Group {
        let position = self.positions.entry(pair(from, to));
        if *position == 0 {
            let (users, delays) = (UserSet::default(), Distribution::default());
            self.groups.push(Group { pair: pair(from, to), count: 0, users, delays });
            *position = self.groups.len() as u32;
        }
        &mut self.groups[*position as usize - 1]
    }

    fn count(&mut self, from: u32, to: u32, user: u32) -> &mut Group {
        let group = self.group(from, to);
        group.count += 1;
        group.users.insert(user);
        group
    }

    fn clipboard(&mut self, agent: i64) -> usize {
        match self.current {
            Some((current, at)) if current == agent => at,
            _ => {
                let at = self.clipboards.enter(agent, VecDeque::new).at;
                self.current = Some((agent, at));
                at
            }
        }
    }

    fn copy(&mut self, agent: i64, copied: Copied) {
        let at = self.clipboard(agent);
        let clipboard = self.clipboards.state(at);
        let forgotten = if clipboard.len() == CLIPBOARD_COPIES_MAX { clipboard.pop_front() } else { None };
        clipboard.push_back(copied);
        if let Some(forgotten) = forgotten.filter(|copied| !copied.is_used) {
            self.count(forgotten.place, NO_PLACE, forgotten.user);
        }
    }

    fn paste(&mut self, agent: i64, pasted: Copied) {
        let at = self.clipboard(agent);
        match origin(self.clipboards.state(at), pasted.fingerprint) {
            None => {
                self.count(NO_PLACE, pasted.place, pasted.user);
            }
            Some(copied) => {
                copied.is_used = true;
                let (from, delay_us) = (copied.place, pasted.time_us.saturating_sub(copied.time_us).max(0));
                self.count(from, pasted.place, pasted.user).delays.add(delay_us as u64);
            }
        }
    }

    /// Ends every clipboard: what was never pasted is an unused copy.
    fn close(&mut self) {
        self.current = None;
        for (_, clipboard) in self.clipboards.take() {
            for unused in clipboard.into_iter().filter(|copied| !copied.is_used) {
                self.count(unused.place, NO_PLACE, unused.user);
            }
        }
    }

    /// One of the three names of a place, as a column.
    fn name_column(&self, part: usize, places: impl Iterator<Item = u32>) -> ArrayRef {
        let symbol = |place: u32| self.places.get(place as usize).map_or(NO_SYMBOL, |names| names[part]);
        self.names[part].column(places.map(symbol))
    }

    fn compare_places(&self, one: u32, other: u32) -> std::cmp::Ordering {
        let names = |place: u32| self.places.get(place as usize).copied().unwrap_or([NO_SYMBOL; 3]);
        let (one, other) = (names(one), names(other));
        let parts = self.names.iter().zip(one.iter().zip(&other));
        parts
            .map(|(names, (&one, &other))| names.compare(one, other))
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    }
}

/// The copy a paste came from.
fn origin(clipboard: &mut VecDeque<Copied>, pasted: Option<u128>) -> Option<&mut Copied> {
    let latest = clipboard.back()?;
    let may_be_latest = match (latest.fingerprint, pasted) {
        (Some(copied), Some(pasted)) => copied == pasted,
        _ => true,
    };
    if may_be_latest {
        return clipboard.back_mut();
    }
    clipboard.iter_mut().rev().find(|copied| copied.fingerprint == pasted)
}

impl Kernel for CopyPaste {
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), KernelError> {
        let expected = "seven or eight (agent_key, event_type, application, screen, element, value_fingerprint, \
                        time, user_key)";
        columns::rows(columns, 7, OPERATOR, expected)?;
        let mut event_types = Vec::new();
        self.event_types.read(&columns[1], "event_type", &mut event_types)?;
        if event_types.iter().all(|&event_type| event_type > PASTE) {
            return Ok(());
        }
        let agents = columns::mandatory(&columns[0], "agent_key")?;
        let times = columns::mandatory(&columns[6], "time")?;
        let users = columns::integers(columns.get(7).unwrap_or(&columns[0]), "user_key")?;
        let fingerprints = fingerprints(&columns[5])?;
        let mut names = [Vec::new(), Vec::new(), Vec::new()];
        for (part, symbols) in names.iter_mut().enumerate() {
            self.names[part].read(&columns[2 + part], PLACE_COLUMNS[part], symbols)?;
        }
        for (row, &event_type) in event_types.iter().enumerate().filter(|(_, event_type)| **event_type <= PASTE) {
            let event = Copied {
                place: self.place([0, 1, 2].map(|part: usize| names[part][row])),
                fingerprint: fingerprints.and_then(|fingerprints| fingerprint(fingerprints, row)),
                time_us: times[row],
                user: self.users.number(users.values[row]),
                is_used: false,
            };
            match event_type {
                PASTE => self.paste(agents[row], event),
                _ => self.copy(agents[row], event),
            }
        }
        Ok(())
    }

    fn merge(&mut self, mut other: CopyPaste) -> Result<(), KernelError> {
        self.close();
        other.close();
        let numbers = self.users.absorb(&other.users);
        let mut translations = Vec::with_capacity(PLACE_COLUMNS.len());
        for (ours, theirs) in self.names.iter_mut().zip(&other.names) {
            translations.push(ours.absorb(theirs)?);
        }
        let moved: Vec<u32> = other
            .places
            .iter()
            .map(|names| self.place([0, 1, 2].map(|part: usize| translations[part].of(names[part]))))
            .collect();
        let place = |theirs: u32| moved.get(theirs as usize).copied().unwrap_or(NO_PLACE);
        for theirs in other.groups {
            let (from, to) = unpair(theirs.pair);
            let ours = self.group(place(from), place(to));
            ours.count += theirs.count;
            ours.users.absorb(&theirs.users, &numbers);
            ours.delays.merge(theirs.delays);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<StructArray, KernelError> {
        self.close();
        let mut groups = std::mem::take(&mut self.groups);
        groups.sort_unstable_by(|one, other| {
            let ((one_from, one_to), (other_from, other_to)) = (unpair(one.pair), unpair(other.pair));
            let by_count = outcome(one.pair).cmp(outcome(other.pair)).then(other.count.cmp(&one.count));
            let by_from = || self.compare_places(one_from, other_from);
            by_count.then_with(by_from).then_with(|| self.compare_places(one_to, other_to))
        });
        let p50_s: Float64Array = groups.iter_mut().map(|group| group.delays.percentiles_s([0.5])[0]).collect();
        let mut arrays: Vec<ArrayRef> =
            vec![Arc::new(StringArray::from_iter_values(groups.iter().map(|group| outcome(group.pair))))];
        arrays.extend((0..3).map(|part| self.name_column(part, groups.iter().map(|group| unpair(group.pair).0))));
        arrays.extend((0..3).map(|part| self.name_column(part, groups.iter().map(|group| unpair(group.pair).1))));
        arrays.push(Arc::new(Int64Array::from_iter_values(groups.iter().map(|group| group.count as i64))));
        arrays.push(Arc::new(Int64Array::from_iter_values(groups.iter().map(|group| group.users.len()))));
        arrays.push(Arc::new(p50_s));
        self.positions = PairTable::default();
        Ok(StructArray::new(self.fields(), arrays, None))
    }

    fn fields(&self) -> Fields {
        let mut fields = vec![Field::new("outcome", DataType::Utf8, false)];
        for side in ["from", "to"] {
            fields.extend(PLACE_COLUMNS.map(|name| Field::new(format!("{side}_{name}"), DataType::Utf8, true)));
        }
        fields.extend(["pairs", "users"].map(|name| Field::new(name, DataType::Int64, false)));
        fields.push(Field::new("p50_s", DataType::Float64, true));
        fields.into()
    }

    fn to_bytes(&mut self) -> Vec<u8> {
        self.close();
        let mut to = Writer::new(TAG);
        self.names.iter().for_each(|names| names.write(&mut to));
        self.users.write(&mut to);
        to.number(self.places.len() as u64);
        self.places.iter().flatten().for_each(|&symbol| to.number(u64::from(symbol)));
        to.number(self.groups.len() as u64);
        for group in &self.groups {
            to.number(group.pair);
            to.number(group.count);
            group.users.write(&mut to);
            group.delays.write(&mut to);
        }
        to.into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<CopyPaste, KernelError> {
        let mut from = Reader::new(bytes, TAG, OPERATOR)?;
        let mut state = CopyPaste::new();
        for names in &mut state.names {
            *names = Symbols::from_reader(&mut from)?;
        }
        state.users = Users::from_reader(&mut from)?;
        for _ in 0..from.count()? {
            let names = [from.small()?, from.small()?, from.small()?];
            state.place(names);
        }
        for _ in 0..from.count()? {
            let key = from.number()?;
            if key == u64::MAX {
                return Err(from.error("a pair joins nothing to nothing"));
            }
            let (place_from, place_to) = unpair(key);
            let group = state.group(place_from, place_to);
            group.count = from.number()?;
            group.users = UserSet::from_reader(&mut from)?;
            group.delays = Distribution::from_reader(&mut from)?;
        }
        from.end().map(|()| state)
    }

    fn size_bytes(&self) -> usize {
        let of_group = |group: &Group| size_of::<Group>() + group.users.size_bytes() + group.delays.size_bytes();
        self.event_types.size_bytes()
            + self.names.iter().map(Symbols::size_bytes).sum::<usize>()
            + self.places.capacity() * 12
            + self.place_numbers.capacity() * 17
            + self.users.size_bytes()
            + self.positions.size_bytes()
            + self.groups.iter().map(of_group).sum::<usize>()
            + self.clipboards.size_bytes()
    }
}

/// What became of a copy or a paste.
fn outcome(pair: u64) -> &'static str {
    match unpair(pair) {
        (NO_PLACE, _) => "unpaired_paste",
        (_, NO_PLACE) => "unused_copy",
        _ => "paired",
    }
}

fn fingerprints(array: &ArrayRef) -> Result<Option<&FixedSizeBinaryArray>, KernelError> {
    match array.data_type() {
        DataType::Null => Ok(None),
        DataType::FixedSizeBinary(16) => Ok(Some(array.as_fixed_size_binary())),
        found => {
            let expected = "16 bytes of fixed size";
            Err(KernelError::ColumnType { column: "value_fingerprint", expected, found: found.clone() })
        }
    }
}

fn fingerprint(array: &FixedSizeBinaryArray, row: usize) -> Option<u128> {
    if array.is_null(row) {
        return None;
    }
    array.value(row).try_into().ok().map(u128::from_be_bytes)
}
