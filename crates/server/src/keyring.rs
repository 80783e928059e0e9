//! Keys of projects: made when a project first needs them, kept sealed, opened once per process.
//!
//! Three kinds: the Ed25519 key that signs configurations, which agents pin at enrolment; the key with which agents hash,
//! which every agent holds and which therefore protects nothing by itself; and the key with which the service hashes once
//! more, which never leaves it (promise D5). The two hashing keys change together, once a month: equal values are equal
//! inside one epoch.

use crate::identity::Identity;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::Arc;
use store::control::project_keys::{KeyKind, ProjectKey};
use store::{Store, StoreError};
use tokio::sync::Mutex;
use uilog::event::Fingerprint;
use uilog::planted;

/// How long one epoch of the hashing keys lasts.
pub const EPOCH_US: i64 = 30 * 24 * 3_600 * 1_000_000;

/// What stands before the header in the signed bytes of a configuration.
const CONFIGURATION_CONTEXT: &str = "lode-config-1\n";

/// The keys of one project that are in use.
pub struct ProjectKeys {
    /// Id of the key that signs configurations.
    pub configuration_id: String,
    /// Its public half, base64url.
    pub configuration_public: String,
    signing: SigningKey,
    /// Id of the epoch with which agents hash.
    pub client_id: String,
    /// The key of that epoch.
    pub client: [u8; 32],
    service: Zeroizing<[u8; 32]>,
}

impl ProjectKeys {
    /// Ed25519 over the exact bytes of a configuration's header and text, base64url.
    pub fn sign_configuration(&self, header: &str, xml: &str) -> String {
        let message = [CONFIGURATION_CONTEXT, header, "\n", xml].concat();
        URL_SAFE_NO_PAD.encode(self.signing.sign(message.as_bytes()).to_bytes())
    }

    /// The second hash of a value that an agent has hashed: equal values of one column stay equal, and nobody without this
    /// service's key can tell which value it was.
    pub fn hash_again(&self, column: &str, once: Fingerprint) -> Fingerprint {
        if planted::is("unkeyed-hash") {
            return once;
        }
        let mut twice = [0; 16];
        if let Ok(mac) = Hmac::<Sha256>::new_from_slice(&*self.service) {
            let whole = mac.chain_update(column).chain_update([0]).chain_update(once.0).finalize().into_bytes();
            twice.copy_from_slice(&whole[..16]);
        }
        Fingerprint(twice)
    }
}

/// Opens and makes the keys of projects.
pub struct Keyring {
    store: Store,
    identity: Arc<Identity>,
    open: Mutex<HashMap<String, Arc<ProjectKeys>>>,
}

impl Keyring {
    /// A keyring whose keys are sealed with the service's master key.
    pub fn new(store: Store, identity: Arc<Identity>) -> Self {
        Self { store, identity, open: Mutex::default() }
    }

    /// The keys of a project; made if it has none yet.
    pub async fn of_project(&self, project: &str, now_us: i64) -> Result<Arc<ProjectKeys>, StoreError> {
        let mut open = self.open.lock().await;
        if let Some(keys) = open.get(project) {
            return Ok(keys.clone());
        }
        let (configuration, seed) = self.newest_or_new(project, KeyKind::Configuration, now_us).await?;
        let (client, client_key) = self.newest_or_new(project, KeyKind::Client, now_us).await?;
        let (_, service) = self.newest_or_new(project, KeyKind::Service, now_us).await?;
        let signing = SigningKey::from_bytes(&seed);
        let keys = Arc::new(ProjectKeys {
            configuration_id: configuration.id,
            configuration_public: URL_SAFE_NO_PAD.encode(signing.verifying_key().to_bytes()),
            signing,
            client_id: client.id,
            client: *client_key,
            service,
        });
        open.insert(project.to_owned(), keys.clone());
        Ok(keys)
    }

    /// Begins a new epoch of the hashing keys where the one in use is older than [`EPOCH_US`]; `true` if it did. Keys whose
    /// epoch ended before `data_from_us` are destroyed: no event hashed with them is left.
    pub async fn renew(&self, project: &str, data_from_us: i64, now_us: i64) -> Result<bool, StoreError> {
        let newest = self.store.control().project_keys(project, KeyKind::Client).await?.into_iter().next();
        for kind in [KeyKind::Client, KeyKind::Service] {
            self.store.control().destroy_project_keys(project, kind, data_from_us).await?;
        }
        if newest.is_none_or(|key| now_us - key.created_at_us < EPOCH_US) {
            return Ok(false);
        }
        let mut open = self.open.lock().await;
        for kind in [KeyKind::Client, KeyKind::Service] {
            self.make(project, kind, now_us).await?;
        }
        open.remove(project);
        Ok(true)
    }

    /// Forgets the open keys of a project that is gone.
    pub async fn forget(&self, project: &str) {
        self.open.lock().await.remove(project);
    }

    async fn newest_or_new(
        &self,
        project: &str,
        kind: KeyKind,
        now_us: i64,
    ) -> Result<(ProjectKey, Zeroizing<[u8; 32]>), StoreError> {
        let Some(key) = self.store.control().project_keys(project, kind).await?.into_iter().next() else {
            return self.make(project, kind, now_us).await;
        };
        let wrong = |error: String| StoreError::Invalid(format!("the key {} of project {project}: {error}", key.id));
        let text =
            self.identity.sealer.unseal(&purpose(&key.id), &key.sealed).map_err(|error| wrong(error.to_string()))?;
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes()).map_err(|error| wrong(error.to_string()))?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| wrong("it has not 32 bytes".into()))?;
        Ok((key, Zeroizing::new(bytes)))
    }

    async fn make(
        &self,
        project: &str,
        kind: KeyKind,
        now_us: i64,
    ) -> Result<(ProjectKey, Zeroizing<[u8; 32]>), StoreError> {
        let mut secret = Zeroizing::new([0; 32]);
        rand::rng().fill_bytes(&mut secret[..]);
        let id = uuid::Uuid::now_v7().to_string();
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(&secret[..]));
        let sealed =
            self.identity.sealer.seal(&purpose(&id), &text).map_err(|error| StoreError::Invalid(error.to_string()))?;
        let key = ProjectKey {
            id,
            project: project.to_owned(),
            sealed,
            public: (kind == KeyKind::Configuration)
                .then(|| URL_SAFE_NO_PAD.encode(SigningKey::from_bytes(&secret).verifying_key().to_bytes())),
            created_at_us: now_us,
            retired_at_us: None,
        };
        self.store.control().put_project_key(kind, &key).await?;
        Ok((key, secret))
    }
}

/// What a key is sealed for: it opens in its own row only.
fn purpose(id: &str) -> String {
    format!("project_key/{id}")
}
