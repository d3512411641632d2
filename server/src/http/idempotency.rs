//! The header `Idempotency-Key`: a request that is sent again has the answer of the first.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::problem::Problem;

/// Says that two requests are the same.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer is one that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Longest key, in bytes.
const MAX_KEY: usize = 255;

/// The key of a request: one header of 1 to 255 visible characters of ASCII.
///
/// # Errors
/// 400 for another one.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut sent = headers.get_all(KEY).iter();
    let Some(first) = sent.next() else { return Ok(None) };
    let text = first.to_str().ok().filter(|_| sent.next().is_none());
    let is_key = |text: &&str| (1..=MAX_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let refused = || {
        let message = format!("An Idempotency-Key has 1 to {MAX_KEY} visible characters of ASCII.");
        Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
    };
    text.filter(is_key).map(|text| Some(text.to_owned())).ok_or_else(refused)
}

/// An answer, which says whether it was given before.
pub fn answer(answer: impl IntoResponse, is_replayed: bool) -> Response {
    let mut response = answer.into_response();
    if is_replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
