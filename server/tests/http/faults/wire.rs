//! A wire between an application and its database, which can be slow, dead, or cut; the Postgres behind it is that of all tests.

use std::future::pending;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use orgtrail::upkeep::Job;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::TestApplication;

/// How the wire is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Whole,
    /// Everything takes so much longer, in each direction.
    Slow(Duration),
    /// Nothing comes through, and nobody is told.
    Dead,
    /// Every connection that there is carries nothing any more, whatever comes later, and nobody is told; nor is any that is made meanwhile.
    Lost,
    /// Every connection is closed, and no other is made.
    Cut,
    /// A connection is closed when the database has committed what was written over it, before it can say so.
    CutAtCommit,
    /// The connection over which this is asked is closed.
    HangUpAt(&'static str),
    /// Likewise, and every other one.
    CutAt(&'static str),
}

/// The name of a socket of Postgres in its folder.
const SOCKET: &str = ".s.PGSQL.5432";

/// The wire.
pub struct Wire {
    folder: TempDir,
    state: watch::Sender<State>,
    /// How often something came through later than it was said.
    delays: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// A whole one.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let state = watch::Sender::new(State::Whole);
        let delays = Arc::default();
        let accepting = tokio::spawn(accept(listener, socket(), state.clone(), Arc::clone(&delays)));
        Self { folder, state, delays, accepting }
    }

    /// An application whose database is at its other end.
    pub async fn application(&self) -> TestApplication {
        self.application_with(|_| {}).await
    }

    /// Likewise, with a changed configuration. Its upkeep has been done, which would meet what is meant for others: it reads events as an export does,
    /// and what of it was lost would be waited for as long as a long job takes.
    pub async fn application_with(&self, change: impl FnOnce(&mut orgtrail_server::config::Config)) -> TestApplication {
        let app = TestApplication::start_with(|config| {
            config.database = config.database.take().map(|database| database.socket(self.folder.path()));
            change(config);
        })
        .await;
        let done = async || {
            let jobs = sqlx::query_scalar::<_, i64>("select count(*) from orgtrail.upkeep_jobs");
            usize::try_from(jobs.fetch_one(&app.superuser).await.unwrap()).unwrap()
        };
        while done().await < Job::ALL.len() {
            sleep(Duration::from_millis(50)).await;
        }
        app
    }

    /// The database of `app` at its other end, for a program.
    pub fn url(&self, app: &TestApplication) -> String {
        let (_, direct) = app.environment().into_iter().find(|(name, _)| *name == "DATABASE_URL").unwrap();
        direct.parse::<PgConnectOptions>().unwrap().socket(self.folder.path()).to_url_lossy().to_string()
    }

    /// Makes it so.
    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }

    /// How often something came through later than it was said, in either direction.
    pub fn delays(&self) -> usize {
        self.delays.load(Ordering::Relaxed)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The socket of the tests' Postgres.
fn socket() -> PathBuf {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL of a superuser; run the tests with with_postgres");
    let options: PgConnectOptions = url.parse().unwrap();
    options.get_socket().expect("a Postgres with a socket, as with_postgres starts it").join(SOCKET)
}

async fn accept(listener: UnixListener, socket: PathBuf, state: watch::Sender<State>, delays: Arc<AtomicUsize>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (socket, state, delays) = (socket.clone(), state.clone(), Arc::clone(&delays));
        tokio::spawn(async move { carry(client, &socket, &state, &delays).await });
    }
}

/// Carries what the two ends say, until one of them hangs up or the wire is cut.
async fn carry(client: UnixStream, socket: &Path, state: &watch::Sender<State>, delays: &AtomicUsize) {
    let Ok(server) = UnixStream::connect(socket).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut cut = state.subscribe();
    let mut asking = pin!(ask(from_client, to_server, state, delays));
    let mut losing = pin!(lose(state.subscribe()));
    let mut answering = pin!(answer(from_server, to_client, state.subscribe(), delays));
    let is_lost = tokio::select! {
        () = &mut asking => false,
        () = &mut answering => false,
        () = &mut losing => true,
        _ = cut.wait_for(|state| *state == State::Cut) => false,
    };
    if is_lost {
        // Both ends stay open, and nobody listens to either.
        pending().await
    }
}

async fn lose(mut states: watch::Receiver<State>) {
    drop(states.wait_for(|state| *state == State::Lost).await);
}

async fn ask(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, wire: &watch::Sender<State>, delays: &AtomicUsize) {
    let (mut said, mut states) = (vec![0; 64 * 1024], wire.subscribe());
    while let Ok(length @ 1..) = from.read(&mut said).await {
        let said = &said[..length];
        match pass(&mut states, delays).await {
            State::HangUpAt(question) if holds(said, question.as_bytes()) => return,
            State::CutAt(question) if holds(said, question.as_bytes()) => {
                wire.send_replace(State::Cut);
                return;
            }
            _ => {}
        }
        if to.write_all(said).await.is_err() {
            return;
        }
    }
}

async fn answer(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut states: watch::Receiver<State>,
    delays: &AtomicUsize,
) {
    let (mut said, mut has_written) = (vec![0; 64 * 1024], false);
    while let Ok(length @ 1..) = from.read(&mut said).await {
        let (state, said) = (pass(&mut states, delays).await, &said[..length]);
        has_written |= holds(said, b"INSERT 0 ");
        let is_lost = state == State::CutAtCommit && has_written && holds(said, b"COMMIT\0");
        if is_lost || to.write_all(said).await.is_err() {
            return;
        }
        has_written &= !said.ends_with(OUTSIDE);
    }
}

/// The end of an answer after which no transaction is open.
const OUTSIDE: &[u8] = b"Z\0\0\0\x05I";

fn holds(said: &[u8], words: &[u8]) -> bool {
    said.windows(words.len()).any(|some| some == words)
}

/// Waits as long as the wire has it; answers how it is then.
async fn pass(states: &mut watch::Receiver<State>, delays: &AtomicUsize) -> State {
    let state = *states.wait_for(|state| *state != State::Dead).await.unwrap();
    if let State::Slow(delay) = state {
        sleep(delay).await;
        delays.fetch_add(1, Ordering::Relaxed);
    }
    state
}
