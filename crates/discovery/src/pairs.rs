//! A hash table from pairs of 32-bit numbers to small values: edges, children of a prefix tree, switches.
//!
//! Open addressing with linear probing; key and value lie side by side, so that the usual case touches one cache
//! line. It only grows and never forgets a key, which is all the operators need.

use std::hash::{BuildHasherDefault, Hasher};

/// 2^64 divided by the golden ratio: multiplying by it spreads neighbouring keys over the whole word.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// No pair has this key: it would be two absent symbols.
const EMPTY: u64 = u64::MAX;

const SLOTS_MIN: usize = 16;

/// Joins two numbers to a key.
pub(crate) fn pair(first: u32, second: u32) -> u64 {
    (u64::from(first) << 32) | u64::from(second)
}

/// The two numbers of a key.
pub(crate) fn unpair(key: u64) -> (u32, u32) {
    ((key >> 32) as u32, key as u32)
}

/// Values by pair; see the module.
#[derive(Debug, Clone)]
pub(crate) struct PairTable<V> {
    slots: Vec<(u64, V)>,
    len: usize,
}

impl<V> Default for PairTable<V> {
    fn default() -> Self {
        PairTable { slots: Vec::new(), len: 0 }
    }
}

impl<V: Copy + Default> PairTable<V> {
    /// The value of a pair; `V::default()` if it is new.
    #[inline]
    pub(crate) fn entry(&mut self, key: u64) -> &mut V {
        if self.len * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let at = self.find(key);
        if self.slots[at].0 == EMPTY {
            self.slots[at].0 = key;
            self.len += 1;
        }
        &mut self.slots[at].1
    }

    /// All pairs with their values, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, V)> + '_ {
        self.slots.iter().filter(|slot| slot.0 != EMPTY).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<(u64, V)>()
    }

    /// The slot of a key, or the empty slot where it belongs. There is always an empty one.
    #[inline]
    fn find(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        // The high bits of the product are the well-mixed ones.
        let mut at = (key.wrapping_mul(SPREAD) >> 32) as usize & mask;
        while self.slots[at].0 != key && self.slots[at].0 != EMPTY {
            at = (at + 1) & mask;
        }
        at
    }

    #[cold]
    fn grow(&mut self) {
        let slots = vec![(EMPTY, V::default()); (self.slots.len() * 2).max(SLOTS_MIN)];
        for (key, value) in std::mem::replace(&mut self.slots, slots) {
            if key != EMPTY {
                let at = self.find(key);
                self.slots[at] = (key, value);
            }
        }
    }
}

/// A fast hasher for texts and small keys inside one process; not for untrusted keys on a public door.
#[derive(Debug, Default, Clone)]
pub(crate) struct Mix(u64);

pub(crate) type BuildMix = BuildHasherDefault<Mix>;

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(SPREAD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_survive_growth() {
        let mut table = PairTable::<u64>::default();
        for round in 0..3 {
            for first in 0..100 {
                for second in 0..30 {
                    *table.entry(pair(first, second)) += u64::from(first * second) + round;
                }
            }
        }
        assert_eq!(table.len(), 3_000);
        assert!(table.iter().all(|(key, count)| {
            let (first, second) = unpair(key);
            count == u64::from(first * second) * 3 + 3
        }));
    }
}
