//! Figures per name, exact: events, distinct users and cases, total and percentiles of a value (`figures_agg`).
//!
//! ```text
//! excel   ann  case 1   2.0 s        name    events  users  cases  total  p50
//! crm     ann  case 1   1.0 s   ─▶   excel        2      2      2   3.0s  1.5s
//! excel   bob  case 2   1.0 s        crm          1      1      1   1.0s  1.0s
//! ```
//! Users and cases get small numbers in order of first sight, and a name holds one bit for each. Cases stay inside a
//! partition, so their counts add up when states are joined; users may not, so their sets are joined.
//! Memory: 4 bytes per value (8 outside 0 to 2^32), names × (users + cases) / 8 bytes, one number per case.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StructArray};
use arrow::datatypes::{DataType, Field, Fields};

use crate::bytes::{Reader, Writer};
use crate::columns;
use crate::kernel::{Kernel, KernelError};
use crate::pairs::{PairTable, pair};
use crate::symbols::{SymbolKind, Symbols};
use crate::users::{UserSet, Users};

const OPERATOR: &str = "figures_agg";
const TAG: u8 = 8;

/// The percentiles of an answer, with their fields.
const PERCENTILES: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95)];

/// Figures by name.
///
/// Shape: columns `name`, `user_key`, `case_key`, `value`; a row without name counts under the absent name, a missing
/// user, case or value is not counted as one. One row per name, most events first.
/// Units: those of `value`; percentiles are exact, with linear interpolation between neighbours (SQL's
/// `percentile_cont`).
///
/// Errors: see [`Kernel`].
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::array::*;
/// # use arrow::datatypes::{Float64Type, Int64Type};
/// # use discovery::{Figures, Kernel, SymbolKind};
/// let mut figures = Figures::new(SymbolKind::Text);
/// figures.update(&[
///     Arc::new(StringArray::from(vec!["excel", "crm", "excel"])),
///     Arc::new(Int32Array::from(vec![1, 1, 2])),
///     Arc::new(Int64Array::from(vec![Some(7), Some(7), None])),
///     Arc::new(Int64Array::from(vec![20, 10, 10])),
/// ])?;
/// let answer = figures.finish()?;
/// let column = |name| answer.column_by_name(name).expect("a field");
/// assert_eq!(column("users").as_primitive::<Int64Type>().values(), &[2, 1]);
/// assert_eq!(column("cases").as_primitive::<Int64Type>().values(), &[1, 1]);
/// assert_eq!(column("p50").as_primitive::<Float64Type>().values(), &[15.0, 10.0]);
/// # Ok::<(), discovery::KernelError>(())
/// ```
#[derive(Debug)]
pub struct Figures {
    names: Symbols,
    users: Users,
    cases: Users,
    /// Position in `groups` by (name, 0), plus one.
    positions: PairTable<u32>,
    groups: Vec<Group>,
    batch: Vec<u32>,
}

#[derive(Debug)]
struct Group {
    name: u32,
    events: u64,
    total: i64,
    users: UserSet,
    /// Cases of this partition, by number.
    open_cases: UserSet,
    /// Cases of partitions that are closed.
    closed_cases: u64,
    values: Values,
}

/// Values in no order; nearly all are small.
#[derive(Debug, Default)]
struct Values {
    small: Vec<u32>,
    other: Vec<i64>,
}

impl Figures {
    /// An empty state for names of this kind.
    pub fn new(names: SymbolKind) -> Figures {
        Figures {
            names: Symbols::new(names),
            users: Users::default(),
            cases: Users::default(),
            positions: PairTable::default(),
            groups: Vec::new(),
            batch: Vec::new(),
        }
    }

    #[inline]
    fn group(&mut self, name: u32) -> &mut Group {
        let position = self.positions.entry(pair(name, 0));
        if *position == 0 {
            let (users, open_cases) = (UserSet::default(), UserSet::default());
            let values = Values::default();
            self.groups.push(Group { name, events: 0, total: 0, users, open_cases, closed_cases: 0, values });
            *position = self.groups.len() as u32;
        }
        &mut self.groups[*position as usize - 1]
    }

    /// Ends the partition: no case of it comes again.
    fn close(&mut self) {
        self.cases = Users::default();
        for group in &mut self.groups {
            group.closed_cases += std::mem::take(&mut group.open_cases).len() as u64;
        }
    }
}

impl Kernel for Figures {
    fn update(&mut self, columns: &[ArrayRef]) -> Result<(), KernelError> {
        columns::rows(columns, 4, OPERATOR, "four (name, user_key, case_key, value)")?;
        let mut names = std::mem::take(&mut self.batch);
        self.names.read(&columns[0], "name", &mut names)?;
        let users = columns::integers(&columns[1], "user_key")?;
        let cases = columns::integers(&columns[2], "case_key")?;
        let values = columns::integers(&columns[3], "value")?;
        for (row, name) in names.iter().copied().enumerate() {
            let user = (!users.is_null(row)).then(|| self.users.number(users.values[row]));
            let case = (!cases.is_null(row)).then(|| self.cases.number(cases.values[row]));
            let group = self.group(name);
            group.events += 1;
            user.into_iter().for_each(|user| group.users.insert(user));
            case.into_iter().for_each(|case| group.open_cases.insert(case));
            if !values.is_null(row) {
                group.total = group.total.wrapping_add(values.values[row]);
                group.values.add(values.values[row]);
            }
        }
        self.batch = names;
        Ok(())
    }

    fn merge(&mut self, mut other: Figures) -> Result<(), KernelError> {
        self.close();
        other.close();
        let translation = self.names.absorb(&other.names)?;
        let numbers = self.users.absorb(&other.users);
        for theirs in other.groups {
            let ours = self.group(translation.of(theirs.name));
            ours.events += theirs.events;
            ours.total = ours.total.wrapping_add(theirs.total);
            ours.users.absorb(&theirs.users, &numbers);
            ours.closed_cases += theirs.closed_cases;
            ours.values.merge(theirs.values);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<StructArray, KernelError> {
        self.close();
        let mut groups = std::mem::take(&mut self.groups);
        self.positions = PairTable::default();
        groups.sort_unstable_by(|one, other| {
            other.events.cmp(&one.events).then_with(|| self.names.compare(one.name, other.name))
        });
        let percentiles: Vec<_> =
            groups.iter_mut().map(|group| PERCENTILES.map(|(_, fraction)| group.values.percentile(fraction))).collect();
        let count =
            |of: fn(&Group) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(groups.iter().map(of))) };
        let mut arrays: Vec<ArrayRef> = vec![
            self.names.column(groups.iter().map(|group| group.name)),
            count(|group| group.events as i64),
            count(|group| group.users.len()),
            count(|group| group.closed_cases as i64),
            count(|group| group.total),
        ];
        arrays.extend((0..PERCENTILES.len()).map(|at| -> ArrayRef {
            Arc::new(percentiles.iter().map(|of_group| of_group[at]).collect::<Float64Array>())
        }));
        Ok(StructArray::new(self.fields(), arrays, None))
    }

    fn fields(&self) -> Fields {
        let mut fields = vec![Field::new("name", self.names.kind().data_type(), true)];
        fields.extend(["events", "users", "cases", "total"].map(|name| Field::new(name, DataType::Int64, false)));
        fields.extend(PERCENTILES.map(|(name, _)| Field::new(name, DataType::Float64, true)));
        Fields::from(fields)
    }

    fn to_bytes(&mut self) -> Vec<u8> {
        self.close();
        let mut to = Writer::new(TAG);
        self.names.write(&mut to);
        self.users.write(&mut to);
        to.number(self.groups.len() as u64);
        for group in &self.groups {
            [u64::from(group.name), group.events, group.closed_cases].iter().for_each(|&value| to.number(value));
            to.signed(group.total);
            group.users.write(&mut to);
            group.values.write(&mut to);
        }
        to.into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Figures, KernelError> {
        let mut from = Reader::new(bytes, TAG, OPERATOR)?;
        let names = Symbols::from_reader(&mut from)?;
        let mut state = Figures { users: Users::from_reader(&mut from)?, names, ..Figures::new(SymbolKind::Text) };
        for _ in 0..from.count()? {
            let group = state.group(from.small()?);
            (group.events, group.closed_cases) = (from.number()?, from.number()?);
            group.total = from.signed()?;
            group.users = UserSet::from_reader(&mut from)?;
            group.values = Values::from_reader(&mut from)?;
        }
        from.end().map(|()| state)
    }

    fn size_bytes(&self) -> usize {
        let of_group = |group: &Group| {
            size_of::<Group>() + group.users.size_bytes() + group.open_cases.size_bytes() + group.values.size_bytes()
        };
        self.names.size_bytes()
            + self.users.size_bytes()
            + self.cases.size_bytes()
            + self.positions.size_bytes()
            + self.groups.iter().map(of_group).sum::<usize>()
            + self.batch.capacity() * 4
    }
}

impl Values {
    #[inline]
    fn add(&mut self, value: i64) {
        match u32::try_from(value) {
            Ok(small) => self.small.push(small),
            Err(_) => self.other.push(value),
        }
    }

    fn merge(&mut self, mut more: Values) {
        if self.small.len() < more.small.len() {
            std::mem::swap(&mut self.small, &mut more.small);
        }
        self.small.extend_from_slice(&more.small);
        self.other.extend_from_slice(&more.other);
    }

    /// `None` without values.
    fn percentile(&mut self, fraction: f64) -> Option<f64> {
        let rank = fraction * (self.small.len() + self.other.len()).checked_sub(1)? as f64;
        let low = self.at(rank.floor() as usize)? as f64;
        let high = self.at(rank.ceil() as usize)? as f64;
        Some(low + (high - low) * rank.fract())
    }

    /// The value of this rank; negative ones come first, then the small ones, then the large ones.
    fn at(&mut self, rank: usize) -> Option<i64> {
        let negative = self.other.iter().filter(|value| **value < 0).count();
        if rank < negative {
            return nth(&mut self.other, rank);
        }
        match rank - negative {
            small if small < self.small.len() => nth(&mut self.small, small).map(i64::from),
            large => nth(&mut self.other, negative + large - self.small.len()),
        }
    }

    fn write(&self, to: &mut Writer) {
        to.bytes(&self.small.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
        to.number(self.other.len() as u64);
        self.other.iter().for_each(|&value| to.signed(value));
    }

    fn from_reader(from: &mut Reader<'_>) -> Result<Values, KernelError> {
        let (words, rest) = from.bytes()?.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(from.error("a value is cut off"));
        }
        let small = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let other = (0..from.count()?).map(|_| from.signed()).collect::<Result<_, _>>()?;
        Ok(Values { small, other })
    }

    fn size_bytes(&self) -> usize {
        self.small.capacity() * 4 + self.other.capacity() * 8
    }
}

/// The value of this rank, found by quick-select.
fn nth<T: Copy + Ord>(values: &mut [T], rank: usize) -> Option<T> {
    (rank < values.len()).then(|| *values.select_nth_unstable(rank).1)
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::{Float64Type, Int64Type};

    use super::*;

    /// Name, user, case, value.
    type Row = (Option<&'static str>, i64, i64, i64);

    fn rows(rows: &[Row]) -> Vec<ArrayRef> {
        let numbers = |of: fn(&Row) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(of))) };
        let names: StringArray = rows.iter().map(|row| row.0).collect();
        vec![Arc::new(names), numbers(|row| row.1), numbers(|row| row.2), numbers(|row| row.3)]
    }

    fn counts(answer: &StructArray, field: &str) -> Vec<i64> {
        answer.column_by_name(field).unwrap().as_primitive::<Int64Type>().values().to_vec()
    }

    fn fractions(answer: &StructArray, field: &str) -> Vec<f64> {
        answer.column_by_name(field).unwrap().as_primitive::<Float64Type>().values().to_vec()
    }

    #[test]
    fn a_case_that_goes_on_and_a_user_of_two_partitions_count_once() {
        let mut one = Figures::new(SymbolKind::Text);
        one.update(&rows(&[(Some("a"), 1, 1, 10), (Some("b"), 1, 2, 5), (Some("a"), 1, 1, 30)])).unwrap();
        let mut other = Figures::new(SymbolKind::Text);
        other.update(&rows(&[(Some("b"), 1, 9, 7), (Some("a"), 2, 9, 20), (None, 2, 9, 1)])).unwrap();
        let state = other.to_bytes();
        one.merge(Figures::from_bytes(&state).unwrap()).unwrap();
        let answer = one.finish().unwrap();
        assert_eq!(counts(&answer, "events"), [3, 2, 1]);
        assert_eq!(counts(&answer, "users"), [2, 1, 1]);
        assert_eq!(counts(&answer, "cases"), [2, 2, 1]);
        assert_eq!(counts(&answer, "total"), [60, 12, 1]);
        assert_eq!(fractions(&answer, "p50"), [20.0, 6.0, 1.0]);
    }

    #[test]
    fn percentiles_hold_for_values_of_any_size() {
        let values = [-5, i64::from(u32::MAX) + 10, 0, 3];
        let mut figures = Figures::new(SymbolKind::Text);
        figures.update(&rows(&values.map(|value| (Some("a"), 1, 1, value)))).unwrap();
        let state = figures.to_bytes();
        let answer = Figures::from_bytes(&state).unwrap().finish().unwrap();
        assert_eq!(fractions(&answer, "p50"), [1.5]);
        let (low, high) = (3.0, f64::from(u32::MAX) + 10.0);
        assert!((fractions(&answer, "p90")[0] - (low + (high - low) * 0.7)).abs() < 1e-3);
    }
}
