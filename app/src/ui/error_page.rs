//! The document that a browser gets when a request failed outside of the application: no application, so that it also shows
//! where nothing else works.

use leptos::prelude::*;

use super::refused::title;
use crate::context::Assets;
use crate::wire::Refusal;

/// A whole HTML document that says what happened and where to go on. `nonce` is that of the response.
#[must_use]
pub fn error_page(assets: Assets, nonce: Option<&str>, refusal: &Refusal) -> String {
    let nonce = nonce.map(str::to_owned);
    let Refusal { status, message, field, request_id, .. } = refusal.clone();
    let document = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{title(status)}" · Orgtrail"</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {assets.css.map(|css| view! { <link rel="stylesheet" href=css nonce=nonce/> })}
            </head>
            <body>
                <main class="lone">
                    <div class="refused">
                        <p class="refused-status">{status}</p>
                        <h1>{title(status)}</h1>
                        <p>{message}</p>
                        {field.map(|field| view! { <p class="quiet">"It is about " <code>{field}</code> "."</p> })}
                        <p><a class="button" href="/">"Go to your organization"</a></p>
                        {request_id.map(|id| view! { <p class="quiet">"Request " <code>{id}</code></p> })}
                    </div>
                </main>
            </body>
        </html>
    };
    format!("<!DOCTYPE html>{}", document.to_html())
}
