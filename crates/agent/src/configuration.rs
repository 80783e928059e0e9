//! The configuration that the client obeys: signed for its project, never older than one it knew, never wider than the floor.
//!
//! ```text
//! Envelope ── verify (pinned key, project, revision, time) ──> Configuration ── narrow (floor) ──> Effective
//! ```
//!
//! What is refused changes nothing: the last good one stays, and the reason goes into `status` (promises S4, D12). A floor that
//! is there and cannot be read means that nothing may be captured. This module does no I/O; see [`home`](crate::home).

use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uilog::planted;
use uilog::policy::{self, Configuration, FILE_BYTES_MAX, Floor, KeyedHash, Policy, Variables};
use uuid::Uuid;
use zeroize::Zeroizing;

/// What stands before the header in the signed bytes.
const CONTEXT: &str = "lode-config-1\n";

/// The most bytes of a header.
const HEADER_BYTES_MAX: usize = 4 << 10;

/// A configuration as it travels and as it is kept: what was signed, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// JSON that names key, project, revision and time.
    pub header: String,
    /// The configuration.
    pub xml: String,
    /// Ed25519, base64url.
    pub signature: String,
}

/// What the header of an envelope says; unknown members are of later versions and change nothing.
#[derive(Deserialize)]
struct Header {
    project: String,
    revision: u32,
    not_before: Option<String>,
    not_after: Option<String>,
}

/// Why an envelope is not obeyed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was not signed by the project's key.
    #[error("the configuration is not signed by this project's key")]
    Signature,
    /// It is too large, or its header cannot be read.
    #[error("the configuration's {0} cannot be read")]
    Unreadable(&'static str),
    /// It is for somebody else.
    #[error("the configuration belongs to another project")]
    Project,
    /// It is older than one that was obeyed, or as old and different.
    #[error("revision {offered} is older than {known}")]
    Older {
        /// Its revision.
        offered: u32,
        /// The highest that was ever obeyed.
        known: u32,
    },
    /// Its time has not come or is over.
    #[error("revision {0} does not hold now; if the date of this machine is wrong, set it right")]
    Time(u32),
    /// It has errors; the first one is named.
    #[error("the configuration has errors: {0}")]
    Invalid(String),
}

/// What must hold of an envelope on this machine.
pub struct Pins<'a> {
    /// The project's key, pinned when the client was enrolled.
    pub key: &'a VerifyingKey,
    /// The project.
    pub project: Uuid,
    /// The highest revision that was ever obeyed; 0 for none.
    pub revision: u32,
}

/// Verifies an envelope and reads what is in it.
///
/// Units: `now_us` in microseconds since 1970, of the best clock there is.
///
/// Errors: [`Refused`]. An equal revision passes: it is the one that is kept on the disk.
pub fn verify(envelope: &Envelope, pins: &Pins<'_>, now_us: i64) -> Result<Configuration, Refused> {
    if envelope.header.len() > HEADER_BYTES_MAX || envelope.xml.len() > FILE_BYTES_MAX {
        return Err(Refused::Unreadable("size"));
    }
    let signed = [CONTEXT, &envelope.header, "\n", &envelope.xml].concat();
    let signature = decode(&envelope.signature).and_then(|bytes| Signature::from_slice(&bytes).ok());
    let signature = signature.ok_or(Refused::Signature)?;
    if !planted::is("signature-unchecked") {
        pins.key.verify_strict(signed.as_bytes(), &signature).map_err(|_| Refused::Signature)?;
    }
    let header: Header = serde_json::from_str(&envelope.header).map_err(|_| Refused::Unreadable("header"))?;
    let configuration = policy::parse(&envelope.xml).map_err(|problems| {
        Refused::Invalid(problems.first().map_or_else(|| "unknown".to_owned(), ToString::to_string))
    })?;
    let is_ours = header.project.parse() == Ok(pins.project) && configuration.project == pins.project;
    if !is_ours && !planted::is("foreign-project-obeyed") {
        return Err(Refused::Project);
    }
    let is_older = header.revision != configuration.revision || header.revision < pins.revision;
    if is_older && !planted::is("accept-older-config") {
        return Err(Refused::Older { offered: header.revision.min(configuration.revision), known: pins.revision });
    }
    if !holds(&header, configuration.valid_until_s, now_us) {
        return Err(Refused::Time(header.revision));
    }
    Ok(configuration)
}

/// The clock of a desktop may be behind the service's by this much before a new configuration is not obeyed.
const CLOCK_SLACK_US: i64 = 86_400_000_000;

fn holds(header: &Header, valid_until_s: i64, now_us: i64) -> bool {
    let time_us = |text: &Option<String>| {
        text.as_deref().map(|text| chrono::DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_micros()))
    };
    let begun = match time_us(&header.not_before) {
        None => true,
        Some(Ok(begin_us)) => begin_us - CLOCK_SLACK_US <= now_us,
        Some(Err(_)) => false,
    };
    let goes_on = match time_us(&header.not_after) {
        None => true,
        Some(Ok(end_us)) => now_us < end_us,
        Some(Err(_)) => false,
    };
    begun && goes_on && now_us < valid_until_s.saturating_mul(1_000_000)
}

/// What holds on this machine: the configuration under the floor, compiled.
pub struct Effective {
    /// The configuration, narrowed.
    pub configuration: Configuration,
    /// The same, compiled.
    pub policy: Policy,
    /// Which floor it was narrowed by; none if there is none.
    pub floor_hash: Option<String>,
}

impl std::fmt::Debug for Effective {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "revision {}", self.configuration.revision)
    }
}

/// Narrows a configuration by the floor's text, if there is one, and compiles it.
///
/// Errors: a floor with errors, or a configuration that cannot be compiled here; then nothing may be captured.
pub fn effective(
    configuration: &Configuration,
    floor: Option<&str>,
    variables: &Variables,
) -> Result<Effective, Refused> {
    let first = |problems: Vec<policy::Problem>| {
        problems.first().map_or_else(|| "unknown".to_owned(), |problem| problem.in_file("floor.xml"))
    };
    let parsed: Option<Floor> =
        floor.map(policy::parse_floor).transpose().map_err(|problems| Refused::Invalid(first(problems)))?;
    let parsed = parsed.filter(|_| !planted::is("floor-ignored"));
    let configuration = parsed.map_or_else(|| configuration.clone(), |floor| policy::narrow(configuration, &floor));
    let compiled = Policy::compile(&configuration, variables);
    let policy = compiled.map_err(|problems| Refused::Invalid(first(problems)))?;
    Ok(Effective { configuration, policy, floor_hash: floor.map(hash_text) })
}

/// SHA-256 of a text, as 64 hexadecimal digits.
pub fn hash_text(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key of the project with which values are hashed, and its id. It is overwritten when it is dropped.
#[derive(Clone)]
pub struct ClientHash {
    /// Names the epoch of the key.
    pub id: String,
    key: Zeroizing<Vec<u8>>,
}

impl ClientHash {
    /// A key as the service gives it, base64url; `None` if it is none.
    pub fn new(id: &str, key: &str) -> Option<Self> {
        Some(Self { id: id.to_owned(), key: Zeroizing::new(decode(key)?) })
    }
}

impl KeyedHash for ClientHash {
    fn hash(&self, column: &str, value: &str) -> [u8; 16] {
        let mut hash = [0; 16];
        // HMAC takes a key of any length.
        if let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.key) {
            let whole = mac.chain_update(column).chain_update([0]).chain_update(value).finalize().into_bytes();
            hash.copy_from_slice(&whole[..16]);
        }
        hash
    }
}

/// Bytes from base64url without padding; `None` if it is something else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}

/// Bytes as base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};
    use uilog::random::Random;

    pub(crate) const PROJECT: Uuid = Uuid::from_u128(0x0b6f2d0e_5c1f_4c53_9b1e_6f6f2f3a7c11);
    /// 2026-12-01.
    pub(crate) const NOW_US: i64 = 1_796_083_200_000_000;

    pub(crate) fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    /// A configuration of a revision that allows these programs.
    pub(crate) fn xml(revision: u32, processes: &str, extra: &str) -> String {
        format!(
            r#"<lodeConfig schema="1" project="{PROJECT}" revision="{revision}" validUntil="2027-02-28T23:59:59Z">
              <consent version="1"><text lang="en">We record clicks.</text><pictures lang="en">And pictures.</pictures><typed lang="en">And text.</typed></consent>
              <schedule><window days="mon-sun" from="00:00" to="23:59"/></schedule>
              <allow><app process="{processes}"/></allow>{extra}
              <rules><rule name="work"><on events="all"/><log columns="all" hash="user_name machine_name"/></rule></rules>
            </lodeConfig>"#
        )
    }

    fn sign(key: &SigningKey, header: String, xml: String) -> Envelope {
        let signed = [CONTEXT, &header, "\n", &xml].concat();
        Envelope { signature: encode(&key.sign(signed.as_bytes()).to_bytes()), header, xml }
    }

    pub(crate) fn envelope(revision: u32, xml: String) -> Envelope {
        let header = format!(
            r#"{{"kid":"k","project":"{PROJECT}","revision":{revision},"not_before":"2026-11-01T00:00:00Z","not_after":"2027-02-28T23:59:59Z"}}"#
        );
        sign(&key(), header, xml)
    }

    fn verified(envelope: &Envelope, known: u32) -> Result<u32, Refused> {
        let key = key().verifying_key();
        let pins = Pins { key: &key, project: PROJECT, revision: known };
        verify(envelope, &pins, NOW_US).map(|configuration| configuration.revision)
    }

    #[test]
    fn s4_a_configuration_signed_for_the_project_is_obeyed_an_older_one_never_again() {
        assert_eq!(verified(&envelope(3, xml(3, "excel.exe", "")), 2), Ok(3));
        assert_eq!(verified(&envelope(3, xml(3, "excel.exe", "")), 3), Ok(3));
        assert_eq!(verified(&envelope(3, xml(3, "excel.exe", "")), 4), Err(Refused::Older { offered: 3, known: 4 }));
        // A new header around an old text is no new revision.
        assert!(matches!(verified(&envelope(9, xml(3, "excel.exe", "")), 4), Err(Refused::Older { .. })));
    }

    #[test]
    fn s4_any_changed_byte_of_header_text_or_signature_is_refused() {
        let good = envelope(3, xml(3, "excel.exe", ""));
        for seed in 0..100 {
            let mut random = Random::new(seed);
            let mut bad = good.clone();
            let part = match random.below(3) {
                0 => &mut bad.header,
                1 => &mut bad.xml,
                _ => &mut bad.signature,
            };
            let at = random.below(part.len() as u64) as usize;
            let mut bytes = std::mem::take(part).into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            *part = String::from_utf8(bytes).unwrap();
            assert_eq!(verified(&bad, 0), Err(Refused::Signature), "seed {seed}");
        }
        let foreign = SigningKey::from_bytes(&[8; 32]);
        assert_eq!(verified(&sign(&foreign, good.header, good.xml), 0), Err(Refused::Signature));
    }

    #[test]
    fn tc12_what_is_signed_and_still_wrong_is_refused() {
        let other = xml(3, "excel.exe", "").replace("0b6f2d0e", "0b6f2d0f");
        assert_eq!(verified(&envelope(3, other), 0), Err(Refused::Project));
        let over = xml(3, "excel.exe", "").replace("2027-02-28", "2026-11-30");
        assert_eq!(verified(&envelope(3, over), 0), Err(Refused::Time(3)));
        let huge = format!("{}<!--{}-->", xml(3, "excel.exe", ""), "x".repeat(5 << 20));
        assert_eq!(verified(&envelope(3, huge), 0), Err(Refused::Unreadable("size")));
        for hostile in [
            "<lodeConfig",
            "<!DOCTYPE lodeConfig [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><lodeConfig>&a;</lodeConfig>",
            "<!DOCTYPE l [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><lodeConfig>&b;</lodeConfig>",
        ] {
            assert!(matches!(verified(&envelope(3, hostile.to_owned()), 0), Err(Refused::Invalid(_))), "{hostile}");
        }
        let patterns: String = (0..10_000).map(|n| format!(r#"<never column="window_title" regex="x{n}"/>"#)).collect();
        let many = xml(3, "excel.exe", "").replace("</allow>", &format!("{patterns}</allow>"));
        assert!(verified(&envelope(3, many), 0).is_err());
    }

    #[test]
    fn d12_a_floor_narrows_and_one_with_errors_stops_everything() {
        let configuration = policy::parse(&xml(1, "excel.exe notepad.exe", "")).unwrap();
        let floor = r#"<lodeFloor schema="1"><allow><app process="excel.exe"/></allow><forbid columns="window_title"/></lodeFloor>"#;
        let narrowed = effective(&configuration, Some(floor), &Variables::none()).unwrap();
        let processes: Vec<&String> = narrowed.configuration.allow.apps.iter().flat_map(|app| &app.processes).collect();
        assert_eq!(processes, ["excel.exe"]);
        assert_eq!(narrowed.floor_hash, Some(hash_text(floor)));
        assert!(effective(&configuration, Some("<lodeFloor"), &Variables::none()).is_err());
        assert!(effective(&configuration, None, &Variables::none()).unwrap().floor_hash.is_none());
    }
}
