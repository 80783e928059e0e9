//! One task type as a Markov chain of symbols, learned by counting.
//!
//! ```text
//! ▸ ─▶ open ─▶ name ─▶ paste ─▶ OK ─▶ ■      a row of counts per symbol, one for the begin, the end as a symbol
//!              ▲─────────┘
//! ```
//! Each row is a Dirichlet-multinomial whose mean is the type's own share of symbols, itself drawn from the log's: a
//! transition never seen in a type costs little if the type knows the symbol, and much if it does not (hierarchical
//! Dirichlet, Teh et al., JASA 101, 2006, with one table per distinct transition, as in Kneser–Ney smoothing). The
//! probability of all counts has a closed form, so a type pays for every transition it needs, and types can be compared
//! without a penalty set by hand.

use std::collections::HashMap;

use crate::pairs::{BuildMix, pair, unpair};

/// Strength of the type's mean in each row.
const ROW_PRIOR: f64 = 0.5;

/// Strength of the log's mean in a type's.
const TYPE_PRIOR: f64 = 1.0;

/// Share of the end among all symbols, before anything is known.
const END_SHARE: f64 = 0.1;

type Map<K, V> = HashMap<K, V, BuildMix>;

/// How frequent each symbol is in the log; the last one is the border that begins and ends a segment.
#[derive(Debug, Clone)]
pub(crate) struct Shares(Vec<f64>);

impl Shares {
    /// The shares of symbols that occur this often.
    pub(crate) fn new(counts: &[usize]) -> Shares {
        let total: f64 = counts.iter().map(|&count| count as f64 + 0.5).sum();
        let mut shares: Vec<f64> =
            counts.iter().map(|&count| (1.0 - END_SHARE) * (count as f64 + 0.5) / total).collect();
        shares.push(END_SHARE);
        Shares(shares)
    }

    /// The border: what is before the first and after the last symbol of a segment.
    pub(crate) fn border(&self) -> u32 {
        self.0.len() as u32 - 1
    }

    pub(crate) fn of(&self, symbol: u32) -> f64 {
        self.0[symbol as usize]
    }
}

/// The counts of one task type.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain {
    transitions: Map<u64, u32>,
    /// Transitions that leave each symbol.
    rows: Map<u32, u32>,
    /// Distinct transitions that reach each symbol.
    tables: Map<u32, u32>,
    tables_total: u32,
    /// Segments in the type.
    pub segments: u32,
}

impl Chain {
    /// Adds segments of these transitions.
    pub(crate) fn add(&mut self, transitions: &Transitions, segments: u32) {
        for &(key, count) in &transitions.0 {
            let (from, to) = unpair(key);
            let entry = self.transitions.entry(key).or_insert(0);
            if *entry == 0 {
                *self.tables.entry(to).or_insert(0) += 1;
                self.tables_total += 1;
            }
            *entry += count * segments;
            *self.rows.entry(from).or_insert(0) += count * segments;
        }
        self.segments += segments;
    }

    /// Takes segments out that were added before.
    pub(crate) fn remove(&mut self, transitions: &Transitions, segments: u32) {
        for &(key, count) in &transitions.0 {
            let (from, to) = unpair(key);
            let entry = self.transitions.entry(key).or_insert(0);
            *entry -= count * segments;
            if *entry == 0 {
                self.transitions.remove(&key);
                take_one(&mut self.tables, to);
                self.tables_total -= 1;
            }
            let row = self.rows.entry(from).or_insert(0);
            *row -= count * segments;
            if *row == 0 {
                self.rows.remove(&from);
            }
        }
        self.segments -= segments;
    }

    /// The counts of two types together.
    pub(crate) fn joined(&self, other: &Chain) -> Chain {
        let mut joined = self.clone();
        for (&key, &count) in &other.transitions {
            let (from, to) = unpair(key);
            let entry = joined.transitions.entry(key).or_insert(0);
            if *entry == 0 {
                *joined.tables.entry(to).or_insert(0) += 1;
                joined.tables_total += 1;
            }
            *entry += count;
            *joined.rows.entry(from).or_insert(0) += count;
        }
        joined.segments += other.segments;
        joined
    }

    /// Nats to code everything the type holds.
    pub(crate) fn cost(&self, shares: &Shares) -> f64 {
        let rows: f64 = self.rows.values().map(|&count| row_cost(count)).sum();
        let transitions: f64 = self.transitions.values().map(|&count| transition_cost(count)).sum();
        let tables: f64 = self.tables.iter().map(|(&to, &count)| tables_cost(count, shares.of(to))).sum();
        rows + transitions + tables_cost(self.tables_total, 1.0) - tables
    }

    /// Nats to code further segments of these transitions, knowing what the type holds; more than `limit` if it is above.
    pub(crate) fn cost_of(&self, transitions: &Transitions, segments: u32, shares: &Shares, limit: f64) -> f64 {
        let mut cost = Nats::default();
        for row in transitions.0.chunk_by(|left, right| unpair(left.0).0 == unpair(right.0).0) {
            let mut total = 0;
            for &(key, count) in row {
                let known = self.transitions.get(&key).copied().unwrap_or(0);
                let mean = ROW_PRIOR * self.share(unpair(key).1, shares);
                cost.take_off(mean + f64::from(known), (count * segments) as usize);
                total += count * segments;
            }
            cost.add(ROW_PRIOR + f64::from(self.row(unpair(row[0].0).0)), total as usize);
            // A row of counts has a probability, so no row takes off what the rows before it cost.
            if cost.is_above(limit) {
                break;
            }
        }
        cost.sum()
    }

    /// Transitions that leave a symbol.
    pub(crate) fn row(&self, from: u32) -> u32 {
        self.rows.get(&from).copied().unwrap_or(0)
    }

    /// The share of a symbol in the type's mean.
    pub(crate) fn share(&self, symbol: u32, shares: &Shares) -> f64 {
        let tables = self.tables.get(&symbol).copied().unwrap_or(0);
        (f64::from(tables) + TYPE_PRIOR * shares.of(symbol)) / (f64::from(self.tables_total) + TYPE_PRIOR)
    }

    /// Nats of a transition that was never seen, without the part that depends on its target.
    pub(crate) fn leap_cost(&self, from: u32) -> f64 {
        -(ROW_PRIOR / (f64::from(self.row(from)) + ROW_PRIOR)).ln()
    }

    /// Nats of a transition.
    pub(crate) fn transition_cost(&self, from: u32, to: u32, shares: &Shares) -> f64 {
        let known = self.transitions.get(&pair(from, to)).copied().unwrap_or(0);
        let probability =
            (f64::from(known) + ROW_PRIOR * self.share(to, shares)) / (f64::from(self.row(from)) + ROW_PRIOR);
        -probability.ln()
    }

    /// All transitions seen, with their counts, in the order of their keys.
    pub(crate) fn transitions(&self) -> Vec<(u64, u32)> {
        let mut transitions: Vec<(u64, u32)> = self.transitions.iter().map(|(&key, &count)| (key, count)).collect();
        transitions.sort_unstable();
        transitions
    }
}

/// A sum of logarithms of rising products, most of them taken of the factors multiplied.
#[derive(Debug)]
struct Nats {
    sum: f64,
    product: f64,
}

impl Default for Nats {
    fn default() -> Self {
        Nats { sum: 0.0, product: 1.0 }
    }
}

impl Nats {
    /// Factors multiplied at most at once.
    const FACTORS_MAX: usize = 4;

    /// Within these the product is multiplied further.
    const PRODUCT_RANGE: std::ops::Range<f64> = 1e-10..1e10;

    /// Nats that the product within its range is away from 0, at most.
    const PRODUCT_NATS_MAX: f64 = 10.0 * std::f64::consts::LN_10;

    fn add(&mut self, from: f64, count: usize) {
        if count > Self::FACTORS_MAX {
            self.sum += ln_rising(from, count);
        } else {
            self.multiply((0..count).map(|step| from + step as f64).product());
        }
    }

    fn take_off(&mut self, from: f64, count: usize) {
        if count > Self::FACTORS_MAX {
            self.sum -= ln_rising(from, count);
        } else {
            self.multiply(1.0 / (0..count).map(|step| from + step as f64).product::<f64>());
        }
    }

    fn multiply(&mut self, by: f64) {
        self.product *= by;
        if !Self::PRODUCT_RANGE.contains(&self.product) {
            self.sum += self.product.ln();
            self.product = 1.0;
        }
    }

    /// Whether the sum is above a limit for certain; it may be a little above without that being said.
    fn is_above(&self, limit: f64) -> bool {
        self.sum - Self::PRODUCT_NATS_MAX > limit
    }

    fn sum(&self) -> f64 {
        self.sum + self.product.ln()
    }
}

/// Nats for the transitions that leave a symbol, so many together, without which they are.
pub(crate) fn row_cost(count: u32) -> f64 {
    ln_rising(ROW_PRIOR, count as usize)
}

/// Nats that a transition seen so often takes off the cost of its row.
pub(crate) fn transition_cost(count: u32) -> f64 {
    if count == 0 { 0.0 } else { -ROW_PRIOR.ln() - ln_rising(1.0, count as usize - 1) }
}

/// Nats for so many distinct transitions that reach a symbol of this share of the log, or any symbol.
pub(crate) fn tables_cost(count: u32, share: f64) -> f64 {
    ln_rising(TYPE_PRIOR * share, count as usize)
}

fn take_one(counts: &mut Map<u32, u32>, key: u32) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

/// The distinct transitions of one segment with their counts, borders included, in the order of their keys.
#[derive(Debug, Clone)]
pub(crate) struct Transitions(Vec<(u64, u32)>);

impl Transitions {
    /// The symbols of the segment and the border, some of them more than once.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().map(|&(key, _)| unpair(key).0)
    }

    /// Nats to code so many segments of these as a type of their own, as [`Chain::cost`] of a chain that has them alone.
    pub(crate) fn cost(&self, segments: u32, shares: &Shares) -> f64 {
        let mut cost = tables_cost(self.0.len() as u32, 1.0);
        for row in self.0.chunk_by(|left, right| unpair(left.0).0 == unpair(right.0).0) {
            cost += row_cost(row.iter().map(|&(_, count)| count * segments).sum());
            cost += row.iter().map(|&(_, count)| transition_cost(count * segments)).sum::<f64>();
        }
        let mut tos: Vec<u32> = self.0.iter().map(|&(key, _)| unpair(key).1).collect();
        tos.sort_unstable();
        cost - tos
            .chunk_by(|left, right| left == right)
            .map(|of| tables_cost(of.len() as u32, shares.of(of[0])))
            .sum::<f64>()
    }

    pub(crate) fn new(symbols: &[u32], border: u32) -> Transitions {
        let froms = std::iter::once(border).chain(symbols.iter().copied());
        let tos = symbols.iter().copied().chain(std::iter::once(border));
        let mut keys: Vec<u64> = froms.zip(tos).map(|(from, to)| pair(from, to)).collect();
        keys.sort_unstable();
        let mut transitions: Vec<(u64, u32)> = Vec::with_capacity(keys.len());
        for key in keys {
            match transitions.last_mut() {
                Some((last, count)) if *last == key => *count += 1,
                _ => transitions.push((key, 1)),
            }
        }
        Transitions(transitions)
    }
}

/// The logarithm of `from (from + 1) … (from + count − 1)`.
pub(crate) fn ln_rising(from: f64, count: usize) -> f64 {
    const DIRECT_MAX: usize = 12;
    if count <= DIRECT_MAX {
        return (0..count).map(|step| from + step as f64).product::<f64>().ln();
    }
    let first: f64 = (0..DIRECT_MAX).map(|step| from + step as f64).product::<f64>().ln();
    first + ln_gamma_large(from + count as f64) - ln_gamma_large(from + DIRECT_MAX as f64)
}

/// ln Γ by Stirling's series, for arguments of at least 12; the error is below 1e-12.
fn ln_gamma_large(x: f64) -> f64 {
    let square = x * x;
    let series = (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / square) / square) / square) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares() -> Shares {
        Shares::new(&[10, 10, 5, 1])
    }

    fn of(segments: &[&[u32]]) -> Chain {
        let mut chain = Chain::default();
        segments.iter().for_each(|segment| chain.add(&Transitions::new(segment, 4), 1));
        chain
    }

    #[test]
    fn taking_out_what_was_added_costs_what_it_did_before() {
        let mut chain = of(&[&[0, 1, 2], &[0, 2]]);
        let before = chain.cost(&shares());
        let segment = Transitions::new(&[0, 1, 1, 3], 4);
        chain.add(&segment, 3);
        assert!(chain.cost(&shares()) > before);
        chain.remove(&segment, 3);
        assert!((chain.cost(&shares()) - before).abs() < 1e-9);
    }

    #[test]
    fn two_types_together_cost_what_one_type_of_all_segments_costs() {
        let joined = of(&[&[0, 1, 2]]).joined(&of(&[&[0, 2], &[3]]));
        let all = of(&[&[0, 1, 2], &[0, 2], &[3]]);
        assert!((joined.cost(&shares()) - all.cost(&shares())).abs() < 1e-9);
    }

    #[test]
    fn what_a_type_knows_is_cheap_and_what_it_does_not_is_dear() {
        let chain = of(&[[0, 1, 2].as_slice(); 20]);
        let cost = |symbols: &[u32]| chain.cost_of(&Transitions::new(symbols, 4), 1, &shares(), f64::INFINITY);
        assert!(cost(&[0, 1, 2]) < 1.0);
        assert!(cost(&[0, 2]) > cost(&[0, 1, 2]) + 2.0, "a leap to a known symbol");
        assert!(cost(&[0, 3]) > cost(&[0, 2]), "a symbol it does not know");
    }

    #[test]
    fn segments_alone_cost_what_a_chain_of_them_costs() {
        let transitions = Transitions::new(&[0, 1, 2, 1, 2, 0], 4);
        let mut chain = Chain::default();
        chain.add(&transitions, 3);
        assert!((transitions.cost(3, &shares()) - chain.cost(&shares())).abs() < 1e-9);
    }

    #[test]
    fn a_limit_that_is_not_reached_changes_no_cost_and_one_that_is_leaves_the_cost_above_it() {
        let chain = of(&[[0, 1, 2].as_slice(); 20]);
        let further = Transitions::new(&[3, 0, 3, 1, 3, 2, 3, 3, 1, 0], 4);
        let cost = |limit| chain.cost_of(&further, 7, &shares(), limit);
        let whole = cost(f64::INFINITY);
        assert_eq!(cost(whole + 1.0), whole);
        assert!(cost(10.0) > 10.0 && cost(10.0) < whole);
    }

    #[test]
    fn rising_products_are_exact_where_they_change_over() {
        let direct = |from: f64, count: usize| (0..count).map(|step| (from + step as f64).ln()).sum::<f64>();
        for count in [0, 1, 12, 13, 100] {
            assert!((ln_rising(0.5, count) - direct(0.5, count)).abs() < 1e-9, "{count}");
        }
    }
}
