//! Numbers that look random and can be repeated, for property tests and made-up data.
//!
//! A test prints its seed, and the seed brings the failure back. Not for secrets: the next number follows from the last.

/// A generator of numbers; equal seeds give equal numbers.
///
/// Source: splitmix64, in Steele, Lea, Flood, *Fast splittable pseudorandom number generators*, OOPSLA 2014.
///
/// ```
/// use uilog::random::Random;
/// assert_eq!(Random::new(7).below(1_000), Random::new(7).below(1_000));
/// ```
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that begins at `seed`.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, or 0 if nothing is below it. Small numbers are a trace more likely.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ_and_stay_below_their_bound() {
        let mut random = Random::new(1);
        let numbers: Vec<u64> = (0..1_000).map(|_| random.below(10)).collect();
        assert!((0..10).all(|number| numbers.contains(&number)));
        assert!(numbers.iter().all(|number| *number < 10));
        assert_eq!(random.below(0), 0);
    }
}
