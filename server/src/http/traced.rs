//! A request in the traces: its span is the log's, and here it learns what others do not need to know.

use axum::extract::{MatchedPath, Request};
use http::StatusCode;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use orgtrail::trace;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::facts::Facts;
use super::measured::known;

/// The target of the span of a request.
pub const REQUEST: &str = "orgtrail_server::request";

/// A request that is answered at this moment; nothing where nobody collects traces.
pub(super) struct Traced(Option<(Span, Context)>);

impl Traced {
    /// Its `span` begins, and gets its name and attributes by the conventions of OpenTelemetry: the template of the route, never the path.
    ///
    /// It goes on with the trace that `traceparent` names only where a trusted proxy says so: a stranger would decide otherwise which requests are
    /// collected, and whose trace they are part of.
    pub(super) fn begin(span: &Span, request: &Request, facts: &Facts) -> Self {
        if !trace::is_collected() {
            return Self(None);
        }
        if facts.by_trusted_proxy {
            // Fails where the log's filter has taken the span away; then there is nothing to go on with.
            drop(span.set_parent(TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()))));
        }
        let context = span.context();
        let traced = context.span();
        if traced.is_recording() {
            let method = known(request.method()).unwrap_or("_OTHER");
            let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
            traced.update_name(route.map_or(method.to_owned(), |route| format!("{method} {route}")));
            traced.set_attribute(KeyValue::new("http.request.method", method));
            if let Some(route) = route {
                traced.set_attribute(KeyValue::new("http.route", route.to_owned()));
            }
        }
        // With its last handle the span ends, and takes nothing more.
        Self(Some((span.clone(), context)))
    }

    /// Its answer begins.
    pub(super) fn end(self, status: StatusCode) {
        let Some((_span, context)) = self.0 else { return };
        let traced = context.span();
        traced.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        if status.is_server_error() {
            traced.set_attribute(KeyValue::new("error.type", status.as_str().to_owned()));
            traced.set_status(Status::error(""));
        }
    }
}
