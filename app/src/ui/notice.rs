//! A message above what it is about.

use leptos::prelude::*;

/// What was done: read aloud when it appears.
#[component]
#[must_use]
pub fn Done(
    /// The message; nothing is shown without one.
    message: Option<String>,
) -> impl IntoView {
    message.map(|message| view! { <p class="notice notice-good" role="status">{message}</p> }.into_any())
}

/// What was refused: read aloud at once.
#[component]
#[must_use]
pub fn Problem(
    /// The message; nothing is shown without one.
    message: Option<String>,
) -> impl IntoView {
    message.map(|message| view! { <p class="notice notice-bad" role="alert">{message}</p> }.into_any())
}
