//! The document around the pages, rendered on the server only.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::App;
use crate::context::{Assets, assets, raw_path};
use crate::{lazy, routes};

/// The whole document. Scripts and the style sheet carry the nonce of the response; without assets the page is plain,
/// and works.
#[must_use]
pub fn shell() -> impl IntoView {
    let assets = assets();
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {stylesheet(assets)}
                {hydration(assets)}
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

fn stylesheet(assets: Assets) -> Option<impl IntoView> {
    let css = assets.css?;
    Some(view! { <link rel="stylesheet" href=css nonce=use_nonce()/> })
}

/// Loads the WebAssembly and starts [`crate::hydrate`]; the preload hints let all files that the page needs come at once.
fn hydration(assets: Assets) -> Option<impl IntoView> {
    let (js, wasm) = (assets.js?, assets.wasm?);
    let script = format!("import('{js}').then(m => m.default({{module_or_path: '{wasm}'}}).then(() => m.hydrate()))");
    Some(view! {
        <link rel="modulepreload" href=js nonce=use_nonce()/>
        {preload(wasm)}
        {chunk_files(assets).map(preload).collect_view()}
        <script type="module" nonce=use_nonce()>{script}</script>
    })
}

fn preload(wasm: &'static str) -> impl IntoView {
    view! { <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/> }
}

/// The files of the page's own code.
fn chunk_files(assets: Assets) -> impl Iterator<Item = &'static str> {
    let needed = lazy::chunks(routes::routes(), &raw_path());
    let needed = assets.chunks.iter().filter(move |(name, _)| needed.contains(name));
    needed.flat_map(|(_, files)| files.iter().copied())
}
