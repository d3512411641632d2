//! The way to the database: the private cluster or the operator's own, its schema, and the checks before anything is served.

use std::collections::BTreeSet;
use std::sync::Arc;

use orgtrail::audit::cursor::CursorKey;
use orgtrail::audit::redact::RedactionKey;
use orgtrail::identity::throttle::ThrottleKey;
use orgtrail::mail::Nowhere;
use orgtrail::platform::{Clock, Keys, Platform};
use orgtrail::storage::{self, Database, MIGRATOR};
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgPool};

use crate::cluster::{Cluster, ClusterError, DATABASE, Role};
use crate::config::Config;
use crate::graph::composing::Composing;
use crate::http::front::Front;
use crate::http::problem::chain;
use crate::identity::hashing::Hashing;
use crate::replica;
use crate::secret_key::{SecretKey, SecretKeyError};

/// Everything that a command needs, opened.
pub struct Opened {
    /// For the use cases.
    pub platform: Platform,
    /// The server's key.
    pub key: SecretKey,
    /// The private cluster, if it is one.
    pub cluster: Option<Cluster>,
}

impl Opened {
    /// Closes the connections, and stops the cluster if this process started it.
    pub async fn close(self) {
        self.platform.database.close().await;
        if let Some(cluster) = self.cluster
            && let Err(error) = cluster.stop().await
        {
            tracing::error!(%error, "the private Postgres was not stopped");
        }
    }
}

/// Why the database or the key cannot be used: each a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder.
    #[error("ORGTRAIL_DATA_DIR: {folder} cannot be made: {cause}")]
    DataFolder {
        /// The folder.
        folder: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The server's key.
    #[error(transparent)]
    Key(#[from] SecretKeyError),
    /// The private cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No connection, or none that can be used.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// A migration failed.
    #[error("the schema could not be brought up to date: {0}")]
    Migrate(String),
    /// The schema is another version's.
    #[error("{0}")]
    Schema(&'static str),
    ///
    #[error("the server does not start on this database. {0}")]
    Unsafe(String),
    /// What is named as replica is none of this database.
    #[error("DATABASE_REPLICA_URL: {0}")]
    Replica(&'static str),
}

/// Whether a command keeps the cluster for itself for long, or only needs it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// `serve`, `demo`.
    Long,
    /// `user`, `token` …: takes the running cluster without waiting for anybody's start.
    Short,
}

/// Opens the database that `config` names, with its schema up to date, and checks it.
///
/// # Errors
/// [`OpenError`], saying what to do.
pub async fn open(config: &Config, stay: Stay) -> Result<Opened, OpenError> {
    let (options, cluster, key) = if let Some(options) = &config.database {
        let key = SecretKey::read(&config.secret_key_path())?;
        prepare_own(options, config.migrate_database.as_ref()).await?;
        (options.clone(), None, key)
    } else {
        let (cluster, key) = prepare_private(config, stay).await?;
        (cluster.connect_options(DATABASE, Role::App), Some(cluster), key)
    };
    let mut database = Database::new(&options);
    check(&database.reads).await?;
    if stay == Stay::Long {
        warn(&database.reads).await?;
    }
    if let (Some(options), Stay::Long) = (&config.replica_database, stay) {
        database = database.with_replica(options);
        replica::check(&database).await.map_err(OpenError::Replica)?;
    }
    Ok(Opened { platform: platform(config, database, &key)?, key, cluster })
}

/// Opens the database that `config` names as it is, for somebody who only looks at it: no key is needed, nothing is made or migrated, and what
/// a server would refuse is not refused, but another version's schema.
///
/// # Errors
/// [`OpenError`], saying what to do.
pub async fn open_as_it_is(config: &Config) -> Result<Opened, OpenError> {
    let (options, cluster) = match &config.database {
        Some(options) => (options.clone(), None),
        None if !Cluster::exists(&config.data_folder) => {
            return Err(OpenError::Schema(
                "ORGTRAIL_DATA_DIR: this folder has no Postgres in it, and DATABASE_URL names no other.",
            ));
        }
        None => {
            let cluster = Cluster::find(&config.data_folder).await?;
            (cluster.connect_options(DATABASE, Role::App), Some(cluster))
        }
    };
    require_schema(&options).await?;
    let key = SecretKey::of_nobody().map_err(|error| OpenError::Unreachable(chain(&error)))?;
    Ok(Opened { platform: platform(config, Database::new(&options), &key)?, key, cluster })
}

/// Brings the schema of the database that `config` names up to date, and nothing else.
///
/// # Errors
/// [`OpenError`], saying what to do.
pub async fn migrate(config: &Config) -> Result<(), OpenError> {
    match (&config.migrate_database, &config.database) {
        (Some(options), _) => migrate_with(options).await,
        (None, Some(_)) => Err(OpenError::Schema(
            "ORGTRAIL_MIGRATE_DATABASE_URL: must be set to migrate the database of DATABASE_URL, as orgtrail_migrate or, the first time, as a superuser.",
        )),
        (None, None) => {
            let (cluster, _) = prepare_private(config, Stay::Short).await?;
            Ok(cluster.stop().await?)
        }
    }
}

async fn prepare_private(config: &Config, stay: Stay) -> Result<(Cluster, SecretKey), OpenError> {
    let folder = &config.data_folder;
    let refused = |cause| OpenError::DataFolder { folder: folder.display().to_string(), cause };
    std::fs::create_dir_all(folder).map_err(refused)?;
    let key = SecretKey::read_or_make(&config.secret_key_path())?;
    let cluster = match stay {
        Stay::Long => Cluster::start(folder).await?,
        Stay::Short => Cluster::find(folder).await?,
    };
    migrate_with(&cluster.connect_options(DATABASE, Role::Superuser)).await?;
    Ok((cluster, key))
}

async fn prepare_own(app: &PgConnectOptions, migrate: Option<&PgConnectOptions>) -> Result<(), OpenError> {
    match migrate {
        Some(options) => migrate_with(options).await,
        None => require_schema(app).await,
    }
}

async fn migrate_with(options: &PgConnectOptions) -> Result<(), OpenError> {
    storage::migrate(options).await.map_err(|error| match error {
        MigrateError::VersionMissing(_) => OpenError::Schema(NEWER),
        error => OpenError::Migrate(chain(&error)),
    })?;
    hand_over(options).await.map_err(|error| OpenError::Migrate(chain(&error)))
}

/// Lets the server read which migrations ran; and what a superuser did the first time, `orgtrail_migrate` can go on with.
async fn hand_over(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    sqlx::raw_sql(
        // One at a time: two that alter the same row of a catalogue at once are an error.
        "do $$ begin
            perform pg_advisory_xact_lock(hashtextextended('orgtrail.hand_over', 0));
            if (select rolsuper from pg_roles where rolname = current_user) then
                grant usage, create on schema public to orgtrail_migrate;
                alter table public._sqlx_migrations owner to orgtrail_owner;
            end if;
            grant select on public._sqlx_migrations to orgtrail_app;
        end $$",
    )
    .execute(&mut connection)
    .await?;
    connection.close().await
}

async fn require_schema(app: &PgConnectOptions) -> Result<(), OpenError> {
    let mut connection = app.connect().await.map_err(|error| OpenError::Unreachable(chain(&error)))?;
    // No macro: the table is the migrator's, not the schema's.
    let ran: Result<Vec<i64>, _> =
        sqlx::query_scalar(AssertSqlSafe("select version from public._sqlx_migrations where success"))
            .fetch_all(&mut connection)
            .await;
    let ran: BTreeSet<i64> = ran
        .map_err(|_| OpenError::Schema("This database has no schema of Orgtrail: run `orgtrail migrate` first, with ORGTRAIL_MIGRATE_DATABASE_URL where DATABASE_URL is set."))?
        .into_iter()
        .collect();
    compare(&MIGRATOR.iter().map(|migration| migration.version).collect(), &ran)
}

/// Migrations ran that this program does not know.
const NEWER: &str = "The schema of this database is newer than this program: start the newer one.";

fn compare(known: &BTreeSet<i64>, ran: &BTreeSet<i64>) -> Result<(), OpenError> {
    if !known.is_subset(ran) {
        Err(OpenError::Schema(
            "The schema of this database is behind this program: run `orgtrail migrate`, with ORGTRAIL_MIGRATE_DATABASE_URL where DATABASE_URL is set.",
        ))
    } else if !ran.is_subset(known) {
        Err(OpenError::Schema(NEWER))
    } else {
        Ok(())
    }
}

async fn check(app: &PgPool) -> Result<(), OpenError> {
    let problems = storage::check::problems(app).await.map_err(|error| OpenError::Unreachable(chain(&error)))?;
    if problems.is_empty() { Ok(()) } else { Err(OpenError::Unsafe(problems.join(" "))) }
}

/// Says, once, what could be better.
async fn warn(app: &PgPool) -> Result<(), OpenError> {
    let warnings = storage::check::warnings(app, &Clock::Real).await;
    for warning in warnings.map_err(|error| OpenError::Unreachable(chain(&error)))? {
        tracing::warn!("{warning}");
    }
    Ok(())
}

fn platform(config: &Config, database: Database, key: &SecretKey) -> Result<Platform, OpenError> {
    let throttle =
        ThrottleKey::derive(&key.derive("throttle")).map_err(|error| OpenError::Unreachable(chain(&error)))?;
    let redaction =
        RedactionKey::derive(&key.derive("redaction")).map_err(|error| OpenError::Unreachable(chain(&error)))?;
    let keys = Keys { cursor: CursorKey::derive(&key.derive("cursor")), throttle, redaction };
    Ok(Platform {
        database,
        clock: Clock::Real,
        keys: Arc::new(keys),
        hashing: Arc::new(Hashing::default()),
        workers: Arc::new(Composing::default()),
        gathering: Arc::default(),
        looks: Arc::default(),
        exports: Arc::default(),
        sign_up: config.sign_up,
        // A server replaces both once it knows its port; short commands write to nobody.
        mail: Arc::new(Nowhere),
        public_url: Front::new(&config.public, config.address).url().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_schema_will_do() {
        let set = |versions: &[i64]| versions.iter().copied().collect::<BTreeSet<_>>();
        let said = |ran: &[i64]| compare(&set(&[1, 2]), &set(ran)).err().map(|error| error.to_string());
        assert_eq!(said(&[1, 2]), None);
        assert!(said(&[1]).unwrap().contains("is behind"));
        assert!(said(&[]).unwrap().contains("is behind"));
        assert!(said(&[1, 2, 3]).unwrap().contains("is newer"));
    }
}
