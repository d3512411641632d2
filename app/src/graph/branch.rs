//! One branch of a graph: its subgraphs, its supergraph, publishing to it, and what can be done with it.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::graph::view::{BranchView, SubgraphRow, SupergraphRow};
use orgtrail::identity::view::Flash;

use super::publish::{PUBLISH, publisher};
use super::server_fns::branch_view;
use super::sized;
use crate::answer::Answer;
use crate::audit::history::history_links;
use crate::context::current_flash;
use crate::routes::{use_segment, use_slug};
use crate::ui::answered::answered;
use crate::ui::confirm::confirmed;
use crate::ui::field::{Field, FormState};
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::hidden;
use crate::ui::time::Time;

const UPDATE: &str = "/api/update_branch";
const DELETE: &str = "/api/delete_branch";

/// One branch, by its name in the path.
#[component]
#[must_use]
pub fn BranchPage() -> impl IntoView {
    let (slug, graph, branch) = (use_slug(), use_segment("graph"), use_segment("branch"));
    let found = Answer::to(
        move || format!("{}/{}/{}", slug.read(), graph.read(), branch.read()),
        move || branch_view(slug.get_untracked(), graph.get_untracked(), branch.get_untracked()),
    );
    let flash = current_flash();
    answered(move || async move {
        let flash = flash.read().await;
        match found.read().await {
            Ok(branch) => page(&branch, &slug.get_untracked(), &flash),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

/// Where one is: links to the graphs, the graph, and the branch where the page is of something in it.
pub(super) fn way(slug: &str, graph: &str, branch: Option<&str>) -> AnyView {
    let (all, one) = (format!("/{slug}/graphs"), format!("/{slug}/graphs/{graph}"));
    let branch = branch.map(|name| {
        let href = format!("{one}/branches/{name}");
        view! { " / " <a href=href>{name.to_owned()}</a> }
    });
    view! { <p class="quiet graph-fact"><a href=all>"Graphs"</a> " / " <a href=one>{graph.to_owned()}</a> {branch}</p> }
        .into_any()
}

fn page(branch: &BranchView, slug: &str, flash: &Flash) -> AnyView {
    let forms = ["/api/create_branch", "/api/delete_subgraph", UPDATE, DELETE, PUBLISH];
    let left = left_by(&forms, flash, &["name", "url", "schema"]);
    let path = format!("/{slug}/graphs/{}/branches/{}", branch.graph, branch.name);
    let rows: Vec<_> = branch.subgraphs.iter().map(|subgraph| row(subgraph, &path)).collect();
    let none = branch.subgraphs.is_empty().then(|| {
        view! { <div class="empty"><p><strong>"No subgraphs yet."</strong></p><p>"The first one that is published makes the supergraph."</p></div> }
    });
    view! {
        <Title text=format!("{} · {} · Graphs", branch.name, branch.graph_name)/>
        {way(slug, &branch.graph, None)}
        <header class="page-head">
            <div>
                <h1>{branch.name.clone()} {branch.protected.then(|| view! { " " <span class="badge">"protected"</span> })}</h1>
                <p>"A branch of " {branch.graph_name.clone()} "."</p>
            </div>
        </header>
        {left}
        {branch.supergraph.as_ref().map(|supergraph| composed(supergraph, &path))}
        <p class="graph-ways">
            <a class="button" href=format!("{path}/supergraphs")>"All supergraphs"</a>
            <a class="button" href=format!("{path}/documents")>"Trusted documents"</a>
        </p>
        <section aria-labelledby="subgraphs-heading">
            <h2 id="subgraphs-heading">"Subgraphs"</h2>
            {none}
            <ul class="list">{rows}</ul>
        </section>
        {if branch.rights.publish { publisher(branch, slug, flash) } else { unpublishable(branch.protected, "Publishing") }}
        {branch.rights.change.then(|| settings(branch, slug, flash))}
        {branch.reads_audit_log.then(|| history(branch, slug))}
    }
    .into_any()
}

fn composed(supergraph: &SupergraphRow, path: &str) -> AnyView {
    let SupergraphRow { number, sha256, bytes, composed, composed_by, .. } = supergraph.clone();
    view! {
        <section aria-labelledby="supergraph-heading">
            <h2 id="supergraph-heading">"Supergraph"</h2>
            <p>
                <a href=format!("{path}/supergraphs/{number}")>"Supergraph " {number}</a> " · " {sized(bytes)} " · composed "
                <Time moment=composed/> " · by " {composed_by}
            </p>
            <p class="quiet graph-fact">"SHA-256 " <code>{sha256}</code></p>
        </section>
    }
    .into_any()
}

fn row(subgraph: &SubgraphRow, path: &str) -> AnyView {
    let SubgraphRow { name, url, owner_team, schema, .. } = subgraph.clone();
    let owner = owner_team.map(|team| view! { <span class="badge">{team.name}</span> });
    let url = if url.is_empty() { "no URL".to_owned() } else { url };
    view! {
        <li class="graph-row">
            <a href=format!("{path}/subgraphs/{name}")>{name.clone()}</a>
            {owner}
            <span class="quiet graph-fact">{url}</span>
            <a href=format!("{path}/subgraphs/{name}/versions/{}", schema.number) aria-label=format!("Version {} of {name}", schema.number)>
                "version " {schema.number}
            </a>
        </li>
    }
    .into_any()
}

/// Why the viewer may not do `what`, and who can help.
pub(super) fn unpublishable(protected: bool, what: &'static str) -> AnyView {
    let (branch, permission) = if protected { ("to this protected branch ", "admin") } else { ("", "publish") };
    view! {
        <p class="quiet graph-after">
            {what} " " {branch} "takes the permission " <strong>{permission}</strong> " for this graph: an owner or admin gives it to your team."
        </p>
    }
    .into_any()
}

fn history(branch: &BranchView, slug: &str) -> AnyView {
    view! { <p class="graph-after">{history_links(slug, None, format!("branch:{}", branch.object_id), "it", &branch.name)}</p> }.into_any()
}

fn settings(branch: &BranchView, slug: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(UPDATE, flash.clone());
    let fields = [("organization", slug), ("graph", branch.graph.as_str()), ("branch", branch.name.as_str())];
    let before: Vec<String> = branch.protected.then(|| "on".to_owned()).into_iter().collect();
    let is_protected = !form.values("protected", &before).is_empty();
    let is_main = branch.name == "main";
    let question = format!("Delete branch {} with its subgraphs and schemas? This cannot be undone.", branch.name);
    let button = format!("Delete branch {}", branch.name);
    let deletion =
        (!is_main && !branch.protected).then(|| confirmed(DELETE, &fields, "Delete branch", question, button));
    view! {
        <section aria-labelledby="branch-heading">
            <h2 id="branch-heading">"The branch itself"</h2>
            <form method="post" action=UPDATE class="form form-narrow">
                {hidden(&fields)}
                {hidden(&[("version", &branch.version.to_string())])}
                <Field
                    form=form name="name" id="branch-name" label="Name of the branch" value=branch.name.clone() max_length=60
                    readonly=is_main hint=if is_main { "Every graph has a branch main: it keeps its name." } else { "" }
                />
                <label class="check">
                    <input type="checkbox" name="protected" checked=is_protected/>
                    <span>"Protected " <small>"Publishing takes the permission admin, and the branch cannot be deleted."</small></span>
                </label>
                <button class="button" type="submit">"Save"</button>
            </form>
            {deletion}
        </section>
    }
    .into_any()
}
