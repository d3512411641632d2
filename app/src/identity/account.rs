//! `/account`: who one is.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::identity::view::{OrganizationLink, ViewerView};

use super::server_fns::viewer;
use crate::answer::Answer;
use crate::frame::PlainFrame;
use crate::ui::answered::answered;
use crate::ui::refused::Refused;

/// Who one is, where one is a member, and the way out.
#[component]
#[must_use]
pub fn AccountPage() -> impl IntoView {
    let viewer = Answer::to(String::new, viewer);
    let content = answered(move || async move {
        match viewer.read().await {
            Ok(viewer) => account(viewer).into_any(),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    });
    view! {
        <PlainFrame viewer=viewer>
            <Title text="Your account"/>
            {content}
        </PlainFrame>
    }
}

fn account(viewer: ViewerView) -> impl IntoView {
    let ViewerView { name, email, organizations } = viewer;
    view! {
        <header class="page-head"><div><h1>"Your account"</h1><p>"Who you are on this platform."</p></div></header>
        <dl class="facts facts-boxed">
            <div><dt>"Name"</dt><dd>{name}</dd></div>
            <div><dt>"E-mail"</dt><dd>{email}</dd></div>
        </dl>
        <section aria-labelledby="organizations-heading">
            <h2 id="organizations-heading">"Your organizations"</h2>
            <ul class="list">{organizations.into_iter().map(organization).collect_view()}</ul>
            <p><a class="button" href="/organizations/new">"New organization"</a></p>
        </section>
        <section aria-labelledby="session-heading">
            <h2 id="session-heading">"This session"</h2>
            <form method="post" action="/api/logout"><button class="button" type="submit">"Sign out"</button></form>
        </section>
    }
}

fn organization(link: OrganizationLink) -> impl IntoView {
    let OrganizationLink { slug, name, role } = link;
    view! { <li><a href=format!("/{slug}")>{name}</a><span class="badge">{role}</span></li> }
}
