//! The one-time token with which the first account is made; `lode serve` prints it while there is no account.
//!
//! It lives in memory only: a restart prints another one.

use super::secret_text::{hash, random_secret, same_hash};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Mutex;

/// The token's hash, while it waits.
#[derive(Default)]
pub struct SetupToken(Mutex<Option<String>>);

impl SetupToken {
    /// Makes a token; one that was made before is void.
    pub fn issue(&self) -> SecretString {
        let secret = random_secret();
        if let Ok(mut waiting) = self.0.lock() {
            *waiting = Some(hash(secret.expose_secret()));
        }
        secret
    }

    /// Whether this is the token that waits.
    pub fn is(&self, shown: &str) -> bool {
        let waiting = self.0.lock().ok().and_then(|waiting| waiting.clone());
        waiting.is_some_and(|waiting| same_hash(&waiting, &hash(shown)))
    }

    /// The first account is there: no token works any more.
    pub fn is_done(&self) {
        if let Ok(mut waiting) = self.0.lock() {
            *waiting = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s9_only_the_newest_token_works_and_only_until_setup_is_done() {
        let setup = SetupToken::default();
        assert!(!setup.is(""), "nothing was issued");
        let (old, new) = (setup.issue(), setup.issue());
        assert!(!setup.is(old.expose_secret()) && setup.is(new.expose_secret()));
        setup.is_done();
        assert!(!setup.is(new.expose_secret()));
    }
}
