//! A refusal as a document of its own, without the application, so that it also shows where nothing else works.

use leptos::prelude::*;

use super::refused::title;
use crate::context::Assets;
use crate::wire::Refusal;

/// A whole HTML document that says what happened and where to go on; `nonce` is that of the response.
#[must_use]
pub fn error_page(assets: Assets, nonce: Option<&str>, refusal: &Refusal) -> String {
    let texts = Texts { heading: title(refusal.status), bounds: None, back: "/", label: "Go to your organization" };
    document(assets, nonce, refusal, &texts)
}

/// What differs between such documents.
pub(super) struct Texts<'a> {
    /// The heading, also the title: plain words, nothing to escape.
    pub heading: &'a str,
    /// What is allowed.
    pub bounds: Option<&'a str>,
    /// Where to go on: a path of ours.
    pub back: &'a str,
    /// The label of the way on.
    pub label: &'a str,
}

/// The document.
pub(super) fn document(assets: Assets, nonce: Option<&str>, refusal: &Refusal, texts: &Texts<'_>) -> String {
    let Refusal { status, message, field, request_id, .. } = refusal.clone();
    let heading = texts.heading.to_owned();
    let content = view! {
        <div class="refused">
            <p class="refused-status">{status}</p>
            <h1>{heading.clone()}</h1>
            <p>{message}</p>
            {field.map(|field| view! { <p class="quiet">"It is about " <code>{field}</code> "."</p> })}
            {texts.bounds.map(|bounds| view! { <p class="quiet">{bounds.to_owned()}</p> })}
            <p><a class="button" href=texts.back.to_owned()>{texts.label.to_owned()}</a></p>
            {request_id.map(|id| view! { <p class="quiet">"Request " <code>{id}</code></p> })}
        </div>
    };
    lone(assets, nonce, &heading, content.into_any())
}

/// A document with nothing but `content`; `heading` is its title: plain words, nothing to escape.
pub(super) fn lone(assets: Assets, nonce: Option<&str>, heading: &str, content: AnyView) -> String {
    let nonce = nonce.map(str::to_owned);
    let document = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title inner_html=format!("{heading} · Orgtrail")></title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {assets.css.map(|css| view! { <link rel="stylesheet" href=css nonce=nonce/> })}
            </head>
            <body>
                <main class="lone">{content}</main>
            </body>
        </html>
    };
    format!("<!DOCTYPE html>{}", document.to_html())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_without_anything_else() {
        let page = error_page(Assets::default(), None, &Refusal::new(503, "UNAVAILABLE", "Try again in a moment."));
        for part in
            ["<title>Not right now · Orgtrail</title>", "<h1>Not right now", "Try again in a moment.", "href=\"/\""]
        {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        assert!(!page.contains("stylesheet"), "{page}");
    }
}
