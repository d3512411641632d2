//! Mutations that are sent (contract §5): noted before anything runs, and recorded even if it changes nothing. Forms are noted here, documents of
//! GraphQL in [`crate::graphql::endpoint`].

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use orgtrail::audit::event::Outcome;
use orgtrail::audit::operation::{SentMutation, settle};
use orgtrail::identity::viewer::{Identity, Viewer};
use orgtrail::platform::Platform;
use orgtrail_app::wire::Refusal;
use serde_json::{Map, Value};
use url::form_urlencoded;

/// Server functions that change nothing: all others are mutations, and those of the sign-in are recorded as attempts.
pub const QUESTIONS: [&str; 29] = [
    "/api/access_tokens_page",
    "/api/audit_actors",
    "/api/audit_count",
    "/api/audit_event",
    "/api/audit_page",
    "/api/branch_view",
    "/api/compared_supergraphs",
    "/api/compared_versions",
    "/api/document_view",
    "/api/documents_page",
    "/api/email_change_view",
    "/api/flash",
    "/api/graph_view",
    "/api/graphs_page",
    "/api/invite_view",
    "/api/invites_page",
    "/api/members_page",
    "/api/model_view",
    "/api/models_page",
    "/api/organization_view",
    "/api/own_sessions",
    "/api/reset_view",
    "/api/subgraph_version",
    "/api/subgraph_versions",
    "/api/supergraph_view",
    "/api/supergraphs_page",
    "/api/team_view",
    "/api/teams_page",
    "/api/viewer",
];

/// Ways to sign in: they are recorded as attempts, whoever is signed in already.
pub const SIGN_INS: [&str; 5] =
    ["/api/join_by_invite", "/api/login", "/api/request_password_reset", "/api/reset_password", "/api/signup"];

/// The way out for pages without JavaScript; all other forms are server functions.
const SIGN_OUT: &str = "/logout";

/// The ways out: they are open whether that can be recorded or not.
const SIGN_OUTS: [&str; 2] = [SIGN_OUT, "/api/logout"];

/// Stands innermost, where statuses are still those of the server functions.
pub async fn note(State(platform): State<Platform>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if request.method() != Method::POST || !is_mutation(&path) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default(); // in memory already, and short
    let fields = fields(&body);
    let slug = fields.get("organization").and_then(Value::as_str).map(str::to_owned);
    let Some(viewer) = parts.extensions.get_mut::<Viewer>() else {
        return next.run(Request::from_parts(parts, Body::from(body))).await;
    };
    begin(viewer, sent(&path, fields));
    let viewer = viewer.clone();
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let outcome = outcome(response.status());
    match end(&platform, &viewer, slug.as_deref(), outcome).await {
        Err(error) if outcome == Outcome::Success && !SIGN_OUTS.contains(&path.as_str()) => refusal(&error),
        _ => response,
    }
}

/// The refusal as a server function would answer it: to a form's page or a program.
fn refusal(error: &orgtrail::Error) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(Refusal::new(error.status(), error.code(), &error.message()))).into_response()
}

/// Notes what somebody sends: the first change that comes of it records it. Whoever is not signed in sends no mutation, but an attempt.
pub fn begin(viewer: &mut Viewer, sent: SentMutation) {
    if is_signed_in(viewer) {
        viewer.origin.mutation = Some(Arc::new(sent));
    }
}

/// Records how the viewer's mutation ended, if no change has recorded it. `slug` is the organization that it named.
///
/// # Errors
/// [`Error::Unavailable`](orgtrail::Error::Unavailable) if it is not recorded: then it was not done either, as it seems to who sent it.
/// Whoever was refused is so anyway.
pub async fn end(platform: &Platform, viewer: &Viewer, slug: Option<&str>, outcome: Outcome) -> orgtrail::Result<()> {
    let settled = settle(platform, viewer, slug, outcome).await;
    if let Err(cause) = &settled {
        tracing::error!(%cause, ?outcome, "a mutation that changed nothing could not be recorded");
    }
    settled
}

/// Whether a post to `path` is a mutation that is sent after sign-in.
#[must_use]
pub fn is_mutation(path: &str) -> bool {
    let is_form = path.starts_with("/api/") || path == SIGN_OUT;
    is_form && !QUESTIONS.contains(&path) && !SIGN_INS.contains(&path)
}

fn is_signed_in(viewer: &Viewer) -> bool {
    matches!(viewer.identity, Identity::User(_) | Identity::AccessToken(_))
}

/// A form has no name and no text of its own: these are its server function's.
fn sent(path: &str, fields: Map<String, Value>) -> SentMutation {
    let name = path.trim_start_matches('/').trim_start_matches("api/");
    SentMutation::new(Some(name), &format!("POST {path}"), Value::Object(fields), vec![name.to_owned()], None)
}

/// The fields of a form; one that is sent several times is a list.
fn fields(body: &Bytes) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        match fields.get_mut(name.as_ref()) {
            None => drop(fields.insert(name.into_owned(), Value::from(value))),
            Some(Value::Array(values)) => values.push(Value::from(value)),
            Some(only) => *only = Value::Array(vec![only.take(), Value::from(value)]),
        }
    }
    fields
}

fn outcome(status: StatusCode) -> Outcome {
    match status.as_u16() {
        401 | 403 => Outcome::Denied,
        400.. => Outcome::Failure,
        _ => Outcome::Success,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_repeat_are_lists() {
        let body = Bytes::from_static(b"name=Ada&scopes[]=a&scopes[]=b&scopes[]=c&empty=");
        let expected = serde_json::json!({ "name": "Ada", "scopes[]": ["a", "b", "c"], "empty": "" });
        assert_eq!(Value::Object(fields(&body)), expected);
    }

    #[test]
    fn questions_and_pages_are_no_mutations() {
        assert!(is_mutation("/api/create_team") && is_mutation("/logout"));
        assert!(!is_mutation("/api/audit_page") && !is_mutation("/api/login") && !is_mutation("/acme"));
    }
}
