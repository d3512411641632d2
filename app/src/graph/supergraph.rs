//! One supergraph of a branch: what it was composed of, what it changed since the one before, or since any other, what clients see of it,
//! and what a router plans by.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::graph::view::{PartRow, SupergraphComparison, SupergraphView};

use super::branch::way;
use super::diff::{comparer, comparison, headed, use_since};
use super::sdl::{download, schema};
use super::server_fns::{compared_supergraphs, supergraph_view};
use super::sized;
use crate::answer::Answer;
use crate::routes::{use_segment, use_slug};
use crate::ui::answered::answered;
use crate::ui::refused::Refused;
use crate::ui::time::Time;
use crate::wire::Refusal;

/// One supergraph, by its number in the path; with which other it is compared can be in the URL (`since`).
#[component]
#[must_use]
pub fn SupergraphPage() -> impl IntoView {
    let (slug, since) = (use_slug(), use_since());
    let [graph, branch, number] = ["graph", "branch", "number"].map(use_segment);
    let place = move || (slug.get_untracked(), graph.get_untracked(), branch.get_untracked());
    // There is no supergraph 0: what is no number is not found.
    let number_now = move || number.get_untracked().parse::<i32>().unwrap_or(0);
    let key = move || format!("{}/{}/{}/{}", slug.read(), graph.read(), branch.read(), number.read());
    let found = Answer::to(key, move || {
        let (slug, graph, branch) = place();
        supergraph_view(slug, graph, branch, number_now())
    });
    let compared = Answer::to(
        move || format!("{}?{:?}", key(), since.get()),
        move || {
            let (slug, graph, branch) = place();
            compared_supergraphs(slug, graph, branch, number_now(), since.get_untracked())
        },
    );
    answered(move || async move {
        let asked = async { Ok::<_, Refusal>((found.read().await?, compared.read().await?)) };
        match asked.await {
            Ok((found, compared)) => {
                let (slug, graph, branch) = place();
                page(&found, compared.as_ref(), &slug, &graph, &branch)
            }
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn page(
    found: &SupergraphView,
    compared: Option<&SupergraphComparison>,
    slug: &str,
    graph: &str,
    branch: &str,
) -> AnyView {
    let composed = found.supergraph.clone();
    let number = composed.number;
    let path = format!("/{slug}/graphs/{graph}/branches/{branch}");
    let parts: Vec<_> = found.parts.iter().map(|part| part_row(part, &path)).collect();
    view! {
        <Title text=format!("Supergraph {number} · {branch} · {graph} · Graphs")/>
        {way(slug, graph, Some(branch))}
        <header class="page-head">
            <div>
                <h1>"Supergraph " {number}</h1>
                <p class="graph-fact">
                    {sized(composed.bytes)} " · composed " <Time moment=composed.composed/> " · by " {composed.composed_by}
                </p>
                <p class="graph-fact">"SHA-256 " <code>{composed.sha256}</code></p>
            </div>
        </header>
        <section aria-labelledby="parts-heading"><h2 id="parts-heading">"Composed of"</h2><ul class="list">{parts}</ul></section>
        {changes(compared, number, &path)}
        <section aria-labelledby="api-heading">
            <div class="section-head"><h2 id="api-heading">"What clients see"</h2>{download(format!("{path}/supergraphs/{number}/api"))}</div>
            {schema(&found.api, format!("Schema for clients of supergraph {number}"))}
        </section>
        <section aria-labelledby="sdl-heading">
            <div class="section-head"><h2 id="sdl-heading">"What a router plans by"</h2>{download(format!("{path}/supergraphs/{number}/file"))}</div>
            {schema(&found.sdl, format!("Supergraph {number}"))}
        </section>
    }
    .into_any()
}

/// What differs, if there is anything to compare with: the first supergraph stands alone until somebody names another.
fn changes(compared: Option<&SupergraphComparison>, number: i32, path: &str) -> AnyView {
    let comparer = |since| comparer(format!("{path}/supergraphs/{number}"), "Compare with supergraph", since);
    let Some(SupergraphComparison { since, api, sdl }) = compared else { return comparer(None) };
    let since = *since;
    view! {
        <section aria-labelledby="changes-heading">
            <h2 id="changes-heading">
                {headed(since, number)} <a href=format!("{path}/supergraphs/{since}")>"supergraph " {since}</a>
            </h2>
            {comparer(Some(since))}
            <h3>"For clients"</h3>
            {comparison(api, format!("Lines for clients that differ from supergraph {since}"), "Clients see the same.")}
            <h3>"For a router"</h3>
            {comparison(sdl, format!("Lines for a router that differ from supergraph {since}"), "A router plans by the same.")}
        </section>
    }
    .into_any()
}

/// A link to its version while there is one: the subgraph may be gone.
fn part_row(part: &PartRow, path: &str) -> AnyView {
    let PartRow { name, number, url, is_kept, .. } = part.clone();
    let (href, spoken) = (format!("{path}/subgraphs/{name}/versions/{number}"), format!("Version {number} of {name}"));
    let version = if is_kept {
        view! { <a href=href aria-label=spoken>"version " {number}</a> }.into_any()
    } else {
        view! { <span class="quiet">"version " {number}</span> }.into_any()
    };
    let url = if url.is_empty() { "no URL".to_owned() } else { url };
    view! { <li class="graph-row"><strong>{name}</strong>{version}<span class="quiet graph-fact">{url}</span></li> }
        .into_any()
}
