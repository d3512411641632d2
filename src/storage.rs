//! Postgres: pools, migrations, the binding of a transaction to an organization, and the checks before the server starts.

use chrono::NaiveDate;
use futures::FutureExt;
use futures::future::{BoxFuture, Either, select};
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, Postgres};
use std::pin::pin;
use std::time::{Duration, Instant};
use uuid::Uuid;

use crate::{Error, Result, meter, trace};

pub mod check;
mod distrust;
mod error;
pub mod guards;
pub mod replica;
mod transaction;

use distrust::Distrust;
pub(crate) use error::{Held, held};
use replica::Replica;
pub use transaction::Transaction;

/// Every migration, embedded; run by [`migrate`].
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// How long who needs the database waits for a connection to it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The connections of the running server, as `orgtrail_app`. Separate pools, so that one use cannot starve another.
///
/// Small on purpose: beyond about twice the cores more connections only make the slowest answers slower.
#[derive(Clone, Debug)]
pub struct Database {
    /// Changes and sign-ins.
    pub writes: PgPool,
    /// Pages and lists.
    pub reads: PgPool,
    /// Batches of exports.
    pub exports: PgPool,
    /// A replica that may answer pages and exports, if there is one.
    pub replica: Option<Replica>,
    distrust: Distrust,
}

impl Database {
    /// Opens the three pools lazily: the first use connects.
    #[must_use]
    pub fn new(app: &PgConnectOptions) -> Self {
        let distrust = Distrust::default();
        Self {
            writes: pool(app, 8, "5s", PATIENCE, &distrust),
            reads: reads_pool(app, PATIENCE, &distrust),
            exports: exports_pool(app, PATIENCE, &distrust),
            replica: None,
            distrust,
        }
    }

    /// The same beside a streaming replica, as the same role.
    #[must_use]
    pub fn with_replica(self, replica: &PgConnectOptions) -> Self {
        Self { replica: Some(Replica::new(replica, &self.distrust)), ..self }
    }

    /// The pools, by the name that their metrics have.
    #[must_use]
    pub fn pools(&self) -> Vec<(&'static str, &PgPool)> {
        let mut pools = vec![("writes", &self.writes), ("reads", &self.reads), ("exports", &self.exports)];
        if let Some(replica) = &self.replica {
            pools.extend([("replica_reads", &replica.reads), ("replica_exports", &replica.exports)]);
        }
        pools
    }

    /// A connection for the small questions with which every request begins: who asks, and what they may do. It is one of the pages', or, while
    /// pages have taken all of them, of whichever pool has one first, theirs or that of changes: otherwise nobody could use what is still free.
    ///
    /// # Errors
    /// [`sqlx::Error::PoolTimedOut`] if neither has one in time, and what keeps one from being made.
    pub fn lookup(&self) -> BoxFuture<'_, sqlx::Result<PoolConnection<Postgres>>> {
        // Boxed: it is large, and every request's future has several.
        async {
            if has_room(&self.reads) {
                return self.reads.acquire().await;
            }
            match select(pin!(self.reads.acquire()), pin!(self.writes.acquire())).await {
                Either::Left((Ok(first), _)) | Either::Right((Ok(first), _)) => Ok(first),
                Either::Left((Err(_), other)) | Either::Right((Err(_), other)) => other.await,
            }
        }
        .boxed()
    }

    /// Closes every connection that there is, once nobody uses it: some did not answer for longer than they could if they lived. To be called
    /// before what waits for them is dropped, since the driver puts back what is dropped, and would wait in its turn.
    pub fn distrust(&self) {
        self.distrust.begin();
    }

    /// Closes every connection.
    pub async fn close(&self) {
        for (_, pool) in self.pools() {
            pool.close().await;
        }
    }
}

/// Whether somebody may have a connection without waiting for others to give one back.
fn has_room(pool: &PgPool) -> bool {
    pool.num_idle() > 0 || pool.size() < pool.options().get_max_connections()
}

/// A pool for pages and lists.
fn reads_pool(app: &PgConnectOptions, patience: Duration, distrust: &Distrust) -> PgPool {
    pool(app, 6, "5s", patience, distrust)
}

/// A pool for batches of exports. Each walks an index in its order: planned once, and never by sorting what lies behind the limit.
fn exports_pool(app: &PgConnectOptions, patience: Duration, distrust: &Distrust) -> PgPool {
    let walking = app.clone().options([
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_sort", "off"),
        ("enable_bitmapscan", "off"),
    ]);
    pool(&walking, 4, "15s", patience, distrust)
}

fn pool(
    app: &PgConnectOptions,
    connections: u32,
    statement_timeout: &str,
    patience: Duration,
    distrust: &Distrust,
) -> PgPool {
    let options = app.clone().application_name("orgtrail").options([
        ("statement_timeout", statement_timeout),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("client_connection_check_interval", "2s"),
        ("timezone", "UTC"),
        ("jit", "off"),
    ]);
    let (before, after) = (distrust.clone(), distrust.clone());
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(patience)
        .test_before_acquire(false)
        .before_acquire(move |connection, state| {
            let is_trusted = !before.covers(state.age);
            Box::pin(async move { Ok(is_trusted && is_alive(connection, state.idle_for).await?) })
        })
        .after_release(move |_, state| {
            let is_trusted = !after.covers(state.age);
            Box::pin(async move { Ok(is_trusted) })
        })
        .connect_lazy_with(options)
}

/// How long a connection is believed to live without being asked. One that answered a moment ago almost always still does, and asking each
/// time would be a third of what a small question costs.
const BELIEVED: Duration = Duration::from_secs(1);

async fn is_alive(connection: &mut PgConnection, idle_for: Duration) -> sqlx::Result<bool> {
    if idle_for >= BELIEVED {
        connection.ping().await?;
    }
    Ok(true)
}

/// Begins a transaction that sees the rows of `organization` and no other.
///
/// # Errors
/// [`Error::Unavailable`] if no connection can be had.
pub async fn begin(pool: &PgPool, organization: Uuid) -> Result<Transaction> {
    begin_as(pool, "begin", Some(organization)).await
}

/// As [`begin`], for [`Database::lookup`].
///
/// # Errors
/// As [`begin`].
pub(crate) async fn begin_lookup(database: &Database, organization: Uuid) -> Result<Transaction> {
    measured(begin_on(Connections::ForLookups(database), "begin", Some(organization))).await
}

/// Begins one for what belongs to no organization: accounts, sign-ins, sessions.
///
/// # Errors
/// As [`begin`].
pub async fn begin_unbound(pool: &PgPool) -> Result<Transaction> {
    begin_as(pool, "begin", None).await
}

/// As [`begin`], for questions about one and the same state, which change nothing; with the settings that `planning` wants.
///
/// # Errors
/// As [`begin`].
pub(crate) async fn begin_reading(pool: &PgPool, organization: Uuid, planning: Planning) -> Result<Transaction> {
    begin_as(pool, planning.opening(), Some(organization)).await
}

/// As [`begin_reading`], to read a trail again: as the role that can read trails and nothing else, and with ten minutes for a statement, since a day, or
/// a stretch of large events, may take its time.
///
/// # Errors
/// As [`begin`].
pub(crate) async fn begin_verifying(database: &Database, organization: Uuid) -> Result<Transaction> {
    let opening = "begin isolation level repeatable read read only; set local plan_cache_mode = force_custom_plan; \
        set local statement_timeout = '10min'; set local role orgtrail_verify";
    begin_as(&database.exports, opening, Some(organization)).await
}

/// How the questions of a read are planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planning {
    /// As Postgres likes.
    Usual,
    /// Once, by an index that has the order, and never by sorting what lies behind the limit: a page of a long list.
    Once,
    /// Each for its own values: counting what is large.
    Anew,
}

impl Planning {
    fn opening(self) -> &'static str {
        match self {
            Self::Usual => "begin isolation level repeatable read read only",
            Self::Once => {
                "begin isolation level repeatable read read only; \
                 set local plan_cache_mode = force_generic_plan; set local enable_sort = off; set local enable_bitmapscan = off"
            }
            Self::Anew => {
                "begin isolation level repeatable read read only; set local plan_cache_mode = force_custom_plan"
            }
        }
    }
}

/// As [`begin_reading`], of a replica. That it does not answer is nothing that anybody is refused for, and is not counted.
pub(crate) async fn begin_reading_of_replica(
    pool: &PgPool,
    organization: Uuid,
    planning: Planning,
) -> sqlx::Result<Transaction> {
    begin_on(Connections::Of(pool), planning.opening(), Some(organization)).await
}

async fn begin_as(pool: &PgPool, opening: &'static str, organization: Option<Uuid>) -> Result<Transaction> {
    measured(begin_on(Connections::Of(pool), opening, organization)).await
}

async fn measured(beginning: impl Future<Output = sqlx::Result<Transaction>>) -> Result<Transaction> {
    let asked = Instant::now();
    let begun = beginning.await;
    meter::begun(asked.elapsed());
    Ok(begun?)
}

/// Where a transaction has its connection from.
enum Connections<'a> {
    Of(&'a PgPool),
    ForLookups(&'a Database),
}

/// Boxed: it is large, and every use case's future has several.
fn begin_on<'a>(
    from: Connections<'a>,
    opening: &'static str,
    organization: Option<Uuid>,
) -> BoxFuture<'a, sqlx::Result<Transaction>> {
    let span = trace::transaction(organization);
    async move {
        let waiting = trace::waiting(&span);
        let connection = match from {
            Connections::Of(pool) => pool.acquire().await,
            Connections::ForLookups(database) => database.lookup().await,
        }?;
        let begun = Transaction::begin(connection, opening_for(opening, organization), span).await;
        drop(waiting);
        begun
    }
    .boxed()
}

/// One question to the database instead of several. A UUID has nothing in it that could end the text.
fn opening_for(opening: &str, organization: Option<Uuid>) -> AssertSqlSafe<String> {
    AssertSqlSafe(match organization {
        Some(organization) => format!("{opening}; select set_config('app.organization_id', '{organization}', true)"),
        None => opening.to_owned(),
    })
}

/// Brings the schema up to date, as a superuser or `orgtrail_migrate`; safe to run from several places at once.
///
/// # Errors
/// What the database or the migrator says: a migration that was changed after it ran, a missing privilege, no connection.
pub async fn migrate(options: &PgConnectOptions) -> Result<(), sqlx::migrate::MigrateError> {
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    let done = MIGRATOR.run(&pool).await;
    pool.close().await;
    done
}

/// Makes the trail's monthly partitions from `first_day` to `last_day` that do not exist; answers how many it made.
///
/// # Errors
/// [`Error::Unavailable`] without a database.
pub async fn make_partitions(database: &Database, first_day: NaiveDate, last_day: NaiveDate) -> Result<i32> {
    let made = sqlx::query_scalar!("select orgtrail.make_partitions($1, $2)", first_day, last_day)
        .fetch_one(&database.writes)
        .await?;
    Ok(made.unwrap_or_default())
}

/// Whether `error` is the violation of the named constraint, for a clear answer at the call site.
pub(crate) fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::constraint) == Some(constraint)
}

/// A fresh UUIDv7 whose time is `at`, from the system's randomness.
///
/// # Errors
/// [`Error::Internal`] if the system has no randomness.
pub fn new_id(at: chrono::DateTime<chrono::Utc>) -> Result<Uuid> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(|cause| Error::internal(cause.to_string()))?;
    let milliseconds = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    Ok(uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid())
}
