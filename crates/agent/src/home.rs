//! What the client knows between two starts, apart from events: who it is, what it obeys, what the person said.
//!
//! Small JSON files in the data folder, each written whole or not at all, all for the user alone. One that cannot be read is set
//! aside and counts as not there (promise P6): without an identity the client asks to be enrolled, without consent it asks again.

use crate::clock::Moment;
use crate::configuration::{ClientHash, Envelope, decode};
use crate::secrets;
use crate::standing::Said;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use uilog::planted;
use uuid::Uuid;

/// Who the client is to the service.
#[derive(Clone, Serialize, Deserialize)]
pub struct Identity {
    /// The service.
    pub server: String,
    /// The id that enrolment gave.
    pub agent_id: Uuid,
    /// The project.
    pub project: Uuid,
    /// The secret half of the client's own key, base64url.
    key: String,
    /// The project's key that signs configurations, pinned.
    config_key: String,
    /// Id and text of the key with which values are hashed.
    client_key: (String, String),
    /// The highest revision that was ever obeyed.
    pub revision_max: u32,
}

impl Identity {
    /// An identity as enrolment gave it.
    pub fn new(
        server: &str,
        agent_id: Uuid,
        project: Uuid,
        key: &SigningKey,
        config_key: String,
        client_key: (String, String),
    ) -> Self {
        let key = crate::configuration::encode(&key.to_bytes());
        Self { server: server.to_owned(), agent_id, project, key, config_key, client_key, revision_max: 0 }
    }

    /// The client's own key; `None` if the file was tampered with.
    pub fn signing_key(&self) -> Option<SigningKey> {
        Some(SigningKey::from_bytes(&decode(&self.key)?.try_into().ok()?))
    }

    /// The project's key that signs configurations.
    pub fn config_key(&self) -> Option<VerifyingKey> {
        VerifyingKey::from_bytes(&decode(&self.config_key)?.try_into().ok()?).ok()
    }

    /// The hash with the project's key.
    pub fn hash(&self) -> Option<ClientHash> {
        ClientHash::new(&self.client_key.0, &self.client_key.1)
    }

    /// Hashes with another key from now on.
    pub fn set_hash(&mut self, id: String, key: String) {
        self.client_key = (id, key);
    }
}

/// What the person said, and to which version of the consent text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The version of the text.
    pub version: u32,
    /// Yes or no.
    pub accepted: bool,
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// Answers to the project's questions, `custom1` to `custom5`.
    #[serde(default)]
    pub custom: [Option<String>; 5],
}

/// What that means for this version of the text.
pub fn said(consent: Option<&Consent>, version: u32) -> Said {
    match consent {
        Some(consent) if consent.accepted && (consent.version == version || planted::is("consent-of-any-version")) => {
            Said::Yes
        }
        Some(consent) if consent.version == version => Said::No,
        _ => Said::Nothing,
    }
}

/// What the person chose about running.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Paused until then; `i64::MAX` for until resumed.
    pub paused_until_us: Option<i64>,
    /// On the monotonic clock of this boot, so that turning the wall clock ends no pause early.
    #[serde(default)]
    pub paused_until_uptime_us: Option<(String, u64)>,
    /// Stopped until it is started again.
    pub stopped: bool,
}

impl Choice {
    /// Paused for so long from now; `None` until resumed.
    pub fn pause(&mut self, us: Option<u64>, now: Moment) {
        self.paused_until_us =
            Some(us.map_or(i64::MAX, |us| now.time_us.saturating_add(i64::try_from(us).unwrap_or(i64::MAX))));
        self.paused_until_uptime_us = us.map(|us| (crate::clock::boot_id(), now.uptime_us.saturating_add(us)));
    }

    /// No pause any more.
    pub fn resume(&mut self) {
        self.paused_until_us = None;
        self.paused_until_uptime_us = None;
    }

    /// Whether the pause goes on.
    pub fn is_paused(&self, now: Moment, boot: &str) -> bool {
        match (&self.paused_until_uptime_us, self.paused_until_us) {
            (Some((in_boot, until)), _) if in_boot == boot => now.uptime_us < *until,
            (_, Some(until)) => now.time_us < until,
            (_, None) => false,
        }
    }
}

/// The files.
#[derive(Clone, Debug)]
pub struct Home {
    folder: PathBuf,
}

impl Home {
    /// The home in a data folder.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Who the client is, if it is enrolled.
    pub fn identity(&self) -> Option<Identity> {
        self.read("identity")
    }

    /// Keeps who it is.
    pub fn set_identity(&self, identity: &Identity) -> io::Result<()> {
        self.write("identity", identity)
    }

    /// The configuration that was obeyed last.
    pub fn envelope(&self) -> Option<Envelope> {
        self.read("configuration")
    }

    /// Keeps a configuration.
    pub fn set_envelope(&self, envelope: &Envelope) -> io::Result<()> {
        self.write("configuration", envelope)
    }

    /// What the person said.
    pub fn consent(&self) -> Option<Consent> {
        self.read("consent")
    }

    /// Keeps what the person said.
    pub fn set_consent(&self, consent: &Consent) -> io::Result<()> {
        self.write("consent", consent)
    }

    /// What the person said to this version of the text.
    pub fn said(&self, version: u32) -> Said {
        said(self.consent().as_ref(), version)
    }

    /// What the person chose.
    pub fn choice(&self) -> Choice {
        self.read("choice").unwrap_or_default()
    }

    /// Keeps what the person chose.
    pub fn set_choice(&self, choice: &Choice) -> io::Result<()> {
        self.write("choice", choice)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let path = self.folder.join(format!("{name}.json"));
        let bytes = secrets::read(&path).ok()??;
        let value = serde_json::from_slice(&bytes).ok();
        if value.is_none() {
            let _ = std::fs::rename(&path, path.with_extension("json.quarantine"));
        }
        value
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        crate::paths::make_private_folder(&self.folder)?;
        let bytes = zeroize::Zeroizing::new(serde_json::to_vec_pretty(value)?);
        secrets::write(&self.folder.join(format!("{name}.json")), &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d7_a_word_about_another_version_of_the_text_is_none() {
        let consent = |version, accepted| Consent { version, accepted, ..Consent::default() };
        assert_eq!(said(None, 2), Said::Nothing);
        assert_eq!(said(Some(&consent(2, true)), 2), Said::Yes);
        assert_eq!(said(Some(&consent(2, false)), 2), Said::No);
        for other in [1, 3] {
            assert_eq!(said(Some(&consent(other, true)), 2), Said::Nothing, "yes to {other}");
            assert_eq!(said(Some(&consent(other, false)), 2), Said::Nothing, "no to {other}");
        }
    }
}
