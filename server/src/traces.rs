//! Traces: the spans of requests, sent to a collector by OTLP over HTTP where one is named ([ADR 0028](../../docs/adr/0028-traces.md)).
//!
//! What they say is in `http/traced.rs`, of a request, and in `orgtrail::trace`, of what is done for it. Nothing waits for the collector: a thread
//! of its own sends what has ended, in batches, and what does not fit into its queue is dropped.

use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use orgtrail::trace;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::{FilterFn, Filtered};
use tracing_subscriber::{Layer, Registry};

use crate::http::traced::REQUEST;

mod collector;
pub mod settings;

use settings::TraceSettings;

/// How long what waits may take to be sent when the server stops.
pub const LAST_SPANS: Duration = Duration::from_millis(1500);

/// What sends, once it was started.
static SENDING: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The spans that are sent, as a layer beside the log's.
pub type Spans = Filtered<OpenTelemetryLayer<Registry, Requests>, FilterFn<fn(&Metadata<'_>) -> bool>, Registry>;

/// Starts sending spans, from the runtime that this is called in.
///
/// # Errors
/// What keeps connections to the collector from being made, whatever it says: certificates that cannot be read.
pub fn start(settings: &TraceSettings) -> Result<Spans, Box<dyn std::error::Error + Send + Sync>> {
    let resource = Resource::builder()
        .with_service_name(settings.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(collector::exporter(&settings.endpoint)?)
        .with_resource(resource.build())
        .build();
    let provider = SENDING.get_or_init(|| provider);
    trace::collect();
    // Only what is measured is told: no lines of code, no threads.
    let spans = OpenTelemetryLayer::new(Requests(provider.tracer("orgtrail")))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false);
    Ok(spans.with_filter(FilterFn::new(is_sent as fn(&Metadata<'_>) -> bool).with_max_level_hint(LevelFilter::INFO)))
}

/// Our own spans and nothing else: what libraries or the log say may hold anything.
fn is_sent(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && [trace::TARGET, REQUEST].contains(&metadata.target())
}

/// Sends what waits, for a moment; afterwards nothing is sent any more.
pub async fn stop() {
    let Some(sending) = SENDING.get() else { return };
    // It waits for the thread that sends.
    let stopping = tokio::task::spawn_blocking(|| sending.shutdown_with_timeout(LAST_SPANS));
    if !matches!(stopping.await, Ok(Ok(()))) {
        tracing::warn!("traces were still waiting: they are lost");
    }
}

/// Makes spans. What has no parent in this process is a request.
#[derive(Debug)]
pub struct Requests(SdkTracer);

impl Tracer for Requests {
    type Span = <SdkTracer as Tracer>::Span;

    fn build_with_context(&self, mut builder: SpanBuilder, parent: &Context) -> Self::Span {
        let is_request = !parent.has_active_span() || parent.span().span_context().is_remote();
        if is_request {
            builder = builder.with_kind(SpanKind::Server);
        }
        self.0.build_with_context(builder, parent)
    }
}
