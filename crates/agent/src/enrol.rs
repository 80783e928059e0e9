//! Becoming a client of a project, and proving to be that client later.
//!
//! The app key admits; the client's own Ed25519 key, made here, is who it is from then on (promise S3). An app key with a typing
//! error is found before anything is sent.

use crate::configuration::encode;
use crate::home::Identity;
use crate::wire::{Body, Request, Wire, WireError};
use ed25519_dalek::{Signer, SigningKey};
use rand::Rng;
use serde::Deserialize;
use serde_json::json;
use uilog::planted;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Characters of the parts of an app key: id, secret, checksum.
const PARTS: [usize; 3] = [12, 43, 6];

const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Why the client could not be enrolled, or could not prove who it is.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The key was mistyped or cut.
    #[error("this is no app key: it begins with lodek_ and ends with a checksum that does not match; copy it again")]
    Typo,
    /// No answer.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The service said no; these are its words.
    #[error("the service refused: {0}")]
    Refused(String),
    /// The client was revoked.
    #[error("the service revoked this client")]
    Revoked,
    /// The answer is not what a service says.
    #[error("the answer is not that of a Lode service")]
    Foreign,
}

#[derive(Deserialize)]
struct Nonce {
    nonce: String,
}

#[derive(Deserialize)]
struct Key {
    id: String,
    key: String,
}

#[derive(Deserialize)]
struct Enrolled {
    agent_id: Uuid,
    project_id: Uuid,
    config_key: String,
    client_key: Key,
    token: String,
}

/// Enrols with an app key; gives who the client is now, and a token.
///
/// Errors: [`EnrolError`]; nothing changed then but, at most, one use of the key.
pub fn enrol(
    wire: &mut dyn Wire,
    server: &str,
    app_key: &str,
    os: &str,
) -> Result<(Identity, Zeroizing<String>), EnrolError> {
    let key_id = id_of(app_key).ok_or(EnrolError::Typo)?;
    let mut seed = Zeroizing::new([0; 32]);
    rand::rng().fill_bytes(&mut seed[..]);
    let key = SigningKey::from_bytes(&seed);
    let public_key = encode(key.verifying_key().as_bytes());
    let nonce = nonce(wire)?;
    let signature = sign(&key, &format!("lode-enrol-1\n{nonce}\n{key_id}\n{public_key}"));
    let body = json!({
        "key": app_key, "public_key": public_key, "nonce": nonce, "signature": signature,
        "os": os, "version": env!("CARGO_PKG_VERSION"),
    });
    let enrolled: Enrolled = post(wire, "enrol", &body)?;
    let client_key = (enrolled.client_key.id, enrolled.client_key.key);
    let identity = Identity::new(server, enrolled.agent_id, enrolled.project_id, &key, enrolled.config_key, client_key);
    let is_whole = identity.config_key().is_some() && identity.hash().is_some();
    if is_whole { Ok((identity, Zeroizing::new(enrolled.token))) } else { Err(EnrolError::Foreign) }
}

/// Asks for a token, proving who the client is.
///
/// Errors: [`EnrolError::Revoked`] if it is one no more.
pub fn token(wire: &mut dyn Wire, identity: &Identity) -> Result<Zeroizing<String>, EnrolError> {
    #[derive(Deserialize)]
    struct Token {
        token: String,
    }
    let key = identity.signing_key().ok_or(EnrolError::Foreign)?;
    let nonce = nonce(wire)?;
    let signature = sign(&key, &format!("lode-token-1\n{nonce}\n{}", identity.agent_id));
    let body = json!({ "agent_id": identity.agent_id, "nonce": nonce, "signature": signature });
    let answer: Token = post(wire, "token", &body)?;
    Ok(Zeroizing::new(answer.token))
}

fn nonce(wire: &mut dyn Wire) -> Result<String, EnrolError> {
    let answer: Nonce = post(wire, "nonce", &json!({}))?;
    Ok(answer.nonce)
}

fn sign(key: &SigningKey, text: &str) -> String {
    encode(&key.sign(text.as_bytes()).to_bytes())
}

fn post<T: serde::de::DeserializeOwned>(
    wire: &mut dyn Wire,
    call: &str,
    body: &serde_json::Value,
) -> Result<T, EnrolError> {
    let reply = wire.call(&Request { call, token: None, body: Some(Body::Json(body)) })?;
    if !(200..300).contains(&reply.status) {
        return Err(if reply.code() == "revoked" {
            EnrolError::Revoked
        } else {
            EnrolError::Refused(reply.sentence())
        });
    }
    reply.json().ok_or(EnrolError::Foreign)
}

/// The id in an app key; `None` if the key was mistyped.
pub fn id_of(app_key: &str) -> Option<&str> {
    let (body, check) = app_key.rsplit_once('_')?;
    let mut parts = body.split('_');
    let (prefix, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let lengths = [id.len(), secret.len(), check.len()];
    let is_formed = prefix == "lodek" && lengths == PARTS && parts.next().is_none();
    (is_formed && (checksum(body) == check || planted::is("typing-error-sent"))).then_some(id)
}

/// CRC-32 (IEEE 802.3) in base 62, as the service makes it.
fn checksum(body: &str) -> String {
    let crc = !body.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    let digit = |place: usize| BASE_62[(u64::from(crc) / 62_u64.pow(place as u32) % 62) as usize];
    (0..PARTS[2]).rev().map(|place| char::from(digit(place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_every_typing_error_in_an_app_key_is_found_without_the_service() {
        let body = format!("lodek_0123456789ab_{}", "x".repeat(43));
        let key = format!("{body}_{}", checksum(&body));
        assert_eq!(id_of(&key), Some("0123456789ab"));
        for place in 0..key.len() {
            let mut wrong = key.clone().into_bytes();
            wrong[place] = if wrong[place] == b'7' { b'8' } else { b'7' };
            assert_eq!(id_of(&String::from_utf8(wrong).unwrap()), None, "place {place}");
        }
        assert_eq!(id_of(""), None);
        assert_eq!(id_of(&key[..key.len() - 1]), None);
    }
}
