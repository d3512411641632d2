//! The supergraphs of a branch: when each was composed, and what it changed.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use orgtrail::graph::view::{PartChange, SupergraphRow, SupergraphsPage as Supergraphs};

use super::branch::way;
use super::server_fns::supergraphs_page;
use super::sized;
use crate::answer::Answer;
use crate::routes::{use_segment, use_slug};
use crate::ui::answered::answered;
use crate::ui::refused::Refused;
use crate::ui::time::Time;

/// Changes of one supergraph that are told; a branch begins with all subgraphs of another.
const TOLD: usize = 5;

/// The supergraphs, newest first; older ones are asked for in the URL (`before`).
#[component]
#[must_use]
pub fn SupergraphsPage() -> impl IntoView {
    let (slug, graph, branch) = (use_slug(), use_segment("graph"), use_segment("branch"));
    let query = use_query_map();
    let before = Memo::new(move |_| query.with(|all| all.get("before")?.parse::<i32>().ok()));
    let found = Answer::to(
        move || format!("{}/{}/{}?{:?}", slug.read(), graph.read(), branch.read(), before.get()),
        move || {
            let (slug, graph, branch) = (slug.get_untracked(), graph.get_untracked(), branch.get_untracked());
            supergraphs_page(slug, graph, branch, before.get_untracked())
        },
    );
    answered(move || async move {
        match found.read().await {
            Ok(found) => page(&found, &slug.get_untracked(), &graph.get_untracked(), &branch.get_untracked()),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn page(found: &Supergraphs, slug: &str, graph: &str, branch: &str) -> AnyView {
    let path = format!("/{slug}/graphs/{graph}/branches/{branch}");
    let rows: Vec<_> = found.supergraphs.iter().map(|supergraph| row(supergraph, &found.changes, &path)).collect();
    let none = rows.is_empty().then(|| {
        view! { <div class="empty"><p><strong>"No supergraphs yet."</strong></p><p>"The first subgraph that is published makes the first one."</p></div> }
    });
    let older = found.before.map(|before| {
        view! { <p class="graph-ways"><a class="button" href=format!("{path}/supergraphs?before={before}")>"Older supergraphs"</a></p> }
    });
    view! {
        <Title text=format!("Supergraphs · {branch} · {graph} · Graphs")/>
        {way(slug, graph, Some(branch))}
        <header class="page-head">
            <div><h1>"Supergraphs"</h1><p>"What the subgraphs of " <strong>{branch.to_owned()}</strong> " were composed to, newest first."</p></div>
        </header>
        {none}
        <ul class="list">{rows}</ul>
        {older}
    }
    .into_any()
}

fn row(supergraph: &SupergraphRow, changes: &[PartChange], path: &str) -> AnyView {
    let SupergraphRow { number, sha256, bytes, composed, composed_by, .. } = supergraph.clone();
    let changes: Vec<_> = changes.iter().filter(|change| change.supergraph == number).collect();
    let further = changes.len().saturating_sub(TOLD);
    let further = (further > 0).then(|| view! { <li>{format!("and {further} more")}</li> });
    let changes: Vec<_> = changes.into_iter().take(TOLD).map(|change| changed(change, path)).collect();
    view! {
        <li class="graph-row">
            <a href=format!("{path}/supergraphs/{number}")>"Supergraph " {number}</a>
            <span class="quiet graph-fact">{sized(bytes)} " · " <Time moment=composed/> " · by " {composed_by}</span>
            <ul class="graph-line graph-changes">{changes} {further}</ul>
            <small class="graph-line graph-fact">"SHA-256 " <code>{sha256}</code></small>
        </li>
    }
    .into_any()
}

/// What happened to a subgraph; the version that did it is a link while there is one.
fn changed(change: &PartChange, path: &str) -> AnyView {
    let PartChange { name, before, after, is_kept, .. } = change.clone();
    let version = after.map(|number| {
        let label = format!("version {number} of {name}");
        if is_kept {
            view! { <a href=format!("{path}/subgraphs/{name}/versions/{number}")>{label}</a> }.into_any()
        } else {
            label.into_any()
        }
    });
    match (before, version) {
        (None, version) => view! { <li>{version} " came in"</li> }.into_any(),
        (Some(_), None) => view! { <li>{name} " went out"</li> }.into_any(),
        (Some(before), version) if after != Some(before) => {
            view! { <li>{version} " instead of version " {before}</li> }.into_any()
        }
        (Some(_), version) => view! { <li>{version} " is served elsewhere"</li> }.into_any(),
    }
}
