//! Passwords: which are good enough, and argon2id over those that are, a few at a time.
//!
//! Any characters in any mixture, as they are typed; what is refused is what attackers try first. A check for an account
//! that is not there takes as long as one for an account that is (promise S9).

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// Bytes of a password at least.
pub const PASSWORD_BYTES_MIN: usize = 12;

/// Bytes of a password at most.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Memory for one hash, in KiB; with one pass and one lane this is the measure of ASVS 5.0, appendix C.
const MEMORY_KIB: u32 = 46 * 1024;

/// Hashes at once; together they take at most 184 MiB.
const AT_ONCE_MAX: usize = 4;

/// Checks that may wait for their turn; the next one is told to come back.
const WAITING_MAX: usize = 64;

/// Letters that a word needs to count as the stem of a password.
const STEM_CHARS_MIN: usize = 4;

/// The longest unit whose repetition is refused: `abcabcabcabc`.
const UNIT_CHARS_MAX: usize = 6;

/// Rows of keys, and the rows of signs, in which a run is refused: `qwertyuiop12`.
const RUNS: [&str; 8] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
];

/// What a password is checked against when there is no account: our parameters, and the hash of nothing.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=47104,t=1,p=1$bm9ib2R5IGlzIGhlcmU$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// 30,000 common passwords (`common-passwords.txt` says whose list it is).
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common-passwords.txt").lines().filter(|line| !line.starts_with('#')).collect());

/// A password that may be taken.
pub struct NewPassword(SecretString);

/// Why a password cannot be taken, or not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than [`PASSWORD_BYTES_MIN`].
    #[error("a password needs at least {PASSWORD_BYTES_MIN} characters")]
    Short,
    /// More than [`PASSWORD_BYTES_MAX`].
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes")]
    Long,
    /// Attackers try it first.
    #[error(
        "this password is too common: it is on a list that attackers try first, or made from one word or one run of keys"
    )]
    Common,
    /// Too many wait already.
    #[error("too many logins at once")]
    Busy,
    /// The hash could not be made.
    #[error("the password could not be hashed")]
    Hash,
}

impl NewPassword {
    /// Takes a password that is long enough and not common; nothing is cut off or changed.
    pub fn new(text: SecretString) -> Result<Self, PasswordError> {
        let password = text.expose_secret();
        match password.len() {
            0..PASSWORD_BYTES_MIN => Err(PasswordError::Short),
            length if length > PASSWORD_BYTES_MAX => Err(PasswordError::Long),
            _ if is_common(password) => Err(PasswordError::Common),
            _ => Ok(Self(text)),
        }
    }
}

/// Hashes and checks passwords on threads of their own, [`AT_ONCE_MAX`] at once.
pub struct Passwords {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// As many at once as there are cores, within bounds.
    pub fn new() -> Self {
        let at_once = std::thread::available_parallelism().map_or(1, usize::from).min(AT_ONCE_MAX);
        Self { turns: Arc::new(Semaphore::new(at_once)), places: Arc::new(Semaphore::new(at_once + WAITING_MAX)) }
    }

    /// The PHC string to keep.
    pub async fn hash(&self, password: NewPassword) -> Result<String, PasswordError> {
        self.in_turn(move || {
            let hash = hasher().ok()?.hash_password(password.0.expose_secret().as_bytes()).ok()?;
            Some(hash.to_string())
        })
        .await?
        .ok_or(PasswordError::Hash)
    }

    /// Whether `shown` is the password of this hash. Without a hash the answer is no, after the same time.
    pub async fn is_right(&self, shown: SecretString, hash: Option<String>) -> Result<bool, PasswordError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODYS_HASH.to_owned());
        let right = self.in_turn(move || {
            let shown = shown.expose_secret().as_bytes();
            // Nothing longer was ever taken; it is not hashed in full either.
            let (part, whole) = (&shown[..shown.len().min(PASSWORD_BYTES_MAX)], shown.len() <= PASSWORD_BYTES_MAX);
            let hash = PasswordHash::new(&hash).ok()?;
            Some(Argon2::default().verify_password(part, &hash).is_ok() && whole)
        });
        Ok(right.await?.unwrap_or(false) && known)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
        let _place = self.places.clone().try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        // The turn moves into the thread: a request that is given up does not let another one in early.
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        let thread = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        thread.await.map_err(|_| PasswordError::Hash)
    }
}

fn hasher() -> argon2::Result<Argon2<'static>> {
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(MEMORY_KIB, 1, 1, None)?))
}

/// Whether attackers try it first: on the list, made of one listed word (twice, or with digits and signs around it), one
/// short unit over and over, or one run of keys with digits and signs around it.
fn is_common(password: &str) -> bool {
    let small = password.to_lowercase();
    let stem = small.trim_matches(|character: char| !character.is_alphabetic());
    let is_word = |word: &str| word.chars().count() >= STEM_CHARS_MIN && COMMON.contains(word);
    let plain = without_disguise(&small);
    let plain_stem = plain.trim_matches(|character: char| !character.is_alphabetic());
    COMMON.contains(small.as_str())
        || stem.is_empty()
        || [stem, plain_stem].into_iter().any(|stem| is_word(stem) || is_word(half(stem)) || is_run(stem))
        || is_run(&small)
        || repeats(&small)
}

/// `P@ssw0rd` without its disguise.
fn without_disguise(text: &str) -> String {
    let letter = |character| match character {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    // Digits at the end are an addition, not a disguise.
    let end = text.trim_end_matches(|character: char| !character.is_alphabetic()).len();
    text[..end].chars().map(letter).collect()
}

/// The word that `text` says twice, or nothing.
fn half(text: &str) -> &str {
    match text.split_at_checked(text.len() / 2) {
        Some((first, second)) if first == second => first,
        _ => "",
    }
}

/// Whether the text is a piece of one row of keys, forwards or backwards.
fn is_run(text: &str) -> bool {
    let backwards: String = text.chars().rev().collect();
    text.chars().count() >= STEM_CHARS_MIN && RUNS.iter().any(|run| run.contains(text) || run.contains(&backwards))
}

/// Whether the text is one short unit, over and over.
fn repeats(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let is_unit =
        |length: usize| characters.iter().enumerate().all(|(at, character)| *character == characters[at % length]);
    (1..=UNIT_CHARS_MAX.min(characters.len() / 2)).any(is_unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> Result<(), PasswordError> {
        NewPassword::new(text.to_owned().into()).map(|_| ())
    }

    #[test]
    fn s9_what_attackers_try_first_is_refused() {
        for common in [
            "password1234",
            "Password1234!",
            "passwordpassword",
            "P@ssw0rd2026",
            "qwertyuiop12",
            "123456789012",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "iloveyou2024!",
            "1qaz2wsx3edc",
            "!!liverpool!!",
            "987654321098",
        ] {
            assert_eq!(taken(common), Err(PasswordError::Common), "{common}");
        }
    }

    #[test]
    fn s9_length_counts_and_nothing_else_does() {
        assert_eq!(taken("short pass!"), Err(PasswordError::Short));
        assert_eq!(taken(&format!("ab{}", "xyz klm ".repeat(128))), Err(PasswordError::Long));
        for good in
            ["correct horse battery", "              .", "fünf blaue Züge", "kohlrabi und grübeln", "tr0ub4dor&3xyz"]
        {
            assert_eq!(taken(good), if good.trim().len() < 4 { Err(PasswordError::Common) } else { Ok(()) }, "{good}");
        }
    }

    #[tokio::test]
    async fn s9_a_password_is_checked_verbatim_with_our_parameters() {
        let passwords = Passwords::new();
        let hash = passwords.hash(NewPassword::new("Correct horse ".to_owned().into()).unwrap()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{hash}");
        for (shown, right) in [("Correct horse ", true), ("Correct horse", false), ("correct horse ", false)] {
            assert_eq!(passwords.is_right(shown.to_owned().into(), Some(hash.clone())).await, Ok(right), "{shown:?}");
        }
        let long = format!("Correct horse {}", "x".repeat(1 << 20));
        assert_eq!(passwords.is_right(long.into(), Some(hash)).await, Ok(false));
    }

    #[test]
    fn s9_nobodys_hash_costs_what_a_real_one_costs() {
        let nobody = PasswordHash::new(NOBODYS_HASH).unwrap();
        let real = hasher().unwrap().hash_password(b"anything").unwrap();
        assert_eq!(nobody.params.to_string(), real.params.to_string());
        assert_eq!(nobody.hash.map(|hash| hash.len()), real.hash.map(|hash| hash.len()));
    }
}
