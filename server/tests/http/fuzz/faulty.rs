//! The control of whoever asks here: a server that is at fault when it is asked something unusual, in every way in which one can be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use fastrand::Rng;
use reqwest::{Method, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::judge::Asked;

/// Most rounds until something unusual was asked often enough.
const ROUNDS: usize = 200;

/// A way of being at fault.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Panics,
    Fails,
    FailsWithin,
    Tells,
    HasNoId,
    NeverEnds,
}

/// All of them, each with what begins a complaint of it.
const FAULTS: [(Fault, &str); 6] = [
    (Fault::Panics, "no answer: "),
    (Fault::Fails, "a fault of ours: 500"),
    (Fault::FailsWithin, "a fault of ours: 200"),
    (Fault::Tells, "it tells “relation"),
    (Fault::HasNoId, "it has no id"),
    (Fault::NeverEnds, "no answer: "),
];

/// The server. It shows each of its faults once, and ends with the value.
struct Faulty {
    asked: Asked,
    shown: Arc<AtomicUsize>,
    running: JoinHandle<()>,
}

impl Faulty {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Longer than anything takes here but what never ends.
        let patience = Duration::from_secs(5);
        let asked = Asked { url: format!("http://{}", listener.local_addr().unwrap()), patience };
        let shown = Arc::new(AtomicUsize::new(0));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shown));
        let running = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Self { asked, shown, running }
    }

    fn has_shown_all(&self) -> bool {
        self.shown.load(Ordering::Relaxed) >= FAULTS.len()
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn answer(State(shown): State<Arc<AtomicUsize>>, request: Request) -> Response {
    // An answer to HEAD tells too little to have each of the faults.
    let is_told = request.method() != Method::HEAD;
    let mut sent = request.uri().to_string().into_bytes();
    sent.extend(to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default());
    let fault = (is_told && is_unusual(&sent)).then(|| FAULTS.get(shown.fetch_add(1, Ordering::Relaxed)));
    let id = [("x-request-id", "1")];
    match fault.flatten().map(|(fault, _)| fault) {
        None => (id, "{}").into_response(),
        Some(Fault::Panics) => panic!("a fault that is wanted"),
        Some(Fault::Fails) => (StatusCode::INTERNAL_SERVER_ERROR, id, "{}").into_response(),
        Some(Fault::FailsWithin) => (id, r#"{"errors":[{"extensions":{"code":"INTERNAL"}}]}"#).into_response(),
        Some(Fault::Tells) => (id, r#"relation "teams" does not exist"#).into_response(),
        Some(Fault::HasNoId) => "{}".into_response(),
        Some(Fault::NeverEnds) => std::future::pending().await,
    }
}

/// What no seed has and chance brings soon: something beyond ASCII, encoded or not.
fn is_unusual(sent: &[u8]) -> bool {
    !sent.is_ascii() || sent.windows(2).any(|pair| pair[0] == b'%' && matches!(pair[1], b'8'..=b'9' | b'A'..=b'F'))
}

/// Lets `ask` ask the server until that has shown every fault: it has to complain of each, and of nothing else.
pub async fn assert_every_fault_is_found(mut ask: impl AsyncFnMut(&Asked, &mut Rng) -> Vec<String>) {
    let (faulty, mut random, mut found) = (Faulty::start().await, Rng::with_seed(1), Vec::new());
    for _ in 0..ROUNDS {
        if faulty.has_shown_all() {
            break;
        }
        found.extend(ask(&faulty.asked, &mut random).await);
    }
    let is_of = |(complaint, (_, begins)): (&String, &(Fault, &str))| complaint.starts_with(begins);
    assert!(found.len() == FAULTS.len() && found.iter().zip(&FAULTS).all(is_of), "{found:#?}");
}
