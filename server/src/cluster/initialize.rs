//! Making the cluster, once and whole.

use std::fs;
use std::path::Path;

use super::account::Account;
use super::binaries::{self, Binaries};
use super::{ClusterError, Role, files};

/// Begins the name of a cluster that is being made.
const HALF_MADE: &str = "postgres.half-made-";

/// Makes the cluster unless it exists: beside its place first, renamed only when it is complete, so that an interrupted
/// first start leaves nothing that could be taken for a cluster.
pub(super) async fn once(
    data_dir: &Path,
    cluster: &Path,
    binaries: &Binaries,
    account: &Account,
) -> Result<(), ClusterError> {
    sweep(data_dir);
    if binaries::made_by(cluster).is_some() {
        return Ok(());
    }
    // A new name each time: the initdb of a starter that was killed may still be at work under the last one.
    let half_made = tempfile::Builder::new().prefix(HALF_MADE).tempdir_in(data_dir);
    let half_made = half_made.map_err(ClusterError::file("make a folder in", data_dir))?;
    account.own(half_made.path())?;
    initdb(half_made.path(), binaries, account).await?;
    fs::rename(half_made.keep(), cluster).map_err(ClusterError::file("rename the new cluster to", cluster))?;
    files::sync_folder(data_dir)
}

/// Removes what interrupted first starts left behind; what cannot go yet is tried again at the next start.
fn sweep(data_dir: &Path) {
    let Ok(entries) = fs::read_dir(data_dir) else { return };
    for entry in entries.flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(HALF_MADE.as_bytes()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

async fn initdb(folder: &Path, binaries: &Binaries, account: &Account) -> Result<(), ClusterError> {
    let program = binaries.program("initdb");
    let mut command = account.command(&program);
    command.arg("--pgdata").arg(folder).args(["--username", Role::Superuser.name()]);
    command.args(["--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--auth=peer", "--no-instructions"]);
    if binaries.major >= 17 {
        // Sorts by code point like the C library's C.UTF-8, and does not change when that library does.
        command.arg("--locale-provider=builtin");
    }
    let output = command.kill_on_drop(true).output().await;
    let output = output.map_err(|source| ClusterError::NotRunnable { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(ClusterError::Initdb { said: files::last_words(&String::from_utf8_lossy(&output.stderr)) })
}
