//! Databases for the tests of the demo: empty ones, and copies of one that is filled once, with interruptions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use orgtrail::audit::cursor::CursorKey;
use orgtrail::audit::redact::RedactionKey;
use orgtrail::identity::throttle::ThrottleKey;
use orgtrail::mail::Nowhere;
use orgtrail::platform::{Clock, Keys, Platform, SignUp};
use orgtrail::storage::{self, Database};
use orgtrail_server::demo::{self, DemoError, Filled};
use orgtrail_server::graph::composing::Composing;
use orgtrail_server::identity::hashing::Hashing;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, FromRow, PgConnection};
use tokio::sync::OnceCell;

/// Password of the demo's people.
pub const PASSWORD: &str = "orgtrail-demo-password";

/// How often the fill of the copied database was interrupted.
pub const INTERRUPTIONS: i64 = 5;

/// A database of a test's own, and the platform on it. It is dropped with the value.
pub struct Scratch {
    pub platform: Platform,
    pub superuser: PgConnectOptions,
    name: String,
}

static NEXT: AtomicU32 = AtomicU32::new(0);
static FILLED: OnceCell<String> = OnceCell::const_new();

impl Scratch {
    /// One with the schema and nothing else.
    pub async fn empty() -> Self {
        let scratch = Self::make(&next_name(), "template1").await;
        storage::migrate(&scratch.superuser).await.unwrap();
        storage::make_partitions(&scratch.platform.database, today(), today() + chrono::Days::new(40)).await.unwrap();
        scratch
    }

    /// A copy of one that was filled.
    pub async fn filled() -> Self {
        let template = FILLED.get_or_init(fill_with_interruptions).await;
        Self::make(&next_name(), template).await
    }

    async fn make(name: &str, template: &str) -> Self {
        let server = server();
        execute(&server, &format!("drop database if exists {name} with (force)")).await;
        execute(&server, &format!("create database {name} template {template}")).await;
        let superuser = server.database(name);
        let platform = platform(&superuser.clone().username("orgtrail_app"));
        Self { platform, superuser, name: name.to_owned() }
    }

    /// Fills it.
    pub async fn fill(&self) -> Result<Filled, DemoError> {
        demo::fill(&self.platform, PASSWORD, &mut |_| {}).await
    }

    /// The only row of a query, as a superuser.
    pub async fn one<T: Row>(&self, sql: &str) -> T {
        T::take(self.rows_raw(sql).await.remove(0))
    }

    /// The rows of a query.
    pub async fn rows<T: Row>(&self, sql: &str) -> Vec<T> {
        self.rows_raw(sql).await.into_iter().map(T::take).collect()
    }

    /// The only column of a query.
    pub async fn column<T: Row>(&self, sql: &str) -> Vec<T> {
        self.rows(sql).await
    }

    async fn rows_raw(&self, sql: &str) -> Vec<PgRow> {
        let mut connection: PgConnection = self.superuser.connect().await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows
    }
}

/// A value or a tuple of values in a row.
pub trait Row {
    fn take(row: PgRow) -> Self;
}

impl Row for i64 {
    fn take(row: PgRow) -> Self {
        <(i64,)>::from_row(&row).unwrap().0
    }
}

impl Row for String {
    fn take(row: PgRow) -> Self {
        <(String,)>::from_row(&row).unwrap().0
    }
}

macro_rules! tuples {
    ($($tuple:ty),+) => {$(
        impl Row for $tuple {
            fn take(row: PgRow) -> Self {
                <$tuple>::from_row(&row).unwrap()
            }
        }
    )+};
}
tuples!((i64, i64), (i32, i64), (i64, i64, i64, i64, i64));

impl Drop for Scratch {
    /// From a thread with a runtime of its own: the test's is about to end.
    fn drop(&mut self) {
        let (server, name) = (server(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&server, &format!("drop database if exists {name} with (force)")));
        });
        drop(dropping.join());
    }
}

fn next_name() -> String {
    format!("orgtrail_demo_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn today() -> chrono::NaiveDate {
    Clock::Real.now().date_naive()
}

fn server() -> PgConnectOptions {
    std::env::var("DATABASE_URL")
        .expect("DATABASE_URL of a superuser; run the tests with with_postgres")
        .parse()
        .unwrap()
}

fn platform(app: &PgConnectOptions) -> Platform {
    let keys = Keys {
        cursor: CursorKey::derive(b"demo"),
        throttle: ThrottleKey::derive(b"demo").unwrap(),
        redaction: RedactionKey::derive(b"demo").unwrap(),
    };
    Platform {
        database: Database::new(app),
        clock: Clock::Real,
        keys: Arc::new(keys),
        hashing: Arc::new(Hashing::default()),
        workers: Arc::new(Composing::default()),
        gathering: Arc::default(),
        looks: Arc::default(),
        exports: Arc::default(),
        sign_up: SignUp::Open,
        mail: Arc::new(Nowhere),
        public_url: "http://127.0.0.1:3000".into(),
    }
}

async fn execute(options: &PgConnectOptions, sql: &str) {
    let mut connection: PgConnection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Fills a database as somebody with a flaky machine would: stopped in the middle of a step again and again, cut off from its database
/// once, and at last by two processes at the same time. Answers its name.
async fn fill_with_interruptions() -> String {
    let scratch = Scratch::empty().await;
    for stop_at in [1, 40, 700, 1_500] {
        fill_until(&scratch, stop_at).await;
        settle(&scratch).await;
    }
    cut_off(&scratch).await;
    settle(&scratch).await;
    let (one, other) = tokio::join!(scratch.fill(), scratch.fill());
    let steps = [one.unwrap(), other.unwrap()];
    assert!(steps.contains(&Filled::Complete), "{steps:?}");
    scratch.platform.database.close().await;
    let name = scratch.name.clone();
    std::mem::forget(scratch);
    name
}

/// Fills, and lets go wherever it is a few milliseconds after a step.
async fn fill_until(scratch: &Scratch, stop_at: u64) {
    let (reached, waiting) = tokio::sync::oneshot::channel();
    let mut reached = Some(reached);
    let mut watch = move |progress: demo::Progress| {
        if progress.done >= stop_at
            && let Some(reached) = reached.take()
        {
            let _gone = reached.send(());
        }
    };
    let filling = demo::fill(&scratch.platform, PASSWORD, &mut watch);
    tokio::select! {
        filled = filling => panic!("it was to be interrupted: {filled:?}"),
        () = async { waiting.await.unwrap(); tokio::time::sleep(std::time::Duration::from_millis(stop_at % 7)).await } => {}
    }
}

/// Rounds in which connections were ended and the fill went on: it was idle, or it was recording a view, which is served even if it
/// cannot be recorded.
pub static SURVIVED_CUTS: AtomicU32 = AtomicU32::new(0);

/// Ends the connections of the server while it fills, again and again until that stops it.
async fn cut_off(scratch: &Scratch) {
    let sql = format!("select pg_terminate_backend(pid) from pg_stat_activity where {}", at_work(scratch));
    let stopped = AtomicBool::new(false);
    let filling = async {
        let filled = scratch.fill().await;
        stopped.store(true, Ordering::Relaxed);
        filled
    };
    let cutting = async {
        let mut cuts = 0;
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            if stopped.load(Ordering::Relaxed) {
                return cuts;
            }
            execute(&server(), &sql).await;
            cuts += 1;
        }
    };
    let (filled, cuts) = tokio::join!(filling, cutting);
    assert!(filled.is_err(), "{filled:?}");
    SURVIVED_CUTS.store(cuts - 1, Ordering::Relaxed);
}

/// Waits until the database has done, or undone, what a fill that is gone had asked of it.
async fn settle(scratch: &Scratch) {
    let sql = format!("select count(*) from pg_stat_activity where {}", at_work(scratch));
    while scratch.one::<i64>(&sql).await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Which connections are in the middle of something.
fn at_work(scratch: &Scratch) -> String {
    format!("datname = '{}' and usename = 'orgtrail_app' and state <> 'idle'", scratch.name)
}
