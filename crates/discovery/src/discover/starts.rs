//! First guesses at where tasks begin, from which the segmentation is then refined.

use std::collections::HashMap;

use super::chain::{Chain, Shares, Transitions};
use super::typing::Typing;
use crate::log::NO_TIME;
use crate::pairs::BuildMix;

/// Shares of pauses that are taken for boundaries, one guess each.
pub(crate) const PAUSE_SHARES: [f64; 4] = [0.2, 0.1, 0.05, 0.02];

/// Symbols that are tried as the begin of a task, the most frequent ones.
const ANCHORS_TRIED_MAX: usize = 80;

/// A symbol must occur so often to be tried.
const ANCHOR_OCCURRENCES_MIN: usize = 3;

/// Boundaries where the pause is among the longest of all.
pub(crate) fn by_pause(streams: &[&[i64]], share: f64) -> Vec<Vec<bool>> {
    let mut known: Vec<i64> =
        streams.iter().flat_map(|pauses| pauses.iter().copied()).filter(|&pause| pause != NO_TIME).collect();
    known.sort_unstable();
    let limit = known.get(((1.0 - share) * known.len() as f64) as usize).copied().unwrap_or(i64::MAX);
    streams.iter().map(|pauses| pauses.iter().map(|&pause| pause >= limit).collect()).collect()
}

/// Boundaries before every occurrence of a few symbols, chosen so that the symbol that begins a segment tells most about
/// what follows: each chosen symbol is a type of its own, and one is added or dropped as long as that saves nats.
pub(crate) fn by_anchor(streams: &[&[u32]], shares: &Shares) -> Vec<Vec<bool>> {
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
    let mut cost = anchored_cost(streams, &anchors, shares);
    loop {
        let mut best = (cost - 1e-9, None);
        for &(_, symbol) in &tried {
            anchors[symbol as usize] ^= true;
            let changed = anchored_cost(streams, &anchors, shares);
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
fn anchored_cost(streams: &[&[u32]], anchors: &[bool], shares: &Shares) -> f64 {
    let mut chains: HashMap<u32, Chain, BuildMix> = HashMap::default();
    for symbols in streams {
        let mut from = 0;
        for at in 1..=symbols.len() {
            if at == symbols.len() || anchors[symbols[at] as usize] {
                let segment = &symbols[from..at];
                chains.entry(segment[0]).or_default().add(&Transitions::new(segment, shares.border()), 1);
                from = at;
            }
        }
    }
    Typing { types: Vec::new(), chains: chains.into_values().collect() }.cost(shares)
}
