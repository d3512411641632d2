//! What a request is, noted before any layer changes it; and its line in the log.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use orgtrail::audit::redact::holds_access_token;
use orgtrail::identity::viewer::Origin;
use orgtrail::platform::Clock;
use orgtrail::storage::new_id;
use tracing::Instrument;

use super::client_address::client_address;
use super::front::Front;
use super::measured::Measured;
use super::programs;
use super::traced::{REQUEST, Traced};

/// Carries the request's id in every response.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of a `User-Agent` that are kept.
const USER_AGENT_LIMIT: usize = 512;

/// The facts of a request: in its extensions, as `Arc<Facts>`.
#[derive(Debug)]
pub struct Facts {
    /// `req_` and an id of version 7 (RFC 9562).
    pub id: String,
    /// Address of the client.
    pub client: IpAddr,
    /// Whether a trusted proxy has sent it, whose word on where it comes from is taken.
    pub by_trusted_proxy: bool,
    /// `User-Agent`, at most 512 bytes.
    pub user_agent: Option<String>,
    /// Whether a person waits for a page: `Accept` names `text/html`, as browsers do when they navigate or send a form. What is for programs has
    /// none.
    pub wants_page: bool,
    /// Method.
    pub method: Method,
    /// Path, without the query.
    pub path: String,
    /// Path and query.
    pub target: String,
}

impl Facts {
    /// Where the request came from, as events record it.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            ip: Some(self.client.to_string()),
            user_agent: self.user_agent.clone(),
            request_id: Some(self.id.clone()),
            mutation: None,
        }
    }
}

/// What [`note`] needs.
#[derive(Clone)]
pub struct Noting {
    /// The proxies to believe.
    pub front: Arc<Front>,
    /// The time, for ids.
    pub clock: Clock,
}

/// The outermost layer: notes the facts, gives the response the request's id, and logs one line. The line has the path but not the
/// query: that may hold names, addresses and words that people search for.
pub async fn note(State(noting): State<Noting>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let facts = Arc::new(facts(&noting, &request));
    request.extensions_mut().insert(Arc::clone(&facts));
    let measured = Measured::begin(&request);
    // Whatever is logged on the way names the request.
    let span = tracing::info_span!(target: REQUEST, "request", request_id = facts.id);
    let traced = Traced::begin(&span, &request, &facts);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(id) = HeaderValue::from_str(&facts.id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    measured.end(response.status());
    traced.end(response.status());
    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    tracing::info!(
        request_id = facts.id, method = %facts.method, path = facts.path, status = response.status().as_u16(),
        milliseconds, ip = %facts.client, "request"
    );
    response
}

fn facts(noting: &Noting, request: &Request) -> Facts {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    let headers = request.headers();
    Facts {
        id: new_request_id(&noting.clock),
        client: client_address(peer, headers, &noting.front.trusted_proxies),
        by_trusted_proxy: noting.front.trusts(peer),
        user_agent: headers.get(USER_AGENT).map(|value| cut(&String::from_utf8_lossy(value.as_bytes())).to_owned()),
        wants_page: accepts_page(headers) && !request.uri().path().starts_with(programs::ROOT),
        method: request.method().clone(),
        path: path(request.uri().path()),
        target: request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned(),
    }
}

/// Pages whose last segment is a secret that was mailed.
const SECRET_PAGES: [&str; 3] = ["/invites/", "/reset/", "/account/email/"];

/// The path without secrets, for the log. A request with an access token in its path is refused.
fn path(path: &str) -> String {
    if holds_access_token(path) {
        return "[an access token]".to_owned();
    }
    let page = SECRET_PAGES.iter().find(|page| path.starts_with(*page));
    page.map_or_else(|| path.to_owned(), |page| format!("{page}[a secret]"))
}

/// The id of a new request. Falls back to the nil id where the system has no randomness: a request without an id is better than none.
pub(super) fn new_request_id(clock: &Clock) -> String {
    format!("req_{}", new_id(clock.now()).unwrap_or_default())
}

fn accepts_page(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")))
}

/// The longest beginning of `text` within the limit that ends between two characters.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(USER_AGENT_LIMIT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_user_agent_is_cut_between_characters() {
        assert_eq!(cut("curl/8"), "curl/8");
        assert_eq!(cut(&"é".repeat(400)).len(), 512);
        assert_eq!(cut(&format!("a{}", "é".repeat(400))).len(), 511);
    }

    #[test]
    fn a_secret_in_a_path_is_not_kept() {
        for (asked, kept) in [
            ("/acme/settings/invites", "/acme/settings/invites"),
            ("/invites/canary", "/invites/[a secret]"),
            ("/reset/canary", "/reset/[a secret]"),
            ("/account/email/canary/more", "/account/email/[a secret]"),
        ] {
            assert_eq!(path(asked), kept);
        }
    }

    #[test]
    fn request_ids_differ_and_say_what_they_are() {
        let (one, other) = (new_request_id(&Clock::Real), new_request_id(&Clock::Real));
        assert!(one.starts_with("req_") && one.len() == 40 && one != other);
    }
}
