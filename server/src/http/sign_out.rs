//! `POST /logout`: the way out for whoever has only a link's worth of HTML; `/api/logout` is the same for forms and programs.

use axum::Extension;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use orgtrail::Error;
use tower_sessions::Session;

use super::pages::see_other;
use super::problem::Problem;

/// Deletes the session, and has the browser forget what it kept.
pub async fn sign_out(Extension(session): Extension<Session>) -> Response {
    if let Err(cause) = session.flush().await {
        return Problem::from(Error::Unavailable(cause.into())).into_response();
    }
    let mut response = see_other("/login");
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    response
}
