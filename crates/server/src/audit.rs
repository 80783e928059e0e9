//! What people do with data is written down (promise S11): one function, called by every handler that matters.
//!
//! Here are also the key that signs the log's head, and the check of the whole log. The store keeps the chain.

use crate::identity::master_key::Sealer;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rand::Rng;
use secrecy::zeroize::Zeroizing;
use serde_json::Value;
use store::StoreError;
use store::control::Control;
use store::control::audit::{AuditActor, AuditHead, AuditRecord};

/// The setting that holds the sealed key.
const KEY_SETTING: &str = "audit_key";

/// How old a signature may be before the head is signed again, in microseconds: a day.
const SIGN_EVERY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Writes down that `actor` did `action` (`export.events`, `member.put` …).
///
/// `project` is an id; `subject` the kind and id of what it was done to; `detail` an object of ids and numbers, never of
/// contents: what stands here can never be erased.
///
/// Errors: the database's. The act must not be confirmed then.
pub async fn record(
    control: &Control,
    actor: impl Into<AuditActor>,
    action: &str,
    project: Option<&str>,
    subject: Option<(&str, &str)>,
    detail: Value,
    now_us: i64,
) -> Result<(), StoreError> {
    let record = AuditRecord {
        actor: actor.into(),
        action: action.to_owned(),
        project: project.map(str::to_owned),
        subject: subject.map(|(kind, id)| (kind.to_owned(), id.to_owned())),
        detail,
    };
    control.append_audit(&record, now_us).await.map(|_| ())
}

/// The service itself, where no person acts.
pub fn service() -> AuditActor {
    AuditActor { kind: "service".into(), id: "service".into(), name: "Lode".into() }
}

/// Somebody whom nobody knows yet, such as whoever types a wrong password. The typed name is not written down.
pub fn nobody() -> AuditActor {
    AuditActor { kind: "account".into(), id: "unknown".into(), name: "unknown".into() }
}

/// The head of the log and whether everything before it is as it was written.
#[derive(Debug, Clone)]
pub struct CheckedHead {
    /// The newest signed head; `None` while the log is empty.
    pub head: Option<AuditHead>,
    /// The newest entry.
    pub tip: (i64, String),
    /// The first entry that is not as it was written, or is missing.
    pub broken_at: Option<i64>,
}

/// Signs the head if it grew and its last signature is a day old.
///
/// Errors: the database's, or a key that cannot be unsealed.
pub async fn sign_daily(control: &Control, sealer: &Sealer, now_us: i64) -> Result<()> {
    let (n, hash) = control.audit_tip().await?;
    let heads = control.audit_heads().await?;
    let due = heads.last().is_none_or(|head| head.n < n && now_us - head.signed_at_us >= SIGN_EVERY_US);
    if n == 0 || !due {
        return Ok(());
    }
    let key = key(control, sealer).await?;
    // To the millisecond, as the time is shown, so that anybody can check the signature with what is shown.
    let now_us = now_us / 1_000 * 1_000;
    let signature = key.sign(AuditHead::signed_text(n, &hash, now_us).as_bytes());
    let head = AuditHead {
        n,
        hash,
        signed_at_us: now_us,
        public_key: URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()),
        signature: URL_SAFE_NO_PAD.encode(signature.to_bytes()),
    };
    Ok(control.put_audit_head(&head).await?)
}

/// Signs a text with the service's key: the public key and the Ed25519 signature, both base64url.
///
/// Begin the text with a line that says what it is, so that it can be taken for nothing else.
///
/// Errors: the database's, or a key that cannot be unsealed.
pub async fn sign(control: &Control, sealer: &Sealer, text: &str) -> Result<(String, String)> {
    let key = key(control, sealer).await?;
    let signature = key.sign(text.as_bytes()).to_bytes();
    Ok((URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()), URL_SAFE_NO_PAD.encode(signature)))
}

/// Checks chain and signatures.
///
/// A head whose signature is not by this service's key counts as broken where it stands.
pub async fn verify(control: &Control, sealer: &Sealer) -> Result<CheckedHead> {
    let heads = control.audit_heads().await?;
    let key = key(control, sealer).await?.verifying_key();
    let forged = heads.iter().find(|head| !is_signed(&key, head)).map(|head| head.n);
    let chain = control.verify_audit(&heads).await?;
    let broken_at = [forged, chain].into_iter().flatten().min();
    Ok(CheckedHead { head: heads.last().cloned(), tip: control.audit_tip().await?, broken_at })
}

fn is_signed(key: &VerifyingKey, head: &AuditHead) -> bool {
    let bytes = URL_SAFE_NO_PAD.decode(&head.signature).unwrap_or_default();
    let text = AuditHead::signed_text(head.n, &head.hash, head.signed_at_us);
    Signature::from_slice(&bytes).is_ok_and(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok())
}

/// The service's signing key, made at its first use and sealed at rest.
async fn key(control: &Control, sealer: &Sealer) -> Result<SigningKey> {
    let sealed = match control.setting(KEY_SETTING).await? {
        Some(sealed) => sealed,
        None => {
            let mut seed = Zeroizing::new([0; 32]);
            rand::rng().fill_bytes(&mut seed[..]);
            let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(&seed[..]));
            control.setting_or(KEY_SETTING, &sealer.seal(KEY_SETTING, &text)?).await?
        }
    };
    let text = sealer.unseal(KEY_SETTING, &sealed)?;
    let seed = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.as_str()).context("the key of the audit log is damaged")?);
    let seed: &[u8; 32] = seed.as_slice().try_into().context("the key of the audit log is damaged")?;
    Ok(SigningKey::from_bytes(seed))
}
