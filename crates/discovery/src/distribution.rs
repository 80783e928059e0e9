//! How long something took, many times: a bounded summary that still answers percentiles.
//!
//! Up to [`EXACT_VALUES_MAX`] values are kept as they are and percentiles are exact. Beyond that values are counted in
//! buckets of equal relative width (an octave in 128 parts, as HdrHistogram does), and a percentile is off by at
//! most 0.8 % of its value. Which of the two it is depends only on how many values there are, never on their order or
//! on partitions. Means are no business of this file.
//!
//! Source: bucket layout after Gil Tene's HdrHistogram (public domain); the switch at a count is ours.

use crate::bytes::{Reader, Writer};
use crate::kernel::KernelError;

/// Values kept one by one before they are counted in buckets: 8 KiB.
pub const EXACT_VALUES_MAX: usize = 1_024;

/// Buckets per octave, as a power of two.
const OCTAVE_BITS: u32 = 7;
const OCTAVE_BUCKETS: u64 = 1 << OCTAVE_BITS;

/// Durations in microseconds; see the module.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Distribution {
    Exact(Vec<u64>),
    Counted(Box<Buckets>),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Buckets {
    /// The number of the first bucket in `counts`.
    first: usize,
    counts: Vec<u64>,
    len: u64,
    least: u64,
    greatest: u64,
}

impl Default for Distribution {
    fn default() -> Self {
        Distribution::Exact(Vec::new())
    }
}

impl Distribution {
    #[inline]
    pub(crate) fn add(&mut self, value_us: u64) {
        match self {
            Distribution::Counted(buckets) => buckets.add(value_us, 1),
            Distribution::Exact(values) if values.len() < EXACT_VALUES_MAX => values.push(value_us),
            Distribution::Exact(_) => self.count().add(value_us, 1),
        }
    }

    pub(crate) fn merge(&mut self, other: Distribution) {
        match (&mut *self, other) {
            (Distribution::Exact(values), Distribution::Exact(more))
                if values.len() + more.len() <= EXACT_VALUES_MAX =>
            {
                values.extend(more);
            }
            (_, Distribution::Exact(more)) => {
                let buckets = self.count();
                more.into_iter().for_each(|value| buckets.add(value, 1));
            }
            (_, Distribution::Counted(more)) => self.count().merge(&more),
        }
    }

    /// Percentiles with linear interpolation between neighbours (SQL's `percentile_cont`); `None` without values.
    ///
    /// Units: `fractions` from 0 to 1; the answer in seconds.
    pub(crate) fn percentiles_s<const N: usize>(&mut self, fractions: [f64; N]) -> [Option<f64>; N] {
        match self {
            Distribution::Exact(values) => {
                values.sort_unstable();
                fractions.map(|fraction| of_sorted_s(values, fraction))
            }
            Distribution::Counted(buckets) => fractions.map(|fraction| Some(buckets.percentile_s(fraction))),
        }
    }

    /// Goes over to buckets, if it has not yet.
    fn count(&mut self) -> &mut Buckets {
        if let Distribution::Exact(values) = self {
            let mut buckets = Box::<Buckets>::default();
            values.iter().for_each(|&value| buckets.add(value, 1));
            *self = Distribution::Counted(buckets);
        }
        match self {
            Distribution::Counted(buckets) => buckets,
            Distribution::Exact(_) => unreachable!("it was replaced above"),
        }
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        match self {
            Distribution::Exact(values) => {
                to.number(0);
                to.number(values.len() as u64);
                values.iter().for_each(|&value| to.number(value));
            }
            Distribution::Counted(buckets) => {
                to.number(1);
                [buckets.first as u64, buckets.len, buckets.least, buckets.greatest]
                    .iter()
                    .for_each(|&value| to.number(value));
                to.number(buckets.counts.len() as u64);
                buckets.counts.iter().for_each(|&count| to.number(count));
            }
        }
    }

    pub(crate) fn from_reader(from: &mut Reader<'_>) -> Result<Distribution, KernelError> {
        if from.number()? == 0 {
            let count = from.count()?;
            return Ok(Distribution::Exact((0..count).map(|_| from.number()).collect::<Result<_, _>>()?));
        }
        let first = from.number()?.min(bucket_of(u64::MAX) as u64) as usize;
        let (len, least, greatest) = (from.number()?, from.number()?, from.number()?);
        let count = from.count()?;
        let counts = (0..count).map(|_| from.number()).collect::<Result<_, _>>()?;
        Ok(Distribution::Counted(Box::new(Buckets { first, counts, len, least, greatest })))
    }

    pub(crate) fn size_bytes(&self) -> usize {
        match self {
            Distribution::Exact(values) => values.capacity() * 8,
            Distribution::Counted(buckets) => size_of::<Buckets>() + buckets.counts.capacity() * 8,
        }
    }
}

impl Buckets {
    #[inline]
    fn add(&mut self, value: u64, times: u64) {
        self.least = if self.len == 0 { value } else { self.least.min(value) };
        self.greatest = self.greatest.max(value);
        self.len += times;
        self.add_to_bucket(bucket_of(value), times);
    }

    #[inline]
    fn add_to_bucket(&mut self, bucket: usize, times: u64) {
        if bucket < self.first || bucket >= self.first + self.counts.len() {
            self.cover(bucket);
        }
        self.counts[bucket - self.first] += times;
    }

    /// Widens the range of buckets so that it holds this one.
    #[cold]
    fn cover(&mut self, bucket: usize) {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            let missing = self.first - bucket;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = bucket;
        }
        let end = (bucket - self.first + 1).max(self.counts.len());
        self.counts.resize(end, 0);
    }

    fn merge(&mut self, other: &Buckets) {
        self.least = if self.len == 0 { other.least } else { self.least.min(other.least) };
        self.greatest = self.greatest.max(other.greatest);
        self.len += other.len;
        let filled = other.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.for_each(|(at, &count)| self.add_to_bucket(other.first + at, count));
    }

    fn percentile_s(&self, fraction: f64) -> f64 {
        let rank = fraction * (self.len.saturating_sub(1)) as f64;
        let mut before = 0.0;
        for (at, &count) in self.counts.iter().enumerate() {
            let count = count as f64;
            if count > 0.0 && rank < before + count {
                let (start, width) = range_of(self.first + at);
                let value = start as f64 + width as f64 * (rank - before + 0.5) / count;
                return value.clamp(self.least as f64, self.greatest as f64) / 1e6;
            }
            before += count;
        }
        self.greatest as f64 / 1e6
    }
}

/// A percentile of sorted values, linearly interpolated, in seconds.
pub(crate) fn of_sorted_s(values_us: &[u64], fraction: f64) -> Option<f64> {
    let rank = fraction * values_us.len().checked_sub(1)? as f64;
    let low = values_us[rank.floor() as usize] as f64;
    let high = values_us[rank.ceil() as usize] as f64;
    Some((low + (high - low) * rank.fract()) / 1e6)
}

/// The bucket of a value: values below 128 have one each, then 128 to an octave.
#[inline]
fn bucket_of(value: u64) -> usize {
    if value < OCTAVE_BUCKETS {
        return value as usize;
    }
    let octave = 63 - value.leading_zeros() - OCTAVE_BITS;
    ((u64::from(octave) + 1) * OCTAVE_BUCKETS + ((value >> octave) & (OCTAVE_BUCKETS - 1))) as usize
}

/// First value and width of a bucket.
fn range_of(bucket: usize) -> (u64, u64) {
    let bucket = bucket as u64;
    if bucket < OCTAVE_BUCKETS {
        return (bucket, 1);
    }
    let octave = bucket / OCTAVE_BUCKETS - 1;
    ((OCTAVE_BUCKETS + bucket % OCTAVE_BUCKETS) << octave, 1 << octave)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Distribution {
        let mut distribution = Distribution::default();
        values.into_iter().for_each(|value| distribution.add(value));
        distribution
    }

    #[test]
    fn few_values_give_exact_percentiles() {
        let seconds = [4, 1, 3, 2].map(|value| value * 1_000_000);
        assert_eq!(of(seconds).percentiles_s([0.0, 0.5, 0.9]), [Some(1.0), Some(2.5), Some(3.7)]);
        assert_eq!(of([]).percentiles_s([0.5]), [None]);
    }

    #[test]
    fn many_values_give_percentiles_within_their_bound() {
        let mut many = of((1..=100_000).map(|value| value * 997));
        for (fraction, [found]) in [0.01, 0.5, 0.9, 1.0].map(|fraction| (fraction, many.percentiles_s([fraction]))) {
            let exact = (1.0 + fraction * 99_999.0) * 997.0 / 1e6;
            assert!((found.unwrap() / exact - 1.0).abs() < 0.008, "{fraction}: {found:?} is not {exact}");
        }
    }

    #[test]
    fn buckets_cover_all_values_without_gap() {
        let mut next = 0;
        for bucket in 0..=bucket_of(u64::MAX) {
            let (start, width) = range_of(bucket);
            assert_eq!((start, bucket_of(start), bucket_of(start + (width - 1))), (next, bucket, bucket));
            next = start.wrapping_add(width);
        }
        assert_eq!(next, 0);
    }

    #[test]
    fn merging_equals_adding_on_both_sides_of_the_bound() {
        for (left, right) in [(3, 5), (1_000, 24), (1_000, 25), (2_000, 1), (1, 2_000), (3_000, 3_000)] {
            let all = of((0..left + right).map(|value| value * value));
            let mut merged = of((0..left).map(|value| value * value));
            merged.merge(of((left..left + right).map(|value| value * value)));
            assert_eq!(merged.percentiles_s([0.1, 0.5, 0.9]), all.clone().percentiles_s([0.1, 0.5, 0.9]));
        }
    }

    #[test]
    fn decoding_undoes_encoding() {
        for distribution in [of([]), of([5, 1]), of((0..5_000).map(|value| value * 13))] {
            let mut writer = Writer::new(0);
            distribution.write(&mut writer);
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes, 0, "test").unwrap();
            assert_eq!(Distribution::from_reader(&mut reader), Ok(distribution));
        }
    }
}
