//! One supergraph of a branch: what it was composed of, what clients see of it, and what a router plans by.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::graph::view::{PartRow, SupergraphView};

use super::branch::way;
use super::sdl::schema;
use super::server_fns::supergraph_view;
use crate::answer::Answer;
use crate::routes::{use_segment, use_slug};
use crate::ui::answered::answered;
use crate::ui::refused::Refused;
use crate::ui::time::Time;

/// One supergraph, by its number in the path.
#[component]
#[must_use]
pub fn SupergraphPage() -> impl IntoView {
    let slug = use_slug();
    let [graph, branch, number] = ["graph", "branch", "number"].map(use_segment);
    let found = Answer::to(
        move || format!("{}/{}/{}/{}", slug.read(), graph.read(), branch.read(), number.read()),
        move || {
            // There is no supergraph 0: what is no number is not found.
            let number = number.get_untracked().parse().unwrap_or(0);
            supergraph_view(slug.get_untracked(), graph.get_untracked(), branch.get_untracked(), number)
        },
    );
    answered(move || async move {
        match found.read().await {
            Ok(found) => page(&found, &slug.get_untracked(), &graph.get_untracked(), &branch.get_untracked()),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn page(found: &SupergraphView, slug: &str, graph: &str, branch: &str) -> AnyView {
    let composed = found.supergraph.clone();
    let number = composed.number;
    let path = format!("/{slug}/graphs/{graph}/branches/{branch}");
    let before = (number > 1).then(|| {
        view! { <p><a href=format!("{path}/supergraphs/{}", number - 1)>"Supergraph " {number - 1}</a></p> }
    });
    let parts: Vec<_> = found.parts.iter().map(part).collect();
    view! {
        <Title text=format!("Supergraph {number} · {branch} · {graph} · Graphs")/>
        {way(slug, graph, Some(branch))}
        <header class="page-head">
            <div>
                <h1>"Supergraph " {number}</h1>
                <p class="graph-fact">
                    {composed.bytes} " bytes · composed " <Time moment=composed.composed/> " · by " {composed.composed_by}
                </p>
                <p class="graph-fact">"SHA-256 " <code>{composed.sha256}</code></p>
            </div>
        </header>
        {before}
        <section aria-labelledby="parts-heading"><h2 id="parts-heading">"Composed of"</h2><ul class="list">{parts}</ul></section>
        <section aria-labelledby="api-heading">
            <h2 id="api-heading">"What clients see"</h2>
            {schema(&found.api, format!("Schema for clients of supergraph {number}"))}
        </section>
        <section aria-labelledby="sdl-heading">
            <h2 id="sdl-heading">"What a router plans by"</h2>
            {schema(&found.sdl, format!("Supergraph {number}"))}
        </section>
    }
    .into_any()
}

/// No link to its version: the subgraph may be gone.
fn part(part: &PartRow) -> AnyView {
    let PartRow { name, number, url, .. } = part.clone();
    view! { <li class="graph-row"><strong>{name}</strong><span class="quiet">"version " {number}</span><span class="quiet graph-fact">{url}</span></li> }
        .into_any()
}
