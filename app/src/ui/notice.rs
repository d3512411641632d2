//! A message above what it is about.

use leptos::prelude::*;

use orgtrail::identity::view::Flash;

use super::field::FormState;

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

/// What the forms of a page left: what was done, and what was refused and is shown at none of `fields`.
#[must_use]
pub fn left_by(forms: &[&'static str], flash: &Flash, fields: &[&str]) -> AnyView {
    let states: Vec<_> = forms.iter().map(|form| FormState::new(form, flash.clone())).collect();
    let done = states.iter().find_map(FormState::notice);
    let refused = states.iter().find_map(|state| state.error_elsewhere(fields));
    view! { <Done message=done/> <Problem message=refused/> }.into_any()
}
