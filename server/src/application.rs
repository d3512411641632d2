//! The application: everything put together, listening. `main` and the tests start the same one.

use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use orgtrail::platform::Platform;
use orgtrail_app::audit::download::Downloads;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::background::{self, Background};
use crate::cluster::Cluster;
use crate::config::Config;
use crate::database::{self, OpenError, Opened, Stay};
use crate::http::front::Front;
use crate::http::health::Health;
use crate::http::router::{self, Parts};
use crate::identity::rate::Rate;
use crate::identity::session_cookie::SessionCookie;
use crate::identity::session_store::SessionStore;
use crate::mail::Post;

/// How long running requests may take once the server is asked to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(10);
/// How long downloads that were broken off then may take to record it, and mails that wait may take to leave.
const LAST_RECORDS: Duration = Duration::from_secs(4);
/// How long the database may take to stop.
const LAST_CONNECTIONS: Duration = Duration::from_secs(8);

/// A server that is ready to run.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    front: Arc<Front>,
    router: Router,
    sessions: SessionStore,
    downloads: Downloads,
    post: Post,
    stopping: Arc<AtomicBool>,
    opened: Opened,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or not ours to take.
    #[error("ORGTRAIL_ADDR: cannot listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// The database or the key.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The first partitions.
    #[error("the database is not ready: {0}")]
    Database(#[from] orgtrail::Error),
}

impl Application {
    /// Takes the port, opens the database (starting the private one where none is named), and checks it.
    ///
    /// # Errors
    /// [`StartError`], saying what to do.
    pub async fn build(config: &Config) -> Result<Self, StartError> {
        let refused = |cause| StartError::Listen { address: config.address, cause };
        // The port first: it fails at once where another server runs.
        let listener = TcpListener::bind(config.address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let opened = database::open(config, Stay::Long).await?;
        background::make_partitions(opened.platform.clone()).await?;
        Ok(Self::assemble(config, listener, address, opened))
    }

    fn assemble(config: &Config, listener: TcpListener, address: SocketAddr, mut opened: Opened) -> Self {
        if config.public.url.is_none() && !address.ip().to_canonical().is_loopback() {
            tracing::warn!("ORGTRAIL_PUBLIC_URL is not set: people on other machines cannot sign in");
        }
        let front = Arc::new(Front::new(&config.public, address));
        let post = Post::open(&config.mail, &config.data_folder, opened.platform.clock.clone());
        opened.platform.mail = Arc::new(post.clone());
        opened.platform.public_url = front.url().into();
        let stopping = Arc::new(AtomicBool::new(false));
        let sessions = SessionStore::new(&opened.platform.database, config.sessions);
        let downloads = Downloads::default();
        let database = opened.platform.database.clone();
        let router = router::router(Parts {
            platform: opened.platform.clone(),
            front: Arc::clone(&front),
            health: Health { database, stopping: Arc::clone(&stopping) },
            sessions: sessions.clone(),
            downloads: downloads.clone(),
            rate: Rate::new(config.requests_per_minute),
            cookie: SessionCookie::new(front.https, opened.key.derive("session cookie")),
        });
        Self { listener, address, front, router, sessions, downloads, post, stopping, opened }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What people type.
    #[must_use]
    pub fn url(&self) -> &str {
        self.front.url()
    }

    /// What the use cases work on.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.opened.platform
    }

    /// The private cluster, if it is on one.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        self.opened.cluster.as_ref()
    }

    /// Stops without having served.
    pub async fn close(self) {
        self.opened.close().await;
    }

    /// Serves until `shutdown` is done, then lets running requests end, for ten seconds at most, and stops what it started.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
        let background = Background::start(&self.opened.platform, self.sessions, self.opened.cluster.as_ref());
        let stop = CancellationToken::new();
        let listener = self.listener.tap_io(|stream| {
            // Answers leave when they are written, not when the client has acknowledged the last piece.
            drop(stream.set_nodelay(true));
        });
        let service = self.router.into_make_service_with_connect_info::<SocketAddr>();
        let server = axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
        let mut serving = tokio::spawn(server.into_future());
        tokio::select! {
            ended = &mut serving => return ended?,
            () = shutdown => {}
        }
        self.stopping.store(true, Ordering::Relaxed);
        stop.cancel();
        if timeout(LAST_REQUESTS, serving).await.is_err() {
            tracing::warn!("requests were still running: they are cut off");
        }
        let (recorded, posted) =
            tokio::join!(timeout(LAST_RECORDS, self.downloads.stop()), timeout(LAST_RECORDS, self.post.stop()));
        if recorded.is_err() {
            tracing::warn!("the end of a download was not recorded in time");
        }
        if posted.is_err() {
            tracing::error!("mails were still waiting: they are lost");
        }
        background.stop().await;
        if timeout(LAST_CONNECTIONS, self.opened.close()).await.is_err() {
            tracing::warn!("the database did not stop in time");
        }
        Ok(())
    }
}
