//! One simulated agent and its side of the wire.

use super::drawing;
use crate::sample_events;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::LazyLock;
use uilog::envelope::{self, Acknowledgement, Header};
use uilog::policy::{self, KeyedHash, Outcome, Policy, Variables};
use uilog::{Event, SeqRanges};
use uuid::Uuid;

/// Version that simulated clients give.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "-simulated");

/// What all of them do all day.
static DAY: LazyLock<Vec<Event>> = LazyLock::new(sample_events::made_up);

/// What stands before the header in the signed bytes of a configuration.
const CONFIGURATION_CONTEXT: &str = "lode-config-1\n";

/// An agent that is enrolled.
pub struct SimulatedClient {
    http: reqwest::Client,
    server: String,
    key: SigningKey,
    /// Its id.
    pub agent_id: Uuid,
    /// The one life of its spool.
    pub epoch: Uuid,
    token: String,
    configuration_key: VerifyingKey,
    hash: ClientHash,
    configuration: Option<(i64, Policy)>,
    session_id: Uuid,
    /// The number of the next event.
    next_seq: u64,
    /// Where it is in the made-up day.
    place: usize,
    day: &'static [Event],
    /// Pictures of events that were captured, not sent yet.
    pictures: Vec<(Uuid, Drawn)>,
    /// Numbers that the service acknowledged.
    pub acknowledged: SeqRanges,
    counters: Counters,
}

/// From what a picture is drawn.
struct Drawn {
    application: String,
    element: String,
}

/// What became of what was captured.
#[derive(Debug, Clone, Default)]
struct Counters {
    captured: u64,
    filtered: std::collections::BTreeMap<String, u64>,
    refused: u64,
}

/// How an exchange ended that the service answered.
#[derive(Debug)]
pub enum Sent {
    /// The events are there.
    Acknowledged(Acknowledgement),
    /// The service said no, and when to come back.
    Refused(StatusCode, Option<u64>),
}

/// The hash of the client key, as a desktop computes it.
#[derive(Clone)]
struct ClientHash {
    id: String,
    key: Vec<u8>,
}

impl KeyedHash for ClientHash {
    fn hash(&self, column: &str, value: &str) -> [u8; 16] {
        let mut hash = [0; 16];
        if let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.key) {
            let whole = mac.chain_update(column).chain_update([0]).chain_update(value).finalize().into_bytes();
            hash.copy_from_slice(&whole[..16]);
        }
        hash
    }
}

#[derive(Deserialize)]
struct EnrolAnswer {
    agent_id: Uuid,
    config_key: String,
    client_key: ClientKey,
    token: String,
}

#[derive(Deserialize)]
struct ClientKey {
    id: String,
    key: String,
}

#[derive(Deserialize)]
struct ConfigurationAnswer {
    header: String,
    xml: String,
    signature: String,
}

impl SimulatedClient {
    /// Enrols with an app key.
    ///
    /// Errors: the service cannot be reached or refuses; its sentence is in the message.
    pub async fn enrol(http: &reqwest::Client, server: &str, app_key: &str) -> Result<Self> {
        let mut seed = [0; 32];
        rand::rng().fill_bytes(&mut seed);
        let key = SigningKey::from_bytes(&seed);
        let public_key = URL_SAFE_NO_PAD.encode(key.verifying_key().to_bytes());
        let key_id = app_key.split('_').nth(1).context("an app key has the form lodek_<id>_<secret>_<checksum>")?;
        let nonce = nonce(http, server).await?;
        let signature = sign(&key, &format!("lode-enrol-1\n{nonce}\n{key_id}\n{public_key}"));
        let body = json!({
            "key": app_key, "public_key": public_key, "nonce": nonce, "signature": signature,
            "os": "simulated", "version": VERSION,
        });
        let answer: EnrolAnswer = serde_json::from_value(post(http, server, "enrol", &body).await?)?;
        let configuration_key: [u8; 32] = URL_SAFE_NO_PAD
            .decode(&answer.config_key)?
            .try_into()
            .map_err(|_| anyhow::anyhow!("the service gave a configuration key that is none"))?;
        let mut place = [0; 1];
        rand::rng().fill_bytes(&mut place);
        Ok(Self {
            http: http.clone(),
            server: server.to_owned(),
            key,
            agent_id: answer.agent_id,
            epoch: Uuid::new_v4(),
            token: answer.token,
            configuration_key: VerifyingKey::from_bytes(&configuration_key)?,
            hash: ClientHash { id: answer.client_key.id, key: URL_SAFE_NO_PAD.decode(&answer.client_key.key)? },
            configuration: None,
            session_id: Uuid::new_v4(),
            next_seq: 1,
            place: usize::from(place[0]),
            day: &DAY,
            pictures: Vec::new(),
            acknowledged: SeqRanges::default(),
            counters: Counters::default(),
        })
    }

    /// Asks for a new token, proving that it is who it is.
    pub async fn renew(&mut self) -> Result<()> {
        let nonce = nonce(&self.http, &self.server).await?;
        let signature = sign(&self.key, &format!("lode-token-1\n{nonce}\n{}", self.agent_id));
        let body = json!({ "agent_id": self.agent_id, "nonce": nonce, "signature": signature });
        let answer = post(&self.http, &self.server, "token", &body).await?;
        self.token = answer["token"].as_str().context("the service gave no token")?.to_owned();
        Ok(())
    }

    /// With which it speaks now, for whoever sends in its name what no client would send.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The revision that it obeys.
    pub fn revision(&self) -> Option<i64> {
        self.configuration.as_ref().map(|(revision, _)| *revision)
    }

    /// Fetches the configuration, checks its signature and that it is newer, and obeys it; says whether there was a new one.
    ///
    /// Errors: a signature that does not fit, a text that is none.
    pub async fn fetch_configuration(&mut self) -> Result<bool> {
        let have = self.revision().map_or(String::new(), |revision| format!("?have={revision}"));
        let answer = self.get(&format!("configuration{have}")).await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(false);
        }
        let answer: ConfigurationAnswer = answer.error_for_status()?.json().await?;
        let signed = [CONFIGURATION_CONTEXT, &answer.header, "\n", &answer.xml].concat();
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(&answer.signature)?)?;
        self.configuration_key
            .verify_strict(signed.as_bytes(), &signature)
            .context("the configuration is not signed by this project")?;
        let configuration = policy::parse(&answer.xml).map_err(|_| anyhow::anyhow!("the configuration has errors"))?;
        let revision = i64::from(configuration.revision);
        if self.revision().is_some_and(|known| known >= revision) {
            bail!("revision {revision} is not newer than {:?}", self.revision());
        }
        let policy = Policy::compile(&configuration, &Variables::default())
            .map_err(|_| anyhow::anyhow!("the configuration cannot be compiled"))?;
        self.configuration = Some((revision, policy));
        Ok(true)
    }

    /// Captures the next made-up actions until `count` of them are admitted, or a day's worth was looked at.
    pub fn capture(&mut self, count: usize, now_us: i64) -> Vec<Event> {
        let Some((_, policy)) = &self.configuration else { return Vec::new() };
        let mut admitted = Vec::with_capacity(count);
        let looked_at_max = count * 4 + self.day.len();
        for step in 0..looked_at_max {
            if admitted.len() == count || self.day.is_empty() {
                break;
            }
            let mut event = self.day[self.place % self.day.len()].clone();
            self.place += 1;
            self.counters.captured += 1;
            event.agent_id = self.agent_id;
            event.epoch = self.epoch;
            event.session_id = self.session_id;
            event.seq = self.next_seq;
            event.time_us = now_us + step as i64;
            event.uptime_us = u64::try_from(now_us + step as i64).ok();
            event.user_name = Some(format!("simulated-{}", self.agent_id.simple()));
            let drawn = Drawn {
                application: event.process_name.clone().unwrap_or_default(),
                element: event.element_name.clone().unwrap_or_default(),
            };
            if !drawn.element.is_empty() {
                // Of the rules alone it depends whether the event keeps it.
                event.screenshot_id = Some(Uuid::new_v4());
                event.element_box = Some(drawing::element_box(&drawn.element));
            }
            match policy.scrub(event, &self.hash) {
                Outcome::Logged(event, _) => {
                    self.next_seq += 1;
                    let event = event.into_inner();
                    self.pictures.extend(event.screenshot_id.map(|id| (id, drawn)));
                    admitted.push(event);
                }
                other => {
                    let counter = other.counter().unwrap_or_default();
                    *self.counters.filtered.entry(counter).or_default() += 1;
                }
            }
        }
        admitted
    }

    /// Packs events as they travel.
    pub fn pack(&self, events: &[Event]) -> Result<Vec<u8>> {
        let revision = self.revision().map(|revision| revision.to_string());
        let header = Header::new(self.agent_id, self.epoch, VERSION, revision.as_deref());
        Ok(envelope::encode(&header, events)?)
    }

    /// Sends an envelope, and remembers what was acknowledged.
    ///
    /// Errors: the network. What the service refuses is a [`Sent::Refused`].
    pub async fn send(&mut self, packed: Vec<u8>) -> Result<Sent> {
        let request = self.http.post(format!("{}/client/v1/events", self.server)).bearer_auth(&self.token);
        let answer = request.header("content-type", "application/x-lode-envelope").body(packed).send().await?;
        if answer.status() != StatusCode::OK {
            let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            return Ok(Sent::Refused(answer.status(), wait));
        }
        let acknowledgement: Acknowledgement = answer.json().await?;
        self.acknowledged.extend(&acknowledgement.accepted);
        self.acknowledged.extend(&acknowledgement.duplicates);
        self.counters.refused += acknowledgement.rejected.len() as u64;
        Ok(Sent::Acknowledged(acknowledgement))
    }

    /// Draws and sends the pictures of events that were captured.
    ///
    /// Errors: the network; pictures that were not sent wait for the next call.
    pub async fn send_pictures(&mut self) -> Result<()> {
        while let Some((id, drawn)) = self.pictures.pop() {
            let png = drawing::window(&drawn.application, &drawn.element)?;
            if let Err(error) = self.send_picture(id, png, drawing::PLACE, &[]).await {
                self.pictures.push((id, drawn));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sends a picture of a place on the desktop, with the areas that were painted over (left, top, width, height, reason);
    /// gives the answer.
    ///
    /// Errors: the network.
    pub async fn send_picture(
        &self,
        id: Uuid,
        png: Vec<u8>,
        place: [i32; 4],
        masks: &[(u32, u32, u32, u32, &str)],
    ) -> Result<(u16, Value)> {
        let areas = masks.iter().map(|(x, y, width, height, reason)| {
            json!({ "x": x, "y": y, "width": width, "height": height, "reason": reason })
        });
        let note = json!({ "place": place, "masks": Value::from_iter(areas) });
        let note = URL_SAFE_NO_PAD.encode(note.to_string());
        let request = self.http.put(format!("{}/client/v1/screenshots/{id}", self.server)).bearer_auth(&self.token);
        let answer = request.header("content-type", "image/png").header("lode-picture", note).body(png).send().await?;
        Ok((answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null)))
    }

    /// Says how it is; fetches a new configuration if there is one, and returns the seconds until the next time.
    pub async fn beat(&mut self, state: &str) -> Result<u64> {
        let request = self.http.post(format!("{}/client/v1/heartbeat", self.server)).bearer_auth(&self.token);
        let answer = request.json(&self.status(state)).send().await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            self.renew().await?;
            return Ok(1);
        }
        let answer: Value = answer.error_for_status()?.json().await?;
        if let Some(key) = answer.get("client_key").filter(|key| !key.is_null()) {
            let key: ClientKey = serde_json::from_value(key.clone())?;
            self.hash = ClientHash { id: key.id, key: URL_SAFE_NO_PAD.decode(&key.key)? };
        }
        let newest = answer["newest_revision"].as_i64();
        if newest.is_some() && newest != self.revision() && answer["state"] == "active" {
            self.fetch_configuration().await?;
        }
        Ok(answer["next_s"].as_u64().unwrap_or(60))
    }

    fn status(&self, state: &str) -> Value {
        let stored = self.acknowledged.count();
        let waiting = self.next_seq - 1 - stored - self.counters.refused;
        json!({
            "agent_id": self.agent_id, "state": state, "why": null, "version": VERSION, "os": "simulated",
            "config_revision": self.revision(), "consent": 1, "session_id": self.session_id, "epoch": self.epoch,
            "client_key": self.hash.id,
            "spool": { "events": waiting, "bytes": waiting * 300, "screenshots": 0, "oldest": null },
            "counters": {
                "captured": self.counters.captured, "stored": stored, "filtered": self.counters.filtered, "merged": 0,
                "dropped": {}, "refused": self.counters.refused, "waiting": waiting, "erased": 0,
            },
            "capabilities": { "keys": "yes", "elements": "yes", "pictures": "yes" },
            "self": { "rss_bytes": 0, "cpu_ms_per_min": 0 },
            "last_error": null,
        })
    }

    async fn get(&self, path: &str) -> Result<reqwest::Response> {
        Ok(self.http.get(format!("{}/client/v1/{path}", self.server)).bearer_auth(&self.token).send().await?)
    }
}

fn sign(key: &SigningKey, message: &str) -> String {
    URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).to_bytes())
}

async fn nonce(http: &reqwest::Client, server: &str) -> Result<String> {
    let answer = post(http, server, "nonce", &json!({})).await?;
    Ok(answer["nonce"].as_str().context("the service gave no nonce")?.to_owned())
}

/// Posts JSON; an error of the service becomes its own sentence.
async fn post(http: &reqwest::Client, server: &str, call: &str, body: &Value) -> Result<Value> {
    let answer = http.post(format!("{server}/client/v1/{call}")).json(body).send().await;
    let answer = answer.with_context(|| format!("cannot reach {server}"))?;
    let (status, text) = (answer.status(), answer.text().await?);
    if !status.is_success() {
        let said: Value = serde_json::from_str(&text).unwrap_or_default();
        let sentence = |name: &str| said["error"][name].as_str().unwrap_or("").to_owned();
        bail!("{server} refused ({status}): {}; {}", sentence("message"), sentence("hint"));
    }
    serde_json::from_str(&text).context("the service's answer is no JSON")
}
