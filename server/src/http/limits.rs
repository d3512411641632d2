//! What no request may be: too long, in a method that nobody needs, or with a credential in its address.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::ALLOW;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use orgtrail::audit::redact::holds_access_token;
use url::form_urlencoded;

use super::problem::Problem;
use crate::graphql::endpoint;

/// Longest path and query, in bytes.
pub const ADDRESS_LIMIT: usize = 8 * 1024;

/// Longest block of headers, in bytes.
pub const HEADERS_LIMIT: usize = 16 * 1024;

/// Parameters in which a credential would be written to histories and to the logs of others; what looks like one of ours is known
/// anywhere.
const CREDENTIALS: [&str; 2] = ["token", "access_token"];

/// Refuses before anything is read or looked up.
pub async fn refuse(request: Request, next: Next) -> Response {
    if let Some(problem) = problem(&request) {
        return problem.into_response();
    }
    // GraphQL says itself that it takes POST alone.
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::POST) || request.uri().path() == endpoint::PATH
    {
        return next.run(request).await;
    }
    let mut response = StatusCode::METHOD_NOT_ALLOWED.into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    response
}

fn problem(request: &Request) -> Option<Problem> {
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > ADDRESS_LIMIT) {
        let message = "The address of this request is too long: 8,192 bytes are the most.";
        Some(Problem::new(StatusCode::URI_TOO_LONG, "BAD_USER_INPUT", message))
    } else if headers_length(request.headers()) > HEADERS_LIMIT {
        let message = "The headers of this request are too long: 16,384 bytes are the most.";
        Some(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "BAD_USER_INPUT", message))
    } else {
        credential(request.uri())
    }
}

/// As sent: name, colon, space, value, line end.
fn headers_length(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

fn credential(uri: &Uri) -> Option<Problem> {
    let mut parameters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let named = parameters.find(|(name, value)| {
        CREDENTIALS.contains(&name.as_ref()) || holds_access_token(name) || holds_access_token(value)
    });
    if named.is_none() && !holds_access_token(uri.path()) {
        return None;
    }
    let field = named.map(|(name, _)| name.into_owned()).filter(|name| !holds_access_token(name));
    let message =
        "Access tokens are not taken from addresses: send it as `Authorization: Bearer`, and revoke this one.";
    let problem = Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message);
    Some(Problem { field, ..problem })
}
