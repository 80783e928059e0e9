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
//!
//! A step may be done once or be what the task is about: one box is ticked, or a list of boxes. So a segment that has a
//! symbol tosses a second coin, whether it has it [`OFTEN_MIN`] times or more. How far a kind's coins are held near the
//! log's is learned with the kinds: of several strengths the one is kept under which all sets take the fewest nats.

use std::collections::HashMap;

use super::chain::ln_rising;
use crate::pairs::BuildMix;

/// Strengths of the log's share of segments that have a symbol, in each kind; the next is tried as long as that saves
/// nats. Tasks that are always done alike want a weak one, noise that gets into all of them a strong one.
const PRIORS: [f64; 3] = [1.0, 0.5, 0.25];

/// So many times a step is done again by the nature of the task; fewer may be a correction or a second try.
const OFTEN_MIN: usize = 4;

/// How often segments are placed again, at most.
const PASSES_MAX: usize = 5;

/// How often kinds are split and joined, at most.
const ROUNDS_MAX: usize = 3;

/// Coins by which a kind may be split.
const SPLIT_COINS_MAX: usize = 24;

/// How much of what is usual in either of two kinds must be in both for them to be variants of one task. Two ways of doing an
/// optional part save nats as kinds of their own, however small the part is beside the rest; people call them one task.
const VARIANT_LIKENESS_MIN: f64 = 0.875;

/// Share of a kind's segments from which what they have is usual.
const USUAL_MIN: f64 = 0.5;

/// Segments of a kind at least, if there is any such kind; those of smaller ones go to the nearest.
const INSTANCES_MIN: u32 = 3;

/// Kinds at most.
const KINDS_MAX: usize = 200;

type Map<K, V> = HashMap<K, V, BuildMix>;

/// The kinds of a log's segments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kinds {
    kinds: Vec<Kind>,
    /// How many symbols there are; from there on the coins are those of symbols done often.
    symbols: u32,
    /// Share of all segments that have a symbol; then, of those that have it, the share that have it often.
    shares: Vec<f64>,
    /// Symbols that a segment has on average.
    size: f64,
    /// Strength of the shares in each kind.
    prior: f64,
}

/// Segments of one kind.
#[derive(Debug, Clone, Default)]
struct Kind {
    segments: u32,
    counts: Map<u32, u32>,
    /// Sum of the shares of the symbols in `counts`.
    share: f64,
}

impl Kind {
    fn count(&self, coin: u32) -> u32 {
        self.counts.get(&coin).copied().unwrap_or(0)
    }
}

/// The coins that fall heads for a segment: its symbols, and beyond the `symbols` that there are, those it has often.
///
/// Shape: sorted, each once.
pub(crate) fn coins(mut segment: Vec<u32>, symbols: usize) -> Vec<u32> {
    segment.sort_unstable();
    let often = segment.chunk_by(|left, right| left == right).filter(|run| run.len() >= OFTEN_MIN);
    let often: Vec<u32> = often.map(|run| run[0] + symbols as u32).collect();
    segment.dedup();
    segment.extend(often);
    segment
}

impl Kinds {
    /// Clusters segments given by their [`coins`].
    pub(crate) fn learn(sets: &[Vec<u32>], symbols: usize) -> Kinds {
        let mut counts = vec![0.0; 2 * symbols];
        sets.iter().flatten().for_each(|&coin| counts[coin as usize] += 1.0);
        let tossed = |coin: usize| coin.checked_sub(symbols).map_or(sets.len() as f64, |symbol| counts[symbol]);
        let shares: Vec<f64> = (0..2 * symbols).map(|coin| counts[coin] / (tossed(coin) + 1.0)).collect();
        let size = shares[..symbols].iter().sum();
        let (variants, weights) = variants(sets);
        let mut best: Option<(f64, Search)> = None;
        for prior in PRIORS {
            let kinds = Kinds { kinds: Vec::new(), symbols: symbols as u32, shares: shares.clone(), size, prior };
            let mut search =
                Search { of: vec![u32::MAX; variants.len()], variants: &variants, weights: &weights, kinds };
            search.run();
            let cost = search.kinds.kinds.iter().map(|kind| search.kinds.cost(kind)).sum();
            if best.as_ref().is_some_and(|best| best.0 <= cost) {
                break;
            }
            best = Some((cost, search));
        }
        best.map_or_else(Kinds::default, |best| best.1.finish())
    }

    /// The kind that codes a set of coins in the fewest nats; 0 if there is none.
    pub(crate) fn of(&self, set: &[u32]) -> u32 {
        let costs = (0..).zip(&self.kinds).map(|(at, kind)| (self.cost_of(kind, set, 1), at));
        costs.min_by(|left: &(f64, u32), right| left.0.total_cmp(&right.0)).map_or(0, |best| best.1)
    }

    /// Nats to code further segments of this set in a kind.
    fn cost_of(&self, kind: &Kind, set: &[u32], weight: u32) -> f64 {
        let (segments, prior, tosses) = (kind.segments, self.prior, weight as usize);
        let all = |tossed: u32| ln_rising(prior + f64::from(tossed), tosses);
        let heads = |coin: u32| ln_rising(prior * self.share(coin) + f64::from(kind.count(coin)), tosses);
        let tails = |coin: u32, tossed: u32| {
            ln_rising(prior * (1.0 - self.share(coin)) + f64::from(tossed - kind.count(coin)), tosses)
        };
        let grown = (f64::from(segments + weight) + prior).ln() - (f64::from(segments) + prior).ln();
        let mut cost = prior * (self.size - kind.share).max(0.0) * grown;
        let all_segments = all(segments);
        for &symbol in kind.counts.keys().filter(|&&coin| self.is_symbol(coin)) {
            if set.binary_search(&symbol).is_err() {
                cost += all_segments - tails(symbol, segments);
            }
        }
        for &coin in set {
            let of_symbol = if self.is_symbol(coin) { all_segments } else { all(kind.count(coin - self.symbols)) };
            cost += of_symbol - heads(coin);
            if let Some(often) = self.often(coin)
                && set.binary_search(&often).is_err()
            {
                cost += all(kind.count(coin)) - tails(often, kind.count(coin));
            }
        }
        cost + type_cost(segments + weight) - type_cost(segments)
    }

    /// Nats to code everything a kind holds.
    fn cost(&self, kind: &Kind) -> f64 {
        let coin_cost = |coin: u32, tossed: u32| {
            let (share, count) = (self.share(coin), kind.count(coin) as usize);
            ln_rising(self.prior, tossed as usize)
                - ln_rising(self.prior * share, count)
                - ln_rising(self.prior * (1.0 - share), tossed as usize - count)
        };
        let symbols = kind.counts.iter().filter(|&(&coin, _)| self.is_symbol(coin)).map(|(&symbol, &count)| {
            coin_cost(symbol, kind.segments) + self.often(symbol).map_or(0.0, |often| coin_cost(often, count))
        });
        symbols.sum::<f64>() + self.absent_cost(kind) + type_cost(kind.segments)
    }

    /// Nats for the symbols that no segment of a kind has: each is so rare that its share times the harmonic sum is near.
    fn absent_cost(&self, kind: &Kind) -> f64 {
        let harmonic: f64 = (f64::from(kind.segments) / self.prior + 1.0).ln();
        self.prior * (self.size - kind.share).max(0.0) * harmonic
    }

    fn is_symbol(&self, coin: u32) -> bool {
        coin < self.symbols
    }

    /// The second coin of a symbol; none for a symbol that no segment has often.
    fn often(&self, coin: u32) -> Option<u32> {
        let often = coin + self.symbols;
        (self.is_symbol(coin) && self.shares[often as usize] > 0.0).then_some(often)
    }

    fn share(&self, coin: u32) -> f64 {
        self.shares.get(coin as usize).copied().unwrap_or(0.0).max(1e-9)
    }

    /// What a coin adds to the share of a kind that it is new in.
    fn symbol_share(&self, coin: u32) -> f64 {
        if self.is_symbol(coin) { self.share(coin) } else { 0.0 }
    }

    fn add(&mut self, at: usize, set: &[u32], weight: u32) {
        for &coin in set {
            let share = self.symbol_share(coin);
            let kind = &mut self.kinds[at];
            let count = kind.counts.entry(coin).or_insert(0);
            if *count == 0 {
                kind.share += share;
            }
            *count += weight;
        }
        self.kinds[at].segments += weight;
    }

    fn remove(&mut self, at: usize, set: &[u32], weight: u32) {
        for &coin in set {
            let share = self.symbol_share(coin);
            let kind = &mut self.kinds[at];
            if let Some(count) = kind.counts.get_mut(&coin) {
                *count -= weight;
                if *count == 0 {
                    kind.counts.remove(&coin);
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

/// How much of what is usual in either of two kinds is done in both: of each coin that falls heads for half of the segments
/// of one of them, the smaller share over the larger, all of them added up.
///
/// A step that about half of both do is no difference, whichever of them happens to be above the half.
fn likeness(left: &Kind, right: &Kind) -> f64 {
    let mut coins: Vec<u32> = left.counts.keys().chain(right.counts.keys()).copied().collect();
    coins.sort_unstable();
    coins.dedup();
    let share = |kind: &Kind, coin: u32| f64::from(kind.count(coin)) / f64::from(kind.segments);
    let (mut both, mut either) = (0.0, 0.0);
    for (left, right) in coins.into_iter().map(|coin| (share(left, coin), share(right, coin))) {
        if left.max(right) >= USUAL_MIN {
            both += left.min(right);
            either += left.max(right);
        }
    }
    if either == 0.0 { 0.0 } else { both / either }
}

struct Search<'a> {
    variants: &'a [Vec<u32>],
    weights: &'a [u32],
    of: Vec<u32>,
    kinds: Kinds,
}

impl Search<'_> {
    fn run(&mut self) {
        self.place(true);
        for _ in 0..ROUNDS_MAX {
            let has_split = self.split();
            self.settle();
            let has_joined = self.join();
            if has_joined {
                self.settle();
            }
            if !has_split && !has_joined {
                break;
            }
        }
    }

    /// The kinds for people, the most frequent first.
    fn finish(mut self) -> Kinds {
        self.join_variants();
        let mut kinds = self.kinds;
        if kinds.kinds.iter().any(|kind| kind.segments >= INSTANCES_MIN) {
            kinds.kinds.retain(|kind| kind.segments >= INSTANCES_MIN);
        }
        kinds.kinds.retain(|kind| kind.segments > 0);
        kinds.kinds.sort_by_key(|kind| std::cmp::Reverse(kind.segments));
        kinds
    }

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
        for &coin in set {
            alone.counts.insert(coin, weight);
            alone.share += self.kinds.symbol_share(coin);
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
        features.truncate(SPLIT_COINS_MAX);
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
        for (&coin, &count) in &right.counts {
            let entry = joined.counts.entry(coin).or_insert(0);
            if *entry == 0 {
                joined.share += self.kinds.symbol_share(coin);
            }
            *entry += count;
        }
        joined.segments += right.segments;
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kind of each segment of letters, each segment this often in the log.
    fn kinds(segments: &[(&str, usize)]) -> Vec<u32> {
        let symbols = |text: &str| text.bytes().map(|letter| u32::from(letter - b'a')).collect();
        let set = |text: &str| coins(symbols(text), 26);
        let all: Vec<Vec<u32>> =
            segments.iter().flat_map(|&(text, times)| std::iter::repeat_n(set(text), times)).collect();
        let kinds = Kinds::learn(&all, 26);
        segments.iter().map(|&(text, _)| kinds.of(&set(text))).collect()
    }

    #[test]
    fn a_coin_per_symbol_and_one_for_a_symbol_that_is_there_often() {
        assert_eq!(coins(vec![2, 0, 2, 2, 0], 10), [0, 2]);
        assert_eq!(coins(vec![2, 0, 2, 2, 0, 2], 10), [0, 2, 12]);
    }

    #[test]
    fn segments_that_touch_other_things_are_of_other_kinds() {
        assert_eq!(kinds(&[("abc", 30), ("abd", 1), ("xyz", 20)]), [0, 0, 1]);
    }

    #[test]
    fn a_list_is_another_task_than_a_single_thing_and_a_second_try_is_not() {
        let of = kinds(&[("mtl", 30), ("mtltl", 10), ("mtltltltl", 20), ("mtltltltltltl", 10), ("xyz", 40)]);
        assert!(of[0] == of[1] && of[2] == of[3] && of[0] != of[2], "{of:?}");
    }

    #[test]
    fn two_ways_of_doing_a_small_part_of_a_long_task_are_one_task_and_of_a_short_one_are_two() {
        assert_eq!(kinds(&[("abcdefghijklmnopqrstuvwx", 30), ("abcdefghijklmnopqrstuvy", 30)]), [0, 0]);
        let of = kinds(&[("abcwx", 30), ("abcy", 30)]);
        assert_ne!(of[0], of[1]);
    }

    #[test]
    fn a_step_that_half_of_both_kinds_do_is_no_difference() {
        let kind = |counts: [u32; 3]| Kind { segments: 100, counts: (0..).zip(counts).collect(), share: 0.0 };
        assert!(likeness(&kind([100, 52, 3]), &kind([100, 48, 0])) > 0.97);
        assert_eq!(likeness(&kind([100, 100, 0]), &kind([100, 0, 100])), 1.0 / 3.0);
    }

    #[test]
    fn a_further_segment_costs_a_kind_what_it_is_told_to_cost() {
        let sets = ["abbbbc", "acccc", "ab", "abbbbcccc"]
            .map(|text| coins(text.bytes().map(|letter| u32::from(letter - b'a')).collect(), 3));
        let (kind, shares) = (Kind::default(), vec![0.75, 0.5, 0.25, 0.0, 0.4, 0.5]);
        let mut kinds = Kinds { kinds: vec![kind], symbols: 3, shares, size: 1.5, prior: 0.5 };
        kinds.add(0, &sets[0], 1);
        for set in &sets[1..] {
            let (before, told) = (kinds.cost(&kinds.kinds[0]), kinds.cost_of(&kinds.kinds[0], set, 2));
            kinds.add(0, set, 2);
            assert!((kinds.cost(&kinds.kinds[0]) - before - told).abs() < 1e-9, "{set:?}");
        }
    }
}
