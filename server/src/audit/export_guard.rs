//! In front of `GET /api/export_audit_logs`: what a server function cannot see or say by itself.
//!
//! A server function that a browser navigates to answers with a redirect to where it came from, so that here the request is made to
//! say that it wants a file. And its arguments are strings: the raw query is checked first, so that what is malformed, unknown or
//! given twice is 422 and not an error of ours.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, ALLOW};
use http::{HeaderValue, Method, StatusCode};
use orgtrail::Error;
use orgtrail::audit::query::ExportQuery;
use orgtrail::identity::viewer::{Identity, Viewer};
use orgtrail::organization::slug::Slug;
use orgtrail::platform::Platform;
use url::form_urlencoded;

use crate::http::problem::Problem;

/// The server function behind.
pub const PATH: &str = "/api/export_audit_logs";

/// Refuses nobody's and malformed requests; lets the others through as a program's.
pub async fn guard(State(platform): State<Platform>, mut request: Request, next: Next) -> Response {
    if request.uri().path() != PATH {
        return next.run(request).await;
    }
    if request.method() != Method::GET {
        // HEAD too: it would be an export that nobody reads.
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, HeaderValue::from_static("GET"))]).into_response();
    }
    if let Err(error) = check(&platform, &request) {
        return Problem::from(error).into_response();
    }
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/csv"));
    next.run(request).await
}

/// The page of the organization that a refused download was for; `/` if it named none.
#[must_use]
pub fn page_of(target: &str) -> String {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let named = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "organization");
    match named.and_then(|(_, slug)| Slug::parse(&slug).ok()) {
        Some(slug) => format!("/{}/settings/audit-logs", slug.as_str()),
        None => "/".to_owned(),
    }
}

fn check(platform: &Platform, request: &Request) -> Result<(), Error> {
    match request.extensions().get::<Viewer>().map(|viewer| &viewer.identity) {
        None | Some(Identity::Anonymous) => return Err(Error::Unauthenticated),
        Some(_) => {}
    }
    let raw = request.uri().query().unwrap_or_default();
    ExportQuery::parse(raw, platform.clock.now()).map(drop)
}
