//! Pages: what a browser shows, and the server functions through which it asks.
//!
//! The server renders [`shell::Shell`] with the feature `ssr`; the browser takes the same tree over with `hydrate`.

// A page is one nested type, and the browser's build looks deeper into it than the compiler's default.
#![recursion_limit = "256"]

pub mod answer;
pub mod audit;
pub mod browser;
pub mod context;
pub mod frame;
pub mod graph;
pub mod home;
pub mod identity;
pub mod lazy;
pub mod model;
pub mod organization;
pub mod routes;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod ui;
pub mod wire;

#[cfg(not(erase_components))]
compile_error!("server and browser must agree on `--cfg erase_components`, see .cargo/config.toml: is RUSTFLAGS set?");

pub use routes::App;

/// Takes over the page that the server sent, once its code is there; called once by the script of [`shell::Shell`]. A page whose
/// code cannot be had stays as it was sent.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() {
    use leptos::leptos_dom::helpers::location;

    console_error_panic_hook::set_once();
    lazy::load(routes::routes(), &location().pathname().unwrap_or_default()).await;
    leptos::mount::hydrate_body(App);
}
