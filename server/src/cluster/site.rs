//! One private cluster's place on this machine, and the steps that bring it up and take it down.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::account::Account;
use super::binaries::Binaries;
use super::postmaster::{self, PidFile, Postmaster, Started};
use super::{ClusterError, DATABASE, Options, PORT, Role, files, initialize, settings, socket};

/// How long a postmaster may take to accept connections: recovery after a crash replays up to 2 GB of log.
const START_PATIENCE: Duration = Duration::from_mins(5);
/// How long one that calls itself ready may leave us without an answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);
/// Backends of a postmaster that was killed notice it within moments; until then a new one refuses to start.
const LEFTOVER_PATIENCE: Duration = Duration::from_secs(15);
const LEFTOVER_PAUSE: Duration = Duration::from_millis(250);

/// Paths, account and options: everything about a cluster but its running process.
#[derive(Debug)]
pub(super) struct Site {
    data_dir: PathBuf,
    cluster: PathBuf,
    socket_dir: PathBuf,
    account: Account,
    options: Options,
}

impl Site {
    /// Makes the data folder and settles who runs Postgres and where its socket is.
    pub(super) async fn prepare(data_dir: &Path, options: Options) -> Result<Self, ClusterError> {
        let cluster_there = data_dir.join("postgres");
        let account = Account::choose(&cluster_there)?;
        let data_dir = make_data_dir(data_dir, account.data_dir_mode())?;
        account.check_reach(&data_dir).await?;
        let cluster = data_dir.join("postgres");
        let running = PidFile::live(&cluster).and_then(|running| running.socket_dir);
        let socket_dir = running.unwrap_or_else(|| socket::choose(&data_dir, &account));
        Ok(Self { data_dir, cluster, socket_dir, account, options })
    }

    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(super) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    pub(super) fn connect_options(&self, database: &str, role: Role) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass();
        options.socket(&self.socket_dir).port(PORT).username(role.name()).database(database)
    }

    /// Whether `postmaster` still serves this cluster.
    pub(super) fn is_alive(&self, postmaster: &mut Postmaster) -> bool {
        postmaster.is_alive(&self.cluster)
    }

    /// A live postmaster that answers now, with the product's database in it.
    pub(super) async fn find_answering(&self) -> Option<Postmaster> {
        let running = PidFile::live(&self.cluster)?;
        let connected = timeout(ANSWER_PATIENCE, self.connect(DATABASE)).await;
        matches!(connected, Ok(Ok(_))).then_some(Postmaster::Adopted(running.pid))
    }

    /// Adopts or starts; the caller holds the start lock.
    pub(super) async fn bring_up(&self) -> Result<Postmaster, ClusterError> {
        let postmaster = match self.adopt().await? {
            Some(adopted) => adopted,
            None => Postmaster::Started(self.start().await?),
        };
        self.ensure_database().await?;
        Ok(postmaster)
    }

    /// Shuts down what we started; the folder of its socket goes too, and comes back with the next start.
    pub(super) async fn take_down(&self, postmaster: Postmaster) -> Result<(), ClusterError> {
        match postmaster {
            Postmaster::Started(started) => started.shut_down().await?,
            Postmaster::Adopted(pid) => {
                info!(%pid, "PostgreSQL was already running and is left running");
                return Ok(());
            }
        }
        info!("PostgreSQL has stopped");
        // Not empty or gone: somebody else is at work there already, and nothing is lost.
        let _ = fs::remove_dir(&self.socket_dir);
        Ok(())
    }

    /// The live postmaster, once it answers; `None` when there is none, or it was just going down.
    async fn adopt(&self) -> Result<Option<Postmaster>, ClusterError> {
        let since = Instant::now();
        while let Some(running) = PidFile::live(&self.cluster) {
            if self.answers().await? {
                info!(pid = %running.pid, "found PostgreSQL running");
                return Ok(Some(Postmaster::Adopted(running.pid)));
            }
            self.check_patience(since, &running)?;
            sleep(POLL).await;
        }
        Ok(None)
    }

    async fn start(&self) -> Result<Started, ClusterError> {
        let binaries = Binaries::find(self.options.binaries.as_deref(), &self.cluster)?;
        initialize::once(&self.data_dir, &self.cluster, &binaries, &self.account).await?;
        socket::make(&self.socket_dir, &self.account)?;
        socket::clear(&self.socket_dir)?;
        settings::write(&self.cluster, &self.socket_dir, self.options.max_connections, &self.account)?;
        self.record_socket_dir()?;
        self.launch_patiently(&binaries).await
    }

    fn record_socket_dir(&self) -> Result<(), ClusterError> {
        let line = format!("{}\n", self.socket_dir.display());
        let path = self.data_dir.join("postgres.socket");
        files::replace(&path, &line, &self.account)
    }

    /// After a `kill -9` of the postmaster its backends may need a moment to be gone.
    async fn launch_patiently(&self, binaries: &Binaries) -> Result<Started, ClusterError> {
        let crashed = postmaster::forget_dead(&self.cluster)?;
        let since = Instant::now();
        loop {
            match self.launch(binaries).await {
                Err(ClusterError::DiedAtStart { said, .. }) if crashed && since.elapsed() < LEFTOVER_PATIENCE => {
                    warn!(said, "PostgreSQL did not start after a crash, trying again");
                }
                outcome => return outcome,
            }
            sleep(LEFTOVER_PAUSE).await;
        }
    }

    async fn launch(&self, binaries: &Binaries) -> Result<Started, ClusterError> {
        let startup_log = self.data_dir.join("postgres-startup.log");
        let command = self.account.command(&binaries.program("postgres"));
        let mut started = Started::spawn(command, &self.cluster, &startup_log)?;
        let since = Instant::now();
        loop {
            started.check(&self.cluster, &startup_log)?;
            if let Some(running) = PidFile::live(&self.cluster) {
                // A pid file left by a crash can say "ready" under our own child's number (containers count from 1
                // each time).
                if running.ready && self.answers().await? {
                    info!(pid = %running.pid, "started PostgreSQL");
                    return Ok(started);
                }
                self.check_patience(since, &running)?;
            }
            sleep(POLL).await;
        }
    }

    fn check_patience(&self, since: Instant, running: &PidFile) -> Result<(), ClusterError> {
        let patience = if running.ready { ANSWER_PATIENCE } else { START_PATIENCE };
        if since.elapsed() < patience {
            return Ok(());
        }
        Err(ClusterError::Silent {
            pid: running.pid.as_raw(),
            cluster: self.cluster.clone(),
            seconds: patience.as_secs(),
        })
    }

    /// `false` while it starts, stops or has no socket yet; any other refusal is an error.
    async fn answers(&self) -> Result<bool, ClusterError> {
        match timeout(ANSWER_PATIENCE, self.connect("postgres")).await {
            Ok(Ok(connection)) => Ok(connection.close().await.is_ok()),
            Ok(Err(error)) if !is_not_yet(&error) => Err(ClusterError::Refused(error)),
            Ok(Err(_)) | Err(_) => Ok(false),
        }
    }

    async fn connect(&self, database: &str) -> Result<PgConnection, sqlx::Error> {
        self.connect_options(database, Role::Superuser).connect().await
    }

    /// Not checked against `.sqlx/`: it runs before there is a database to check it with.
    async fn ensure_database(&self) -> Result<(), ClusterError> {
        let mut connection = self.connect("postgres").await.map_err(ClusterError::Refused)?;
        let exists =
            sqlx::query_scalar::<_, bool>("select exists (select from pg_catalog.pg_database where datname = $1)");
        let exists = exists.bind(DATABASE).fetch_one(&mut connection).await.map_err(ClusterError::Refused)?;
        if !exists {
            sqlx::raw_sql("create database orgtrail").execute(&mut connection).await.map_err(ClusterError::Refused)?;
        }
        connection.close().await.map_err(ClusterError::Refused)
    }
}

/// 57P03 (`cannot_connect_now`) is said while starting, recovering and stopping; no socket at all comes before and
/// after.
fn is_not_yet(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(refusal) => refusal.code().as_deref() == Some("57P03"),
        _ => false,
    }
}

/// Makes what is missing of the way to the data folder, and resolves it.
fn make_data_dir(data_dir: &Path, mode: u32) -> Result<PathBuf, ClusterError> {
    if !data_dir.exists() {
        if let Some(parent) = data_dir.parent() {
            fs::create_dir_all(parent).map_err(ClusterError::file("make", parent))?;
        }
        files::make_folder(data_dir, mode).map_err(ClusterError::file("make the data folder", data_dir))?;
    }
    data_dir.canonicalize().map_err(ClusterError::file("resolve the data folder", data_dir))
}
