//! The private Postgres: a cluster of our own in the data folder, for whoever gives no `DATABASE_URL`.
//!
//! ```text
//! <data folder>/postgres              the cluster, 0700, owned by the account that runs it
//! <data folder>/postgres.half-made-…  a first start that did not finish; removed by the next one
//! <data folder>/postgres.lock         held while somebody starts or adopts the cluster
//! <data folder>/postgres.socket       the path of the socket folder, for people and scripts
//! <data folder>/postgres-startup.log  what Postgres said before its own log (postgres/log) was open
//! ```
//!
//! A postmaster that is alive is adopted, whoever started it, and stopped only by the process that started it.
//! It outlives a `kill -9` of ours, and [`Cluster::supervise`] starts it again when it is the one that dies.

mod account;
mod binaries;
mod error;
mod files;
mod initialize;
mod lock;
mod postmaster;
mod settings;
mod site;
mod socket;
mod supervisor;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

pub use error::ClusterError;
use lock::StartLock;
use postmaster::Postmaster;
use site::Site;

/// The database that the product lives in.
pub const DATABASE: &str = "orgtrail";

/// Names the socket (`.s.PGSQL.5432`); no TCP port is opened. Always said, so that a `PGPORT` in the environment
/// changes nothing.
const PORT: u16 = 5432;

/// Whom a connection acts as inside the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `postgres`: makes the roles and the database; never used to serve a request.
    Superuser,
    /// `orgtrail_migrate`: runs the migrations.
    Migrate,
    /// `orgtrail_app`: serves requests; owns nothing, and row-level security binds it.
    App,
}

impl Role {
    /// Every role that can be logged in as.
    pub const ALL: [Role; 3] = [Role::Superuser, Role::Migrate, Role::App];

    /// The role's name in Postgres.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Role::Superuser => "postgres",
            Role::Migrate => "orgtrail_migrate",
            Role::App => "orgtrail_app",
        }
    }
}

/// What may differ between one private cluster and another.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder with `postgres` and `initdb`; searched for when absent.
    pub binaries: Option<PathBuf>,
    /// Postgres' `max_connections`; takes effect when the cluster is started, not when it is adopted.
    pub max_connections: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self { binaries: None, max_connections: 100 }
    }
}

impl Options {
    /// The defaults, with the folder of the binaries from `ORGTRAIL_POSTGRES_BIN`.
    #[must_use]
    pub fn from_env() -> Self {
        let binaries = std::env::var_os("ORGTRAIL_POSTGRES_BIN").filter(|folder| !folder.is_empty());
        Self { binaries: binaries.map(PathBuf::from), ..Self::default() }
    }
}

/// A running private cluster. Clones share it.
///
/// Dropping the last clone (when unsupervised) asks Postgres to stop, if this process started it, but does not wait:
/// call [`Cluster::stop`].
#[derive(Clone, Debug)]
pub struct Cluster {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    site: Site,
    /// Empty between a crash and the restart, and after `stop`.
    postmaster: Mutex<Option<Postmaster>>,
    stopping: CancellationToken,
}

impl Cluster {
    /// Whether there is one in `data_dir`, running or not.
    #[must_use]
    pub fn exists(data_dir: &Path) -> bool {
        binaries::made_by(&data_dir.join("postgres")).is_some()
    }

    /// Makes sure that the cluster in `data_dir` runs: adopts a live postmaster, or starts one, making the cluster
    /// first when there is none. Returns when the database [`DATABASE`] can be connected to.
    ///
    /// # Errors
    /// Each [`ClusterError`] is one sentence that says what to do.
    pub async fn start(data_dir: &Path) -> Result<Self, ClusterError> {
        Self::start_with(data_dir, Options::from_env()).await
    }

    /// [`Cluster::start`] with options other than those of the environment.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub async fn start_with(data_dir: &Path, options: Options) -> Result<Self, ClusterError> {
        let site = Site::prepare(data_dir, options).await?;
        let lock = StartLock::take(site.data_dir()).await?;
        let postmaster = site.bring_up().await?;
        drop(lock);
        Ok(Self::new(site, postmaster))
    }

    /// For a second command (`token`, `user` …): the running cluster, found without waiting for anybody's start, or
    /// else [`Cluster::start`].
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub async fn find(data_dir: &Path) -> Result<Self, ClusterError> {
        let site = Site::prepare(data_dir, Options::from_env()).await?;
        match site.find_answering().await {
            Some(postmaster) => Ok(Self::new(site, postmaster)),
            None => Self::start(data_dir).await,
        }
    }

    fn new(site: Site, postmaster: Postmaster) -> Self {
        let postmaster = Mutex::new(Some(postmaster));
        let stopping = CancellationToken::new();
        Self { shared: Arc::new(Shared { site, postmaster, stopping }) }
    }

    /// The folder of the unix socket: at most 93 bytes of letters, digits and `/._-`.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        self.shared.site.socket_dir()
    }

    /// The URL of [`DATABASE`] as `role`, for sqlx, psql and people.
    #[must_use]
    pub fn url(&self, role: Role) -> String {
        let socket_dir = self.socket_dir().display();
        format!("postgres:///{DATABASE}?host={socket_dir}&port={PORT}&user={}", role.name())
    }

    /// Options to connect to `database` as `role`.
    #[must_use]
    pub fn connect_options(&self, database: &str, role: Role) -> PgConnectOptions {
        self.shared.site.connect_options(database, role)
    }

    /// The process id of the postmaster, or `None` while there is none.
    pub async fn postmaster_pid(&self) -> Option<u32> {
        self.shared.postmaster.lock().await.as_ref().and_then(Postmaster::pid)
    }

    /// Whether this process started the postmaster, and so will stop it.
    pub async fn is_ours(&self) -> bool {
        matches!(*self.shared.postmaster.lock().await, Some(Postmaster::Started(_)))
    }

    /// Keeps the cluster running until [`Cluster::stop`]: whenever the postmaster is gone, ours or an adopted one, it
    /// is started again (and is ours from then on), with growing pauses between attempts that fail.
    pub fn supervise(&self) {
        tokio::spawn(supervisor::run(Arc::clone(&self.shared)));
    }

    /// Ends supervision and shuts Postgres down (mode "fast") if this process started it; an adopted one is left
    /// running.
    ///
    /// # Errors
    /// [`ClusterError::StillRunning`] when even an immediate shutdown did not end it.
    pub async fn stop(&self) -> Result<(), ClusterError> {
        self.shared.stopping.cancel();
        match self.shared.postmaster.lock().await.take() {
            Some(postmaster) => self.shared.site.take_down(postmaster).await,
            None => Ok(()),
        }
    }
}
