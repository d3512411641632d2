//! The document that a browser gets when a download was refused: no application, so that it also shows where nothing
//! else works.

use leptos::prelude::*;

use super::refused::title;
use crate::context::Assets;
use crate::wire::Refusal;

/// A whole HTML document that says what happened to a download, what is allowed, and where to go on.
///
/// `back` is a path of ours; `nonce` that of the response.
#[must_use]
pub fn refusal_page(assets: Assets, nonce: Option<&str>, refusal: &Refusal, back: &str) -> String {
    let nonce = nonce.map(str::to_owned);
    let back = back.to_owned();
    let Refusal { status, message, field, request_id, .. } = refusal.clone();
    let document = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>"Nothing was downloaded · Orgtrail"</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {assets.css.map(|css| view! { <link rel="stylesheet" href=css nonce=nonce/> })}
            </head>
            <body>
                <main class="lone">
                    <div class="refused">
                        <p class="refused-status">{status}</p>
                        <h1>{heading(status)}</h1>
                        <p>{message}</p>
                        {field.map(|field| view! { <p class="quiet">"It is about " <code>{field}</code> "."</p> })}
                        <p class="quiet">{bounds(status)}</p>
                        <p><a class="button" href=back>"Back to the audit logs"</a></p>
                        {request_id.map(|id| view! { <p class="quiet">"Request " <code>{id}</code></p> })}
                    </div>
                </main>
            </body>
        </html>
    };
    format!("<!DOCTYPE html>{}", document.to_html())
}

fn heading(status: u16) -> String {
    let reason = match status {
        403 => "You cannot download this",
        422 => "That cannot be downloaded",
        other => title(other),
    };
    reason.to_owned()
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
        let page =
            refusal_page(Assets { css: Some("/pkg/a.css"), ..Assets::default() }, Some("abc"), &refusal, "/acme");
        for part in
            ["<!DOCTYPE html>", "/pkg/a.css", "nonce=\"abc\"", "“&lt;b&gt;”", "90 days", "req_1", "href=\"/acme\""]
        {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
