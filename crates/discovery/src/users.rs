//! Counts distinct people per group exactly: users get small numbers, a group holds one bit per user.
//!
//! Memory: groups × users / 8 bytes. No names, no hashes that could collide, and nothing to estimate.

use std::collections::HashMap;

use crate::bytes::{Reader, Writer};
use crate::kernel::KernelError;
use crate::pairs::BuildMix;

/// Numbers for user keys, private to one state.
#[derive(Debug, Default)]
pub(crate) struct Users {
    keys: Vec<i64>,
    numbers: HashMap<i64, u32, BuildMix>,
    /// The key asked for last with its number: rows of one user follow one another.
    last: Option<(i64, u32)>,
}

impl Users {
    #[inline]
    pub(crate) fn number(&mut self, key: i64) -> u32 {
        match self.last {
            Some((last, number)) if last == key => number,
            _ => self.look_up(key),
        }
    }

    fn look_up(&mut self, key: i64) -> u32 {
        let keys = &mut self.keys;
        let number = *self.numbers.entry(key).or_insert_with(|| {
            keys.push(key);
            keys.len() as u32 - 1
        });
        self.last = Some((key, number));
        number
    }

    /// For each number in `other`, the number here.
    pub(crate) fn absorb(&mut self, other: &Users) -> Vec<u32> {
        other.keys.iter().map(|&key| self.number(key)).collect()
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.number(self.keys.len() as u64);
        self.keys.iter().for_each(|&key| to.signed(key));
    }

    pub(crate) fn from_reader(from: &mut Reader<'_>) -> Result<Users, KernelError> {
        let mut users = Users::default();
        for _ in 0..from.count()? {
            users.number(from.signed()?);
        }
        Ok(users)
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.keys.capacity() * 8 + self.numbers.capacity() * 17
    }
}

/// Some of the users, by number.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct UserSet(Vec<u64>);

impl UserSet {
    #[inline]
    pub(crate) fn insert(&mut self, number: u32) {
        let word = number as usize / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    pub(crate) fn len(&self) -> i64 {
        self.0.iter().map(|word| i64::from(word.count_ones())).sum()
    }

    /// Adds the users of a set numbered elsewhere.
    pub(crate) fn absorb(&mut self, other: &UserSet, numbers: &[u32]) {
        for (word, bits) in other.0.iter().enumerate() {
            let set = (0..64).filter(|bit| (bits >> bit) & 1 == 1).map(|bit| word * 64 + bit);
            set.filter_map(|number| numbers.get(number)).for_each(|&number| self.insert(number));
        }
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.number(self.0.len() as u64);
        self.0.iter().for_each(|&word| to.number(word));
    }

    pub(crate) fn from_reader(from: &mut Reader<'_>) -> Result<UserSet, KernelError> {
        (0..from.count()?).map(|_| from.number()).collect::<Result<_, _>>().map(UserSet)
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.0.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_on_both_sides_of_a_merge_counts_once() {
        let (mut ours, mut theirs) = (Users::default(), Users::default());
        let (mut set, mut other) = (UserSet::default(), UserSet::default());
        [5, -1, 700].iter().for_each(|&key| set.insert(ours.number(key)));
        [700, 8].iter().for_each(|&key| other.insert(theirs.number(key)));
        let numbers = ours.absorb(&theirs);
        set.absorb(&other, &numbers);
        assert_eq!(set.len(), 4);
    }
}
