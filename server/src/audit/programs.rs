//! What programs do with the trail: other products send their events into it, and whoever watches follows it.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::SecondsFormat;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};
use orgtrail::Error;
use orgtrail::audit::feed::{self, Feed};
use orgtrail::audit::ingest::{self, Format, Placed, Submission};
use orgtrail::audit::query::Pairs;
use orgtrail::platform::Platform;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::body::Accepted;
use crate::http::idempotency;
use crate::http::openapi::{Refusals, RefusalsOfBody};
use crate::http::problem::{Problem, ProblemJson};
use crate::identity::program::Program;

mod form;

/// Events, one or several.
const EVENTS: Accepted =
    Accepted { name: "request with events", limit: 1024 * 1024, types: &["application/json", NDJSON] };

/// An event in each line.
const NDJSON: &str = "application/x-ndjson";

/// Moment up to which everything that was recorded is in the answer or came before it.
const COMPLETE_THROUGH: HeaderName = HeaderName::from_static("audit-complete-through");

/// Events of an answer of the feed, where nothing else is asked for.
const LIMIT: i64 = 100;

/// The routes, below `/api/v1`.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(follow, send))
}

/// Where the events that were sent are.
#[derive(Serialize, ToSchema)]
#[schema(as = PlacedEvents)]
struct PlacedJson {
    /// Each event, in the order in which it was sent.
    #[schema(value_type = Vec<form::PlacedEvent>)]
    events: Vec<Placed>,
}

/// Sends events of another product.
///
/// All of them are recorded, or none. The answer comes after the commit. What is sent again, with the same key or the same ids, is recorded once.
#[utoipa::path(
    post, path = "/events", tag = "events", operation_id = "sendEvents",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255,
        description = "Makes a request that is sent again have the answer of the first: visible characters of ASCII.")),
    request_body(description = "Events, at most 1,000 and 1 MiB; in NDJSON an event in each line.",
        content((form::SentEvents = "application/json"), (String = "application/x-ndjson"))),
    responses(
        (status = 201, description = "At least one event is new", body = PlacedJson),
        (status = 200, description = "All of them were recorded before", body = PlacedJson,
            headers(("Idempotent-Replayed" = Option<String>, description = "`true` where this is the answer to an earlier request with the same key"))),
        Refusals, RefusalsOfBody,
    ),
)]
async fn send(
    State(platform): State<Platform>,
    Extension(program): Extension<Program>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = idempotency::key(&headers)?;
    let body = EVENTS.collect(&headers, body).await?;
    let sent = Submission { key: key.as_deref(), body: &body, format: format(&headers) };
    let receipt = ingest::record(&platform, &program.viewer, &program.organization, sent).await?;
    let status = if receipt.is_new() { StatusCode::CREATED } else { StatusCode::OK };
    let is_replayed = receipt.is_replayed;
    Ok(idempotency::answer((status, Json(PlacedJson { events: receipt.events })), is_replayed))
}

fn format(headers: &HeaderMap) -> Format {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.trim_start().to_ascii_lowercase().starts_with(NDJSON) { Format::Ndjson } else { Format::Json }
}

/// Follows the trail, in the order of its index.
///
/// Ask again with the `index` of the last line, and you see every event of every kind once.
#[utoipa::path(
    get, path = "/events", tag = "events", operation_id = "followEvents",
    params(
        ("after" = Option<i64>, Query, minimum = -1, description = "Index after which it begins; the first that is kept without it"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1000, description = "Most events, 100 without it"),
    ),
    responses(
        (status = 200, description = "Events, one in each line, as an export in NDJSON has them; none where nothing has come", body = String,
            content_type = "application/x-ndjson",
            headers(("Audit-Complete-Through" = String, description = "Moment up to which everything that was recorded is here or came before"))),
        (status = 410, description = "The events after `after` are no longer kept; `detail` says where to go on", body = ProblemJson, content_type = "application/problem+json"),
        Refusals,
    ),
)]
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
