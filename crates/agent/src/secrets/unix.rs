//! Secrets in files of mode 0600 in a folder of mode 0700.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// How well secrets are protected here, as `status` says it.
pub const PROTECTION: &str = "file, not protected from who has the disk";

/// The most bytes of a secret.
const BYTES_MAX: u64 = 64 << 10;

/// Reads a secret; `None` if there is none.
///
/// Errors: the file cannot be read, or others may read it too.
pub fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        let message = format!("'{}' can be read by others; chmod 600 it", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    let mut secret = Zeroizing::new(Vec::new());
    file.take(BYTES_MAX).read_to_end(&mut secret)?;
    Ok(Some(secret))
}

/// Writes a secret: the old one or the new one, never a part.
///
/// Errors: the disk.
pub fn write(path: &Path, secret: &[u8]) -> io::Result<()> {
    crate::paths::write_private(path, secret)
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
        write(&path, b"two").unwrap();
        assert_eq!(&read(&path).unwrap().unwrap()[..], b"two");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("chmod 600"));
    }
}
