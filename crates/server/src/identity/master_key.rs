//! The master key: the one secret outside the data folder, with which secrets inside the control database are sealed.
//!
//! Whoever copies the data folder, or a backup of it, has the sealed texts and not the key (promise S12). The key comes
//! from a file that the person names, or from one that Lode makes at its first start, beside its other settings. Losing it
//! loses second factors, stored secrets of other services, and the key that signs the audit log's head; no event.

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use rand::Rng;
use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use store::control::Control;
use store::files::hex;

/// Bytes of the key.
const KEY_BYTES: usize = 32;

/// Bytes of a nonce, random for every text.
const NONCE_BYTES: usize = 12;

/// Hex digits by which a key is known.
const KEY_ID_CHARS: usize = 8;

/// First part of a sealed text: the form it has.
const FORM: &str = "sealed1";

/// The setting that only the right key opens.
const PROOF_SETTING: &str = "master_key_proof";

/// Seals texts with the master key.
pub struct Sealer {
    cipher: ChaCha20Poly1305,
    key_id: String,
    path: PathBuf,
}

/// Where the key is unless somebody names a file: `$XDG_CONFIG_HOME/lode/master.key`.
pub fn default_path() -> PathBuf {
    let home = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    home.or_else(|| std::env::var_os("APPDATA").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("."))
        .join("lode/master.key")
}

impl Sealer {
    /// Reads the key of a data folder, or makes it if the folder has never had one.
    ///
    /// `named` is the file that the person named; without it the one at [`default_path`] is used.
    ///
    /// Errors: a key that lies inside the data folder, is missing although something was sealed, is not the one that the
    /// folder's secrets were sealed with, or is no key at all; each says which file and what to do.
    pub async fn open(named: Option<&Path>, data_folder: &Path, control: &Control) -> Result<Self> {
        let path = named.map_or_else(default_path, Path::to_owned);
        if lies_inside(&path, data_folder) {
            bail!(
                "the master key '{}' lies inside the data folder, so that whoever copies the one has the other; \
                 put it elsewhere and name it with --master-key",
                path.display()
            );
        }
        let proof = control.setting(PROOF_SETTING).await?;
        let sealer = match read(&path)? {
            Some(key) => Self::new(&key, path.clone()),
            None if proof.is_some() => bail!(
                "the master key '{}' is missing; this data folder's secrets were sealed with it: bring it back, or name \
                 its place with --master-key",
                path.display()
            ),
            None => {
                let key = make(&path)?;
                Self::new(&key, path.clone())
            }
        };
        let proof = match proof {
            Some(proof) => proof,
            None => control.setting_or(PROOF_SETTING, &sealer.seal(PROOF_SETTING, PROOF_SETTING)?).await?,
        };
        sealer.unseal(PROOF_SETTING, &proof).with_context(|| {
            format!(
                "'{}' is not the master key of this data folder; name the right one with --master-key",
                path.display()
            )
        })?;
        Ok(sealer)
    }

    fn new(key: &[u8; KEY_BYTES], path: PathBuf) -> Self {
        let key_id = hex(&Sha256::digest(key))[..KEY_ID_CHARS].to_owned();
        Self { cipher: ChaCha20Poly1305::new(&Key::from(*key)), key_id, path }
    }

    /// The file of the key, which lies outside the data folder; what backups must not hold may lie beside it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text sealed: `sealed1.<key id>.<base64url>`. It opens only under the same `purpose`, so that one secret cannot
    /// be put into another one's place; name the row in it: `totp/<account>`.
    ///
    /// Errors: none in practice; the cipher's are passed on.
    pub fn seal(&self, purpose: &str, text: &str) -> Result<String> {
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload { msg: text.as_bytes(), aad: purpose.as_bytes() };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| anyhow::anyhow!("cannot seal '{purpose}'"))?;
        Ok(format!("{FORM}.{}.{}", self.key_id, URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())))
    }

    /// Opens a sealed text.
    ///
    /// Errors: it was sealed with another key, for another purpose, or is damaged.
    pub fn unseal(&self, purpose: &str, sealed: &str) -> Result<Zeroizing<String>> {
        let mut parts = sealed.splitn(3, '.');
        let (form, key_id, text) = (parts.next(), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        if form != Some(FORM) {
            bail!("the secret '{purpose}' has a form that this version does not know");
        }
        if key_id != self.key_id {
            bail!("the secret '{purpose}' was sealed with master key {key_id}, this one is {}", self.key_id);
        }
        let damaged = || anyhow::anyhow!("the secret '{purpose}' is damaged");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| damaged())?;
        let (nonce, body) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(damaged)?;
        let payload = Payload { msg: body, aad: purpose.as_bytes() };
        let opened = self.cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| damaged())?;
        String::from_utf8(opened).map(Zeroizing::new).map_err(|_| damaged())
    }
}

fn lies_inside(path: &Path, folder: &Path) -> bool {
    // The file need not be there yet; its nearest folder that is decides, with links followed.
    let place = path.ancestors().skip(1).find_map(|place| {
        std::fs::canonicalize(if place.as_os_str().is_empty() { Path::new(".") } else { place }).ok()
    });
    let folder = std::fs::canonicalize(folder).ok();
    let linked = std::fs::canonicalize(path).ok();
    let inside = |path: &Option<PathBuf>| {
        path.as_ref().zip(folder.as_ref()).is_some_and(|(path, folder)| path.starts_with(folder))
    };
    inside(&place) || inside(&linked)
}

fn read(path: &Path) -> Result<Option<Zeroizing<[u8; KEY_BYTES]>>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read the master key '{}'", path.display())),
    };
    let wrong = || format!("'{}' is no master key: it holds 64 hexadecimal digits and nothing else", path.display());
    let digits = text.trim();
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    if digits.len() != 2 * KEY_BYTES || !digits.is_ascii() {
        bail!(wrong());
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).with_context(wrong)?;
    }
    Ok(Some(key))
}

/// Makes a key that only its owner can read; if another process is faster, takes that one's.
fn make(path: &Path) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
    let failed = || format!("cannot make the master key '{}'; name another place with --master-key", path.display());
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    rand::rng().fill_bytes(&mut key[..]);
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(failed)?;
    let partial = folder.join(format!(".master-key-{}", uuid::Uuid::new_v4()));
    let published = || -> std::io::Result<()> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&partial)?;
        file.write_all(format!("{}\n", hex(&key[..])).as_bytes())?;
        file.sync_all()?;
        // Unlike a rename, a link never replaces a key that is there.
        std::fs::hard_link(&partial, path)
    };
    let result = published();
    let _ = std::fs::remove_file(&partial);
    match result {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => read(path)?.with_context(failed),
        Err(error) => Err(error).with_context(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s12_a_sealed_text_opens_with_its_key_for_its_purpose_only() {
        let (ours, theirs) = (Sealer::new(&[7; 32], PathBuf::new()), Sealer::new(&[8; 32], PathBuf::new()));
        let sealed = ours.seal("totp/ann", "canary").unwrap();
        assert!(!sealed.contains("canary"));
        assert_eq!(ours.unseal("totp/ann", &sealed).unwrap().as_str(), "canary");
        assert!(ours.unseal("totp/bob", &sealed).is_err(), "another row took the secret");
        let error = theirs.unseal("totp/ann", &sealed).unwrap_err().to_string();
        assert!(error.contains("sealed with master key"), "{error}");
        let mut damaged = sealed.clone().into_bytes();
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        assert!(ours.unseal("totp/ann", &String::from_utf8(damaged).unwrap()).is_err());
        assert_ne!(sealed, ours.seal("totp/ann", "canary").unwrap(), "a nonce was used twice");
    }

    #[tokio::test]
    async fn s12_the_key_is_made_once_outside_the_data_folder_and_asked_for_ever_after() {
        let place = tempfile::tempdir().unwrap();
        let (data, path) = (place.path().join("data"), place.path().join("keys/master.key"));
        std::fs::create_dir(&data).unwrap();
        let control = Control::open_file(&data.join("control.sqlite")).await.unwrap();
        let open = async |path: &Path| Sealer::open(Some(path), &data, &control).await.map(|_| ());
        let refused = |result: Result<()>| format!("{:#}", result.unwrap_err());

        assert!(refused(open(&data.join("master.key")).await).contains("lies inside the data folder"));
        open(&path).await.unwrap();
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
        open(&path).await.unwrap();

        std::fs::rename(&path, place.path().join("aside")).unwrap();
        assert!(refused(open(&path).await).contains("is missing"));
        std::fs::write(&path, "ab".repeat(32)).unwrap();
        assert!(refused(open(&path).await).contains("is not the master key of this data folder"));
        std::fs::write(&path, "hello").unwrap();
        assert!(refused(open(&path).await).contains("is no master key"));
        std::fs::rename(place.path().join("aside"), &path).unwrap();
        open(&path).await.unwrap();
    }
}
