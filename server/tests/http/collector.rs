//! A collector of traces: it takes what is posted to it, and shows the spans.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::HeaderMap;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::task::JoinHandle;

type Taken = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A running collector. It ends with the value.
pub struct Collector {
    /// `http://127.0.0.1:…`
    pub url: String,
    taken: Taken,
    serving: JoinHandle<()>,
}

impl Collector {
    /// Starts one.
    pub async fn start() -> Self {
        let taken = Taken::default();
        let routes = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&taken));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, taken, serving }
    }

    /// What it got, as it came.
    pub fn taken(&self) -> Vec<(HeaderMap, Bytes)> {
        self.taken.lock().unwrap().clone()
    }

    /// The spans, and the attributes of who sent them.
    pub fn spans(&self) -> Vec<(Vec<KeyValue>, Span)> {
        let requests = self.taken().into_iter().map(|(_, body)| ExportTraceServiceRequest::decode(body).unwrap());
        let of_senders = requests.flat_map(|request| request.resource_spans);
        of_senders
            .flat_map(|sent| {
                let sender = sent.resource.unwrap().attributes;
                let spans = sent.scope_spans.into_iter().flat_map(|scope| scope.spans);
                spans.map(move |span| (sender.clone(), span)).collect::<Vec<_>>()
            })
            .collect()
    }

    /// The spans of this name.
    pub fn named(&self, name: &str) -> Vec<Span> {
        self.spans().into_iter().map(|(_, span)| span).filter(|span| span.name == name).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(taken): State<Taken>, headers: HeaderMap, body: Bytes) {
    taken.lock().unwrap().push((headers, body));
}

/// An attribute as text; empty if there is none.
pub fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.as_ref()) {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => text.clone(),
        Some(AnyValue { value: Some(Value::IntValue(number)) }) => number.to_string(),
        None => String::new(),
        other => panic!("{key}: {other:?}"),
    }
}

/// An address at which every connection is closed at once, and how many there were.
pub async fn refusing() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, connections) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    (url, connections)
}

/// An address at which connections are taken, and nothing is ever answered.
pub fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}
