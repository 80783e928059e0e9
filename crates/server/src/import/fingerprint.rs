//! Keyed fingerprints of imported values, so that equal values can be found without comparing texts.
//!
//! The key is the `source` of the import: equal values are equal inside one import and nowhere else. An imported log
//! holds its values in clear beside them, so this key only keeps imports apart; recordings use the project's keys.

use sha2::{Digest, Sha256};
use uilog::event::Fingerprint;
use uuid::Uuid;

/// Values with fewer characters get no fingerprint: they recur by chance, and are soon guessed.
const CHARACTERS_MIN: usize = 4;

/// SHA-256's block; the key fills one, so that hashing a value begins from a state prepared once.
const BLOCK_BYTES: usize = 64;

/// Makes fingerprints with one key.
pub(super) struct Fingerprints {
    keyed: Sha256,
    folded: String,
}

impl Fingerprints {
    /// Prepares the key.
    pub(super) fn new(source: Uuid) -> Self {
        let mut block = [0; BLOCK_BYTES];
        block[..16].copy_from_slice(source.as_bytes());
        Fingerprints { keyed: Sha256::new_with_prefix(block), folded: String::new() }
    }

    /// The first 16 bytes of SHA-256 over the key's block and the value, whose white space is trimmed and folded.
    ///
    /// A hash with the key in front can be lengthened by who knows all of it; who has half of it cannot.
    pub(super) fn of(&mut self, value: &str) -> Option<Fingerprint> {
        self.folded.clear();
        for word in value.split_whitespace() {
            if !self.folded.is_empty() {
                self.folded.push(' ');
            }
            self.folded.push_str(word);
        }
        if self.folded.chars().take(CHARACTERS_MIN).count() < CHARACTERS_MIN {
            return None;
        }
        let digest = self.keyed.clone().chain_update(&self.folded).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Some(Fingerprint(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_equal_whatever_their_white_space() {
        let mut fingerprints = Fingerprints::new(Uuid::from_u128(1));
        assert_eq!(fingerprints.of("Jane Doe"), fingerprints.of("  Jane\n Doe "));
        assert_ne!(fingerprints.of("Jane Doe"), fingerprints.of("jane doe"));
        assert_eq!(fingerprints.of(" 26 "), None);
        assert_eq!(fingerprints.of("ß26"), None);
    }

    #[test]
    fn another_import_has_other_fingerprints() {
        let of = |source| Fingerprints::new(Uuid::from_u128(source)).of("Jane Doe");
        assert_ne!(of(1), of(2));
    }
}
