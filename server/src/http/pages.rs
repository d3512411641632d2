//! Answers that are pages but no application: ways to another page, and refusals that people see.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use leptos::nonce::Nonce;
use orgtrail::identity::view::access_token::ShownSecret;
use orgtrail::organization::view::invite::InviteSent;
use orgtrail_app::context::Assets;
use orgtrail_app::ui::error_page::error_page;
use orgtrail_app::ui::refusal_page::refusal_page;
use orgtrail_app::ui::secret_page::{invite_page, secret_page};
use orgtrail_app::wire::Refusal;
use url::form_urlencoded;

use super::facts::Facts;
use super::problem::Problem;
use crate::audit::export_guard;
use crate::model::download;
use crate::site;

/// The hashed files of the site, for every page.
#[must_use]
pub fn assets() -> Assets {
    let names = site::names();
    Assets { css: names.css, js: names.js, wasm: names.wasm, chunks: names.chunks }
}

/// 303 to `path`, one of our own; to `/` where it cannot be a header.
#[must_use]
pub fn see_other(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
}

/// 303 to the sign-in page, which comes back to `next`.
#[must_use]
pub fn to_login(next: &str) -> Response {
    see_other(&with_next("/login", next))
}

/// `page` with `next` as its parameter; without, where that is where one goes anyway.
#[must_use]
pub fn with_next(page: &str, next: &str) -> String {
    if matches!(next, "" | "/") {
        return page.to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    format!("{page}?{query}")
}

/// A refusal as a document of its own; a refused download leads back to the page that offers it.
#[must_use]
pub fn refusal(problem: &Problem, facts: &Facts, nonce: Option<&Nonce>) -> Response {
    let refusal = Refusal {
        status: problem.status.as_u16(),
        code: problem.code.clone(),
        message: problem.message.clone(),
        field: problem.field.clone(),
        faults: problem.faults.clone(),
        request_id: Some(facts.id.clone()),
    };
    let nonce = nonce.map(|nonce| &**nonce);
    let document = match download_page(facts) {
        Some((page, label)) => refusal_page(assets(), nonce, &refusal, (&page, label)),
        None => error_page(assets(), nonce, &refusal),
    };
    html(problem.status, document)
}

/// The page that offers the download that was asked for, and what a link to it says.
fn download_page(facts: &Facts) -> Option<(String, &'static str)> {
    if facts.path == export_guard::PATH {
        return Some((export_guard::page_of(&facts.target), "Back to the audit logs"));
    }
    Some((download::page_of(&facts.path)?, "Back to the model"))
}

/// The page that shows a new secret, once.
#[must_use]
pub fn secret(shown: ShownSecret, nonce: Option<&Nonce>, back: &str) -> Response {
    html(StatusCode::OK, secret_page(assets(), nonce.map(|nonce| &**nonce), shown, back))
}

/// The page that shows the link of an invite, once.
#[must_use]
pub fn invite_sent(sent: InviteSent, nonce: Option<&Nonce>, back: &str) -> Response {
    html(StatusCode::OK, invite_page(assets(), nonce.map(|nonce| &**nonce), sent, back))
}

fn html(status: StatusCode, document: String) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], document).into_response()
}
