//! Which segments are of one task type.
//!
//! A Dirichlet process mixture of Markov chains: a segment joins the type that codes it in the fewest nats, or opens a
//! new one. Equal segments go together, most frequent first; then each is taken out and placed again until nothing
//! moves; then types are joined as long as that saves nats (hard Gibbs sampling after Neal, J. Comp. Graph. Stat. 9,
//! 2000, algorithm 3; the merge step is ours).

use std::collections::HashMap;

use super::chain::{Chain, Shares, Transitions, ln_rising};

/// Propensity to open a new type.
const NEW_TYPE: f64 = 1.0;

/// How often segments are placed again, at most.
const PASSES_MAX: usize = 6;

/// How often types are joined and segments placed again, at most: placing may open again what joining closed.
const JOIN_ROUNDS_MAX: usize = 3;

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
        chains + ln_rising(NEW_TYPE, self.chains.iter().map(|chain| chain.segments as usize).sum())
    }
}

/// Nats for a type with so many segments, in the Chinese restaurant process, without the normalisation all types share.
fn type_cost(segments: u32) -> f64 {
    if segments == 0 { 0.0 } else { -NEW_TYPE.ln() - ln_rising(1.0, segments as usize - 1) }
}

/// Finds the types of segments.
///
/// Shape: one type per segment, numbered from 0, the most frequent first. `known` are types to start from, by segment.
pub(crate) fn type_segments(segments: &[Vec<u32>], known: Option<&[u32]>, shares: &Shares) -> Typing {
    let variants = Variants::new(segments, known, shares);
    let mut mixture = Mixture { variants: &variants, chains: Vec::new(), of: vec![u32::MAX; variants.weights.len()], shares };
    mixture.begin();
    let trace = |m: &Mixture, w: &str| if std::env::var("LODE_TRACE").is_ok_and(|v| v == "3") { let mut sizes: Vec<u32> = m.chains.iter().map(|c| c.segments).filter(|&n| n>0).collect(); sizes.sort(); sizes.reverse(); let cost: f64 = m.chains.iter().map(|c| m.cost_of_type(c)).sum(); eprintln!("        {w} {cost:.1} {sizes:?}"); };
    trace(&mixture, "begin");
    mixture.settle();
    trace(&mixture, "settle");
    for _ in 0..JOIN_ROUNDS_MAX {
        if !mixture.join_types() {
            break;
        }
        trace(&mixture, "join");
        mixture.settle();
        trace(&mixture, "settle");
    }
    mixture.finish()
}

/// Distinct segments, the most frequent first.
struct Variants {
    transitions: Vec<Transitions>,
    weights: Vec<u32>,
    /// A type to begin with, per variant.
    begin: Vec<Option<u32>>,
    /// The variant of each segment.
    of: Vec<u32>,
}

impl Variants {
    fn new(segments: &[Vec<u32>], known: Option<&[u32]>, shares: &Shares) -> Variants {
        let mut numbers = HashMap::<(&[u32], Option<u32>), usize>::new();
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
        Variants {
            transitions: order.iter().map(|&at| Transitions::new(found[at].0, shares.border())).collect(),
            weights: order.iter().map(|&at| found[at].2).collect(),
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
                let best = self.best(variant);
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
                let to = self.best(variant);
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

    /// The type that codes a variant in the fewest nats, or the number of a new one.
    fn best(&self, variant: usize) -> usize {
        let (transitions, weight) = (&self.variants.transitions[variant], self.variants.weights[variant]);
        let used = self.chains.iter().filter(|chain| chain.segments > 0).count();
        let mut alone = Chain::default();
        alone.add(transitions, weight);
        let mut best = (f64::INFINITY, self.chains.len());
        if used < TYPES_MAX {
            best.0 = alone.cost(self.shares) + type_cost(weight);
        }
        for (at, chain) in self.chains.iter().enumerate().filter(|(_, chain)| chain.segments > 0) {
            let cost = chain.cost_of(transitions, weight, self.shares)
                + type_cost(chain.segments + weight)
                - type_cost(chain.segments);
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
