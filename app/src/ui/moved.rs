//! Going on to another page: a redirect with its status on the server, a navigation in the browser.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

/// Sends the reader to `path`.
#[component]
#[must_use]
pub fn Moved(
    /// Where to: a path of ours.
    #[prop(into)]
    path: String,
    /// 303 for another page, 308 for the same page at its present address.
    #[prop(default = 303)]
    status: u16,
) -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::context::redirect(status, &path);
    #[cfg(not(feature = "ssr"))]
    let _ = status;
    let navigate = use_navigate();
    let target = path.clone();
    Effect::new(move |_| navigate(&target, NavigateOptions { replace: true, ..Default::default() }));
    view! { <p class="page-note">"This is at " <a href=path.clone()>{path.clone()}</a> "."</p> }
}
