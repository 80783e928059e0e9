//! Secrets in files that DPAPI sealed for this Windows user, in the user's own folder.

use crate::paths;
use crate::win32::secrets::{open, seal};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// How well secrets are protected here, as `status` says it.
pub const PROTECTION: &str = "DPAPI, for this Windows user alone";

/// The most bytes of a secret, sealed.
const BYTES_MAX: u64 = 128 << 10;

/// Reads a secret; `None` if there is none.
///
/// Errors: the file cannot be read, or another user sealed it.
pub fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut sealed = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut sealed)?;
    open(&sealed).map(Some)
}

/// Writes a secret: the old one or the new one, never a part.
///
/// Errors: the disk, or Windows has no key for this user.
pub fn write(path: &Path, secret: &[u8]) -> io::Result<()> {
    paths::write_private(path, &seal(secret)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d13_a_secret_is_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool.key");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, b"one").unwrap();
        write(&path, b"two, which nobody reads").unwrap();
        assert_eq!(&read(&path).unwrap().unwrap()[..], b"two, which nobody reads");
        let sealed = std::fs::read(&path).unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"nobody"), "it lies there in clear");
        std::fs::write(&path, b"two, which nobody reads").unwrap();
        assert!(read(&path).is_err(), "what nobody sealed is no secret");
    }
}
