//! Why a private cluster could not be had, in sentences that say what to do.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the private cluster does not run. The text never repeats its source.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// No usable binaries on this machine.
    #[error(
        "no PostgreSQL 15 or newer was found {looked_in}: install it (Debian and Ubuntu: `apt-get install postgresql`), \
         name the folder of its programs in ORGTRAIL_POSTGRES_BIN, or set DATABASE_URL to a server that already runs"
    )]
    NoBinaries {
        /// Where we looked, ready for the sentence ("in …").
        looked_in: String,
    },
    /// The cluster was made by another major version than those installed.
    #[error(
        "the cluster in {} was made by PostgreSQL {made_by}, which was not found: install that version \
         (Debian and Ubuntu: `apt-get install postgresql-{made_by}`), or move the cluster to a newer one with \
         pg_upgrade",
        cluster.display()
    )]
    OtherVersion {
        /// The cluster's folder.
        cluster: PathBuf,
        /// Its major version.
        made_by: u32,
    },
    /// The caller is root and there is nobody else to run Postgres as.
    #[error(
        "PostgreSQL refuses to run as root and there is no user `postgres` to run it as: create it \
         (`useradd --system postgres`), or start as an ordinary user"
    )]
    NoUnprivilegedUser,
    /// Peer authentication needs a name for the account.
    #[error(
        "the user id {0} has no name on this machine, and PostgreSQL cannot run without one: add it to /etc/passwd"
    )]
    NamelessUser(u32),
    /// The cluster's folder belongs to somebody the caller cannot act as.
    #[error(
        "{} belongs to the user `{owner}`: start as that user or as root, or set ORGTRAIL_DATA_DIR to a folder of \
         your own",
        folder.display()
    )]
    NotYours {
        /// The folder.
        folder: PathBuf,
        /// The name (or number) of its owner.
        owner: String,
    },
    /// A folder on the way to the data keeps the unprivileged user out.
    #[error(
        "PostgreSQL runs as the unprivileged user `{user}`, who may not enter {}, on the way to the data folder \
         {}: let others pass through it (`chmod o+x {}`), or set ORGTRAIL_DATA_DIR to a folder elsewhere, such as \
         /var/lib/orgtrail",
        folder.display(), data_dir.display(), folder.display()
    )]
    Unreachable {
        /// The unprivileged user.
        user: String,
        /// The first folder in the way.
        folder: PathBuf,
        /// The data folder.
        data_dir: PathBuf,
    },
    /// The socket folder exists and is not safely ours.
    #[error("{} is in the way of the socket folder: it is no folder of `{user}`'s own; remove it", folder.display())]
    ForeignSocketFolder {
        /// The folder's path.
        folder: PathBuf,
        /// Who should own it.
        user: String,
    },
    /// Another process has been starting this cluster for too long.
    #[error("another process has held {} for {seconds} s: end it and try again", lock.display())]
    Locked {
        /// The lock file.
        lock: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
    /// A file or folder could not be read, made or changed.
    #[error("could not {action} {}", path.display())]
    File {
        /// What was tried, in the infinitive.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// One of Postgres' programs could not be run at all.
    #[error("could not run {}", program.display())]
    NotRunnable {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `initdb` ran and failed.
    #[error("initdb could not make a cluster: {said}")]
    Initdb {
        /// The end of its output.
        said: String,
    },
    /// Postgres ended before it accepted connections.
    #[error("PostgreSQL ended while starting (its log is in {}): {said}", log.display())]
    DiedAtStart {
        /// The folder of its log.
        log: PathBuf,
        /// The end of its output.
        said: String,
    },
    /// Postgres is alive and does not answer.
    #[error(
        "PostgreSQL (process {pid}) runs in {} but has not answered for {seconds} s: look into its log there, or \
         stop it (`kill -INT {pid}`)",
        cluster.display()
    )]
    Silent {
        /// The postmaster.
        pid: i32,
        /// The cluster's folder.
        cluster: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
    /// Postgres did not end when told to.
    #[error("PostgreSQL (process {pid}) did not stop within {seconds} s")]
    StillRunning {
        /// The postmaster.
        pid: i32,
        /// How long we waited.
        seconds: u64,
    },
    /// The running cluster refused our connection or statement.
    #[error("the private PostgreSQL refused what its owner asked")]
    Refused(#[source] sqlx::Error),
}

impl ClusterError {
    /// For `map_err` on what the file system refuses.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { action, path: path.to_owned(), source }
    }
}
