//! One small state per open case, session or agent, found by key.
//!
//! ```text
//! keys  7 7 7 | 8 8 | 9 | 8 8        key of each row
//!       push    push  push  look up  8 was interrupted and goes on
//! ```
//! Keys are given out in the order of events, so a new case usually has the largest key so far: then it is appended
//! and nothing is hashed. An index is built only when a key arrives that is not the largest.
//! The state of a case stays until the partition ends, because a case may always go on; a state is kept to a few words.

use std::collections::HashMap;

use crate::pairs::BuildMix;

/// States by key, in order of first sight.
#[derive(Debug)]
pub(crate) struct CaseTable<S> {
    keys: Vec<i64>,
    states: Vec<S>,
    index: Option<HashMap<i64, u32, BuildMix>>,
}

impl<S> Default for CaseTable<S> {
    fn default() -> Self {
        CaseTable { keys: Vec::new(), states: Vec::new(), index: None }
    }
}

impl<S> CaseTable<S> {
    /// The position of a case, which stays its own until the table is taken; `new` makes the state of an unseen one.
    ///
    /// Shape: at most 2^32 cases; memory ends before that.
    pub(crate) fn enter(&mut self, key: i64, new: impl FnOnce() -> S) -> Entry {
        let is_largest = self.keys.last().is_none_or(|&last| last < key);
        if self.index.is_none() && is_largest {
            return self.push(key, new());
        }
        let keys = &self.keys;
        let index = self.index.get_or_insert_with(|| keys.iter().zip(0..).map(|(&key, at)| (key, at)).collect());
        if let Some(&at) = index.get(&key) {
            return Entry { at: at as usize, is_new: false };
        }
        index.insert(key, self.keys.len() as u32);
        self.push(key, new())
    }

    fn push(&mut self, key: i64, state: S) -> Entry {
        self.keys.push(key);
        self.states.push(state);
        Entry { at: self.keys.len() - 1, is_new: true }
    }

    pub(crate) fn state(&mut self, at: usize) -> &mut S {
        &mut self.states[at]
    }

    /// Empties the table and gives every case with its key, in order of first sight.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (i64, S)> + use<S> {
        self.index = None;
        std::mem::take(&mut self.keys).into_iter().zip(std::mem::take(&mut self.states))
    }

    pub(crate) fn size_bytes(&self) -> usize {
        let index_bytes = self.index.as_ref().map_or(0, |index| index.capacity() * 17);
        self.keys.capacity() * size_of::<i64>() + self.states.capacity() * size_of::<S>() + index_bytes
    }
}

/// Where a case is, and whether it was met for the first time.
pub(crate) struct Entry {
    pub at: usize,
    pub is_new: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_goes_on_is_found_again_and_order_of_first_sight_is_kept() {
        let mut table = CaseTable::<u32>::default();
        let seen: Vec<bool> = [7, 8, 9, 8, 3, 9, 10, 3]
            .map(|key| {
                let entry = table.enter(key, || 0);
                *table.state(entry.at) += 1;
                entry.is_new
            })
            .to_vec();
        assert_eq!(seen, [true, true, true, false, true, false, true, false]);
        assert_eq!(table.take().collect::<Vec<_>>(), [(7, 1), (8, 2), (9, 2), (3, 2), (10, 1)]);
    }
}
