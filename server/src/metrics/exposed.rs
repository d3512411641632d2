//! Where the metrics are read: `/metrics` on an address of its own, in the text form of Prometheus.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use metrics::{gauge, set_global_recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use orgtrail::identity::attempt;
use orgtrail::platform::Platform;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::table::{COPY_LAG, DATABASE_ANSWERS, INGEST_WAITING, POOL_IDLE, POOL_MOST, POOL_SIZE};
use super::{METRICS, Sort};

/// Path of the metrics.
const PATH: &str = "/metrics";
/// The text form, version 0.0.4.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Longest wait for the database while metrics are read.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often what was measured is sorted into its bounds, so that it takes no memory where nobody reads.
const SORT: Duration = Duration::from_secs(5);

/// The one recorder of the process.
static RECORDER: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();

/// The port of the metrics, taken.
pub struct Listener {
    listener: TcpListener,
    recorder: PrometheusHandle,
}

impl Listener {
    /// Takes the port, and counts from then on.
    ///
    /// # Errors
    /// What the system says: the port is taken, or not ours to take; or that something else counts already.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let recorder = RECORDER.get_or_init(record).clone().map_err(io::Error::other)?;
        Ok(Self { listener, recorder })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system cannot say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is dropped.
    pub async fn serve(self, watched: Watched) {
        let recorder = self.recorder.clone();
        let routes = Router::new().route(PATH, get(read)).with_state(Arc::new((self.recorder, watched)));
        let sort = async move {
            let mut turns = interval(SORT);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                recorder.run_upkeep();
            }
        };
        tokio::select! {
            () = sort => {}
            ended = async { axum::serve(self.listener, routes).await } => {
                tracing::error!(?ended, "metrics can no longer be read");
            }
        }
    }
}

/// Makes the recorder, with the bounds of the table.
fn record() -> Result<PrometheusHandle, String> {
    let mut builder = PrometheusBuilder::new();
    for metric in METRICS {
        if let Sort::Histogram(bounds) = metric.sort {
            let name = Matcher::Full(metric.name.to_owned());
            builder = builder.set_buckets_for_metric(name, bounds).map_err(|cause| cause.to_string())?;
        }
    }
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    set_global_recorder(recorder).map_err(|cause| cause.to_string())?;
    super::describe();
    Ok(handle)
}

/// What is looked at when metrics are read, rather than counted.
pub struct Watched {
    platform: Platform,
    process: Collector,
}

impl Watched {
    /// What `platform` works on, and this process.
    #[must_use]
    pub fn new(platform: Platform) -> Self {
        Self { platform, process: Collector::default() }
    }

    async fn look(&self) {
        self.process.collect();
        for (pool, connections) in self.platform.database.pools() {
            let idle = u32::try_from(connections.num_idle()).unwrap_or(u32::MAX);
            gauge!(POOL_SIZE, "pool" => pool).set(connections.size());
            gauge!(POOL_IDLE, "pool" => pool).set(idle);
            gauge!(POOL_MOST, "pool" => pool).set(connections.options().get_max_connections());
        }
        let waiting = u32::try_from(self.platform.gathering.events.waiting()).unwrap_or(u32::MAX);
        gauge!(INGEST_WAITING).set(waiting);
        let lag = timeout(PATIENCE, attempt::longest_wait(&self.platform)).await;
        gauge!(DATABASE_ANSWERS).set(if matches!(lag, Ok(Ok(_))) { 1.0 } else { 0.0 });
        if let Ok(Ok(seconds)) = lag {
            gauge!(COPY_LAG).set(seconds);
        }
    }
}

async fn read(State(state): State<Arc<(PrometheusHandle, Watched)>>) -> impl IntoResponse {
    let (recorder, watched) = &*state;
    watched.look().await;
    ([(CONTENT_TYPE, TEXT)], recorder.render())
}
