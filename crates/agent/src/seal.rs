//! Sealing: what lies on the disk is unreadable without the spool's key (promise D13).
//!
//! XChaCha20-Poly1305 with a random nonce of 24 bytes before each text; what a text is for goes in as associated data, so that
//! a picture cannot be passed off as an event. Where the key lies is the business of [`secrets`](crate::secrets).

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand::Rng;
use uilog::planted;
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

const NONCE_BYTES: usize = 24;

/// What a sealed text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The body of an event.
    Event,
    /// A picture.
    Picture,
    /// What travels with a picture.
    Note,
    /// A known text, to see whether the key is the right one.
    Check,
}

impl Purpose {
    fn bytes(self) -> &'static [u8] {
        match self {
            Purpose::Event => b"event",
            Purpose::Picture => b"picture",
            Purpose::Note => b"note",
            Purpose::Check => b"check",
        }
    }
}

/// A sealed text that cannot be opened: damaged, or sealed with another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed text cannot be opened")]
pub struct Unopened;

/// Seals and opens with one key.
#[derive(Clone)]
pub struct Sealer(XChaCha20Poly1305);

impl Sealer {
    /// A sealer with that key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// A new random key.
    pub fn new_key() -> Zeroizing<[u8; KEY_BYTES]> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        rand::rng().fill_bytes(&mut key[..]);
        key
    }

    /// Seals a text: nonce, then what it became.
    pub fn seal(&self, purpose: Purpose, text: &[u8]) -> Result<Vec<u8>, Unopened> {
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        if planted::is("spool-in-clear") {
            return Ok([&nonce[..], text].concat());
        }
        let payload = Payload { msg: text, aad: purpose.bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| Unopened)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// Errors: another key or purpose, or a changed byte.
    pub fn open(&self, purpose: Purpose, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(Unopened)?;
        if planted::is("spool-in-clear") {
            return Ok(Zeroizing::new(rest.to_vec()));
        }
        let payload = Payload { msg: rest, aad: purpose.bytes() };
        self.0.decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| Unopened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d13_a_sealed_text_opens_with_its_key_and_purpose_only() {
        let sealer = Sealer::new(&Sealer::new_key());
        let sealed = sealer.seal(Purpose::Event, b"invoice 4711").unwrap();
        assert_eq!(&sealer.open(Purpose::Event, &sealed).unwrap()[..], b"invoice 4711");
        assert!(!sealed.windows(4).any(|window| window == b"4711"));
        assert!(sealer.open(Purpose::Picture, &sealed).is_err());
        assert!(Sealer::new(&Sealer::new_key()).open(Purpose::Event, &sealed).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(sealer.open(Purpose::Event, &changed).is_err(), "byte {place}");
        }
    }
}
