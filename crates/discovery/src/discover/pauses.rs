//! What a pause says about a boundary.
//!
//! Pauses are put into classes by rank, finer where they are long. How much each class argues for a boundary is counted
//! from a segmentation and may only rise with the pause: whatever the counts say, a shorter pause is never better
//! evidence (isotonic regression by pooling neighbours, Ayer et al. 1955). Where times run backwards they are not times
//! of work, and no pause says anything.

use crate::log::NO_TIME;

/// Ranks at which a new class begins.
const RANKS: [f64; 23] = [
    0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.83, 0.86, 0.88, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985,
    0.99, 0.995, 0.998,
];

/// Classes, the first of which holds pauses that are not known.
pub(crate) const CLASSES: usize = RANKS.len() + 2;

/// Share of pauses that may run backwards in a log whose times are of use.
const BACKWARDS_MAX: f64 = 0.005;

/// Share of pauses that must be known.
const KNOWN_MIN: f64 = 0.5;

/// Pseudo-counts that hold the evidence of a class near none.
const PRIOR: f64 = 1.0;

/// The classes of pauses of one log.
#[derive(Debug, Clone)]
pub(crate) struct Pauses {
    /// Shortest pause of each class but the first two; empty if times are of no use.
    limits: Vec<i64>,
}

impl Pauses {
    /// Learns the classes from all pauses of a log.
    pub(crate) fn learn<'a>(streams: impl Iterator<Item = &'a [i64]>) -> Pauses {
        let (mut known, mut total) = (Vec::new(), 0);
        for pauses in streams {
            total += pauses.len().saturating_sub(1);
            known.extend(pauses.iter().copied().filter(|&pause| pause != NO_TIME));
        }
        let backwards = known.iter().filter(|&&pause| pause < 0).count();
        let is_usable =
            known.len() as f64 >= KNOWN_MIN * total as f64 && backwards as f64 <= BACKWARDS_MAX * known.len() as f64;
        known.sort_unstable();
        if !is_usable || known.first() == known.last() {
            return Pauses { limits: Vec::new() };
        }
        let limits = RANKS.iter().map(|rank| known[(rank * known.len() as f64) as usize]).collect();
        Pauses { limits }
    }

    pub(crate) fn are_usable(&self) -> bool {
        !self.limits.is_empty()
    }

    /// The class of a pause; 0 if it says nothing.
    pub(crate) fn class(&self, pause_us: i64) -> u8 {
        if pause_us < 0 || self.limits.is_empty() {
            return 0;
        }
        1 + self.limits.partition_point(|&limit| limit <= pause_us) as u8
    }
}

/// The class in which pauses of this rank begin.
pub(crate) fn class_from_rank(rank: f64) -> u8 {
    2 + RANKS.partition_point(|&begin| begin < rank) as u8
}

/// Nats that each class of pause costs at a boundary, compared with a pause inside a segment.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    /// Directly between two segments.
    pub boundary: [f32; CLASSES],
    /// Where other events lie between them, so that the pause may be before or after these.
    pub apart: [f32; CLASSES],
    /// Nats that a pause of each class inside a segment costs, compared with one of the whole log.
    pub inside: [f32; CLASSES],
}

impl Evidence {
    /// No pause says anything.
    pub(crate) fn none() -> Evidence {
        Evidence { boundary: [0.0; CLASSES], apart: [0.0; CLASSES], inside: [0.0; CLASSES] }
    }

    /// What the pauses of a segmentation say: how many of each class are inside and at boundaries.
    pub(crate) fn learn(inside: &[f64; CLASSES], boundary: &[f64; CLASSES]) -> Evidence {
        let sum = |counts: &[f64; CLASSES]| counts[1..].iter().sum::<f64>();
        let (inside_all, boundary_all) = (sum(inside), sum(boundary));
        if inside_all == 0.0 || boundary_all == 0.0 {
            return Evidence::none();
        }
        let all: Vec<f64> = (0..CLASSES).map(|class| inside[class] + boundary[class]).collect();
        let share = boundary_all / (inside_all + boundary_all);
        // Each class is a pool of its own at first; pools that fall instead of rising are joined.
        let mut pools: Vec<(f64, f64, usize)> = Vec::new();
        for class in 1..CLASSES {
            pools.push((boundary[class] + PRIOR * share, all[class] + PRIOR, 1));
            while let [.., left, right] = pools.as_slice() {
                if left.0 * right.1 <= right.0 * left.1 {
                    break;
                }
                let joined = (left.0 + right.0, left.1 + right.1, left.2 + right.2);
                pools.truncate(pools.len() - 2);
                pools.push(joined);
            }
        }
        let mut evidence = Evidence::none();
        let classes = pools.iter().flat_map(|&(at, of, classes)| std::iter::repeat_n(at / of, classes));
        for (class, fraction) in classes.enumerate() {
            let odds = fraction / share / ((1.0 - fraction) / (1.0 - share)).max(1e-6);
            evidence.inside[class + 1] = -((1.0 - fraction) / (1.0 - share)).max(1e-6).ln() as f32;
            evidence.boundary[class + 1] = -odds.ln() as f32;
            evidence.apart[class + 1] = -(0.5 + 0.5 * odds).ln() as f32;
        }
        evidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_run_backwards_are_of_no_use() {
        let forwards: Vec<i64> = (1..1_000).collect();
        let backwards: Vec<i64> = (1..1_000).map(|pause| if pause % 100 == 0 { -pause } else { pause }).collect();
        assert!(Pauses::learn([forwards.as_slice()].into_iter()).are_usable());
        assert!(!Pauses::learn([backwards.as_slice()].into_iter()).are_usable());
    }

    #[test]
    fn a_longer_pause_is_never_weaker_evidence() {
        let mut inside = [100.0; CLASSES];
        let mut boundary = [1.0; CLASSES];
        (boundary[20], inside[20]) = (90.0, 10.0);
        (boundary[CLASSES - 1], inside[CLASSES - 1]) = (50.0, 50.0);
        let evidence = Evidence::learn(&inside, &boundary);
        assert!(evidence.boundary[1..].is_sorted_by(|left, right| left >= right), "{:?}", evidence.boundary);
        assert!(evidence.boundary[CLASSES - 1] < 0.0 && evidence.boundary[1] > 0.0);
    }
}
