//! First guesses at where tasks begin, from which the segmentation is then refined.

use std::collections::HashMap;

use super::chain::{Chain, Shares, Transitions};
use super::pauses::class_from_rank;
use super::segmentation::{Stream, returns};
use super::typing::Typing;
use crate::pairs::BuildMix;

/// Ranks from which a pause is taken for a boundary, one guess each.
const PAUSE_RANKS: [f64; 4] = [0.8, 0.9, 0.95, 0.98];

/// Nats for a step done before in a segment, one search for each: what suits a log is not known before it is understood.
const RETURN_COSTS: [f64; 2] = [0.3, 0.6];

/// Symbols that are tried as the begin of a task, the most frequent ones.
const ANCHORS_TRIED_MAX: usize = 60;

/// A symbol must occur so often to be tried.
const ANCHOR_OCCURRENCES_MIN: usize = 3;

/// Several guesses: for each stream, whether a segment begins at each action.
pub(crate) fn guesses(streams: &[Stream], shares: &Shares, use_pauses: bool) -> Vec<Vec<Vec<bool>>> {
    let symbols: Vec<&[u32]> = streams.iter().map(|stream| stream.symbols.as_slice()).collect();
    let mut guesses = vec![by_words(&symbols)];
    for return_cost in RETURN_COSTS {
        for begin_with_first in [false, true] {
            let guess = by_anchor(&symbols, shares, begin_with_first, return_cost);
            if !guesses.contains(&guess) {
                guesses.push(guess);
            }
        }
    }
    if use_pauses {
        guesses.extend(PAUSE_RANKS.iter().map(|&rank| by_pause(streams, rank)));
    }
    guesses
}

/// Boundaries where the pause is among the longest of all.
fn by_pause(streams: &[Stream], rank: f64) -> Vec<Vec<bool>> {
    let class = class_from_rank(rank);
    streams.iter().map(|stream| stream.classes.iter().map(|&of| of >= class).collect()).collect()
}

/// Boundaries before every occurrence of a few symbols, chosen so that the symbol that begins a segment tells most about
/// what follows: each chosen symbol is a type of its own, and one is added or dropped as long as that saves nats.
///
/// The search begins with the symbols that begin streams, or with none.
fn by_anchor(streams: &[&[u32]], shares: &Shares, begin_with_first: bool, return_cost: f64) -> Vec<Vec<bool>> {
    let mut counts: HashMap<u32, usize, BuildMix> = HashMap::default();
    streams.iter().flat_map(|symbols| symbols.iter()).for_each(|&symbol| *counts.entry(symbol).or_insert(0) += 1);
    let mut tried: Vec<(usize, u32)> = counts
        .into_iter()
        .filter(|&(_, count)| count >= ANCHOR_OCCURRENCES_MIN)
        .map(|(symbol, count)| (count, symbol))
        .collect();
    tried.sort_unstable_by(|left, right| right.cmp(left));
    tried.truncate(ANCHORS_TRIED_MAX);
    let mut anchors = vec![false; shares.border() as usize];
    if begin_with_first {
        streams.iter().filter_map(|symbols| symbols.first()).for_each(|&symbol| anchors[symbol as usize] = true);
    }
    let mut cost = anchored_cost(streams, &anchors, shares, return_cost);
    loop {
        let mut best = (cost - 1e-9, None);
        for &(_, symbol) in &tried {
            anchors[symbol as usize] ^= true;
            let changed = anchored_cost(streams, &anchors, shares, return_cost);
            if changed < best.0 {
                best = (changed, Some(symbol));
            }
            anchors[symbol as usize] ^= true;
        }
        let Some(symbol) = best.1 else { break };
        anchors[symbol as usize] ^= true;
        cost = best.0;
    }
    streams.iter().map(|symbols| symbols.iter().map(|&symbol| anchors[symbol as usize]).collect()).collect()
}

/// Nats to code all streams if a segment begins at each anchor and its first symbol is its type.
fn anchored_cost(streams: &[&[u32]], anchors: &[bool], shares: &Shares, return_cost: f64) -> f64 {
    let mut chains: HashMap<u32, Chain, BuildMix> = HashMap::default();
    let mut repeated = 0.0;
    for symbols in streams {
        let mut from = 0;
        for at in 1..=symbols.len() {
            if at == symbols.len() || anchors[symbols[at] as usize] {
                let segment = &symbols[from..at];
                chains.entry(segment[0]).or_default().add(&Transitions::new(segment, shares.border()), 1);
                repeated += returns(segment);
                from = at;
            }
        }
    }
    Typing { types: Vec::new(), chains: chains.into_values().collect() }.cost(shares) + return_cost * repeated
}

/// Longest word that is looked for.
const WORD_ACTIONS_MAX: usize = 12;

/// How often the stream is split into words and the words are counted again.
const WORD_ROUNDS: usize = 8;

/// A longer word must occur so often to be kept.
const WORD_OCCURRENCES_MIN: f64 = 3.0;

/// Boundaries between words: the stream is split into the sequence of recurring strings that is most probable, as speech
/// is into words (hidden multigrams, Deligne & Bimbot, ICASSP 1995, with Viterbi training).
fn by_words(streams: &[&[u32]]) -> Vec<Vec<bool>> {
    let mut counts: HashMap<&[u32], f64, BuildMix> = HashMap::default();
    for symbols in streams {
        for from in 0..symbols.len() {
            for length in 1..=WORD_ACTIONS_MAX.min(symbols.len() - from) {
                *counts.entry(&symbols[from..from + length]).or_insert(0.0) += 1.0;
            }
        }
    }
    let mut splits = Vec::new();
    for _ in 0..WORD_ROUNDS {
        counts.retain(|word, count| word.len() == 1 || *count >= WORD_OCCURRENCES_MIN);
        let total: f64 = counts.values().sum();
        let costs: HashMap<&[u32], f64, BuildMix> =
            counts.iter().map(|(&word, count)| (word, (total / count.max(0.1)).ln())).collect();
        counts.values_mut().for_each(|count| *count = 0.0);
        splits = streams.iter().map(|symbols| split_into_words(symbols, &costs)).collect();
        for (symbols, split) in streams.iter().zip(&splits) {
            let mut from = 0;
            for at in 1..=symbols.len() {
                if at == symbols.len() || split[at] {
                    *counts.entry(&symbols[from..at]).or_insert(0.0) += 1.0;
                    from = at;
                }
            }
        }
    }
    splits
}

/// The cheapest split of a stream: whether a word begins at each action.
fn split_into_words(symbols: &[u32], costs: &HashMap<&[u32], f64, BuildMix>) -> Vec<bool> {
    let mut best = vec![(0.0, 0); symbols.len() + 1];
    for to in 1..=symbols.len() {
        let words = (1..=WORD_ACTIONS_MAX.min(to)).filter_map(|length| {
            let cost = costs.get(&symbols[to - length..to])?;
            Some((best[to - length].0 + cost, length))
        });
        best[to] = words.min_by(|left, right| left.0.total_cmp(&right.0)).unwrap_or((f64::INFINITY, 1));
    }
    let mut begins = vec![false; symbols.len()];
    let mut at = symbols.len();
    while at > 0 {
        at -= best[at].1;
        begins[at] = true;
    }
    begins
}
