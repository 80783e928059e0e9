//! Sets of sequence numbers, kept as ranges: which events of one (agent, epoch) were received.
//!
//! Numbers arrive nearly in order, so a set is one range most of the time, and a few while two upload lanes overtake each
//! other. Both ends of the wire use it: the service to know what it has, the client to read a receipt.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A set of sequence numbers as ascending ranges that neither touch nor overlap; both ends of a range belong to it.
///
/// In JSON it is a list of pairs, `[[1,500],[510,512]]`.
///
/// ```
/// use uilog::SeqRanges;
/// let mut seen = SeqRanges::default();
/// seen.insert(1, 3);
/// seen.insert(5, 5);
/// seen.insert(4, 4);
/// assert_eq!(seen.ranges(), [(1, 5)]);
/// assert!(seen.contains(3) && !seen.contains(6));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeqRanges {
    ranges: Vec<(u64, u64)>,
}

impl SeqRanges {
    /// Adds the numbers from `first` to `last`; nothing if `first` is above `last`.
    pub fn insert(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        // Those that end before `first - 1` stay apart from the new range, and so do those that begin after `last + 1`.
        let from = self.ranges.partition_point(|range| range.1 < first.saturating_sub(1));
        let to = self.ranges.partition_point(|range| range.0 <= last.saturating_add(1));
        let (mut low, mut high) = (first, last);
        if let Some(touched) = self.ranges.get(from..to).filter(|touched| !touched.is_empty()) {
            low = low.min(touched[0].0);
            high = high.max(touched[touched.len() - 1].1);
        }
        self.ranges.splice(from..to.max(from), [(low, high)]);
    }

    /// Adds one number; says whether it is new.
    pub fn add(&mut self, seq: u64) -> bool {
        let new = !self.contains(seq);
        if new {
            self.insert(seq, seq);
        }
        new
    }

    /// Whether the number is in the set.
    pub fn contains(&self, seq: u64) -> bool {
        let position = self.ranges.partition_point(|range| range.1 < seq);
        self.ranges.get(position).is_some_and(|range| range.0 <= seq)
    }

    /// How many numbers are in the set.
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// The highest number; `None` for the empty set.
    pub fn last(&self) -> Option<u64> {
        self.ranges.last().map(|range| range.1)
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[(u64, u64)] {
        &self.ranges
    }

    /// Adds every number of another set.
    pub fn extend(&mut self, other: &SeqRanges) {
        for (first, last) in &other.ranges {
            self.insert(*first, *last);
        }
    }

    /// The numbers from 1 to `last` that are in neither set: what is missing without a reason.
    pub fn missing(&self, explained: &SeqRanges, last: u64) -> u64 {
        let mut known = self.clone();
        known.extend(explained);
        let within: u64 = known
            .ranges
            .iter()
            .filter(|range| range.0 <= last)
            .map(|(first, end)| (*end).min(last) - (*first).max(1) + 1)
            .sum();
        last - within.min(last)
    }

    /// `1-500,510`, the form in which a database keeps it.
    pub fn to_text(&self) -> String {
        let range = |(first, last): &(u64, u64)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        self.ranges.iter().map(range).collect::<Vec<_>>().join(",")
    }

    /// Reads what [`SeqRanges::to_text`] wrote; `None` if it is something else.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut ranges = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            if first > last {
                return None;
            }
            ranges.insert(first, last);
        }
        Some(ranges)
    }
}

impl FromIterator<u64> for SeqRanges {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut ranges = Self::default();
        for seq in numbers {
            ranges.add(seq);
        }
        ranges
    }
}

impl Serialize for SeqRanges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.ranges.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SeqRanges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut ranges = Self::default();
        for (first, last) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            if first > last {
                return Err(de::Error::custom("a range ends before it begins"));
            }
            ranges.insert(first, last);
        }
        Ok(ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::collections::BTreeSet;

    #[test]
    fn a_set_of_ranges_is_a_set_of_numbers_whatever_the_order() {
        for seed in 0..200 {
            let (mut random, mut ranges, mut numbers) = (Random::new(seed), SeqRanges::default(), BTreeSet::new());
            for _ in 0..30 {
                let first = 1 + random.below(60);
                let last = first + random.below(8);
                ranges.insert(first, last);
                numbers.extend(first..=last);
            }
            let listed: BTreeSet<u64> = ranges.ranges().iter().flat_map(|(first, last)| *first..=*last).collect();
            assert_eq!(listed, numbers, "seed {seed}");
            assert_eq!(ranges.count(), numbers.len() as u64, "seed {seed}");
            assert!(ranges.ranges().windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "seed {seed}: {ranges:?}");
            assert_eq!(SeqRanges::from_text(&ranges.to_text()), Some(ranges.clone()), "seed {seed}");
            assert!((1..80).all(|seq| ranges.contains(seq) == numbers.contains(&seq)), "seed {seed}");
        }
    }

    #[test]
    fn p5_what_is_missing_is_what_neither_came_nor_was_explained() {
        let came: SeqRanges = [1, 2, 3, 7, 8].into_iter().collect();
        let explained: SeqRanges = [4, 5].into_iter().collect();
        assert_eq!(came.missing(&explained, 8), 1);
        assert_eq!(came.missing(&explained, 10), 3);
        assert_eq!(SeqRanges::default().missing(&explained, 0), 0);
    }

    #[test]
    fn the_ends_of_the_numbers_do_no_harm() {
        let mut ranges = SeqRanges::default();
        ranges.insert(u64::MAX - 1, u64::MAX);
        ranges.insert(0, 0);
        ranges.insert(5, 4);
        assert_eq!(ranges.ranges(), [(0, 0), (u64::MAX - 1, u64::MAX)]);
        assert_eq!(SeqRanges::from_text("5-4"), None);
        assert_eq!(SeqRanges::from_text("a"), None);
    }
}
