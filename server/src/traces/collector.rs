//! The way to the collector, which may be gone, slow or full: then spans are lost, and the log says so once.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::Handle;
use tokio::time::timeout;
use url::Url;

/// Longest time for a batch, with all attempts.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes that are read of an answer.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Sends batches of spans to `endpoint`.
pub(super) fn exporter(endpoint: &Url) -> Result<Exporter, HttpError> {
    let otlp = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint.as_str())
        .with_timeout(PATIENCE);
    // Without TLS no certificates are looked for: a container may have none.
    let otlp = if endpoint.scheme() == "http" {
        otlp.with_http_client(Connections::by(HttpConnector::new())?)
    } else {
        let connector = HttpsConnectorBuilder::new().with_native_roots()?.https_only().enable_http1().build();
        otlp.with_http_client(Connections::by(connector)?)
    };
    Ok(Exporter { otlp: otlp.build()?, endpoint: endpoint.clone(), is_failing: AtomicBool::new(false) })
}

/// Connections to the collector. They live where the server's do: the thread that sends spans has no runtime of its own.
#[derive(Debug)]
struct Connections<C> {
    client: Client<C, Full<Bytes>>,
    runtime: Handle,
}

impl<C: Connect + Clone + Send + Sync + 'static> Connections<C> {
    fn by(connector: C) -> Result<Self, HttpError> {
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, runtime: Handle::try_current()? })
    }
}

#[async_trait]
impl<C: Connect + Clone + Debug + Send + Sync + 'static> HttpClient for Connections<C> {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = async move {
            let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        self.runtime.spawn(async { timeout(PATIENCE, sending).await? }).await?
    }
}

/// Says when the collector begins to refuse spans and when it ends, not with every batch in between.
#[derive(Debug)]
pub(super) struct Exporter {
    otlp: opentelemetry_otlp::SpanExporter,
    endpoint: Url,
    is_failing: AtomicBool,
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.otlp.export(batch).await;
        let was_failing = self.is_failing.swap(sent.is_err(), Ordering::Relaxed);
        match sent {
            Err(cause) if !was_failing => {
                tracing::warn!(%cause, endpoint = %self.endpoint, "the collector takes no traces: they are lost until it does");
            }
            Ok(()) if was_failing => tracing::info!(endpoint = %self.endpoint, "the collector takes traces again"),
            _ => {}
        }
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}
