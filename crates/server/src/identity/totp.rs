//! The second factor: time-based codes (RFC 6238: SHA-1, six digits, 30 s), and recovery codes for a lost phone.
//!
//! A code of the step before or after is taken too, because clocks differ. The step that fits is given back, so that the
//! caller can see to it that no code works twice.

use super::secret_text;
use rand::RngExt;
use totp_rs::{Builder, Secret, Totp};

/// Steps that a clock may be off, to either side.
const STEPS_OFF_MAX: u16 = 1;

/// Seconds of a step.
const STEP_S: u64 = 30;

/// Recovery codes of one account.
const RECOVERY_CODES: usize = 10;

/// What a recovery code is made of; nothing that reads like something else.
const RECOVERY_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Groups of four letters in a recovery code: 80 bits.
const RECOVERY_GROUPS: usize = 4;

/// The name under which a phone keeps the secret.
const ISSUER: &str = "Lode";

/// A fresh secret in base 32.
pub fn new_secret() -> String {
    Secret::generate().to_base32()
}

/// The address that a phone reads as a picture: `otpauth://totp/Lode:ann@…`; `None` for a secret that is none.
pub fn uri(secret: &str, email: &str) -> Option<String> {
    generator(secret, email)?.to_url().ok()
}

/// The step whose code this is, within the bounds of [`STEPS_OFF_MAX`]; `None` if it is wrong.
pub fn step_of(secret: &str, code: &str, now_us: i64) -> Option<i64> {
    let code: String = code.chars().filter(|character| !character.is_whitespace()).collect();
    if code.len() != 6 || !code.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let now_s = u64::try_from(now_us / 1_000_000).ok()?;
    let step = generator(secret, "account")?.check(&code, now_s)?;
    i64::try_from(step).ok()
}

/// The code of a moment.
pub fn code_at(secret: &str, now_us: i64) -> Option<String> {
    Some(generator(secret, "account")?.generate(u64::try_from(now_us / 1_000_000).ok()?).to_string())
}

/// Fresh recovery codes, to be shown once.
pub fn new_recovery_codes() -> Vec<String> {
    let mut random = rand::rng();
    let mut group = || {
        (0..4).map(|_| char::from(RECOVERY_LETTERS[random.random_range(0..RECOVERY_LETTERS.len())])).collect::<String>()
    };
    (0..RECOVERY_CODES).map(|_| (0..RECOVERY_GROUPS).map(|_| group()).collect::<Vec<_>>().join("-")).collect()
}

/// How a recovery code is kept; dashes, blanks and capitals do not matter. `None` for what cannot be one.
pub fn recovery_hash(code: &str) -> Option<String> {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    (letters.len() == RECOVERY_GROUPS * 4).then(|| secret_text::hash(&letters))
}

fn generator(secret: &str, email: &str) -> Option<Totp> {
    // A colon would end the name inside the address.
    let email = email.replace(':', "_");
    Builder::new()
        .with_secret(Secret::try_from_base32(secret).ok()?)
        .with_skew(STEPS_OFF_MAX)
        .with_step_duration(STEP_S)
        .with_account_name(email)
        .with_issuer(Some(ISSUER))
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn codes_are_those_of_the_standard() {
        // The appendix prints eight digits; the last six are ours.
        for (second, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(code_at(SECRET, second * 1_000_000).as_deref(), Some(code));
            assert_eq!(step_of(SECRET, code, second * 1_000_000), Some(second / 30));
        }
    }

    #[test]
    fn s9_a_code_holds_one_step_to_either_side_and_no_further() {
        let at = |second: i64| second * 1_000_000;
        let code = code_at(SECRET, at(1_000_000_000)).unwrap();
        let step = 1_000_000_000 / 30;
        for (off, fits) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            assert_eq!(step_of(SECRET, &code, at(1_000_000_000 + off)), fits.then_some(step), "{off} s");
        }
        for wrong in ["", "12345", "1234567", "abcdef", "+12345"] {
            assert_eq!(step_of(SECRET, wrong, at(1_000_000_000)), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_phone_can_read_the_address() {
        let uri = uri(SECRET, "ann@example.org").unwrap();
        assert!(uri.starts_with("otpauth://totp/Lode:ann") && uri.contains(SECRET), "{uri}");
    }

    #[test]
    fn recovery_codes_differ_and_are_read_as_people_type_them() {
        let codes = new_recovery_codes();
        assert_eq!(codes.iter().collect::<std::collections::HashSet<_>>().len(), RECOVERY_CODES);
        assert_eq!(recovery_hash(&codes[0]), recovery_hash(&codes[0].to_uppercase().replace('-', " ")));
        assert_ne!(recovery_hash(&codes[0]), recovery_hash(&codes[1]));
        assert_eq!(recovery_hash("123456"), None);
    }
}
