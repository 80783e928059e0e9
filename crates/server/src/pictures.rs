//! Pictures of clients: encoded anew, encrypted with a key of the participant's day, kept; and opened again.
//!
//! ```text
//! sent PNG ─ worker: decode, encode ─▶ our PNG ─ encrypt ─▶ synced file ─▶ row ─▶ receipt
//! ```
//!
//! The keys stand sealed in the database and nowhere else, so that whoever destroys the key of a day has destroyed its
//! pictures, those in backups of the files too (promise D8). What is absent: nothing here looks at what a picture shows.

use crate::confined::{Program, pictures::sides, recode};
use crate::identity::Identity;
use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce};
use rand::Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use store::Store;
use store::files::hex;
use store::ingest::pictures::{Kept, PROJECT_BYTES_MAX, Picture};
use tokio::sync::{Mutex, Semaphore};
use uilog::planted;
use utoipa::ToSchema;
use uuid::Uuid;

/// Pictures that are encoded at once; each takes a process.
const ENCODING_MAX: usize = 4;

/// Pictures that may wait for their turn; whoever comes then is sent away for a while.
const WAITING_MAX: usize = 64;

/// Bytes of a nonce.
const NONCE_BYTES: usize = 12;

/// A day, in microseconds.
const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// A picture as a client sends it.
#[derive(Debug)]
pub struct Sent {
    /// Id of the project.
    pub project: String,
    /// The agent.
    pub agent_id: Uuid,
    /// As events name it.
    pub screenshot_id: Uuid,
    /// The PNG.
    pub png: Vec<u8>,
    /// What the client says of it.
    pub note: Note,
}

/// What is known of a picture without its pixels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The part of the virtual desktop that it shows: x, y, width, height in physical pixels; absent if the client did not say.
    pub place: Option<[i32; 4]>,
    /// What was painted over.
    pub masks: Vec<Area>,
}

/// An area that was painted over, in pixels of the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Why: `window`, `password`, `pattern` …, [`COVERED`]; never what stood there.
    pub reason: String,
}

/// Areas of one picture at most.
pub const MASKS_MAX: usize = 500;

/// The reason of areas that a person covered afterwards.
pub const COVERED: &str = "covered";

/// Why a picture was not kept.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It is at fault.
    #[error("the picture was refused: {0}")]
    Refused(String),
    /// There is no room now.
    #[error("too many pictures wait")]
    Busy,
    /// The project's pictures take all the room they may.
    #[error("the pictures of this project take {} GiB, which is all they may", PROJECT_BYTES_MAX >> 30)]
    Full,
    /// This service failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// How long a sum of a project's pictures is believed: summing them all for each that comes would take longer with each.
const SUM_US: i64 = 60_000_000;

/// Keeps and opens pictures.
pub struct Pictures {
    store: Store,
    identity: Arc<Identity>,
    program: Program,
    encoding: Semaphore,
    waiting: Semaphore,
    sums: Mutex<HashMap<String, Sum>>,
}

/// Bytes of a project's pictures.
struct Sum {
    bytes: i64,
    /// When the database was asked.
    asked_at_us: i64,
}

impl Pictures {
    /// Pictures in a store; `program` looks at them first.
    pub fn new(store: Store, identity: Arc<Identity>, program: Program) -> Self {
        let (encoding, waiting) = (Semaphore::new(ENCODING_MAX), Semaphore::new(WAITING_MAX));
        Self { store, identity, program, encoding, waiting, sums: Mutex::default() }
    }

    /// Bytes of a project's pictures. The database is asked now and then; what is kept in between is added by
    /// [`Pictures::keep`], and what is removed is noticed the next time.
    async fn bytes_of(&self, project: &str, now_us: i64) -> Result<i64> {
        let known =
            self.sums.lock().await.get(project).filter(|sum| now_us - sum.asked_at_us < SUM_US).map(|sum| sum.bytes);
        if let Some(bytes) = known {
            return Ok(bytes);
        }
        let bytes = self.store.ingest().picture_bytes(project).await?;
        self.sums.lock().await.insert(project.to_owned(), Sum { bytes, asked_at_us: now_us });
        Ok(bytes)
    }

    /// Keeps a picture; it is durable when this returns. The same one again changes nothing.
    pub async fn keep(&self, sent: Sent, now_us: i64) -> Result<Kept, PictureError> {
        sides(&sent.png).map_err(PictureError::Refused)?;
        let sent_sha256 = hex(&Sha256::digest(&sent.png));
        let (project, agent, id) = (&sent.project, sent.agent_id.to_string(), sent.screenshot_id.to_string());
        let ingest = self.store.ingest();
        if let Ok(there) = ingest.picture(project, &id).await {
            let same = there.sent_sha256 == sent_sha256 && there.agent_id == agent;
            return Ok(if same { Kept::Again } else { Kept::Conflict });
        }
        let _waits = self.waiting.try_acquire().map_err(|_| PictureError::Busy)?;
        if self.bytes_of(project, now_us).await? > PROJECT_BYTES_MAX {
            return Err(PictureError::Full);
        }
        let ours = {
            let _turn = self.encoding.acquire().await.map_err(anyhow::Error::from)?;
            recode(&self.program, sent.png, &[]).await.map_err(PictureError::Refused)?
        };
        let (width, height) = sides(&ours).map_err(|error| anyhow!("a worker gave no picture: {error}"))?;
        let day = now_us.div_euclid(DAY_US);
        let sealed = self.encrypt(project, &agent, day, &id, &ours).await?;
        let picture = Picture {
            path: new_path(project, &agent, day),
            screenshot_id: id,
            agent_id: agent,
            day,
            sent_sha256,
            bytes: sealed.len() as i64,
            width: i64::from(width),
            height: i64::from(height),
            note: serde_json::to_string(&sent.note).map_err(anyhow::Error::from)?,
            received_at_us: now_us,
            hidden: false,
        };
        self.store.write_picture(&picture.path, sealed).await.map_err(anyhow::Error::from)?;
        let kept = ingest.put_picture(project, &picture).await.map_err(anyhow::Error::from)?;
        if kept != Kept::New {
            self.store.remove_picture_file(&picture.path).await.map_err(anyhow::Error::from)?;
        } else if let Some(sum) = self.sums.lock().await.get_mut(project) {
            sum.bytes += picture.bytes;
        }
        Ok(kept)
    }

    /// Paints areas of a picture over for good: the stored picture is written anew and the old file goes.
    ///
    /// Errors: it cannot be opened or written; then nothing has changed.
    pub async fn cover(&self, project: &str, picture: &Picture, areas: Vec<Area>) -> Result<()> {
        let mut note: Note = serde_json::from_str(&picture.note)?;
        let png = self.open(project, picture).await?;
        let places: Vec<[u32; 4]> = areas
            .iter()
            .filter(|_| !planted::is("cover-in-name-only"))
            .map(|area| [area.x, area.y, area.width, area.height])
            .collect();
        let covered = {
            let _turn = self.encoding.acquire().await?;
            recode(&self.program, png, &places).await.map_err(|error| anyhow!(error))?
        };
        let (agent, day) = (&picture.agent_id, picture.day);
        let sealed = self.encrypt(project, agent, day, &picture.screenshot_id, &covered).await?;
        note.masks.extend(areas);
        let path = new_path(project, agent, day);
        let bytes = sealed.len() as i64;
        let next = Picture { path, bytes, note: serde_json::to_string(&note)?, ..picture.clone() };
        self.store.write_picture(&next.path, sealed).await?;
        if !self.store.ingest().replace_picture(project, picture, &next).await? {
            self.store.remove_picture_file(&next.path).await?;
            bail!("somebody else changed it meanwhile");
        }
        Ok(self.store.remove_picture_file(&picture.path).await?)
    }

    /// The PNG of a picture.
    ///
    /// Errors: its key was destroyed, its file is gone or damaged.
    pub async fn open(&self, project: &str, picture: &Picture) -> Result<Vec<u8>> {
        let (agent, day) = (&picture.agent_id, picture.day);
        let sealed = self.store.ingest().find_picture_key(project, agent, day).await?;
        let sealed = sealed.context("the key of this picture was destroyed")?;
        let cipher = self.cipher(project, agent, day, &sealed)?;
        let bytes = self.store.read_picture(&picture.path).await?;
        let (nonce, body) = bytes.split_first_chunk::<NONCE_BYTES>().context("the file of this picture is damaged")?;
        let payload = Payload { msg: body, aad: picture.screenshot_id.as_bytes() };
        cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| anyhow!("the file of this picture is damaged"))
    }

    async fn encrypt(&self, project: &str, agent: &str, day: i64, id: &str, png: &[u8]) -> Result<Vec<u8>> {
        let mut key = [0; 32];
        rand::rng().fill_bytes(&mut key);
        let new = self.identity.sealer.seal(&purpose(project, agent, day), &URL_SAFE_NO_PAD.encode(key))?;
        let sealed = self.store.ingest().picture_key(project, agent, day, &new).await?;
        let cipher = self.cipher(project, agent, day, &sealed)?;
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload { msg: png, aad: id.as_bytes() };
        let body =
            cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| anyhow!("a picture cannot be encrypted"))?;
        Ok([&nonce[..], &body].concat())
    }

    fn cipher(&self, project: &str, agent: &str, day: i64, sealed: &str) -> Result<ChaCha20Poly1305> {
        let text = self.identity.sealer.unseal(&purpose(project, agent, day), sealed)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes())?;
        let Ok(key) = <[u8; 32]>::try_from(bytes) else { bail!("a key of pictures has not 32 bytes") };
        Ok(ChaCha20Poly1305::new(&Key::from(key)))
    }
}

/// The first day, counted from 1970, of which pictures are kept.
pub fn first_day(picture_days: u32, now_us: i64) -> i64 {
    now_us.div_euclid(DAY_US) - (i64::from(picture_days) - 1)
}

/// Another name every time: a file that a power cut left is never one that a row names.
fn new_path(project: &str, agent: &str, day: i64) -> String {
    format!("{project}/{agent}/{day}/{}", Uuid::now_v7())
}

fn purpose(project: &str, agent: &str, day: i64) -> String {
    format!("pictures/{project}/{agent}/{day}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d9_pictures_of_today_and_the_days_before_it_are_kept_and_never_one_more() {
        let noon = 100 * DAY_US + DAY_US / 2;
        assert_eq!(first_day(14, noon), 87);
        assert_eq!(first_day(1, noon), 100);
    }
}
