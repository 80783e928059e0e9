//! Secrets that travel as text: random ones, their hash at rest, and keys that tell by themselves what they are.
//!
//! A key reads `lodet_<id>_<secret>_<checksum>`: the prefix serves secret scanners, the id finds the row, the 43 characters
//! hold 256 bits, and the checksum catches typing errors before anything is looked up. The same form serves API tokens
//! (`lodet`) and app keys (`lodek`). A hash without salt is enough at rest, because nobody guesses 256 bits.

use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use store::files::hex;
use subtle::ConstantTimeEq;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// An account's API token.
    ApiToken,
    /// A project's app key, with which desktops enrol.
    AppKey,
}

/// A key that was just made. Its text is shown once.
pub struct IssuedKey {
    /// The part that is no secret.
    pub id: String,
    /// The whole key.
    pub text: SecretString,
    /// What is kept of it.
    pub hash: String,
}

/// A key that somebody shows; well formed, which says nothing about whether it holds.
#[derive(Debug, PartialEq, Eq)]
pub struct ShownKey {
    /// Finds the row.
    pub id: String,
    /// To be compared with the row's, by [`same_hash`].
    pub hash: String,
}

/// Characters of the secret part: 43 of 62 kinds are 256 bits.
const SECRET_CHARS: usize = 43;

/// Characters of the id.
const ID_CHARS: usize = 12;

/// Characters of the checksum: 62⁶ > 2³².
const CHECKSUM_CHARS: usize = 6;

/// The longest text that is looked at.
const KEY_CHARS_MAX: usize = 80;

const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl KeyKind {
    /// What its keys begin with, without the line below.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::ApiToken => "lodet",
            Self::AppKey => "lodek",
        }
    }

    /// Makes a new key.
    pub fn issue(self) -> IssuedKey {
        let id = base_62(ID_CHARS);
        let body = format!("{}_{id}_{}", self.prefix(), base_62(SECRET_CHARS));
        let text = format!("{body}_{}", checksum(&body));
        IssuedKey { id, hash: hash(&text), text: text.into() }
    }

    /// Reads a key that somebody shows; `None` if it cannot be one of this kind.
    pub fn read(self, text: &str) -> Option<ShownKey> {
        if text.len() > KEY_CHARS_MAX {
            return None;
        }
        let (body, check) = text.rsplit_once('_')?;
        let mut parts = body.split('_');
        let (prefix, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
        let formed = prefix == self.prefix() && id.len() == ID_CHARS && secret.len() == SECRET_CHARS;
        if !formed || parts.next().is_some() || checksum(body) != check {
            return None;
        }
        Some(ShownKey { id: id.to_owned(), hash: hash(text) })
    }
}

/// 256 random bits as text, for cookies, links and setup.
pub fn random_secret() -> SecretString {
    base_62(SECRET_CHARS).into()
}

/// SHA-256 in hex: how a random secret is kept.
pub fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// [`hash`] of a secret that is not to be seen.
pub fn hash_of(secret: &SecretString) -> String {
    hash(secret.expose_secret())
}

/// Whether two hashes are the same; takes as long whether they are or not.
pub fn same_hash(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Reads a secret from a request's body: `#[serde(deserialize_with = "typed")]`.
pub fn typed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// Like [`typed`], where there may be none.
pub fn typed_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| text.map(SecretString::from))
}

fn base_62(length: usize) -> String {
    let mut random = rand::rng();
    (0..length).map(|_| char::from(BASE_62[random.random_range(0..BASE_62.len())])).collect()
}

/// CRC-32 (IEEE 802.3) in base 62.
fn checksum(body: &str) -> String {
    let crc = !body.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    let digit = |place: u32| char::from(BASE_62[(u64::from(crc) / 62_u64.pow(place) % 62) as usize]);
    (0..CHECKSUM_CHARS as u32).rev().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_a_key_is_read_back_and_a_typing_error_is_caught_before_any_look_up() {
        let key = KeyKind::AppKey.issue();
        let text = key.text.expose_secret();
        assert_eq!(KeyKind::AppKey.read(text), Some(ShownKey { id: key.id.clone(), hash: key.hash.clone() }));
        assert_eq!(KeyKind::ApiToken.read(text), None, "another kind");
        for place in 0..text.len() {
            let mut wrong = text.as_bytes().to_vec();
            wrong[place] = if wrong[place] == b'x' { b'y' } else { b'x' };
            assert_eq!(KeyKind::AppKey.read(&String::from_utf8(wrong).unwrap()), None, "changed at {place}");
        }
        assert_eq!(KeyKind::AppKey.read(&format!("{text}{}", "x".repeat(10_000))), None);
    }

    #[test]
    fn the_checksum_is_crc_32() {
        // The check value of the CRC catalogue for "123456789" is cbf43926.
        let value = checksum("123456789").bytes().fold(0_u64, |value, character| {
            value * 62 + BASE_62.iter().position(|known| *known == character).unwrap() as u64
        });
        assert_eq!(value, 0xcbf4_3926);
    }

    #[test]
    fn no_two_secrets_are_alike() {
        assert_ne!(hash_of(&random_secret()), hash_of(&random_secret()));
        assert!(same_hash(&hash("a"), &hash("a")) && !same_hash(&hash("a"), &hash("b")));
    }
}
