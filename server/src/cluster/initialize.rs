//! Making the cluster, once and whole.

use std::fs;
use std::path::Path;

use super::account::Account;
use super::binaries::{self, Binaries};
use super::{ClusterError, Role, files};

/// Makes the cluster unless it exists: beside its place first, renamed only when it is complete, so that an interrupted
/// first start leaves nothing that could be taken for a cluster.
pub(super) async fn once(
    data_dir: &Path,
    cluster: &Path,
    binaries: &Binaries,
    account: &Account,
) -> Result<(), ClusterError> {
    if binaries::made_by(cluster).is_some() {
        return Ok(());
    }
    let half_made = data_dir.join("postgres.half-made");
    start_over(&half_made, account)?;
    initdb(&half_made, binaries, account).await?;
    fs::rename(&half_made, cluster).map_err(ClusterError::file("rename the new cluster to", cluster))?;
    files::sync_folder(data_dir)
}

fn start_over(half_made: &Path, account: &Account) -> Result<(), ClusterError> {
    if half_made.exists() {
        fs::remove_dir_all(half_made).map_err(ClusterError::file("remove the unfinished", half_made))?;
    }
    files::make_folder(half_made, 0o700).map_err(ClusterError::file("make", half_made))?;
    account.own(half_made)
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
    let output = command.output().await.map_err(|source| ClusterError::NotRunnable { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(ClusterError::Initdb { said: files::last_words(&String::from_utf8_lossy(&output.stderr)) })
}
