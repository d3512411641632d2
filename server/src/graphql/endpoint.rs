//! `POST /graphql`: who may ask, how much may be sent, and how it is answered.
//!
//! A 4xx comes before anything is executed; what was executed is answered with 200, and its errors have codes (contract §9).

use async_graphql::Response as Answer;
use async_graphql::parser::types::OperationType;
use axum::extract::{Extension, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use orgtrail::audit::event::Outcome;
use orgtrail::audit::operation::SentMutation;
use orgtrail::identity::viewer::{Identity, Viewer};
use orgtrail::platform::Platform;
use serde_json::json;
use tokio::time::timeout;
use tower_sessions::Session;
use tracing::Instrument;

use super::document::Document;
use super::error::{self, Refused};
use super::mutation::Named;
use super::schema::{Schema, schema};
use super::sent::Sent;
use super::texts::Texts;
use crate::audit::mutations;
use crate::http::body::Accepted;
use crate::http::finish::Finishing;
use crate::http::problem::Problem;

/// The one address.
pub const PATH: &str = "/graphql";

/// Longest body of somebody who has proved who they are, in bytes.
const LIMIT: usize = 2 * 1024 * 1024;

/// Longest body of anybody else, in bytes.
const ANONYMOUS_LIMIT: usize = 64 * 1024;

/// What a request is sent as.
const REQUEST: Accepted = Accepted { name: "request", limit: LIMIT, types: &["application/json"] };

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

/// What answers.
#[derive(Clone)]
pub struct Served {
    schema: Schema,
    platform: Platform,
    finishing: Finishing,
}

impl Served {
    /// The schema on `platform`, whose answers are waited for so long.
    #[must_use]
    pub fn new(platform: Platform, finishing: Finishing) -> Self {
        Self { schema: schema(platform.clone()), platform, finishing }
    }
}

/// Reads, executes, answers.
pub async fn answer(
    State(served): State<Served>,
    Extension(viewer): Extension<Viewer>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Response {
    match read(&viewer, request).await {
        Ok(sent) => match run(served, viewer, session, sent).await {
            Ok(answer) => told(answer),
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

async fn run(served: Served, mut viewer: Viewer, session: Session, sent: Sent) -> Result<Answer, Problem> {
    let variables = sent.variables()?;
    let document = match Document::read(&sent.query, sent.operation_name.as_deref(), &variables) {
        Ok(document) => document,
        Err(refused) => return Ok(refused.into_response()),
    };
    if document.kind == OperationType::Mutation {
        mutations::begin(&mut viewer, mutation(&sent, &document));
    }
    let mut request = async_graphql::Request::new(sent.query).variables(variables).data(session).data(Texts::default());
    request.operation_name = sent.operation_name;
    request.set_parsed_query(document.parsed);
    let finishing = served.finishing.clone();
    Ok(finish(&finishing, execute(served, viewer, request)).await)
}

/// What is recorded of a mutation: what the client claims, and what really runs.
fn mutation(sent: &Sent, document: &Document) -> SentMutation {
    let name = sent.operation_name.as_deref().or(document.name.as_deref());
    let mut variables = sent.claimed();
    for secret in &document.secrets {
        if let Some(value) = variables.get_mut(secret) {
            // Secrets are known by their names when they are redacted; this one's is the client's.
            *value = json!({ "secret": value.take() });
        }
    }
    SentMutation::new(name, &sent.query, variables, document.root_fields.clone(), Some(document.sha256))
}

/// Executes a document, and records how it ended if it is a mutation that changed nothing.
async fn execute(served: Served, viewer: Viewer, request: async_graphql::Request) -> Answer {
    let named = Named::default();
    let mut answer = served.schema.execute(request.data(viewer.clone()).data(named.clone())).await;
    error::dress(&mut answer);
    let outcome = outcome(&answer);
    match mutations::end(&served.platform, &viewer, named.slug(), outcome).await {
        Err(error) if outcome == Outcome::Success => Refused::new(error.code(), error.message(), None).into_response(),
        _ => answer,
    }
}

fn outcome(answer: &Answer) -> Outcome {
    match answer.errors.first().map(error::code) {
        None => Outcome::Success,
        Some("UNAUTHENTICATED" | "FORBIDDEN") => Outcome::Denied,
        Some(_) => Outcome::Failure,
    }
}

/// In a task of its own, which goes on when nobody waits any longer: to drop what talks to the database would leave it in the middle. What it may
/// take is bounded by the database's own limits.
async fn finish(finishing: &Finishing, executing: impl Future<Output = Answer> + Send + 'static) -> Answer {
    let executing = tokio::spawn(executing.in_current_span());
    let begun = executing.abort_handle();
    match timeout(finishing.patience.graphql, executing).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(ended)) => {
            tracing::error!(%ended, "a GraphQL request ended before its end");
            Refused::new("INTERNAL", "Something went wrong on our side.".to_owned(), None).into_response()
        }
        Err(_) => {
            finishing.give_up_later(begun);
            let told = "This takes longer than it may, and may yet be done.";
            Refused::new("UNAVAILABLE", told.to_owned(), None).into_response()
        }
    }
}

fn told(answer: Answer) -> Response {
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
