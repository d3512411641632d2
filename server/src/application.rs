//! The application: everything put together, listening. `main` and the tests start the same one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use orgtrail::platform::Platform;
use orgtrail::upkeep::{Retention, partitions};
use orgtrail_app::audit::download::Downloads;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::background::Background;
use crate::cluster::Cluster;
use crate::config::Config;
use crate::database::{self, OpenError, Opened, Stay};
use crate::http::front::Front;
use crate::http::health::Health;
use crate::http::listen::{self, Rules, limits::Limits};
use crate::http::router::{self, Parts};
use crate::identity::rate::Rate;
use crate::identity::session_cookie::SessionCookie;
use crate::identity::session_store::SessionStore;
use crate::mail::Post;
use crate::metrics::{self, Watched};
use crate::traces;

/// How long downloads that were broken off then may take to record it, and mails that wait may take to leave.
const LAST_RECORDS: Duration = Duration::from_secs(4);
/// How long connections that were broken off may take to go.
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// How long the database may take to stop.
const LAST_CONNECTIONS: Duration = Duration::from_secs(7);
/// What still blocks a thread after the end of everything else.
pub const LAST_WORK: Duration = Duration::from_secs(1);

/// A server that is ready to run.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    front: Arc<Front>,
    limits: Limits,
    router: Router,
    retention: Retention,
    downloads: Downloads,
    post: Post,
    stopping: Arc<AtomicBool>,
    metrics: Option<metrics::Listener>,
    opened: Opened,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or not ours to take.
    #[error("{variable}: cannot listen on {address}: {cause}")]
    Listen {
        /// The variable that names it.
        variable: &'static str,
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
        let refused = |cause| StartError::Listen { variable: "ORGTRAIL_ADDR", address: config.address, cause };
        // The port first: it fails at once where another server runs.
        let listener = TcpListener::bind(config.address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let metrics = listen_for_metrics(config.metrics_address).await?;
        let opened = database::open(config, Stay::Long).await?;
        partitions::make_ahead(&opened.platform).await?;
        Ok(Self { metrics, ..Self::assemble(config, listener, address, opened) })
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
        let sessions = SessionStore::new(opened.platform.database.clone(), config.sessions);
        let downloads = Downloads::default();
        let database = opened.platform.database.clone();
        let router = router::router(Parts {
            platform: opened.platform.clone(),
            front: Arc::clone(&front),
            health: Health { database, stopping: Arc::clone(&stopping) },
            sessions,
            downloads: downloads.clone(),
            rate: Rate::new(config.requests_per_minute),
            answering: config.limits.answering,
            cookie: SessionCookie::new(front.https, opened.key.derive("session cookie")),
        });
        Self {
            listener,
            address,
            front,
            limits: config.limits,
            router,
            retention: config.retention,
            downloads,
            post,
            stopping,
            metrics: None,
            opened,
        }
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

    /// How many connections it takes at a time.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.limits.connections
    }

    /// Where metrics are read, if anywhere.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.address().ok()
    }

    /// What it answers to.
    pub fn router(&self) -> &Router {
        &self.router
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

    /// Serves until `shutdown` is done, then lets a proxy in front notice and running requests end, for ten seconds at most, and stops what it
    /// started.
    ///
    /// # Errors
    /// If the accept loop panics.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
        let mut background = Background::start(
            &self.opened.platform,
            self.retention,
            self.limits.answering.work,
            self.opened.cluster.as_ref(),
        );
        if let Some(metrics) = self.metrics {
            background.run(metrics.serve(Watched::new(self.opened.platform.clone())));
        }
        let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
        let trusted_proxies = self.front.trusted_proxies.clone();
        let rules = Rules { limits: self.limits, trusted_proxies, stop: stop.clone(), cut: cut.clone() };
        let mut serving = tokio::spawn(listen::serve(self.listener, self.router, rules));
        tokio::select! {
            ended = &mut serving => return Ok(ended?),
            () = shutdown => {}
        }
        self.stopping.store(true, Ordering::Relaxed);
        let last_requests = Instant::now() + self.limits.last_requests;
        if !self.front.trusted_proxies.is_empty() {
            // A balancer goes on to send until it has asked whether we are ready.
            sleep(self.limits.last_arrivals).await;
        }
        stop.cancel();
        let in_time = timeout_at(last_requests, &mut serving).await.is_ok();
        last_records(&self.downloads, &self.post).await;
        cut.cancel();
        if !in_time {
            tracing::warn!("requests were still running: they are cut off");
            drop(timeout(LAST_ANSWERS, serving).await);
        }
        background.stop().await;
        let (closed, ()) = tokio::join!(timeout(LAST_CONNECTIONS, self.opened.close()), traces::stop());
        if closed.is_err() {
            tracing::warn!("the database did not stop in time");
        }
        Ok(())
    }
}

/// Takes the port of the metrics, where one was asked for.
async fn listen_for_metrics(address: Option<SocketAddr>) -> Result<Option<metrics::Listener>, StartError> {
    let Some(address) = address else { return Ok(None) };
    let listener = metrics::Listener::bind(address).await;
    listener.map(Some).map_err(|cause| StartError::Listen { variable: "ORGTRAIL_METRICS_ADDR", address, cause })
}

/// Breaks off the downloads that still run, and waits until that is recorded and the mails are away.
async fn last_records(downloads: &Downloads, post: &Post) {
    let (recorded, posted) = tokio::join!(timeout(LAST_RECORDS, downloads.stop()), timeout(LAST_RECORDS, post.stop()));
    if recorded.is_err() {
        tracing::warn!("the end of a download was not recorded in time");
    }
    if posted.is_err() {
        tracing::error!("mails were still waiting: they are lost");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::shutdown::PATIENCE;

    /// One after the other, as [`Application::run`] and `main` wait for them: done before it is ended the hard way.
    #[test]
    fn there_is_time_for_every_step_of_stopping() {
        let Limits { last_arrivals, last_requests, .. } = Limits::default();
        let whole = last_requests + LAST_RECORDS + LAST_ANSWERS + LAST_CONNECTIONS.max(traces::LAST_SPANS) + LAST_WORK;
        assert!(whole < PATIENCE && PATIENCE < Duration::from_secs(25), "{whole:?}");
        assert!(last_requests <= Duration::from_secs(10));
        assert!(last_arrivals < last_requests, "they are a part of it");
    }
}
