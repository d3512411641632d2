//! `/`: not a page, but the way to one.

use leptos::prelude::*;

use orgtrail::identity::view::ViewerView;

use crate::answer::Answer;
use crate::identity::server_fns::viewer;
use crate::ui::answered::answered;
use crate::ui::moved::Moved;
use crate::ui::refused::Refused;
use crate::wire::Refusal;

/// Sends the reader to their organization, to making one, or to sign in.
#[component]
#[must_use]
pub fn HomePage() -> impl IntoView {
    let viewer = Answer::to(String::new, viewer);
    view! {
        <main class="lone">
            {answered(move || async move { way_on(viewer.read().await) })}
        </main>
    }
}

fn way_on(viewer: Result<ViewerView, Refusal>) -> AnyView {
    match viewer.map(|viewer| viewer.organizations) {
        Ok(organizations) => {
            let path =
                organizations.first().map_or("/organizations/new".to_owned(), |first| format!("/{}", first.slug));
            view! { <Moved path=path/> }.into_any()
        }
        Err(refusal) if refusal.status == 401 => view! { <Moved path="/login"/> }.into_any(),
        Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
    }
}
