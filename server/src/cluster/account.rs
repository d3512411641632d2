//! The operating system's account that Postgres runs as: the caller, or an unprivileged user when the caller is root.

use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::unistd::{Uid, User};
use tokio::process::Command;

use super::ClusterError;

/// Who runs Postgres.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    gid: u32,
    /// The caller is root and must become this account.
    switch: bool,
}

impl Account {
    /// The caller; for root the owner of the cluster, or `postgres` when there is none yet.
    pub(super) fn choose(cluster: &Path) -> Result<Self, ClusterError> {
        let owner = cluster.metadata().ok().map(|found| Uid::from_raw(found.uid()));
        if Uid::effective().is_root() { Self::for_root(owner) } else { Self::caller(owner, cluster) }
    }

    fn for_root(owner: Option<Uid>) -> Result<Self, ClusterError> {
        let user = match owner {
            Some(owner) => by_uid(owner)?,
            None => User::from_name("postgres").ok().flatten().ok_or(ClusterError::NoUnprivilegedUser)?,
        };
        if user.uid.is_root() {
            return Err(ClusterError::NoUnprivilegedUser);
        }
        Ok(Self::from_user(user, true))
    }

    fn caller(owner: Option<Uid>, cluster: &Path) -> Result<Self, ClusterError> {
        let caller = Uid::effective();
        match owner.filter(|owner| *owner != caller) {
            Some(owner) => Err(ClusterError::NotYours { folder: cluster.to_owned(), owner: name_of(owner) }),
            None => Ok(Self::from_user(by_uid(caller)?, false)),
        }
    }

    fn from_user(user: User, switch: bool) -> Self {
        Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), switch }
    }

    /// A command that runs as this account, in `/` and with nothing of our environment but the path.
    ///
    /// Where the user changes, the standard library also drops root's supplementary groups.
    pub(super) fn command(&self, program: &Path) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let mut command = Command::new(program);
        command.env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8");
        command.current_dir("/").stdin(Stdio::null());
        if self.switch {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Gives `path` (never what a symlink there points at) to this account.
    pub(super) fn own(&self, path: &Path) -> Result<(), ClusterError> {
        if !self.switch {
            return Ok(());
        }
        lchown(path, Some(self.uid), Some(self.gid)).map_err(ClusterError::file("change the owner of", path))
    }

    /// The mode of a data folder that we make: closed to others, but for the account that must pass through it.
    pub(super) const fn data_dir_mode(&self) -> u32 {
        if self.switch { 0o711 } else { 0o700 }
    }

    /// Fails with the first folder on the way to `data_dir` that this account may not enter.
    ///
    /// The kernel is asked, by a process of that account, rather than the mode bits: access lists count too.
    pub(super) async fn check_reach(&self, data_dir: &Path) -> Result<(), ClusterError> {
        if !self.switch || self.may_enter(data_dir).await? {
            return Ok(());
        }
        let mut way: Vec<&Path> = data_dir.ancestors().collect();
        way.reverse();
        for folder in way {
            if !self.may_enter(folder).await? {
                return Err(self.unreachable(folder.to_owned(), data_dir));
            }
        }
        Ok(())
    }

    fn unreachable(&self, folder: PathBuf, data_dir: &Path) -> ClusterError {
        ClusterError::Unreachable { user: self.name.clone(), folder, data_dir: data_dir.to_owned() }
    }

    async fn may_enter(&self, folder: &Path) -> Result<bool, ClusterError> {
        let program = Path::new("test");
        let status = self.command(program).arg("-x").arg(folder).status().await;
        let status = status.map_err(|source| ClusterError::NotRunnable { program: program.to_owned(), source })?;
        Ok(status.success())
    }
}

/// The name of root, who may act as anybody.
pub(super) fn root_name() -> String {
    name_of(Uid::from_raw(0))
}

fn by_uid(uid: Uid) -> Result<User, ClusterError> {
    User::from_uid(uid).ok().flatten().ok_or(ClusterError::NamelessUser(uid.as_raw()))
}

fn name_of(uid: Uid) -> String {
    by_uid(uid).map_or_else(|_| uid.to_string(), |user| user.name)
}
