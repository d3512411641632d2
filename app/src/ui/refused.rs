//! What a page shows instead of its content when it was refused, with the refusal's status.

use leptos::prelude::*;
use leptos_meta::Title;

use super::moved::Moved;
use crate::audit::links::with_parameter;
use crate::routes::use_path_and_query;
use crate::wire::Refusal;

/// Shown where no page is.
#[component]
#[must_use]
pub fn NotFoundPage() -> impl IntoView {
    view! { <main class="lone"><Refused refusal=Refusal::not_found()/></main> }
}

/// A refusal in place of a page. Who is not signed in goes to sign in, and comes back.
#[component]
#[must_use]
pub fn Refused(
    /// What the server said.
    refusal: Refusal,
) -> impl IntoView {
    let here = use_path_and_query();
    if refusal.status == 401 {
        let login = with_parameter("/login", "next", &here.get_untracked());
        return view! { <Moved path=login/> }.into_any();
    }
    #[cfg(feature = "ssr")]
    crate::context::set_status(refusal.status);
    let title = title(refusal.status);
    let (href, label) = way_on(refusal.status, &here.get_untracked());
    // A whole load (rel=external): "try again" must ask the server again, whatever the browser thinks it knows.
    view! {
        <Title text=title/>
        <div class="refused">
            <p class="refused-status">{refusal.status}</p>
            <h1>{title}</h1>
            <p>{refusal.message}</p>
            {help(refusal.status).map(|help| view! { <p class="quiet">{help}</p> }.into_any())}
            <p><a class="button" rel="external" href=href>{label}</a></p>
            {refusal.request_id.map(|id| view! { <p class="quiet">"Request " <code>{id}</code></p> }.into_any())}
        </div>
    }
    .into_any()
}

/// The heading for a status.
#[must_use]
pub fn title(status: u16) -> &'static str {
    match status {
        400 => "That page of the list is gone",
        403 => "You cannot see this",
        404 => "Nothing here",
        409 => "Somebody else was faster",
        422 => "That cannot be shown",
        429 => "Too much at once",
        503 => "Not right now",
        _ => "Something went wrong",
    }
}

fn help(status: u16) -> Option<&'static str> {
    match status {
        403 => {
            Some("An owner or admin of the organization can help: ask them to do it for you, or to change your role.")
        }
        404 => Some("If a colleague sent you this link, ask them to invite you to the organization."),
        500.. => Some("Nothing was changed. If it happens again, tell whoever runs this server the request below."),
        _ => None,
    }
}

fn way_on(status: u16, here: &str) -> (String, String) {
    match status {
        400 | 422 => (here.split('?').next().unwrap_or("/").to_owned(), "Start again without filters".to_owned()),
        403 | 404 => ("/".to_owned(), "Go to your organization".to_owned()),
        _ => (here.to_owned(), "Try again".to_owned()),
    }
}
