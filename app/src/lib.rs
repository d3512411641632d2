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
pub mod home;
pub mod identity;
pub mod organization;
pub mod routes;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod ui;
pub mod wire;

#[cfg(not(erase_components))]
compile_error!("server and browser must agree on `--cfg erase_components`, see .cargo/config.toml: is RUSTFLAGS set?");

pub use routes::App;

/// Takes over the page that the server sent; called once by the script of [`shell::Shell`].
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(App);
}
