//! `POST /graphql`: who may ask, how much may be sent, and how it is answered.
//!
//! A 4xx comes before anything is executed; what was executed is answered with 200, and its errors have codes (contract §9).

use std::time::Duration;

use async_graphql::Response as Answer;
use axum::extract::{Extension, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use orgtrail::identity::viewer::{Identity, Viewer};
use tokio::time::timeout;
use tracing::Instrument;

use super::document::Document;
use super::error::{self, Refused};
use super::schema::Schema;
use super::sent::Sent;
use crate::http::body::Accepted;
use crate::http::problem::Problem;

/// The one address.
pub const PATH: &str = "/graphql";

/// Longest body of somebody who has proved who they are, in bytes.
const LIMIT: usize = 2 * 1024 * 1024;

/// Longest body of anybody else, in bytes.
const ANONYMOUS_LIMIT: usize = 64 * 1024;

/// What a request is sent as.
const REQUEST: Accepted =
    Accepted { name: "request", limit: LIMIT, time: Duration::from_secs(30), types: &["application/json"] };

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Refuses what is no POST of JSON before anything is looked up. A form of another site could only be another type.
pub async fn refuse(request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, HeaderValue::from_static("POST"))]).into_response();
    }
    if !is_json(request.headers()) {
        let told = "GraphQL is sent as `Content-Type: application/json`.";
        return Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "BAD_USER_INPUT", told).into_response();
    }
    next.run(request).await
}

/// `application/json`, once, with no parameter but the one that says what JSON always is.
fn is_json(headers: &HeaderMap) -> bool {
    let mut sent = headers.get_all(CONTENT_TYPE).iter();
    let only = sent.next().filter(|_| sent.next().is_none()).and_then(|value| value.to_str().ok());
    let Some((media_type, parameters)) = only.map(|value| value.split_once(';').unwrap_or((value, ""))) else {
        return false;
    };
    let parameters = parameters.trim();
    let harmless = parameters.is_empty() || parameters.eq_ignore_ascii_case("charset=utf-8");
    harmless && media_type.trim().eq_ignore_ascii_case("application/json")
}

/// Reads, executes, answers.
pub async fn answer(State(schema): State<Schema>, Extension(viewer): Extension<Viewer>, request: Request) -> Response {
    match read(&viewer, request).await {
        Ok(sent) => match run(&schema, viewer, sent).await {
            Ok(answer) => json(answer),
            Err(problem) => problem.into_response(),
        },
        Err(problem) => problem.into_response(),
    }
}

async fn read(viewer: &Viewer, request: Request) -> Result<Sent, Problem> {
    let anonymous = matches!(viewer.identity, Identity::Anonymous);
    let limit = if anonymous { ANONYMOUS_LIMIT } else { LIMIT };
    let (parts, body) = request.into_parts();
    let body = Accepted { limit, ..REQUEST }.collect(&parts.headers, body).await?;
    if anonymous {
        return Err(orgtrail::Error::Unauthenticated.into());
    }
    Sent::parse(&body)
}

async fn run(schema: &Schema, viewer: Viewer, sent: Sent) -> Result<Answer, Problem> {
    let variables = sent.variables()?;
    let document = match Document::read(&sent.query, sent.operation_name.as_deref(), &variables) {
        Ok(document) => document,
        Err(refused) => return Ok(refused.into_response()),
    };
    let mut request = async_graphql::Request::new(sent.query).variables(variables).data(viewer);
    request.operation_name = sent.operation_name;
    request.set_parsed_query(document.parsed);
    let mut answer = execute(schema, request).await;
    error::dress(&mut answer);
    Ok(answer)
}

/// In a task of its own, which goes on when nobody waits any longer: to drop what talks to the database would leave it in the middle. What it may
/// take is bounded by the database's own limits.
async fn execute(schema: &Schema, request: async_graphql::Request) -> Answer {
    let schema = schema.clone();
    let running = tokio::spawn(async move { schema.execute(request).await }.in_current_span());
    match timeout(PATIENCE, running).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(ended)) => {
            tracing::error!(%ended, "a GraphQL request ended before its end");
            Refused::new("INTERNAL", "Something went wrong on our side.".to_owned(), None).into_response()
        }
        Err(_) => {
            let told = "This took longer than 10 seconds, and may yet be done.";
            Refused::new("UNAVAILABLE", told.to_owned(), None).into_response()
        }
    }
}

fn json(answer: Answer) -> Response {
    match serde_json::to_vec(&answer) {
        Ok(body) => {
            ([(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))], body).into_response()
        }
        Err(cause) => Problem::from(orgtrail::Error::internal(cause)).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_one_type_exactly() {
        let sent = |values: &[&'static str]| {
            is_json(&values.iter().map(|value| (CONTENT_TYPE, HeaderValue::from_static(value))).collect())
        };
        for fine in ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=UTF-8"] {
            assert!(sent(&[fine]), "{fine}");
        }
        for other in [
            "text/plain",
            "application/graphql",
            "application/json, text/plain",
            "application/json; boundary=x",
            "application/jsonx",
            "multipart/form-data",
            "application/cbor",
            "application/x-www-form-urlencoded",
            "",
        ] {
            assert!(!sent(&[other]), "{other}");
        }
        assert!(!sent(&[]) && !sent(&["application/json", "application/json"]));
    }
}
