//! States: a step that looks the same in several places is told apart by what was done shortly before it.
//!
//! ```text
//! symbols  copy paste row1  copy paste row2  copy paste row3    after `paste`: row1, row2 or row3
//! states   copy paste row1  copy₁ paste₁ row2  copy₂ paste₂ row3    after `paste₁`: row2
//! ```
//! A chain knows one step back. In a loop whose rounds differ that is too little: a task cut in the middle would take fewer
//! nats than the whole, because its parts as types of their own remember what the chain forgets. So a symbol of a loop is
//! split by the one that comes [`REACH`] steps before it or less, where that makes its successors nearly certain, and again
//! with the states for symbols, so that a memory is carried on as long as it is of use (state splitting as in Shalizi &
//! Klinkner, UAI 2004, by marginal likelihood in place of a test). What is in no loop is left to the types, which are there
//! to remember in what task a step is done.

use std::collections::{BTreeMap, HashMap};

use super::chain::ln_rising;
use super::segmentation::Stream;
use crate::pairs::{BuildMix, pair};

/// How many steps a round of a loop has at most, and how far back a step is looked for that tells rounds apart.
const REACH: usize = 4;

/// Share of a symbol's occurrences that must be in loops.
const IN_LOOPS_MIN: f64 = 0.5;

/// Share of the nats of a symbol's successors that a split must save: what is left must be nearly certain.
const SAVED_MIN: f64 = 0.5;

/// How often all symbols are tried.
const ROUNDS_MAX: usize = 4;

/// Nats that a split must save, for each state that it makes.
const GAIN_MIN: f64 = 4.0;

/// So often a state must be there; what is rarer stays the symbol that it was.
const OCCURRENCES_MIN: usize = 5;

/// Strength of the prior in the coding of successors.
const PRIOR: f64 = 1.0;

type Map<K, V> = HashMap<K, V, BuildMix>;

/// How a symbol is split: how far back to look, and the state for each symbol that is there.
#[derive(Debug)]
struct Split {
    distance: usize,
    states: Map<u32, u32>,
}

/// How the symbols of a log become states.
#[derive(Debug, Default)]
pub(crate) struct States {
    rounds: Vec<Map<u32, Split>>,
    /// The symbol of each state.
    symbols: Vec<u32>,
}

impl States {
    /// Learns from streams of so many symbols.
    pub(crate) fn learn(streams: &[Stream], symbols: usize) -> States {
        let mut streams: Vec<Vec<u32>> = streams.iter().map(|stream| stream.symbols.clone()).collect();
        let mut states = States { rounds: Vec::new(), symbols: (0..symbols as u32).collect() };
        let is_in_loops = in_loops(&streams, symbols);
        for _ in 0..ROUNDS_MAX {
            let splits = states.splits(&streams, &is_in_loops);
            if splits.is_empty() {
                break;
            }
            streams.iter_mut().for_each(|stream| split(stream, &splits));
            states.rounds.push(splits);
        }
        states
    }

    /// How many states there are.
    pub(crate) fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Makes symbols states.
    pub(crate) fn tell_apart(&self, symbols: &mut [u32]) {
        self.rounds.iter().for_each(|splits| split(symbols, splits));
    }

    /// Makes states the symbols that they were.
    pub(crate) fn forget(&self, states: &mut [u32]) {
        states.iter_mut().for_each(|state| *state = self.symbols[*state as usize]);
    }

    /// The symbols that are worth being split, and how.
    fn splits(&mut self, streams: &[Vec<u32>], is_in_loops: &[bool]) -> Map<u32, Split> {
        let mut places: BTreeMap<u32, Vec<(usize, usize)>> = BTreeMap::new();
        let mut counts = vec![0.0; self.symbols.len()];
        for (stream, symbols) in streams.iter().enumerate() {
            for (at, &symbol) in symbols.iter().enumerate() {
                counts[symbol as usize] += 1.0;
                if at + 1 < symbols.len() && is_in_loops[self.symbols[symbol as usize] as usize] {
                    places.entry(symbol).or_default().push((stream, at));
                }
            }
        }
        let total: f64 = counts.iter().sum();
        let share = |symbol: u32| counts[symbol as usize] / total;
        let mut splits = Map::default();
        for (symbol, places) in places.into_iter().filter(|(_, places)| places.len() >= 2 * OCCURRENCES_MIN) {
            let next = |&(stream, at): &(usize, usize)| streams[stream][at + 1];
            let whole = cost(places.iter().map(|place| (0, next(place))), share);
            let mut best = (0.0, None);
            for distance in 1..=REACH {
                let before = |&(stream, at): &(usize, usize)| {
                    at.checked_sub(distance).map_or(u32::MAX, |at| streams[stream][at])
                };
                let mut occurs: BTreeMap<u32, usize> = BTreeMap::new();
                places.iter().for_each(|place| *occurs.entry(before(place)).or_insert(0) += 1);
                occurs.retain(|&before, count| *count >= OCCURRENCES_MIN && before != u32::MAX);
                if occurs.len() < 2 {
                    continue;
                }
                let key = |place: &(usize, usize)| Some(before(place)).filter(|before| occurs.contains_key(before));
                let parts = places.iter().map(|place| (key(place).unwrap_or(u32::MAX), next(place)));
                let saved = whole - cost(parts, share);
                let gain = saved - GAIN_MIN * occurs.len() as f64;
                if gain > best.0 && saved > SAVED_MIN * whole {
                    best = (gain, Some((distance, occurs.into_keys().collect::<Vec<u32>>())));
                }
            }
            if let Some((distance, befores)) = best.1 {
                let from = self.symbols.len() as u32;
                self.symbols.extend(befores.iter().map(|_| self.symbols[symbol as usize]).collect::<Vec<u32>>());
                splits.insert(symbol, Split { distance, states: befores.into_iter().zip(from..).collect() });
            }
        }
        splits
    }
}

/// Which symbols are mostly done in loops: between two occurrences of one symbol, or of itself, that are a round apart.
fn in_loops(streams: &[Vec<u32>], symbols: usize) -> Vec<bool> {
    let (mut all, mut inside) = (vec![0.0; symbols], vec![0.0; symbols]);
    for stream in streams {
        let mut is_inside = vec![false; stream.len()];
        for to in 1..stream.len() {
            if let Some(from) = (to.saturating_sub(REACH)..to).rev().find(|&from| stream[from] == stream[to]) {
                is_inside[from..=to].fill(true);
            }
        }
        for (&symbol, is_inside) in stream.iter().zip(is_inside) {
            all[symbol as usize] += 1.0;
            inside[symbol as usize] += f64::from(u8::from(is_inside));
        }
    }
    all.iter().zip(inside).map(|(all, inside)| inside > IN_LOOPS_MIN * all).collect()
}

/// Gives every step its state, by what the steps before it were before the split.
fn split(stream: &mut [u32], splits: &Map<u32, Split>) {
    for at in (1..stream.len()).rev() {
        if let Some(split) = splits.get(&stream[at])
            && let Some(before) = at.checked_sub(split.distance)
            && let Some(&state) = split.states.get(&stream[before])
        {
            stream[at] = state;
        }
    }
}

/// Nats to code successors, given the key of each.
fn cost(successors: impl Iterator<Item = (u32, u32)>, share: impl Fn(u32) -> f64) -> f64 {
    let (mut pairs, mut totals) = (BTreeMap::<u64, (u32, usize)>::new(), BTreeMap::<u32, usize>::new());
    for (key, next) in successors {
        pairs.entry(pair(key, next)).or_insert((next, 0)).1 += 1;
        *totals.entry(key).or_insert(0) += 1;
    }
    let all: f64 = totals.values().map(|&count| ln_rising(PRIOR, count)).sum();
    all - pairs.values().map(|&(next, count)| ln_rising(PRIOR * share(next), count)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states of a text, each as the number of different ones of its letter that were seen before it.
    fn drawn(text: &str) -> String {
        let mut symbols: Vec<u32> = text.bytes().map(u32::from).collect();
        let stream = Stream { symbols: symbols.clone(), ..Stream::default() };
        let states = States::learn(std::slice::from_ref(&stream), 128);
        states.tell_apart(&mut symbols);
        let mut seen: HashMap<u8, Vec<u32>> = HashMap::new();
        let number = |(letter, state): (u8, &u32)| {
            let seen = seen.entry(letter).or_default();
            let place = seen.iter().position(|other| other == state).unwrap_or(seen.len());
            seen.resize_with(seen.len().max(place + 1), || *state);
            char::from(b'0' + place as u8)
        };
        let drawn = text.bytes().zip(&symbols).map(number).collect();
        states.forget(&mut symbols);
        assert_eq!(symbols, stream.symbols);
        drawn
    }

    #[test]
    fn rounds_of_a_loop_are_told_apart_by_the_step_that_differs() {
        let story = "ocp1cp2cp3cp4s".repeat(20);
        let expected = "00001102203300";
        assert_eq!(&drawn(&story)[14 * 10..14 * 11], expected);
    }

    #[test]
    fn what_is_in_no_loop_stays_as_it_is_though_the_step_before_tells_the_next() {
        assert_eq!(drawn(&"abcdefghxyzoabqdefghxywo".repeat(20)), "0".repeat(24 * 20));
    }

    #[test]
    fn what_is_seen_seldom_is_no_state() {
        assert_eq!(drawn(&"ocp1cp2s".repeat(4)), "0".repeat(32));
    }
}
