//! The document that a browser gets when a download was refused.

use super::error_page::{Texts, document};
use super::refused::title;
use crate::context::Assets;
use crate::wire::Refusal;

/// A whole HTML document that says what happened to a download, what is allowed, and where to go on.
///
/// `back` is a path of ours and what it leads to; `nonce` that of the response.
#[must_use]
pub fn refusal_page(assets: Assets, nonce: Option<&str>, refusal: &Refusal, back: (&str, &str)) -> String {
    let texts =
        Texts { heading: heading(refusal.status), bounds: Some(bounds(refusal.status)), back: back.0, label: back.1 };
    document(assets, nonce, refusal, &texts)
}

fn heading(status: u16) -> &'static str {
    match status {
        403 => "You cannot download this",
        422 => "That cannot be downloaded",
        other => title(other),
    }
}

/// What is allowed (contract: a download has at most 90 calendar days, the last of which is today).
fn bounds(status: u16) -> &'static str {
    match status {
        403 => "Owners and admins of the organization download its audit logs. Ask one of them.",
        422 => "A download covers at most 90 days, both ends included, from 89 days ago to today.",
        429 => "An organization has at most two downloads running. Wait for one to end, then try again.",
        _ => "Nothing was downloaded, and nothing was changed.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_happened_and_escapes_it() {
        let refusal = Refusal {
            field: Some("start".into()),
            request_id: Some("req_1".into()),
            ..Refusal::new(422, "BAD_USER_INPUT", "“<b>” is not a date.")
        };
        let assets = Assets { css: Some("/pkg/a.css"), ..Assets::default() };
        let page = refusal_page(assets, Some("abc"), &refusal, ("/acme", "Back to the audit logs"));
        for part in
            ["<!DOCTYPE html>", "/pkg/a.css", "nonce=\"abc\"", "“&lt;b&gt;”", "90 days", "req_1", "href=\"/acme\""]
        {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
