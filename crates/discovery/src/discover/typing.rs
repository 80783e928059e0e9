//! Which segments are of one task type.
//!
//! A Dirichlet process mixture of Markov chains: a segment joins the type that codes it in the fewest nats, or opens a
//! new one. Equal segments go together, most frequent first; then each is taken out and placed again until nothing
//! moves; then types are joined as long as that saves nats (hard Gibbs sampling after Neal, J. Comp. Graph. Stat. 9,
//! 2000, algorithm 3; the merge step is ours).

use std::collections::HashMap;

use crate::pairs::BuildMix;

use super::chain::{Chain, Shares, Transitions, ln_rising};

/// Propensity to open a new type.
const NEW_TYPE: f64 = 1.0;

/// How often segments are placed again, at most.
const PASSES_MAX: usize = 6;

/// How often types are joined and segments placed again, at most: placing may open again what joining closed.
const JOIN_ROUNDS_MAX: usize = 3;

/// Symbols by which a type may be split, those that about half of its segments have.
const SPLIT_SYMBOLS_MAX: usize = 24;

/// Types at most; what fits none of them goes to the nearest.
pub(crate) const TYPES_MAX: usize = 200;

/// Segments with their types.
#[derive(Debug, Clone, Default)]
pub(crate) struct Typing {
    /// The type of each segment.
    pub types: Vec<u32>,
    pub chains: Vec<Chain>,
}

impl Typing {
    /// Nats to code all segments and which types they have.
    pub(crate) fn cost(&self, shares: &Shares) -> f64 {
        let chains: f64 = self.chains.iter().map(|chain| chain.cost(shares) + type_cost(chain.segments)).sum();
        chains + types_cost(self.chains.iter().map(|chain| chain.segments as usize).sum())
    }
}

/// Nats that all types share, for so many segments together.
pub(crate) fn types_cost(segments: usize) -> f64 {
    ln_rising(NEW_TYPE, segments)
}

/// Nats for a type with so many segments, in the Chinese restaurant process, without the normalisation all types share.
pub(crate) fn type_cost(segments: u32) -> f64 {
    if segments == 0 { 0.0 } else { -NEW_TYPE.ln() - ln_rising(1.0, segments as usize - 1) }
}

/// Finds the types of segments.
///
/// Shape: one type per segment, numbered from 0, the most frequent first. `known` are types to start from, by segment.
pub(crate) fn type_segments(segments: &[Vec<u32>], known: Option<&[u32]>, shares: &Shares) -> Typing {
    let variants = Variants::new(segments, known, shares);
    let mut mixture =
        Mixture { variants: &variants, chains: Vec::new(), of: vec![u32::MAX; variants.weights.len()], shares };
    mixture.begin();
    mixture.settle();
    for _ in 0..JOIN_ROUNDS_MAX {
        let has_split = mixture.split_types();
        if has_split {
            mixture.settle();
        }
        if !mixture.join_types() && !has_split {
            break;
        }
        mixture.settle();
    }
    mixture.finish()
}

/// Distinct segments, the most frequent first.
struct Variants {
    transitions: Vec<Transitions>,
    weights: Vec<u32>,
    /// Nats of each as a type of its own.
    alone: Vec<f64>,
    /// A type to begin with, per variant.
    begin: Vec<Option<u32>>,
    /// The variant of each segment.
    of: Vec<u32>,
}

impl Variants {
    fn new(segments: &[Vec<u32>], known: Option<&[u32]>, shares: &Shares) -> Variants {
        let mut numbers = HashMap::<(&[u32], Option<u32>), usize, BuildMix>::default();
        let mut found: Vec<(&[u32], Option<u32>, u32)> = Vec::new();
        let mut of = Vec::with_capacity(segments.len());
        for (at, segment) in segments.iter().enumerate() {
            let begin = known.map(|known| known[at]);
            let number = *numbers.entry((segment, begin)).or_insert(found.len());
            if number == found.len() {
                found.push((segment, begin, 0));
            }
            found[number].2 += 1;
            of.push(number);
        }
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(found[at].2));
        let mut place = vec![0; found.len()];
        order.iter().enumerate().for_each(|(to, &from)| place[from] = to as u32);
        let transitions: Vec<Transitions> =
            order.iter().map(|&at| Transitions::new(found[at].0, shares.border())).collect();
        let weights: Vec<u32> = order.iter().map(|&at| found[at].2).collect();
        let alone = |(transitions, &weight): (&Transitions, &u32)| transitions.cost(weight, shares) + type_cost(weight);
        Variants {
            alone: transitions.iter().zip(&weights).map(alone).collect(),
            transitions,
            weights,
            begin: order.iter().map(|&at| found[at].1).collect(),
            of: of.into_iter().map(|number| place[number]).collect(),
        }
    }
}

struct Mixture<'a> {
    variants: &'a Variants,
    chains: Vec<Chain>,
    /// The type of each variant.
    of: Vec<u32>,
    shares: &'a Shares,
}

impl Mixture<'_> {
    /// Places every variant for the first time.
    fn begin(&mut self) {
        for variant in 0..self.of.len() {
            if let Some(begin) = self.variants.begin[variant] {
                if self.chains.len() <= begin as usize {
                    self.chains.resize(begin as usize + 1, Chain::default());
                }
                self.put(variant, begin as usize);
            }
        }
        for variant in 0..self.of.len() {
            if self.of[variant] == u32::MAX {
                let best = self.best(variant, None);
                self.put(variant, best);
            }
        }
    }

    /// Takes variants out and places them again until nothing moves.
    fn settle(&mut self) {
        for _ in 0..PASSES_MAX {
            let mut is_settled = true;
            for variant in 0..self.of.len() {
                let from = self.of[variant] as usize;
                self.chains[from].remove(&self.variants.transitions[variant], self.variants.weights[variant]);
                let to = self.best(variant, Some(from));
                // A type that was left empty by this variant is where a new type would be.
                let to = if to == self.chains.len() && self.chains[from].segments == 0 { from } else { to };
                is_settled &= to == from;
                self.put(variant, to);
            }
            if is_settled {
                break;
            }
        }
    }

    fn put(&mut self, variant: usize, to: usize) {
        if to == self.chains.len() {
            self.chains.push(Chain::default());
        }
        self.chains[to].add(&self.variants.transitions[variant], self.variants.weights[variant]);
        self.of[variant] = to as u32;
    }

    /// The type that codes a variant in the fewest nats, or the number of a new one; `likely` bounds what others may cost.
    fn best(&self, variant: usize, likely: Option<usize>) -> usize {
        let (transitions, weight) = (&self.variants.transitions[variant], self.variants.weights[variant]);
        let cost = |chain: &Chain, limit: f64| {
            let of_type = type_cost(chain.segments + weight) - type_cost(chain.segments);
            chain.cost_of(transitions, weight, self.shares, limit - of_type) + of_type
        };
        let likely = likely.filter(|&at| self.chains[at].segments > 0);
        let bound = likely.map_or(f64::INFINITY, |at| cost(&self.chains[at], f64::INFINITY));
        let used = self.chains.iter().filter(|chain| chain.segments > 0).count();
        let mut best = (f64::INFINITY, self.chains.len());
        if used < TYPES_MAX {
            best.0 = self.variants.alone[variant];
        }
        for (at, chain) in self.chains.iter().enumerate().filter(|(_, chain)| chain.segments > 0) {
            let cost = if likely == Some(at) { bound } else { cost(chain, best.0.min(bound)) };
            if cost < best.0 {
                best = (cost, at);
            }
        }
        best.1
    }

    /// Joins types as long as that saves nats, the best pair first; false if none was joined.
    fn join_types(&mut self) -> bool {
        let mut costs: Vec<f64> = self.chains.iter().map(|chain| self.cost_of_type(chain)).collect();
        let mut changes: Vec<Vec<f64>> = (0..self.chains.len())
            .map(|left| (0..left).map(|right| self.change_if_joined(left, right, &costs)).collect())
            .collect();
        let mut has_joined = false;
        while let Some((left, right)) = best_pair(&changes) {
            has_joined = true;
            self.chains[right] = self.chains[right].joined(&self.chains[left]);
            self.chains[left] = Chain::default();
            self.of.iter_mut().filter(|of| **of == left as u32).for_each(|of| *of = right as u32);
            (costs[left], costs[right]) = (0.0, self.cost_of_type(&self.chains[right]));
            for other in 0..self.chains.len() {
                for at in [left, right].into_iter().filter(|&at| at != other) {
                    changes[at.max(other)][at.min(other)] = self.change_if_joined(at, other, &costs);
                }
            }
        }
        has_joined
    }

    /// Splits types in two as long as that saves nats; false if none was split.
    ///
    /// Single segments do not leave a type that many like them are in, because a new type is dear for one. So segments
    /// that have a certain symbol leave together.
    fn split_types(&mut self) -> bool {
        let mut has_split = false;
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.chains.len()];
        (0..self.of.len()).for_each(|variant| members[self.of[variant] as usize].push(variant));
        let mut at = 0;
        while at < members.len() && members.len() < TYPES_MAX {
            match self.best_split(&members[at], at) {
                Some(leaving) => {
                    has_split = true;
                    let chain = self.chain_of(&leaving);
                    leaving.iter().for_each(|&variant| {
                        self.chains[at].remove(&self.variants.transitions[variant], self.variants.weights[variant]);
                        self.of[variant] = self.chains.len() as u32;
                    });
                    members[at].retain(|variant| leaving.binary_search(variant).is_err());
                    self.chains.push(chain);
                    members.push(leaving);
                }
                None => at += 1,
            }
        }
        has_split
    }

    /// The segments of a type that had better be a type of their own.
    fn best_split(&self, members: &[usize], at: usize) -> Option<Vec<usize>> {
        let mut having: HashMap<u32, Vec<usize>, BuildMix> = HashMap::default();
        for &variant in members {
            self.variants.transitions[variant].symbols().for_each(|symbol| {
                let having = having.entry(symbol).or_default();
                if having.last() != Some(&variant) {
                    having.push(variant);
                }
            });
        }
        let half = members.len() / 2;
        let mut features: Vec<(usize, u32)> = having
            .iter()
            .filter(|(_, having)| having.len() < members.len())
            .map(|(&symbol, having)| (having.len().abs_diff(half), symbol))
            .collect();
        features.sort_unstable();
        features.truncate(SPLIT_SYMBOLS_MAX);
        let whole = self.cost_of_type(&self.chains[at]);
        let mut best = (-1e-9, None);
        for (_, symbol) in features {
            let leaving = self.chain_of(&having[&symbol]);
            let mut staying = self.chains[at].clone();
            for &variant in &having[&symbol] {
                staying.remove(&self.variants.transitions[variant], self.variants.weights[variant]);
            }
            let change = self.cost_of_type(&leaving) + self.cost_of_type(&staying) - whole;
            if change < best.0 {
                best = (change, Some(symbol));
            }
        }
        best.1.and_then(|symbol| having.remove(&symbol))
    }

    fn chain_of(&self, variants: &[usize]) -> Chain {
        let mut chain = Chain::default();
        for &variant in variants {
            chain.add(&self.variants.transitions[variant], self.variants.weights[variant]);
        }
        chain
    }

    fn cost_of_type(&self, chain: &Chain) -> f64 {
        chain.cost(self.shares) + type_cost(chain.segments)
    }

    fn change_if_joined(&self, left: usize, right: usize, costs: &[f64]) -> f64 {
        let (left_chain, right_chain) = (&self.chains[left], &self.chains[right]);
        if left_chain.segments == 0 || right_chain.segments == 0 {
            return f64::INFINITY;
        }
        self.cost_of_type(&left_chain.joined(right_chain)) - costs[left] - costs[right]
    }

    fn finish(self) -> Typing {
        let mut order: Vec<usize> = (0..self.chains.len()).filter(|&at| self.chains[at].segments > 0).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(self.chains[at].segments));
        let mut place = vec![0; self.chains.len()];
        order.iter().enumerate().for_each(|(to, &from)| place[from] = to as u32);
        let types = self.variants.of.iter().map(|&variant| place[self.of[variant as usize] as usize]).collect();
        Typing { types, chains: order.iter().map(|&at| self.chains[at].clone()).collect() }
    }
}

/// The pair whose joining saves most, larger number first; none if no joining saves anything.
fn best_pair(changes: &[Vec<f64>]) -> Option<(usize, usize)> {
    let mut best = (-1e-9, None);
    for (left, row) in changes.iter().enumerate() {
        for (right, &change) in row.iter().enumerate() {
            if change < best.0 {
                best = (change, Some((left, right)));
            }
        }
    }
    best.1
}
