//! No other site acts in a browser's name (contract §9, R-10 – R-12).
//!
//! Where `Sec-Fetch-Site` or `Origin` is present it must match, cookie or not, signing in included. Where both are absent the caller is
//! no browser: browsers always send `Origin` with a POST.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::ORIGIN;
use http::{HeaderMap, Method, StatusCode};

use super::front::Front;
use super::problem::Problem;

/// Refuses requests that another site caused: all that could change something, and all that would be data (`/api/…`).
pub async fn refuse(State(front): State<Arc<Front>>, request: Request, next: Next) -> Response {
    if is_foreign(&front, request.method(), request.uri().path(), request.headers()) {
        let message = "This request was caused by another site. If this is your own address, the operator has to name it in ORGTRAIL_PUBLIC_URL.";
        return Problem::new(StatusCode::FORBIDDEN, "CROSS_SITE", message).into_response();
    }
    next.run(request).await
}

fn is_foreign(front: &Front, method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if reads && !path.starts_with("/api/") {
        return false; // A page: links from anywhere lead to it, and it changes nothing.
    }
    // A download is also asked for by hand: from the address bar, a bookmark, "open in new tab".
    let sites: &[&str] = if reads { &["same-origin", "none"] } else { &["same-origin"] };
    let site = headers.get("sec-fetch-site").map(|site| site.to_str().unwrap_or_default());
    let foreign_site = site.is_some_and(|site| !sites.contains(&site));
    foreign_site || foreign_origin(front, headers, site.is_some())
}

/// An `Origin` that is not ours. `null` says nothing: it is refused unless the browser vouched for the site otherwise.
fn foreign_origin(front: &Front, headers: &HeaderMap, vouched: bool) -> bool {
    match headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        None => false,
        Some("null") => !vouched,
        Some(origin) => !front.is_own_origin(origin),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::config::PublicSide;

    const EXPORT: &str = "/api/export_audit_logs";

    fn foreign(method: &Method, path: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let public = PublicSide { url: Some("https://audit.example".parse().unwrap()), ..PublicSide::default() };
        let front = Front::new(&public, "127.0.0.1:3000".parse().unwrap());
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_foreign(&front, method, path, &headers.collect())
    }

    #[test]
    fn a_program_passes() {
        assert!(!foreign(&Method::POST, "/api/login", &[]));
        assert!(!foreign(&Method::GET, EXPORT, &[]));
    }

    #[test]
    fn our_own_pages_pass() {
        for headers in [
            [("sec-fetch-site", "same-origin")].as_slice(),
            &[("origin", "https://audit.example")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://audit.example")],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        ] {
            assert!(!foreign(&Method::POST, "/api/login", headers), "{headers:?}");
            assert!(!foreign(&Method::GET, EXPORT, headers), "{headers:?}");
        }
    }

    #[test]
    fn other_sites_do_not() {
        for headers in [
            [("sec-fetch-site", "cross-site")].as_slice(),
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://audit.example")],
            &[("origin", "null")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://audit.example")],
        ] {
            assert!(foreign(&Method::POST, "/api/login", headers), "{headers:?}");
            assert!(foreign(&Method::POST, "/logout", headers), "{headers:?}");
            assert!(foreign(&Method::GET, EXPORT, headers), "{headers:?}");
            assert!(!foreign(&Method::GET, "/acme", headers), "{headers:?}");
        }
    }

    #[test]
    fn what_a_person_types_is_a_download_but_no_form() {
        let typed = [("sec-fetch-site", "none")];
        assert!(!foreign(&Method::GET, EXPORT, &typed) && foreign(&Method::POST, "/api/login", &typed));
    }
}
