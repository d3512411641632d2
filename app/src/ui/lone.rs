//! Pages that stand alone, without the frame: one card.

use leptos::prelude::*;
use leptos_meta::Title;

/// A page of one card with its heading; plain words, which are the title too.
#[must_use]
pub fn card(heading: &'static str, content: AnyView) -> AnyView {
    view! {
        <Title text=heading/>
        <div class="card">
            <p class="brand">"Orgtrail"</p>
            <h1>{heading}</h1>
            {content}
        </div>
    }
    .into_any()
}

/// A page that says why nothing can be done here, and what to do instead; with its status.
#[must_use]
pub fn dead_end(
    status: u16,
    heading: &'static str,
    sentence: &'static str,
    href: &'static str,
    label: &'static str,
) -> AnyView {
    #[cfg(feature = "ssr")]
    crate::context::set_status(status);
    #[cfg(not(feature = "ssr"))]
    let _ = status;
    let content = view! {
        <p>{sentence}</p>
        <p><a class="button" href=href>{label}</a></p>
    };
    card(heading, content.into_any())
}
