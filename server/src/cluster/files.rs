//! Small file operations that stay safe where somebody else can write beside us.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

use super::ClusterError;
use super::account::Account;

/// Makes a folder with exactly `mode`, whatever the umask; an existing one is an error.
pub(super) fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new().mode(mode).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Opens a file of ours for writing, made with mode 0600 when absent; a symlink in its place is refused.
pub(super) fn open(path: &Path, truncate: bool) -> Result<File, ClusterError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(truncate).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    options.open(path).map_err(ClusterError::file("open", path))
}

/// Puts `text` in place of `path` in one step, owned by `account` and readable by it alone.
pub(super) fn replace(path: &Path, text: &str, account: &Account) -> Result<(), ClusterError> {
    let new = path.with_extension("new");
    remove_if_there(&new)?;
    write_new(&new, text).map_err(ClusterError::file("write", &new))?;
    account.own(&new)?;
    fs::rename(&new, path).map_err(ClusterError::file("replace", path))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Removes a file; one that is not there is no error.
pub(super) fn remove_if_there(path: &Path) -> Result<(), ClusterError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ClusterError::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Makes the renames and new files in a folder survive a loss of power.
pub(super) fn sync_folder(path: &Path) -> Result<(), ClusterError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(ClusterError::file("sync", path))
}

/// The last lines of what a program said, on one line, short enough for a sentence.
pub(super) fn last_words(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join(" | ")
}
