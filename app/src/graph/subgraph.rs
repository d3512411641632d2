//! One subgraph of a branch: its versions and its settings.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use orgtrail::graph::view::{BranchView, SubgraphRow, VersionRow, VersionsPage};
use orgtrail::identity::view::Flash;

use super::branch::way;
use super::publish::faults;
use super::server_fns::{branch_view, subgraph_versions};
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
use crate::wire::Refusal;

const UPDATE: &str = "/api/update_subgraph";
const DELETE: &str = "/api/delete_subgraph";

/// One subgraph, by its name in the path; older versions are asked for in the URL (`before`).
#[component]
#[must_use]
pub fn SubgraphPage() -> impl IntoView {
    let (slug, graph, branch, name) =
        (use_slug(), use_segment("graph"), use_segment("branch"), use_segment("subgraph"));
    let query = use_query_map();
    let before = Memo::new(move |_| query.with(|all| all.get("before")?.parse::<i32>().ok()));
    let found = Answer::to(
        move || format!("{}/{}/{}", slug.read(), graph.read(), branch.read()),
        move || branch_view(slug.get_untracked(), graph.get_untracked(), branch.get_untracked()),
    );
    let versions = Answer::to(
        move || format!("{}/{}/{}/{}?{:?}", slug.read(), graph.read(), branch.read(), name.read(), before.get()),
        move || {
            let (slug, graph, branch) = (slug.get_untracked(), graph.get_untracked(), branch.get_untracked());
            subgraph_versions(slug, graph, branch, name.get_untracked(), before.get_untracked())
        },
    );
    let flash = current_flash();
    answered(move || async move {
        let flash = flash.read().await;
        let asked = async { Ok::<_, Refusal>((found.read().await?, versions.read().await?)) };
        match asked.await {
            Ok((branch, versions)) => one(&branch, &versions, &name.get_untracked(), &slug.get_untracked(), &flash),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn one(branch: &BranchView, versions: &VersionsPage, name: &str, slug: &str, flash: &Flash) -> AnyView {
    match branch.subgraphs.iter().find(|subgraph| subgraph.name == name) {
        Some(subgraph) => page(branch, subgraph, versions, slug, flash),
        None => view! { <Refused refusal=Refusal::not_found()/> }.into_any(),
    }
}

fn page(branch: &BranchView, subgraph: &SubgraphRow, versions: &VersionsPage, slug: &str, flash: &Flash) -> AnyView {
    let SubgraphRow { name, url, owner_team, .. } = subgraph.clone();
    let path = format!("/{slug}/graphs/{}/branches/{}/subgraphs/{name}", branch.graph, branch.name);
    let rows: Vec<_> = versions.versions.iter().map(|version| row(version, &path)).collect();
    let older = versions.before.map(|before| {
        view! { <p class="graph-ways"><a class="button" href=format!("{path}?before={before}")>"Older versions"</a></p> }
    });
    let served =
        if url.is_empty() { "It is not told where it is served.".to_owned() } else { format!("Served at {url}") };
    let owner = owner_team.map(|team| format!(" · owned by team {}", team.name));
    view! {
        <Title text=format!("{name} · {} · {} · Graphs", branch.name, branch.graph_name)/>
        {way(slug, &branch.graph, Some(&branch.name))}
        <header class="page-head"><div><h1>{name}</h1><p class="graph-fact">{served} {owner}</p></div></header>
        {left_by(&[UPDATE, DELETE], flash, &["url"])}
        {faults(FormState::new(UPDATE, flash.clone()).faults())}
        {faults(FormState::new(DELETE, flash.clone()).faults())}
        <section aria-labelledby="versions-heading">
            <h2 id="versions-heading">"Versions"</h2>
            <ul class="list">{rows}</ul>
            {older}
        </section>
        {branch.rights.change.then(|| settings(branch, subgraph, slug, flash))}
        {branch.reads_audit_log.then(|| history(branch, subgraph, slug))}
    }
    .into_any()
}

fn history(branch: &BranchView, subgraph: &SubgraphRow, slug: &str) -> AnyView {
    let object = format!("subgraph:{}:{}", branch.object_id, subgraph.id);
    view! { <p class="graph-after">{history_links(slug, None, object, "it", &subgraph.name)}</p> }.into_any()
}

fn row(version: &VersionRow, path: &str) -> AnyView {
    let VersionRow { number, bytes, published, published_by, .. } = version.clone();
    view! {
        <li class="graph-row">
            <a href=format!("{path}/versions/{number}")>"Version " {number}</a>
            <span class="quiet graph-fact">{sized(bytes)} " · " <Time moment=published/> " · " {published_by}</span>
        </li>
    }
    .into_any()
}

fn settings(branch: &BranchView, subgraph: &SubgraphRow, slug: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(UPDATE, flash.clone());
    let fields = [
        ("organization", slug),
        ("graph", branch.graph.as_str()),
        ("branch", branch.name.as_str()),
        ("subgraph", subgraph.name.as_str()),
    ];
    let button = format!("Delete subgraph {}", subgraph.name);
    let question = format!("{button} with its versions? The others are composed without it. This cannot be undone.");
    view! {
        <section aria-labelledby="subgraph-heading">
            <h2 id="subgraph-heading">"The subgraph itself"</h2>
            <form method="post" action=UPDATE class="form form-narrow">
                {hidden(&fields)}
                {hidden(&[("version", &subgraph.version.to_string())])}
                <Field
                    form=form.clone() name="url" label="URL" kind="url" value=subgraph.url.clone() max_length=2_000 may_be_empty=true
                    hint="Where it is served; may be empty. Another one is another supergraph."
                />
                {owner(branch, subgraph, &form)}
                <button class="button" type="submit">"Save"</button>
            </form>
            {confirmed(DELETE, &fields, "Delete subgraph", question, button)}
        </section>
    }
    .into_any()
}

fn owner(branch: &BranchView, subgraph: &SubgraphRow, form: &FormState) -> AnyView {
    let present = subgraph.owner_team.as_ref().map(|team| team.id.as_str()).unwrap_or_default();
    let chosen = form.value("owner_team", present);
    let teams = branch.teams.iter().map(|team| {
        let selected = team.id == chosen;
        view! { <option value=team.id.clone() selected=selected>{team.name.clone()}</option> }
    });
    view! {
        <div class="field">
            <label for="owner_team">"Owner team"</label>
            <select id="owner_team" name="owner_team"><option value="">"None"</option>{teams.collect_view()}</select>
        </div>
    }
    .into_any()
}
