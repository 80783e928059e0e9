//! Task types for people: which segments touch the same things.
//!
//! ```text
//! chain 0   open user password OK          kind 0   user, password, OK
//!           open user password OK    ─▶
//!           open date OK                   kind 1   date, OK
//! ```
//! The chains of [`super::typing`] serve to find segments, and one chain may well hold several tasks that share a step:
//! once in a branch the order is clear. What people call one task is a set of steps that occur together. So segments are
//! clustered again by the set of their symbols, as a Dirichlet process mixture of independent coins: a symbol is in a
//! segment of the kind or not (Beta-Bernoulli marginals). Segments join the kind that codes their set in the fewest nats;
//! kinds are split by a symbol and joined as long as that saves nats.

use std::collections::HashMap;

use super::chain::ln_rising;
use crate::pairs::BuildMix;

/// Strength of the log's share of segments that have a symbol, in each kind.
const PRIOR: f64 = 1.0;

/// How often segments are placed again, at most.
const PASSES_MAX: usize = 5;

/// How often kinds are split and joined, at most.
const ROUNDS_MAX: usize = 3;

/// Symbols by which a kind may be split.
const SPLIT_SYMBOLS_MAX: usize = 24;

/// Share of usual symbols from which two kinds are variants of one task.
const VARIANT_LIKENESS_MIN: f64 = 0.9;

/// Segments of a kind at least, if there is any such kind; those of smaller ones go to the nearest.
const INSTANCES_MIN: u32 = 3;

/// Kinds at most.
const KINDS_MAX: usize = 200;

type Map<K, V> = HashMap<K, V, BuildMix>;

/// The kinds of a log's segments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kinds {
    kinds: Vec<Kind>,
    /// Share of all segments that have a symbol.
    shares: Vec<f64>,
    /// Symbols that a segment has on average.
    size: f64,
}

/// Segments of one kind.
#[derive(Debug, Clone, Default)]
struct Kind {
    segments: u32,
    counts: Map<u32, u32>,
    /// Sum of the shares of the symbols in `counts`.
    share: f64,
}

impl Kinds {
    /// Clusters segments given as sets of symbols, sorted.
    pub(crate) fn learn(sets: &[Vec<u32>], symbols: usize) -> Kinds {
        let mut shares = vec![0.0; symbols];
        sets.iter().flatten().for_each(|&symbol| shares[symbol as usize] += 1.0 / (sets.len() as f64 + 1.0));
        let size = shares.iter().sum();
        let (variants, weights) = variants(sets);
        let kinds = Kinds { kinds: Vec::new(), shares, size };
        let mut search = Search { of: vec![u32::MAX; variants.len()], variants, weights, kinds };
        search.place(true);
        for _ in 0..ROUNDS_MAX {
            let has_split = search.split();
            search.settle();
            let has_joined = search.join();
            if has_joined {
                search.settle();
            }
            if !has_split && !has_joined {
                break;
            }
        }
        search.join_variants();
        let mut kinds = search.kinds;
        if kinds.kinds.iter().any(|kind| kind.segments >= INSTANCES_MIN) {
            kinds.kinds.retain(|kind| kind.segments >= INSTANCES_MIN);
        }
        kinds.kinds.retain(|kind| kind.segments > 0);
        kinds.kinds.sort_by_key(|kind| std::cmp::Reverse(kind.segments));
        kinds
    }

    /// The kind that codes a set of symbols in the fewest nats; 0 if there is none.
    pub(crate) fn of(&self, set: &[u32]) -> u32 {
        let costs = (0..).zip(&self.kinds).map(|(at, kind)| (self.cost_of(kind, set, 1), at));
        costs.min_by(|left: &(f64, u32), right| left.0.total_cmp(&right.0)).map_or(0, |best| best.1)
    }

    /// Nats to code further segments of this set in a kind.
    fn cost_of(&self, kind: &Kind, set: &[u32], weight: u32) -> f64 {
        let (segments, weight_at) = (f64::from(kind.segments), weight as usize);
        let all = ln_rising(PRIOR + segments, weight_at);
        let grown = (segments + f64::from(weight) + PRIOR).ln() - (segments + PRIOR).ln();
        let mut cost = PRIOR * (self.size - kind.share).max(0.0) * grown;
        for (&symbol, &count) in &kind.counts {
            if set.binary_search(&symbol).is_err() {
                cost +=
                    all - ln_rising(PRIOR * (1.0 - self.share(symbol)) + f64::from(kind.segments - count), weight_at);
            }
        }
        for &symbol in set {
            let count = kind.counts.get(&symbol).copied().unwrap_or(0);
            cost += all - ln_rising(PRIOR * self.share(symbol) + f64::from(count), weight_at);
        }
        cost + type_cost(kind.segments + weight) - type_cost(kind.segments)
    }

    /// Nats to code everything a kind holds.
    fn cost(&self, kind: &Kind) -> f64 {
        let segments = kind.segments as usize;
        let all = ln_rising(PRIOR, segments);
        let symbols: f64 = kind
            .counts
            .iter()
            .map(|(&symbol, &count)| {
                let share = self.share(symbol);
                all - ln_rising(PRIOR * share, count as usize)
                    - ln_rising(PRIOR * (1.0 - share), segments - count as usize)
            })
            .sum();
        symbols + self.absent_cost(kind) + type_cost(kind.segments)
    }

    /// Nats for the symbols that no segment of a kind has: each is so rare that its share times the harmonic sum is near.
    fn absent_cost(&self, kind: &Kind) -> f64 {
        let harmonic: f64 = (f64::from(kind.segments) / PRIOR + 1.0).ln();
        PRIOR * (self.size - kind.share).max(0.0) * harmonic
    }

    fn share(&self, symbol: u32) -> f64 {
        self.shares.get(symbol as usize).copied().unwrap_or(0.0).max(1e-9)
    }

    fn add(&mut self, at: usize, set: &[u32], weight: u32) {
        for &symbol in set {
            let share = self.share(symbol);
            let kind = &mut self.kinds[at];
            let count = kind.counts.entry(symbol).or_insert(0);
            if *count == 0 {
                kind.share += share;
            }
            *count += weight;
        }
        self.kinds[at].segments += weight;
    }

    fn remove(&mut self, at: usize, set: &[u32], weight: u32) {
        for &symbol in set {
            let share = self.share(symbol);
            let kind = &mut self.kinds[at];
            if let Some(count) = kind.counts.get_mut(&symbol) {
                *count -= weight;
                if *count == 0 {
                    kind.counts.remove(&symbol);
                    kind.share -= share;
                }
            }
        }
        self.kinds[at].segments -= weight;
    }
}

/// Nats for a kind with so many segments, as in [`super::typing`].
fn type_cost(segments: u32) -> f64 {
    if segments == 0 { 0.0 } else { -ln_rising(1.0, segments as usize - 1) }
}

/// Distinct sets, the most frequent first, and how often each occurs.
fn variants(sets: &[Vec<u32>]) -> (Vec<Vec<u32>>, Vec<u32>) {
    let mut numbers = HashMap::<&[u32], usize>::new();
    let mut found: Vec<(&[u32], u32)> = Vec::new();
    for set in sets {
        let number = *numbers.entry(set).or_insert(found.len());
        if number == found.len() {
            found.push((set, 0));
        }
        found[number].1 += 1;
    }
    found.sort_by_key(|variant| std::cmp::Reverse(variant.1));
    found.into_iter().map(|(set, weight)| (set.to_vec(), weight)).unzip()
}

/// The share of the usual symbols of two kinds that both have; usual is what half of the segments have.
fn likeness(left: &Kind, right: &Kind) -> f64 {
    let is_usual = |kind: &Kind, symbol: &u32| kind.counts.get(symbol).is_some_and(|&count| 2 * count >= kind.segments);
    let usual = |kind: &Kind| kind.counts.keys().filter(|symbol| is_usual(kind, symbol)).count();
    let both = left.counts.keys().filter(|symbol| is_usual(left, symbol) && is_usual(right, symbol)).count();
    let either = usual(left) + usual(right) - both;
    if either == 0 { 0.0 } else { both as f64 / either as f64 }
}

struct Search {
    variants: Vec<Vec<u32>>,
    weights: Vec<u32>,
    of: Vec<u32>,
    kinds: Kinds,
}

impl Search {
    fn settle(&mut self) {
        for _ in 0..PASSES_MAX {
            if !self.place(false) {
                break;
            }
        }
    }

    /// Places every variant, or places it again; whether any moved.
    fn place(&mut self, is_first: bool) -> bool {
        let mut has_moved = false;
        for at in 0..self.variants.len() {
            let from = self.of[at] as usize;
            if !is_first {
                self.kinds.remove(from, &self.variants[at], self.weights[at]);
            }
            let to = self.best(at, if is_first { usize::MAX } else { from });
            if to == self.kinds.kinds.len() {
                self.kinds.kinds.push(Kind::default());
            }
            self.kinds.add(to, &self.variants[at], self.weights[at]);
            self.of[at] = to as u32;
            has_moved |= to != from;
        }
        has_moved
    }

    fn best(&self, at: usize, from: usize) -> usize {
        let (set, weight) = (&self.variants[at], self.weights[at]);
        let kinds = &self.kinds.kinds;
        let mut alone = Kind { segments: weight, ..Kind::default() };
        for &symbol in set {
            alone.counts.insert(symbol, weight);
            alone.share += self.kinds.share(symbol);
        }
        let is_empty = |kind: usize| kinds.get(kind).is_some_and(|kind| kind.segments == 0);
        let new = if is_empty(from) { from } else { kinds.len() };
        let used = kinds.iter().filter(|kind| kind.segments > 0).count();
        let mut best = (if used < KINDS_MAX { self.kinds.cost(&alone) } else { f64::INFINITY }, new);
        for (other, kind) in kinds.iter().enumerate().filter(|(_, kind)| kind.segments > 0) {
            let cost = self.kinds.cost_of(kind, set, weight);
            if cost < best.0 {
                best = (cost, other);
            }
        }
        best.1
    }

    fn split(&mut self) -> bool {
        let mut has_split = false;
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.kinds.kinds.len()];
        self.of.iter().enumerate().for_each(|(variant, &kind)| members[kind as usize].push(variant));
        let mut at = 0;
        while at < members.len() && members.len() < KINDS_MAX {
            let Some(leaving) = self.best_split(&members[at], at) else {
                at += 1;
                continue;
            };
            has_split = true;
            self.kinds.kinds.push(Kind::default());
            let to = self.kinds.kinds.len() - 1;
            for &variant in &leaving {
                self.kinds.remove(at, &self.variants[variant], self.weights[variant]);
                self.kinds.add(to, &self.variants[variant], self.weights[variant]);
                self.of[variant] = to as u32;
            }
            members[at].retain(|variant| leaving.binary_search(variant).is_err());
            members.push(leaving);
        }
        has_split
    }

    fn best_split(&mut self, members: &[usize], at: usize) -> Option<Vec<usize>> {
        let mut having: Map<u32, Vec<usize>> = Map::default();
        for &variant in members {
            self.variants[variant].iter().for_each(|&symbol| having.entry(symbol).or_default().push(variant));
        }
        let half = members.len() / 2;
        let mut features: Vec<(usize, u32)> = having
            .iter()
            .filter(|(_, having)| having.len() < members.len())
            .map(|(&symbol, having)| (having.len().abs_diff(half), symbol))
            .collect();
        features.sort_unstable();
        features.truncate(SPLIT_SYMBOLS_MAX);
        let whole = self.kinds.cost(&self.kinds.kinds[at]);
        let mut best = (-1e-9, None);
        for (_, symbol) in features {
            let staying = self.kinds.kinds[at].clone();
            self.kinds.kinds.push(staying);
            self.kinds.kinds.push(Kind::default());
            let (to_stay, to_leave) = (self.kinds.kinds.len() - 2, self.kinds.kinds.len() - 1);
            for &variant in &having[&symbol] {
                self.kinds.remove(to_stay, &self.variants[variant], self.weights[variant]);
                self.kinds.add(to_leave, &self.variants[variant], self.weights[variant]);
            }
            let change =
                self.kinds.cost(&self.kinds.kinds[to_stay]) + self.kinds.cost(&self.kinds.kinds[to_leave]) - whole;
            self.kinds.kinds.truncate(to_stay);
            if change < best.0 {
                best = (change, Some(symbol));
            }
        }
        best.1.and_then(|symbol| having.remove(&symbol))
    }

    /// Joins kinds as long as that saves nats.
    fn join(&mut self) -> bool {
        let mut has_joined = false;
        let count = self.kinds.kinds.len();
        for left in 0..count {
            for right in left + 1..count {
                let (a, b) = (&self.kinds.kinds[left], &self.kinds.kinds[right]);
                if a.segments == 0 || b.segments == 0 {
                    continue;
                }
                let joined = self.joined(a, b);
                if self.kinds.cost(&joined) < self.kinds.cost(a) + self.kinds.cost(b) - 1e-9 {
                    self.kinds.kinds[left] = joined;
                    self.kinds.kinds[right] = Kind::default();
                    self.of.iter_mut().filter(|of| **of == right as u32).for_each(|of| *of = left as u32);
                    has_joined = true;
                }
            }
        }
        has_joined
    }

    /// Joins kinds whose usual symbols are nearly the same: they are variants of one task.
    fn join_variants(&mut self) {
        let count = self.kinds.kinds.len();
        for left in 0..count {
            for right in left + 1..count {
                let (a, b) = (&self.kinds.kinds[left], &self.kinds.kinds[right]);
                if a.segments > 0 && b.segments > 0 && likeness(a, b) >= VARIANT_LIKENESS_MIN {
                    self.kinds.kinds[left] = self.joined(a, b);
                    self.kinds.kinds[right] = Kind::default();
                }
            }
        }
    }

    fn joined(&self, left: &Kind, right: &Kind) -> Kind {
        let mut joined = left.clone();
        for (&symbol, &count) in &right.counts {
            let entry = joined.counts.entry(symbol).or_insert(0);
            if *entry == 0 {
                joined.share += self.kinds.share(symbol);
            }
            *entry += count;
        }
        joined.segments += right.segments;
        joined
    }
}
