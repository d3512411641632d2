//! Every refusal, dressed once: a page for people, problem JSON (RFC 9457) for programs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER, TRANSFER_ENCODING, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use leptos::nonce::Nonce;
use orgtrail::Error;
use orgtrail::error::Fault;
use orgtrail_app::wire::Refusal;
use serde::Serialize;
use utoipa::ToSchema;

use super::facts::Facts;
use super::{pages, security_headers};

/// Longest refusal of a server function that is read, in bytes: the places of a schema that is wrong are up to 50, and each is a line.
const REFUSAL_LIMIT: usize = 256 * 1024;

/// The media type of [`ProblemJson`].
pub(super) const JSON: &str = "application/problem+json";

/// A refusal on its way out. Handlers and layers answer with it; [`dress`] gives it its form.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Status.
    pub status: StatusCode,
    /// Code, as in [`Error::code`].
    pub code: String,
    /// A sentence for a person.
    pub message: String,
    /// The field or parameter that it is about.
    pub field: Option<String>,
    /// The places where that is wrong, where it is wrong in several.
    pub faults: Vec<Fault>,
}

impl Problem {
    /// A problem that belongs to no field.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), field: None, faults: Vec::new() }
    }

    /// What a bare status means.
    fn of_status(status: StatusCode) -> Self {
        let (code, message) = match status {
            StatusCode::NOT_FOUND => ("NOT_FOUND", "There is nothing here, or you may not know of it."),
            StatusCode::METHOD_NOT_ALLOWED => ("METHOD_NOT_ALLOWED", "This address does not answer to this method."),
            StatusCode::SERVICE_UNAVAILABLE => ("UNAVAILABLE", "This cannot be done right now: try again in a moment."),
            status if status.is_client_error() => ("BAD_REQUEST", "The request was not understood."),
            _ => ("INTERNAL", "Something went wrong on our side."),
        };
        Self::new(status, code, message)
    }

    /// The problem that a response without a page stands for: one of ours, a server function's refusal, or its bare status.
    async fn of_response(status: StatusCode, extensions: &http::Extensions, body: Body) -> Self {
        match extensions.get::<Self>() {
            Some(problem) => problem.clone(),
            None => read_refusal(body).await.map_or_else(|| Self::of_status(status), Self::from),
        }
    }
}

/// The refusal in the body of a server function's answer, if it is one.
pub async fn read_refusal(body: Body) -> Option<Refusal> {
    let bytes = http_body_util::Limited::new(body, REFUSAL_LIMIT).collect().await.ok()?.to_bytes();
    serde_json::from_slice(&bytes).ok()
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code: refusal.code, message: refusal.message, field: refusal.field, faults: refusal.faults }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        if let Error::Internal(cause) | Error::Unavailable(cause) = &error {
            tracing::error!(cause = chain(cause.as_ref()), "a layer failed");
        }
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let field = error.field().map(str::to_owned);
        Self { status, code: error.code().to_owned(), message: error.message(), field, faults: error.faults().to_vec() }
    }
}

/// An error and what caused it, for the log and the terminal; a cause that the error before has said already is left out.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = all.map(ToString::to_string).collect();
    texts.dedup_by(|cause, error| error.ends_with(cause.as_str()));
    texts.join(": ")
}

impl IntoResponse for Problem {
    /// Undressed: status and the problem itself, for [`dress`].
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A refusal as in RFC 9457, with our own members after the standard ones.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemJson<'a> {
    /// Always `about:blank`: `code` says what it is.
    r#type: &'static str,
    /// What the status is called.
    title: &'static str,
    /// The status.
    status: u16,
    /// What is wrong, in a sentence for a person.
    detail: &'a str,
    /// What is wrong, for programs: `UNAUTHENTICATED`, `FORBIDDEN`, `NOT_FOUND`, `BAD_USER_INPUT`, `BAD_CURSOR`, `CONFLICT`, `RATE_LIMITED`, `UNAVAILABLE` and others.
    code: &'a str,
    /// The field or parameter that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    field: Option<&'a str>,
    /// The places where that is wrong, where it is wrong in several.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    #[schema(value_type = Vec<super::openapi::Fault>, required = false)]
    faults: &'a [Fault],
    /// Id of the request, which is in the server's log too.
    request_id: &'a str,
}

/// Gives every refusal that is no page yet its form: nobody signed in and a page asked for → to the sign-in page and back.
pub async fn dress(request: Request, next: Next) -> Response {
    let facts = request.extensions().get::<Arc<Facts>>().cloned();
    let nonce = request.extensions().get::<Nonce>().cloned();
    let mut response = next.run(request).await;
    let status = response.status();
    say_when(status, response.headers_mut());
    let refused = status.is_client_error() || status.is_server_error();
    let (Some(facts), true, false) = (facts, refused, security_headers::is_page(response.headers())) else {
        return response;
    };
    let (mut parts, body) = response.into_parts();
    let problem = Problem::of_response(status, &parts.extensions, body).await;
    for of_old_body in [CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING, LOCATION] {
        parts.headers.remove(of_old_body);
    }
    let mut dressed = form(&problem, &facts, nonce.as_ref());
    let headers = std::mem::take(dressed.headers_mut());
    parts.headers.extend(headers);
    *dressed.headers_mut() = parts.headers;
    if problem.status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"orgtrail\"");
        dressed.headers_mut().entry(WWW_AUTHENTICATE).or_insert(challenge);
    }
    dressed
}

fn form(problem: &Problem, facts: &Facts, nonce: Option<&Nonce>) -> Response {
    let navigates = facts.wants_page && matches!(facts.method, Method::GET | Method::HEAD);
    if navigates && problem.status == StatusCode::UNAUTHORIZED {
        pages::to_login(&facts.target)
    } else if facts.wants_page {
        pages::refusal(problem, facts, nonce)
    } else {
        json(problem, &facts.id)
    }
}

fn json(problem: &Problem, request_id: &str) -> Response {
    let content_type = HeaderValue::from_static(JSON);
    (problem.status, [(CONTENT_TYPE, content_type)], text(problem, request_id)).into_response()
}

/// The problem as in RFC 9457.
pub(super) fn text(problem: &Problem, request_id: &str) -> String {
    let body = ProblemJson {
        r#type: "about:blank",
        title: problem.status.canonical_reason().unwrap_or("Refused"),
        status: problem.status.as_u16(),
        detail: &problem.message,
        code: &problem.code,
        field: problem.field.as_deref(),
        faults: &problem.faults,
        request_id,
    };
    serde_json::to_string(&body).unwrap_or_default()
}

/// When one may come again, where nobody said it before; pages say it too.
fn say_when(status: StatusCode, headers: &mut HeaderMap) {
    let seconds = match status {
        StatusCode::SERVICE_UNAVAILABLE => "2",
        StatusCode::TOO_MANY_REQUESTS => "5",
        _ => return,
    };
    headers.entry(RETRY_AFTER).or_insert(HeaderValue::from_static(seconds));
}
