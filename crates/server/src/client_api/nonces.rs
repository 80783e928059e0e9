//! Numbers that an agent signs once to prove that it holds its key: random, single use, five minutes (promise S3).
//!
//! A nonce carries its own end and a mark of this service's, so nothing is stored until it is used; used ones are remembered
//! until they would have ended. After a restart old nonces are worthless, and an agent asks for a new one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use sha2::Sha256;
use std::collections::BTreeSet;
use std::sync::Mutex;
use subtle::ConstantTimeEq;

/// How long a nonce can be used.
const LIFE_US: i64 = 5 * 60 * 1_000_000;

/// Used nonces that are remembered; beyond that none is accepted until some have ended.
const USED_MAX: usize = 1_000_000;

const RANDOM_BYTES: usize = 16;
const MARK_BYTES: usize = 16;

/// Makes and takes nonces.
pub struct Nonces {
    key: [u8; 32],
    /// (end, random part) of those that were used.
    used: Mutex<BTreeSet<(i64, [u8; RANDOM_BYTES])>>,
}

impl Default for Nonces {
    fn default() -> Self {
        let mut key = [0; 32];
        rand::rng().fill_bytes(&mut key);
        Self { key, used: Mutex::default() }
    }
}

impl Nonces {
    /// A new nonce.
    pub fn make(&self, now_us: i64) -> String {
        let mut random = [0; RANDOM_BYTES];
        rand::rng().fill_bytes(&mut random);
        let ends_us = now_us + LIFE_US;
        URL_SAFE_NO_PAD.encode([&random[..], &ends_us.to_be_bytes(), &self.mark(&random, ends_us)].concat())
    }

    /// Whether the nonce is one of ours, has not ended, and was not used before; it is used now.
    pub fn take(&self, nonce: &str, now_us: i64) -> bool {
        let Some((random, ends_us)) = self.read(nonce) else { return false };
        if ends_us <= now_us {
            return false;
        }
        let Ok(mut used) = self.used.lock() else { return false };
        while used.first().is_some_and(|(end, _)| *end <= now_us) {
            used.pop_first();
        }
        used.len() < USED_MAX && used.insert((ends_us, random))
    }

    fn read(&self, nonce: &str) -> Option<([u8; RANDOM_BYTES], i64)> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let (random, rest) = bytes.split_first_chunk::<RANDOM_BYTES>()?;
        let (ends, mark) = rest.split_first_chunk::<8>()?;
        let ends_us = i64::from_be_bytes(*ends);
        let ours: bool = mark.ct_eq(&self.mark(random, ends_us)).into();
        ours.then_some((*random, ends_us))
    }

    fn mark(&self, random: &[u8], ends_us: i64) -> [u8; MARK_BYTES] {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key);
        let mut mark = [0; MARK_BYTES];
        if let Ok(mac) = mac {
            let whole = mac.chain_update(random).chain_update(ends_us.to_be_bytes()).finalize().into_bytes();
            mark.copy_from_slice(&whole[..MARK_BYTES]);
        }
        mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_a_nonce_is_taken_once_and_in_time() {
        let nonces = Nonces::default();
        let nonce = nonces.make(1_000);
        assert!(nonces.take(&nonce, 2_000));
        assert!(!nonces.take(&nonce, 3_000), "twice");
        let late = nonces.make(1_000);
        assert!(!nonces.take(&late, 1_000 + LIFE_US), "too late");
    }

    #[test]
    fn s3_a_nonce_of_somebody_else_or_one_that_was_lengthened_is_not_taken() {
        let nonces = Nonces::default();
        assert!(!nonces.take(&Nonces::default().make(1_000), 2_000));
        let mut bytes = URL_SAFE_NO_PAD.decode(nonces.make(1_000)).unwrap();
        bytes[RANDOM_BYTES + 4] ^= 1;
        assert!(!nonces.take(&URL_SAFE_NO_PAD.encode(bytes), 2_000));
        assert!(!nonces.take("", 0) && !nonces.take("%%", 0) && !nonces.take("AAAA", 0));
    }
}
