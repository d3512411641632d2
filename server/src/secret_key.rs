//! The server's key: 32 random bytes in a file that only the server can read. Every other key is derived from it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Length of the key and of everything derived from it, in bytes.
pub const LENGTH: usize = 32;

/// The key. No `Debug`, no `Display`: it leaves the process in no form.
pub struct SecretKey([u8; LENGTH]);

/// Why the key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    /// The file cannot be read or made.
    #[error("the server's key {path}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Others than the server could read it.
    #[error("the server's key {path} can be read by others: run `chmod 600` on it")]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// It is not a key.
    #[error("the server's key {path} is not 32 bytes long: make one with `head -c 32 /dev/urandom`")]
    Length {
        /// The file.
        path: PathBuf,
    },
}

impl SecretKey {
    /// Reads the key from `path`.
    ///
    /// # Errors
    /// [`SecretKeyError`] if it is missing, open to others or not 32 bytes long.
    pub fn read(path: &Path) -> Result<Self, SecretKeyError> {
        let io_error = |cause| SecretKeyError::Io { path: path.to_owned(), cause };
        let mut file = File::open(path).map_err(io_error)?;
        if file.metadata().map_err(io_error)?.mode() & 0o077 != 0 {
            return Err(SecretKeyError::Open { path: path.to_owned() });
        }
        let mut bytes = Vec::with_capacity(LENGTH);
        Read::by_ref(&mut file).take(LENGTH as u64 + 1).read_to_end(&mut bytes).map_err(io_error)?;
        bytes.try_into().map(Self).map_err(|_| SecretKeyError::Length { path: path.to_owned() })
    }

    /// Reads the key from `path`, making it first where there is none.
    ///
    /// # Errors
    /// As [`SecretKey::read`].
    pub fn read_or_make(path: &Path) -> Result<Self, SecretKeyError> {
        if !path.exists() {
            make(path).map_err(|cause| SecretKeyError::Io { path: path.to_owned(), cause })?;
        }
        Self::read(path)
    }

    /// One that nothing was made with and nothing will be, for whoever only looks at what needs no key.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn of_nobody() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The key for one `purpose`: HMAC-SHA256 of its name, so that no derived key says anything of another.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; LENGTH] {
        mac(&self.0, purpose.as_bytes())
    }
}

/// HMAC-SHA256 of `message` (RFC 2104).
#[must_use]
pub fn mac(key: &[u8; LENGTH], message: &[u8]) -> [u8; LENGTH] {
    // HMAC pads a short key with zeros to the hash's block; padded here, the constructor cannot fail.
    let mut block = [0; 64];
    block[..LENGTH].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Makes the file whole or not at all: written beside, then linked to its name, which fails if another process was faster.
fn make(path: &Path) -> io::Result<()> {
    let mut key = [0; LENGTH];
    getrandom::fill(&mut key)?;
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(&key)?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn is_made_once_and_only_for_us() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let made = SecretKey::read_or_make(&path).unwrap();
        let read = SecretKey::read_or_make(&path).unwrap();
        assert_eq!(made.derive("a"), read.derive("a"));
        assert_ne!(made.derive("a"), made.derive("b"));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn is_refused_if_open_or_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        assert!(matches!(SecretKey::read(&path), Err(SecretKeyError::Io { .. })));
        for (content, mode, expected) in
            [(32, 0o640, "read by others"), (31, 0o600, "32 bytes"), (33, 0o600, "32 bytes")]
        {
            fs::write(&path, vec![1; content]).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = SecretKey::read(&path).err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_code_is_hmac_sha256() {
        // RFC 4231, test case 2 has a shorter key; case 1's is padded here to our length with zeros, which HMAC does itself.
        let mut key = [0; LENGTH];
        key[..20].fill(0x0b);
        let expected = [0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53];
        assert_eq!(mac(&key, b"Hi There")[..8], expected);
    }
}
