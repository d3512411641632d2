//! The folder of the unix socket: short enough for the kernel, and nobody's but ours.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::account::Account;
use super::{ClusterError, PORT, files};

/// `sun_path` holds 107 bytes and a NUL; `/.s.PGSQL.5432` takes 14 of them.
const LONGEST: usize = 107 - 14;

/// Where the socket of `data_dir` (absolute) belongs.
///
/// Inside the data folder when the path is short and plain: no cleaner, no private `/tmp` and no stranger is in the
/// way there. Otherwise in `/tmp`, under a name made from the path. `XDG_RUNTIME_DIR` would vanish at log-out, under
/// a running server.
pub(super) fn choose(data_dir: &Path, account: &Account) -> PathBuf {
    let inside = data_dir.join("socket");
    if fits(&inside) {
        inside
    } else {
        PathBuf::from(format!("/tmp/orgtrail-{}-{}", account.uid, short_hash(data_dir)))
    }
}

/// Plain letters need no quoting in a URL, in `postgresql.conf` or in a shell.
fn fits(folder: &Path) -> bool {
    let bytes = folder.as_os_str().as_encoded_bytes();
    bytes.len() <= LONGEST && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(byte))
}

/// Eight hexadecimal digits.
fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    format!("{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
}

/// Makes the folder, 0700 and owned by `account`; one that is a symlink or belongs to somebody else is refused.
///
/// Root enters it too, as it enters every folder.
pub(super) fn make(folder: &Path, account: &Account) -> Result<(), ClusterError> {
    match files::make_folder(folder, 0o700) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check(folder, account)?,
        Err(error) => return Err(ClusterError::file("make", folder)(error)),
    }
    account.own(folder)
}

fn check(folder: &Path, account: &Account) -> Result<(), ClusterError> {
    let found = folder.symlink_metadata().map_err(ClusterError::file("inspect", folder))?;
    // Root's own folder is one that was made and not yet given away when we were killed.
    let ours = found.is_dir() && (found.uid() == account.uid || found.uid() == 0);
    if !ours {
        return Err(ClusterError::ForeignSocketFolder { folder: folder.to_owned(), user: account.name.clone() });
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(ClusterError::file("close", folder))
}

/// Removes the socket and its lock file that a crash left behind. Only for a starter that found no postmaster alive:
/// Postgres itself would refuse a lock file whose number has since gone to another process.
pub(super) fn clear(folder: &Path) -> Result<(), ClusterError> {
    let socket = format!(".s.PGSQL.{PORT}");
    files::remove_if_there(&folder.join(format!("{socket}.lock")))?;
    files::remove_if_there(&folder.join(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_plain_path_holds_the_socket_itself() {
        assert!(fits(Path::new("/var/lib/orgtrail/socket")));
        assert!(!fits(Path::new("/home/a b/data/socket")));
        assert!(!fits(&Path::new("/").join("x".repeat(LONGEST))));
        assert!(fits(&Path::new("/").join("x".repeat(LONGEST - 1))));
    }

    #[test]
    fn the_hash_of_a_path_is_eight_digits_and_its_own() {
        let one = short_hash(Path::new("/a"));
        assert_eq!(one.len(), 8);
        assert_ne!(one, short_hash(Path::new("/b")));
    }
}
