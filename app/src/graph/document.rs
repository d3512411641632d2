//! One trusted document of a client: its text, and what is known of it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use orgtrail::graph::view::DocumentView;

use super::branch::way;
use super::documents::called;
use super::sdl::{download, schema};
use super::server_fns::document_view;
use super::sized;
use crate::answer::Answer;
use crate::audit::links::Query;
use crate::routes::{use_segment, use_slug};
use crate::ui::answered::answered;
use crate::ui::refused::Refused;
use crate::ui::time::Time;

/// One document; client and id can be any text, and are in the query (`client`, `id`).
#[component]
#[must_use]
pub fn DocumentPage() -> impl IntoView {
    let (slug, graph, branch) = (use_slug(), use_segment("graph"), use_segment("branch"));
    let query = use_query_map();
    let which = Memo::new(move |_| {
        let part = |name| query.with(|all| all.get(name)).unwrap_or_default();
        (part("client"), part("id"))
    });
    let found = Answer::to(
        move || format!("{}/{}/{}?{:?}", slug.read(), graph.read(), branch.read(), which.get()),
        move || {
            let (client, id) = which.get_untracked();
            document_view(slug.get_untracked(), graph.get_untracked(), branch.get_untracked(), client, id)
        },
    );
    answered(move || async move {
        match found.read().await {
            Ok(found) => page(&found, &slug.get_untracked(), &graph.get_untracked(), &branch.get_untracked()),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn page(found: &DocumentView, slug: &str, graph: &str, branch: &str) -> AnyView {
    let (document, name) = (found.document.clone(), called(&found.document));
    let documents = format!("/{slug}/graphs/{graph}/branches/{branch}/documents");
    let client = Query::default().filter("client", &document.client);
    let file = client.filter("id", &document.id).on(&format!("{documents}/document/file"));
    view! {
        <Title text=format!("{name} · Trusted documents · {branch} · {graph}")/>
        {way(slug, graph, Some(branch))}
        <header class="page-head">
            <div>
                <h1>{name.clone()}</h1>
                <p class="graph-fact">
                    "A " {document.kind} " of " <a href=client.on(&documents)>{document.client}</a> " · " {sized(document.bytes)}
                    " · first submitted " <Time moment=found.submitted.clone()/> " · by " {found.submitted_by.clone()}
                </p>
                <p class="graph-fact">"Id " <code>{document.id}</code></p>
                <p class="graph-fact">"SHA-256 " <code>{document.sha256}</code></p>
            </div>
            {download(file)}
        </header>
        {schema(&found.text, format!("Text of {name}"))}
    }
    .into_any()
}
