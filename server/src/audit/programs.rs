//! What programs do with the trail: other products send their events into it, and whoever watches follows it.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use chrono::SecondsFormat;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use orgtrail::Error;
use orgtrail::audit::feed::{self, Feed};
use orgtrail::audit::ingest::{self, Format, Placed, Submission};
use orgtrail::audit::query::Pairs;
use orgtrail::platform::Platform;
use serde::Serialize;

use crate::http::body::Accepted;
use crate::http::problem::Problem;
use crate::identity::program::Program;

/// Events, one or several.
const EVENTS: Accepted = Accepted {
    name: "request with events",
    limit: 1024 * 1024,
    time: Duration::from_secs(30),
    types: &["application/json", NDJSON],
};

/// An event in each line.
const NDJSON: &str = "application/x-ndjson";

/// Makes a request that is sent again have the answer of the first.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer is one that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Moment up to which everything that was recorded is in the answer or came before it.
const COMPLETE_THROUGH: HeaderName = HeaderName::from_static("audit-complete-through");

/// Longest key, in bytes.
const MAX_KEY: usize = 255;

/// Events of an answer of the feed, where nothing else is asked for.
const LIMIT: i64 = 100;

/// The routes, below `/api/v1`.
pub fn routes() -> Router<Platform> {
    Router::new().route("/events", get(follow).post(send))
}

/// Where the events that were sent are.
#[derive(Serialize)]
struct PlacedJson {
    events: Vec<Placed>,
}

/// `POST …/events`: 201 where something new is recorded, 200 where all of it was before.
async fn send(
    State(platform): State<Platform>,
    Extension(program): Extension<Program>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = key(&headers)?;
    let body = EVENTS.collect(&headers, body).await?;
    let sent = Submission { key: key.as_deref(), body: &body, format: format(&headers) };
    let receipt = ingest::record(&platform, &program.viewer, &program.organization, sent).await?;
    let status = if receipt.is_new() { StatusCode::CREATED } else { StatusCode::OK };
    let is_replayed = receipt.is_replayed;
    let mut response = (status, Json(PlacedJson { events: receipt.events })).into_response();
    if is_replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The key of a request: one header of 1 to 255 visible characters of ASCII.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut sent = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = sent.next() else { return Ok(None) };
    let text = first.to_str().ok().filter(|_| sent.next().is_none());
    let is_key = |text: &&str| (1..=MAX_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let refused = || {
        let message = format!("An Idempotency-Key has 1 to {MAX_KEY} visible characters of ASCII.");
        Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
    };
    text.filter(is_key).map(|text| Some(text.to_owned())).ok_or_else(refused)
}

fn format(headers: &HeaderMap) -> Format {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.trim_start().to_ascii_lowercase().starts_with(NDJSON) { Format::Ndjson } else { Format::Json }
}

/// `GET …/events?after=…&limit=…`: the trail in the order of its index.
async fn follow(
    State(platform): State<Platform>,
    Extension(program): Extension<Program>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = Pairs::parse(query.as_deref().unwrap_or_default(), &["after", "limit"])?;
    let (after, limit) = (number(&query, "after")?, number(&query, "limit")?.unwrap_or(LIMIT));
    let read = feed::read(&platform, &program.viewer, &program.organization, after, limit).await?;
    let Feed { lines, complete_through } = read;
    let headers = [
        (CONTENT_TYPE, NDJSON.to_owned()),
        (COMPLETE_THROUGH, complete_through.to_rfc3339_opts(SecondsFormat::Micros, true)),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, lines).into_response())
}

fn number(query: &Pairs, name: &str) -> Result<Option<i64>, Error> {
    let read = |text: &str| text.parse().map_err(|_| Error::invalid(name, "This is a whole number."));
    query.get(name).map(read).transpose()
}
