//! What recurs inside a task whatever comes between: closed patterns with gaps.
//!
//! ```text
//! instance 1   open  copy  paste  save             patterns in all three
//! instance 2   open  copy  look  paste  save       open copy paste        with a gap in instance 2
//! instance 3   open  copy  paste  close            in two of three
//!                                                  open copy paste save
//! ```
//! A pattern is closed if no longer one with the same steps in the same order is in as many instances: `open paste` is in
//! all three, but says less than `open copy paste`. Of what is found, those patterns come first that account for most
//! steps with the fewest others between.
//!
//! Source: BIDE, Wang and Han, "BIDE: efficient mining of frequent closed sequences" (ICDE 2004): growth by prefixes, with
//! its two-way check of closure and its pruning by a backward look (BackScan). Deviations: instances are single steps at a
//! time, no sets; the search ends at a bound; patterns are ordered by cohesion, which is ours: the steps of a pattern
//! divided by the mean length of the shortest stretches that hold it.

use std::collections::{BTreeMap, BTreeSet};

/// Share of a task's instances that a pattern must be in for people to be told of it.
pub const SHARE_MIN: f64 = 0.5;

/// Patterns of one task that people are told of, at most.
pub const TOLD_MAX: usize = 10;

/// Instances that are looked at, at most; they are spread evenly.
const INSTANCES_MAX: usize = 200;

/// Steps of one instance that are looked at, at most.
const STEPS_MAX: usize = 60;

/// Prefixes that are tried, at most; with many steps in any order there are more patterns than anybody reads.
const PREFIXES_MAX: usize = 20_000;

/// Share of a pattern's steps that those told before it may have in the same order; what shares more says the same once more,
/// unless more instances have it: so many for each that has the other.
const SHARED_MAX: f64 = 0.7;
const MORE_MIN: f64 = 1.25;

/// Cohesion of a pattern that people are told of: in its stretches there are at most two other steps for each of its own.
const COHESION_MIN: f64 = 0.33;

/// Patterns that are compared with those told before, at most.
const COMPARED_MAX: usize = 2_000;

/// Something that recurs.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// Its activities in their order.
    pub activities: Vec<u32>,
    /// Which of the given instances have them in this order, among those looked at.
    pub holders: Vec<usize>,
    /// Its length divided by the mean length of the shortest stretches that hold it: 1 if nothing ever comes between.
    pub cohesion: f64,
}

/// Closed patterns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Patterns {
    /// Those with two activities or more; the ones that account for most steps with the fewest others between come first.
    pub patterns: Vec<Pattern>,
    /// Instances that were looked at.
    pub instances: usize,
    /// Whether the search ended at its bound: then there may be more.
    pub truncated: bool,
}

impl Patterns {
    /// So many patterns at most, that hang together and of which each says something that those before it do not.
    pub fn told(&self, most: usize) -> Vec<&Pattern> {
        let mut told: Vec<&Pattern> = Vec::new();
        let coherent = self.patterns.iter().filter(|pattern| pattern.cohesion >= COHESION_MIN);
        for pattern in coherent.take(COMPARED_MAX) {
            let is_said = |before: &&Pattern| {
                let shared = shared_steps(&before.activities, &pattern.activities);
                let has_more = pattern.holders.len() as f64 >= MORE_MIN * before.holders.len() as f64;
                shared as f64 > SHARED_MAX * pattern.activities.len() as f64 && !has_more
            };
            if told.len() < most && !told.iter().any(is_said) {
                told.push(pattern);
            }
        }
        told
    }
}

/// How many steps two patterns share in the same order: the length of their longest common subsequence.
fn shared_steps(one: &[u32], other: &[u32]) -> usize {
    let mut lengths = vec![0; other.len() + 1];
    for step in one {
        let mut before = 0;
        for (at, same) in other.iter().map(|other| other == step).enumerate() {
            let diagonal = std::mem::replace(&mut before, lengths[at + 1]);
            lengths[at + 1] = if same { diagonal + 1 } else { lengths[at + 1].max(lengths[at]) };
        }
    }
    lengths[other.len()]
}

/// The closed patterns of some instances that at least `share_min` of them have.
///
/// Shape: one list of activities per instance. `share_min` is above 0 and at most 1.
///
/// ```
/// # use discovery::patterns::closed_patterns;
/// let found = closed_patterns(&[vec![0, 1, 2], vec![0, 3, 1, 2], vec![0, 1]], 0.6);
/// let found: Vec<_> = found.patterns.iter().map(|pattern| (&pattern.activities[..], &pattern.holders[..])).collect();
/// assert_eq!(found, [(&[0, 1][..], &[0, 1, 2][..]), (&[0, 1, 2], &[0, 1])]);
/// ```
pub fn closed_patterns(instances: &[Vec<u32>], share_min: f64) -> Patterns {
    let every = instances.len().div_ceil(INSTANCES_MAX).max(1);
    let sequences: Vec<&[u32]> =
        instances.iter().step_by(every).map(|steps| &steps[..steps.len().min(STEPS_MAX)]).collect();
    let least = ((share_min * sequences.len() as f64).ceil() as usize).max(1);
    let mut search = Search { sequences: &sequences, least, prefixes: 0, found: Vec::new() };
    let all: Vec<usize> = (0..sequences.len()).collect();
    search.grow(&mut Vec::new(), &all);
    let mut patterns = search.found;
    patterns.iter_mut().flat_map(|pattern| &mut pattern.holders).for_each(|at| *at *= every);
    patterns.sort_by(|one, other| {
        let weight = |pattern: &Pattern| (pattern.holders.len() * pattern.activities.len()) as f64 * pattern.cohesion;
        weight(other).total_cmp(&weight(one)).then_with(|| one.activities.cmp(&other.activities))
    });
    Patterns { patterns, instances: sequences.len(), truncated: search.prefixes > PREFIXES_MAX }
}

struct Search<'a> {
    sequences: &'a [&'a [u32]],
    least: usize,
    prefixes: usize,
    found: Vec<Pattern>,
}

impl Search<'_> {
    /// Takes up a prefix if it is closed, and looks at all that begin with it; `holders` are the instances that have it.
    fn grow(&mut self, prefix: &mut Vec<u32>, holders: &[usize]) {
        self.prefixes += 1;
        if self.prefixes > PREFIXES_MAX {
            return;
        }
        let places: Vec<Places> = holders.iter().map(|&at| Places::of(self.sequences[at], prefix)).collect();
        // What begins with it would be as frequent with a further step before: it is found there.
        if extends_backward(&places, |places| &places.last_in_first) {
            return;
        }
        let next = self.followers(holders, &places);
        let extends_forward = next.values().any(|followed| followed.len() == holders.len());
        if prefix.len() > 1 && !extends_forward && !extends_backward(&places, |places| &places.last_in_last) {
            let cohesion = cohesion(holders.iter().map(|&at| self.sequences[at]), prefix);
            self.found.push(Pattern { activities: prefix.clone(), holders: holders.to_vec(), cohesion });
        }
        let least = self.least;
        for (activity, followed) in next.into_iter().filter(|(_, followed)| followed.len() >= least) {
            prefix.push(activity);
            self.grow(prefix, &followed);
            prefix.pop();
        }
    }

    /// The activities that come after a prefix, each with the instances in which it does.
    fn followers(&self, holders: &[usize], places: &[Places]) -> BTreeMap<u32, Vec<usize>> {
        let mut next = BTreeMap::<u32, Vec<usize>>::new();
        for (&holder, places) in holders.iter().zip(places) {
            let rest = &self.sequences[holder][places.firsts.last().map_or(0, |end| end + 1)..];
            for activity in rest.iter().collect::<BTreeSet<_>>() {
                next.entry(*activity).or_default().push(holder);
            }
        }
        next
    }
}

/// Where the steps of a prefix stand in an instance.
struct Places<'a> {
    sequence: &'a [u32],
    /// Each as early as can be.
    firsts: Vec<usize>,
    /// Each as late as can be before the end of the earliest.
    last_in_first: Vec<usize>,
    /// Each as late as can be.
    last_in_last: Vec<usize>,
}

impl<'a> Places<'a> {
    /// Of a prefix that the sequence has.
    fn of(sequence: &'a [u32], prefix: &[u32]) -> Places<'a> {
        let mut firsts = Vec::with_capacity(prefix.len());
        let mut from = 0;
        for activity in prefix {
            let ahead = sequence[from..].iter().position(|step| step == activity).unwrap_or(0);
            firsts.push(from + ahead);
            from += ahead + 1;
        }
        let last_in_first = lasts(&sequence[..from], prefix);
        let last_in_last = lasts(sequence, prefix);
        Places { sequence, firsts, last_in_first, last_in_last }
    }

    /// The activities that could stand before each step of the prefix, if the step stands as late as `lasts` says.
    fn gap(&self, at: usize, lasts: &[usize]) -> BTreeSet<u32> {
        let from = at.checked_sub(1).map_or(0, |before| self.firsts[before] + 1);
        self.sequence[from..lasts[at].max(from)].iter().copied().collect()
    }
}

/// Where the steps of a prefix stand in a sequence that has it, each as late as can be.
fn lasts(sequence: &[u32], prefix: &[u32]) -> Vec<usize> {
    let mut until = sequence.len();
    let mut places: Vec<usize> = prefix
        .iter()
        .rev()
        .map(|activity| {
            until = sequence[..until].iter().rposition(|step| step == activity).unwrap_or(0);
            until
        })
        .collect();
    places.reverse();
    places
}

/// Whether a further step before one of the prefix is in every instance that has the prefix.
fn extends_backward(places: &[Places], lasts: impl for<'b> Fn(&'b Places<'_>) -> &'b [usize]) -> bool {
    let Some((first, rest)) = places.split_first() else { return false };
    (0..first.firsts.len()).any(|at| {
        let mut common = first.gap(at, lasts(first));
        for other in rest {
            if common.is_empty() {
                break;
            }
            let gap = other.gap(at, lasts(other));
            common.retain(|activity| gap.contains(activity));
        }
        !common.is_empty()
    })
}

fn cohesion<'a>(holders: impl Iterator<Item = &'a [u32]>, pattern: &[u32]) -> f64 {
    let (mut stretches, mut count) = (0, 0);
    for sequence in holders {
        stretches += shortest_stretch(sequence, pattern);
        count += 1;
    }
    (pattern.len() * count) as f64 / stretches.max(1) as f64
}

/// The length of the shortest stretch of a sequence that holds a pattern.
fn shortest_stretch(sequence: &[u32], pattern: &[u32]) -> usize {
    let ends = (1..=sequence.len()).filter(|&end| Some(&sequence[end - 1]) == pattern.last());
    let stretch = |end: usize| {
        let mut steps = pattern.iter().rev().peekable();
        for at in (0..end).rev() {
            steps.next_if(|step| **step == sequence[at]);
            if steps.peek().is_none() {
                return Some(end - at);
            }
        }
        None
    };
    ends.filter_map(stretch).min().unwrap_or(sequence.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sequences of letters, as `abc adbc`, with the share of them that a pattern must be in.
    fn found(sequences: &str, share_min: f64) -> Vec<(String, usize, f64)> {
        let sequences: Vec<Vec<u32>> = sequences.split(' ').map(|word| word.bytes().map(u32::from).collect()).collect();
        let patterns = closed_patterns(&sequences, share_min).patterns;
        let letters = |activities: &[u32]| activities.iter().filter_map(|&letter| char::from_u32(letter)).collect();
        patterns.iter().map(|pattern| (letters(&pattern.activities), pattern.holders.len(), pattern.cohesion)).collect()
    }

    #[test]
    fn a_pattern_may_have_gaps_and_a_part_of_it_is_none() {
        assert_eq!(found("abc abc xaybzc", 1.0), [("abc".into(), 3, 9.0 / 11.0)]);
    }

    #[test]
    fn a_part_that_more_instances_have_is_a_pattern_of_its_own() {
        assert_eq!(found("abc abc abd", 0.6), [("ab".into(), 3, 1.0), ("abc".into(), 2, 1.0)]);
    }

    #[test]
    fn what_hangs_together_comes_first() {
        let found = found("abcxxxd abcyyyd", 1.0);
        assert_eq!(found, [("abcd".into(), 2, 4.0 / 7.0)]);
        let found = self::found("axxxb axxyb cd cd", 0.5);
        assert_eq!(found.iter().map(|(letters, ..)| letters.as_str()).collect::<Vec<_>>(), ["axxb", "cd"]);
    }

    #[test]
    fn what_was_said_is_not_told_again() {
        // `abc4`: four instances have it.
        let pattern = |word: &str| {
            let (steps, holders) = word.split_at(word.len() - 1);
            let holders = (0..holders.parse().unwrap()).collect();
            Pattern { activities: steps.bytes().map(u32::from).collect(), holders, cohesion: 0.5 }
        };
        let patterns =
            |words: &str| Patterns { patterns: words.split(' ').map(pattern).collect(), ..Patterns::default() };
        let told = |words: &str, most: usize| -> Vec<usize> {
            let patterns = patterns(words);
            let told = patterns.told(most);
            told.iter().map(|one| patterns.patterns.iter().position(|other| other == *one).unwrap()).collect()
        };
        // Nine of ten steps of the second are in the first; of the third four are, in another order, and two of the fourth's three.
        assert_eq!(told("abcdefghij4 abcdexfghi4 dcba4 abx4", 9), [0, 2, 3]);
        assert_eq!(told("abcdefghij4 dcba4 abx4", 2), [0, 1]);
        assert_eq!(told("abcd4 abc4 ab5", 9), [0, 2], "more instances have the last one");
    }

    #[test]
    fn what_does_not_hang_together_is_not_told() {
        let sequences = ["a12345b", "a67890b"].map(|word| word.bytes().map(u32::from).collect::<Vec<u32>>());
        let patterns = closed_patterns(&sequences, 1.0);
        assert_eq!((patterns.patterns.len(), patterns.told(9).len()), (1, 0));
    }

    #[test]
    fn the_shortest_stretch_is_counted_wherever_it_is() {
        assert_eq!(shortest_stretch(b"axxbab".map(u32::from).as_slice(), b"ab".map(u32::from).as_slice()), 2);
        assert_eq!(found("axxbab axxb", 1.0)[0].0, "axxb");
    }

    /// All closed patterns by trying every part of every sequence.
    fn tried(sequences: &[Vec<u32>], least: usize) -> BTreeSet<(Vec<u32>, usize)> {
        let has = |sequence: &[u32], pattern: &[u32]| {
            let mut steps = sequence.iter();
            pattern.iter().all(|activity| steps.any(|step| step == activity))
        };
        let mut parts = BTreeSet::new();
        for sequence in sequences {
            for chosen in 0..1_u32 << sequence.len() {
                let part = (0..sequence.len()).filter(|at| chosen >> at & 1 == 1).map(|at| sequence[at]);
                parts.insert(part.collect::<Vec<u32>>());
            }
        }
        let counted: Vec<(Vec<u32>, usize)> = parts
            .into_iter()
            .map(|part| (sequences.iter().filter(|sequence| has(sequence, &part)).count(), part))
            .filter(|(count, part)| *count >= least && part.len() > 1)
            .map(|(count, part)| (part, count))
            .collect();
        let is_closed = |(part, count): &(Vec<u32>, usize)| {
            !counted.iter().any(|(other, times)| times == count && other.len() > part.len() && has(other, part))
        };
        counted.iter().filter(|pattern| is_closed(pattern)).cloned().collect()
    }

    #[test]
    fn the_same_is_found_as_by_trying_everything() {
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for round in 0..300 {
            let letters = 2 + random(4);
            let sequences: Vec<Vec<u32>> =
                (0..2 + random(5)).map(|_| (0..1 + random(8)).map(|_| random(letters) as u32).collect()).collect();
            for least in 1..=sequences.len() {
                let share = (least as f64 - 0.5) / sequences.len() as f64;
                let found = closed_patterns(&sequences, share).patterns;
                let found = found.into_iter().map(|pattern| (pattern.activities, pattern.holders.len())).collect();
                assert_eq!(tried(&sequences, least), found, "round {round}: {least} of {sequences:?}");
            }
        }
    }

    #[test]
    fn many_steps_in_any_order_end_at_the_bound() {
        let sequence = |at: u32| (0..60).map(|step| (step * 7 + at * step) % 61).collect::<Vec<u32>>();
        let found = closed_patterns(&(1..40).map(sequence).collect::<Vec<_>>(), 0.05);
        assert!(found.truncated && found.patterns.len() <= PREFIXES_MAX);
    }

    #[test]
    fn instances_that_are_all_alike_are_one_pattern_however_long_and_many() {
        let alike = vec![(0..STEPS_MAX as u32 + 9).collect::<Vec<_>>(); 1_000];
        let found = closed_patterns(&alike, 0.5);
        assert_eq!((found.instances, found.truncated, found.patterns.len()), (INSTANCES_MAX, false, 1));
        assert_eq!((found.patterns[0].activities.len(), found.patterns[0].cohesion), (STEPS_MAX, 1.0));
    }
}
