//! One graph: its branches, what teams may do with it, and what is said of it.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::graph::view::{BranchRow, GraphView, TeamGrant};
use orgtrail::identity::view::Flash;
use orgtrail::number::counted;

use super::described;
use super::server_fns::graph_view;
use crate::answer::Answer;
use crate::audit::history::history_links;
use crate::context::{current_flash, current_organization};
use crate::routes::{use_segment, use_slug};
use crate::ui::answered::answered;
use crate::ui::confirm::confirmed;
use crate::ui::field::{Field, FormState};
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::{hidden, options};

const UPDATE: &str = "/api/update_graph";
const DELETE: &str = "/api/delete_graph";
const BRANCH: &str = "/api/create_branch";
const GRANT: &str = "/api/grant_team_graph";
const WITHDRAW: &str = "/api/withdraw_team_graph";

/// One graph, by its slug in the path.
#[component]
#[must_use]
pub fn GraphPage() -> impl IntoView {
    let (slug, graph) = (use_slug(), use_segment("graph"));
    let found = Answer::to(
        move || format!("{}/{}", slug.read(), graph.read()),
        move || graph_view(slug.get_untracked(), graph.get_untracked()),
    );
    let (organization, flash) = (current_organization().0, current_flash());
    answered(move || async move {
        let (flash, name) = (flash.read().await, organization.read().await.map(|found| found.name).unwrap_or_default());
        match found.read().await {
            Ok(graph) => page(&graph, &name, &slug.get_untracked(), &flash),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn page(graph: &GraphView, organization: &str, slug: &str, flash: &Flash) -> AnyView {
    let forms = ["/api/create_graph", "/api/delete_branch", UPDATE, DELETE, BRANCH, GRANT, WITHDRAW];
    let left = left_by(&forms, flash, &["name", "slug", "description"]);
    let path = format!("/{slug}/graphs/{}", graph.slug);
    let rows: Vec<_> = graph.branches.iter().map(|branch| branch_row(branch, &path)).collect();
    let description = graph.description.clone();
    view! {
        <Title text=format!("{} · Graphs · {organization}", graph.name)/>
        <p class="quiet"><a href=format!("/{slug}/graphs")>"Graphs"</a></p>
        <header class="page-head">
            <div>
                <h1>{graph.name.clone()}</h1>
                <p>"Graph " <code>{graph.slug.clone()}</code> " of " {organization.to_owned()} " since " {graph.created.utc.clone()} "."</p>
            </div>
        </header>
        {left}
        {(!description.is_empty()).then(|| view! { <p class="graph-description">{description}</p> })}
        <section aria-labelledby="branches-heading">
            <h2 id="branches-heading">"Branches"</h2>
            <ul class="list">{rows}</ul>
        </section>
        {graph.rights.change.then(|| brancher(graph, slug, flash))}
        {teams(graph, slug)}
        {graph.rights.change.then(|| settings(graph, slug, flash))}
        {graph.reads_audit_log.then(|| history(graph, slug))}
    }
    .into_any()
}

fn branch_row(branch: &BranchRow, path: &str) -> AnyView {
    let BranchRow { name, protected, subgraphs, .. } = branch;
    view! {
        <li class="graph-row">
            <a href=format!("{path}/branches/{name}")>{name.clone()}</a>
            {protected.then(|| view! { <span class="badge">"protected"</span> })}
            <span class="quiet">{counted(*subgraphs, "subgraph")}</span>
        </li>
    }
    .into_any()
}

fn brancher(graph: &GraphView, slug: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(BRANCH, flash.clone());
    let from = form.value("from", "main");
    let names = graph.branches.iter().map(|branch| branch.name.clone()).collect();
    view! {
        <section aria-labelledby="branch-heading">
            <h2 id="branch-heading">"New branch"</h2>
            <form method="post" action=BRANCH class="form form-narrow">
                {hidden(&[("organization", slug), ("graph", &graph.slug)])}
                <Field
                    form=form name="name" id="branch-name" label="Name of the branch" max_length=60
                    hint="A-Z, a-z, 0-9, ., _ and -, with a letter or digit first."
                />
                <div class="field">
                    <label for="from">"From branch"</label>
                    <select id="from" name="from" aria-describedby="from-hint">{options(names, &from)}</select>
                    <p class="hint" id="from-hint">"The new branch begins with its subgraphs."</p>
                </div>
                <button class="button" type="submit">"Create branch"</button>
            </form>
        </section>
    }
    .into_any()
}

fn teams(graph: &GraphView, slug: &str) -> AnyView {
    let rows: Vec<_> = graph.teams.iter().map(|team| team_row(team, graph, slug)).collect();
    let none = graph.teams.is_empty().then(|| view! { <p class="quiet">"No team has a permission."</p> });
    let adder = (graph.rights.change && !graph.other_teams.is_empty()).then(|| granter(graph, slug));
    view! {
        <section aria-labelledby="teams-heading">
            <h2 id="teams-heading">"Teams"</h2>
            <p class="quiet">
                "Everybody in the organization reads graphs. " <strong>"publish"</strong>
                " lets a team's members publish to branches that are not protected, " <strong>"admin"</strong>
                " to all of them and change the graph."
            </p>
            {none}
            <ul class="list">{rows}</ul>
            {adder}
        </section>
    }
    .into_any()
}

fn team_row(team: &TeamGrant, graph: &GraphView, slug: &str) -> AnyView {
    let TeamGrant { id, name, permission } = team;
    let version = graph.version.to_string();
    let fields = [("organization", slug), ("graph", &graph.slug), ("team", id), ("version", &version)];
    let actions = if graph.rights.change {
        let question = format!("Take the permission {permission} away from team {name}?");
        let withdrawal = confirmed(WITHDRAW, &fields, "Take away", question, format!("Take it away from {name}"));
        view! { {permission_form(&fields, name, permission)} {withdrawal} }.into_any()
    } else {
        view! { <span class="badge">{permission.clone()}</span> }.into_any()
    };
    view! { <li class="member"><span class="member-who member-name">{name.clone()}</span>{actions}</li> }.into_any()
}

fn permission_form(fields: &[(&'static str, &str)], name: &str, permission: &str) -> AnyView {
    view! {
        <form method="post" action=GRANT class="inline-form">
            {hidden(fields)}
            <select name="permission" aria-label=format!("Permission of {name}")>{options(permissions(), permission)}</select>
            <button class="button" type="submit" aria-label=format!("Save the permission of {name}")>"Save"</button>
        </form>
    }
    .into_any()
}

fn permissions() -> Vec<String> {
    ["read", "publish", "admin"].map(str::to_owned).to_vec()
}

fn granter(graph: &GraphView, slug: &str) -> AnyView {
    let version = graph.version.to_string();
    let teams = graph.other_teams.iter().map(|team| {
        let (id, name) = (team.id.clone(), team.name.clone());
        view! { <option value=id>{name}</option> }
    });
    view! {
        <form method="post" action=GRANT class="inline-form graph-grant">
            {hidden(&[("organization", slug), ("graph", &graph.slug), ("version", &version)])}
            <select name="team" aria-label="Team">{teams.collect_view()}</select>
            <select name="permission" aria-label="Permission">{options(permissions(), "publish")}</select>
            <button class="button" type="submit">"Give permission"</button>
        </form>
    }
    .into_any()
}

fn settings(graph: &GraphView, slug: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(UPDATE, flash.clone());
    let fields = [("organization", slug), ("graph", graph.slug.as_str())];
    let question = format!(
        "Delete graph {} with its branches, subgraphs and schemas? The audit logs keep what they say about it. This cannot be undone.",
        graph.name
    );
    let button = format!("Delete graph {}", graph.name);
    view! {
        <section aria-labelledby="graph-heading">
            <h2 id="graph-heading">"The graph itself"</h2>
            <form method="post" action=UPDATE class="form form-narrow">
                {hidden(&fields)}
                {hidden(&[("version", &graph.version.to_string())])}
                {described(&form, &graph.name, &graph.slug, &graph.description)}
                <button class="button" type="submit">"Save"</button>
            </form>
            {graph.rights.manage.then(|| confirmed(DELETE, &fields, "Delete graph", question, button))}
        </section>
    }
    .into_any()
}

fn history(graph: &GraphView, slug: &str) -> AnyView {
    view! { <p>{history_links(slug, None, format!("graph:{}", graph.id), "it", &graph.name)}</p> }.into_any()
}
